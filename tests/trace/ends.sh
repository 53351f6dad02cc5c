# How a trace ends: limits, a reader that leaves, a disk that is full.
. "$(dirname "$0")/lib.sh"
sector protected_mode
image="$dir/protected_mode.img"

"$kiln" trace "$image" -snapshot --from 100 --to 110 -o "$dir/trace" || fail "--to: status $?"
[ "$(awk 'NR > 1 { print $1 }' "$dir/trace" | tr '\n' ' ')" = \
    "100 101 102 103 104 105 106 107 108 109 " ] || fail "not the instructions 100 to 109"

"$kiln" trace "$image" -snapshot --max-insns 5 >"$dir/trace" || fail "--max-insns: status $?"
[ "$(awk 'END { print $1 }' "$dir/trace")" = 4 ] || fail "--max-insns 5 shows other than 0 to 4"

{ "$kiln" trace "$image" -snapshot 2>"$dir/err"; echo $? >"$dir/status"; } | head -1 >"$dir/trace"
has "$dir/trace" "# kiln trace, format 1"
[ "$(cat "$dir/status")" = 0 ] || fail "with head: status $(cat "$dir/status")"
[ -s "$dir/err" ] && fail "with head it says $(cat "$dir/err")"

"$kiln" trace "$image" -snapshot -o /dev/full 2>"$dir/err"
[ $? = 1 ] || fail "a full disk: not status 1"
has "$dir/err" "cannot write the trace: No space left on device"
finish
