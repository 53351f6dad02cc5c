# A machine that is saved, loaded in another process and goes on is the undisturbed one: GRUB's and
# Ember's boots, saved at random points and at chosen ones: within repeated string instructions, in
# the shadow of an STI, around interrupts; a stock Debian's from GRUB to power-off, at random points. Hashes LATER instructions behind each point are compared
# with those of one run that nobody touched, and for some points the last hash of all.
# usage: points.sh KILN BUILD POINTS LATER SEED [GUEST ...]
. "$(dirname "$0")/lib.sh"
points=$3 later=$4 seed=$5
shift 5
guests=${*:-grub ember}
cd "$dir" || exit 1

# quiet ARGS...: a run of the guest at hand; its words in $dir/err
quiet() {
    shown="kiln $*"
    "$kiln" "$@" -display none -serial file:serial -snapshot -m $ram_mib --timeout 3000 disk.img 2>err \
        </dev/null || { cat err; echo "FAILED: $shown"; exit 1; }
}

trace_window() {
    "$kiln" trace -display none -serial file:serial -snapshot -m $ram_mib --from "$1" --to "$2" \
        disk.img 2>/dev/null </dev/null
}

# choose SPAN WINDOWS: the points, to $dir/points as "KIND N[+TICKS]"
choose() {
    span=$1
    each=$((points / 8 + 1))
    for window in $2; do
        trace_window "${window%-*}" "${window#*-}"
    done | awk -v each="$each" -v seed="$seed" -f "$here/pick.awk" >special
    awk -v n="$points" -v span="$span" -v seed="$seed" -v have="$(wc -l <special)" 'BEGIN {
        srand(seed)
        for (i = have; i < n; i++)
            print "random", 1 + int(rand() * span)
    }' >random
    shuf --random-source="$here/points.sh" special | cat - random | head -n "$points" |
        awk '!seen[$2]++' >points
    echo "$guest: $(awk '{ n[$1]++ } END { for (k in n) printf "%d %s, ", n[k], k }' points)seed $seed"
}

# behind N[+TICKS]: where the hash is taken
behind() {
    echo $((${1%+*} + later))
}

hash_in() {
    sed -n "s/^state-hash-at: $(behind "$1")+0 //p" "$2" | head -1
}

check_guest() {
    set --
    while read -r kind at; do
        set -- "$@" --state-hash-at "$(behind "$at")"
    done <points
    end=$(awk -v later="$later" '{ n = $2 + 0; if (n > m) m = n } END { printf "%d", m + later + 1000 }' points)
    quiet "$@" --max-insns "$end" --state-hash
    cp err undisturbed
    last=$(sed -n 's/^state-hash: //p' undisturbed)

    set --
    nr=0
    while read -r kind at; do
        nr=$((nr + 1))
        set -- "$@" --save-at "$at:$nr.kiln"
    done <points
    quiet "$@" --max-insns "$end" --state-hash
    [ "$(sed -n 's/^state-hash: //p' err)" = "$last" ] || fail "$guest: saving changes the run"

    nr=0 inside=0
    while read -r kind at; do
        nr=$((nr + 1))
        if [ "$kind" = rep ]; then # it is where it was thought to be
            "$kiln" trace -display none -serial file:serial -snapshot -m $ram_mib -loadvm $nr.kiln \
                --max-insns $((${at%+*} + 1)) -o line disk.img 2>err </dev/null || { cat err; fail "$guest: no trace from $at"; }
            awk -v n="${at%+*}" '$1 == n && $7 ~ /^rep/ { found = 1 } END { exit !found }' line &&
                inside=$((inside + 1))
        fi
        if [ $((nr % (points / 5))) = 0 ]; then
            quiet -loadvm $nr.kiln --state-hash-at "$(behind "$at")" --max-insns "$end" --state-hash
            [ "$(sed -n 's/^state-hash: //p' err)" = "$last" ] ||
                fail "$guest: from $kind $at another end"
        else
            quiet -loadvm $nr.kiln --state-hash-at "$(behind "$at")" --max-insns "$(behind "$at")"
        fi
        want=$(hash_in "$at" undisturbed)
        got=$(hash_in "$at" err)
        [ -n "$want" ] && [ "$want" = "$got" ] || fail "$guest: from $kind $at: $got, not $want"
        rm -f $nr.kiln
    done <points
    echo "$guest: $nr points, $inside of them within a repeated instruction; last hash $last"
    [ -z "$quick" ] || [ $inside -gt 0 ] || fail "$guest: no point lies within a repeated instruction"
}

for guest in $guests; do
    ram_mib=64 # not mib, which is grub_disk()'s
    case $guest in
    grub)
        why=$(grub_missing) && { echo "skipped: $why"; exit 77; }
        mkdir -p files
        cp "$build/ember.elf" files/ || exit 1
        GRUB_TIMEOUT=0 grub_disk "$dir" || exit 1
        quick='1-1100K 57M-57500K' whole='1-1500K 30M-31M 57M-60M'
        span=60000000
        ;;
    ember)
        cp "$build/guestos/prompt.img" disk.img || exit 1
        quick='850K-1200K' whole='1-2300K'
        span=2300000
        ;;
    debian) # no traces of it, which would be long
        . "$here/../boot/debian_disk.sh"
        why=$(debian_missing) && { echo "skipped: $why"; exit 77; }
        debian_disk "$dir" ext4 "poweroff -f" "console=ttyS0 quiet" || exit 1
        quick='' whole='' ram_mib=256
        span=1750000000
        ;;
    esac
    [ "$points" -gt 50 ] && quick=$whole
    choose $span "$quick"
    check_guest
done
finish
