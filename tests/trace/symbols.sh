# --sym: names of instructions and branch targets, where to start and stop, what to filter; and
# functions in the report of a triple fault.
. "$(dirname "$0")/lib.sh"
sector protected_mode

# address NAME: of a symbol, as nm says it
address() {
    nm "$dir/protected_mode.elf" | awk -v name="$1" '$3 == name { print "0x" substr($1, 9) }'
}

trace() {
    "$kiln" trace "$dir/protected_mode.img" -snapshot --sym "$dir/protected_mode.elf" "$@" \
        >"$dir/out" 2>"$dir/err"
    status=$?
}

trace --from protected --to divide
[ $status = 0 ] || fail "--to ends with status $status"
has "$dir/out" "; @protected"
has "$dir/out" "call $(address divide | sed 's/0x0*/0x/') <divide> "
sed -n 2p "$dir/out" | grep -q "mov ax, 0x10 *; @protected\$" || fail "it does not start there"
tail -1 "$dir/out" | grep -q "call" || fail "it does not stop there"
cp "$dir/out" "$dir/by_name"
trace --from "$(address protected)" --to "$(address divide)"
same "traces by name and by address" "$dir/by_name" "$dir/out"

trace --from 0x7c00 --filter sym=divide
[ $status = 70 ] || fail "the triple fault has status $status"
[ "$(awk 'NR > 1 && $6 !~ /^#/' "$dir/out" | wc -l)" = 2 ] || fail "divide is not div and ret"
has "$dir/out" "#DE vector=00 kind=fault"
grep -v '^#' "$dir/out" | grep -v '#SHUTDOWN' | grep -vq '@divide' && fail "others than divide"

has "$dir/err" "<protected+0x"
has "$dir/err" "1. #UD (vector 6, invalid opcode)"
has "$dir/err" "The IDT is too short for vector 6: its limit is 001f"

"$kiln" -display none -d exec,in_asm -snapshot "$dir/protected_mode.img" \
    --sym "$dir/protected_mode.elf" 2>"$dir/log"
has "$dir/log" "IN: divide"
grep -q '^Trace 0: .* divide$' "$dir/log" || fail "exec does not name divide"

"$kiln" trace "$dir/protected_mode.img" --sym "$dir/protected_mode.img" 2>"$dir/err" &&
    fail "an image is taken for an ELF file"
has "$dir/err" "not an ELF file"
finish
