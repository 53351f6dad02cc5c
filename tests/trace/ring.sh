# --last N: the tail of the full trace, however the guest ends; -o FILE.zst: the trace, packed.
. "$(dirname "$0")/lib.sh"
image=$2
symbols=$3
sector protected_mode
sector ports
printf '\353\376' >"$dir/loop.img" # jmp to itself
truncate -s 510 "$dir/loop.img"
printf '\125\252' >>"$dir/loop.img"

# grows FILE SIZE: waits until it has so many bytes
grows() {
    for _ in $(seq 600); do
        [ -f "$dir/$1" ] && [ "$(wc -c <"$dir/$1")" -ge "$2" ] && return
        sleep 0.1
    done
    fail "$1 does not come"
}

# last_is N: the ring in $dir/ring is the last N lines of $dir/full
last_is() {
    { sed 1q "$dir/full"; sed 1d "$dir/full" | tail -n "$1"; } >"$dir/tail"
    cmp "$dir/tail" "$dir/ring" || fail "--last $1 $2: not the tail of the full trace"
}

for options in "" "--regs --mem --sym $symbols"; do
    # shellcheck disable=SC2086
    "$kiln" trace "$image" -snapshot --max-insns 300K $options -o "$dir/full" || fail "status $?"
    for n in 1 1000 40K; do
        # shellcheck disable=SC2086
        "$kiln" trace "$image" -snapshot --max-insns 300K $options --last $n -o "$dir/ring" ||
            fail "--last $n: status $?"
        last_is "$(echo $n | sed 's/K/000/')" "$options"
    done
    # shellcheck disable=SC2086
    "$kiln" trace "$image" -snapshot --max-insns 300K $options -o "$dir/full.zst" || fail "zst: $?"
    zstd -q -t "$dir/full.zst" || fail "$options: a damaged .zst"
    zstdcat "$dir/full.zst" | cmp - "$dir/full" || fail "$options: .zst is another trace"
done

# ends WITH STATUS LAST_LINE ARGS...: the guest dies so; the ring is the tail, up to LAST_LINE
ends() {
    what=$1 wanted=$2 text=$3
    shift 3
    "$kiln" trace "$@" -snapshot -o "$dir/full" 2>/dev/null
    "$kiln" trace "$@" -snapshot --last 100 -o "$dir/ring" 2>/dev/null
    status=$?
    [ $status = "$wanted" ] || fail "$what: status $status"
    tail -1 "$dir/ring" | grep -q "$text" || fail "$what: ends with $(tail -1 "$dir/ring")"
    last_is 100 "($what)"
}
ends "triple fault" 70 '#SHUTDOWN$' "$dir/protected_mode.img"
ends "halt for good" 74 ' hlt$' "$dir/ports.img" --on-halt exit
ends "a port" 0 ' out dx, ax$' "$dir/ports.img" --until port:0x2f0
ends "--to" 0 ' out dx, ax$' "$dir/ports.img" --from 10 --to port:0x2f0

# A processor that is reset: the ring is written before each reset, and goes on. A window or
# -no-shutdown keeps kiln: what is known is on the disk already.
"$kiln" trace "$dir/protected_mode.img" -snapshot --last 5 -o "$dir/ring" --on-triple-fault reset \
    --max-insns 2500K 2>/dev/null
[ "$(grep -c '#SHUTDOWN$' "$dir/ring")" = 2 ] || fail "two triple faults are not in the ring"
[ "$(wc -l <"$dir/ring")" = 16 ] || fail "three times 5 lines: $(wc -l <"$dir/ring")"

"$kiln" trace "$dir/ports.img" -snapshot --last 50 -o "$dir/waits" 2>/dev/null &
pid=$!
grows waits 1
[ "$(wc -l <"$dir/waits")" = 51 ] || fail "halted for good: nothing is written while kiln waits"
kill $pid
wait $pid

# From outside.
"$kiln" trace "$dir/loop.img" -snapshot --last 50 -o "$dir/ring" --timeout 0.5 2>/dev/null
[ $? = 124 ] || fail "timeout: another status"
[ "$(wc -l <"$dir/ring")" = 51 ] || fail "timeout: $(wc -l <"$dir/ring") lines"
"$kiln" trace "$dir/loop.img" -snapshot --last 50 -o "$dir/ring.zst" --timeout 60 &
pid=$!
sleep 0.5
kill $pid
wait $pid
[ $? = 143 ] || fail "a signal: another status"
[ "$(zstdcat "$dir/ring.zst" | wc -l)" = 51 ] || fail "a signal: no 50 lines in the .zst"

# Killed: what was written can be read.
"$kiln" trace "$dir/loop.img" -snapshot -o "$dir/killed.zst" --timeout 60 &
pid=$!
grows killed.zst 100000
kill -9 $pid
wait $pid 2>/dev/null
zstdcat "$dir/killed.zst" >"$dir/killed" 2>/dev/null
n=$(wc -l <"$dir/killed")
[ "$n" -gt 10000 ] || fail "killed: only $n lines can be read"
"$kiln" trace "$dir/loop.img" -snapshot --max-insns 2G 2>/dev/null | head -n "$n" |
    cmp - "$dir/killed" 2>&1 | grep -v EOF && fail "killed: other lines than the plain trace"

"$kiln" trace "$dir/loop.img" --last 0 2>"$dir/err" && fail "--last 0 is accepted"
has "$dir/err" "--last"
"$kiln" trace "$dir/loop.img" -snapshot --max-insns 1K -o /dev/full --last 10 2>"$dir/err"
[ $? = 1 ] || fail "a full disk: not status 1"
has "$dir/err" "cannot write the trace"
finish
