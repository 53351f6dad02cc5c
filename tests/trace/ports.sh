# --from and --to at writes to a port: what stands between OUT and OUT in the source, each time.
. "$(dirname "$0")/lib.sh"
sector ports

# trace ARGS...: the instructions' addresses and first words, on one line
trace() {
    "$kiln" trace "$dir/ports.img" -snapshot --on-halt exit "$@" -o "$dir/out" 2>"$dir/err"
    status=$?
    awk '/^#/ { next } { print $7 }' "$dir/out" | tr '\n' ' ' >"$dir/words"
}

shows() {
    [ "$(cat "$dir/words")" = "$2" ] || fail "$1: shows $(cat "$dir/words")"
}

# The instruction that writes the stop is the last, the one behind the start the first.
trace --from port:0x2f0=0x41 --to port:0x2f0=0x42
[ $status = 74 ] || fail "between two values: status $status, it does not go on to the end"
shows "between two values" "inc nop mov out inc nop mov out inc outsb "

# Any value: 4142h starts, 41h stops, 42h starts; the next 4142h stops, and so on.
trace --from port:0x2f0 --to port:0x2f0
shows "any value" "mov out dec loop mov out inc nop mov out inc outsb "

trace --from port:752=0x41
[ $status = 74 ] || fail "no stop: status $status"
shows "no stop" "inc nop mov out dec loop mov out mov out inc nop mov out dec loop mov cld outsb inc outsb dec hlt "

# A count cannot come again: then the stop ends the run.
trace --from 10 --to port:0x2f0=0x41
[ $status = 0 ] || fail "from a count: status $status"
tail -1 "$dir/out" | grep -q ' out dx, al$' || fail "from a count: it does not end at the OUT"
trace --from port:0x2f0=0x4142 --to 0x"$(nm "$dir/ports.elf" | awk '$3 == "between" { print $1 }')"
[ $status = 0 ] || fail "to an address: status $status"
shows "to an address" "mov out inc nop mov out "

# An address may come again.
trace --sym "$dir/ports.elf" --from watched --to port:0x2f0=0x42 --regs --mem
[ $status = 74 ] || fail "from a symbol: status $status"
shows "from a symbol" "inc nop mov out inc nop mov out "
[ "$(grep -c 'inc bx .*@watched' "$dir/out")" = 2 ] || fail "from a symbol: not twice"

# Registers and memory begin anew each time: BP, which changes in between, is nobody's.
trace --from port:0x2f0=0x41 --to port:0x2f0=0x42 --regs --mem
shows "with registers" "inc nop mov out inc nop mov out inc outsb "
grep -q 'ebp=' "$dir/out" && fail "a change from outside of the trace is shown"
grep -q ' outsb .*; r1\[0000[0-9a-f]*\]=42' "$dir/out" || fail "no memory access of OUTSB"

for bad in port: port:x port:0x10000 port:1=x port:1= port:1=0x100000000 port:-1; do
    trace --from "$bad"
    [ $status = 1 ] || fail "--from $bad: status $status"
    has "$dir/err" "port:0x80=0x41"
done
finish
