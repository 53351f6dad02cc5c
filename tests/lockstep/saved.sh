# A state that was saved under one engine goes on under the other: boots saved at random points, some of them
# ticks behind an instruction, under each engine; each state is loaded by the other, and the run must end with
# the state hash of the run that nobody disturbed, which is the same in both.
# usage: saved.sh KILN BUILD prompt|ember POINTS SEED
. "$(dirname "$0")/lib.sh"
guest=$3 points=$4 seed=$5 mib=64
case $guest in
prompt) cp "$build/guestos/prompt.img" disk.img && end=5500000 || exit 1 ;;
ember) cp "$build/ember.img" disk.img && end=40000000 || exit 1 ;;
esac

# run ENGINE ARGS...: to the end; the hash of its state in $hash
run() {
    shown="kiln -accel $*"
    "$kiln" -accel "$@" -display none -serial file:serial -snapshot -m $mib --max-insns $end --state-hash \
        --timeout 3000 disk.img 2>err </dev/null || { fail "$shown"; finish; }
    hash=$(sed -n 's/^state-hash: //p' err)
    [ -n "$hash" ] || { fail "no hash from $shown"; finish; }
}

awk -v n="$points" -v end=$end -v seed="$seed" 'BEGIN {
    srand(seed)
    for (i = 1; i <= n; i++) print 1 + int(rand() * end * 0.95) (i % 3 ? "" : "+" int(rand() * 500))
}' >points
for engine in interp jit,hot=0; do
    set --
    nr=0
    while read -r at; do
        nr=$((nr + 1))
        set -- "$@" --save-at "$at:${engine%,*}$nr.kiln"
    done <points
    run $engine "$@"
    [ "$hash" = "${want:-$hash}" ] || fail "$engine ends with $hash, interp with $want"
    want=$hash
done
nr=0
while read -r at; do
    nr=$((nr + 1))
    cmp -s interp$nr.kiln jit$nr.kiln || fail "the states at $at are not the same file"
    run jit,hot=0 -loadvm interp$nr.kiln
    [ "$hash" = "$want" ] || fail "from interp at $at, on in jit: $hash, not $want"
    run interp -loadvm jit$nr.kiln
    [ "$hash" = "$want" ] || fail "from jit at $at, on in interp: $hash, not $want"
done <points
echo "$nr points, seed $seed, each way; last hash $want"
finish
