# A trace with everything, over a boot: each line obeys the grammar; two traces are the same.
. "$(dirname "$0")/lib.sh"
image=$2
symbols=$3

"$kiln" trace "$image" -snapshot --sym "$symbols" --regs --mem -o "$dir/trace" --max-insns 3M ||
    fail "status $?"
awk -f "$here/grammar.awk" "$dir/trace" || fail "the trace of the boot"
has "$dir/trace" " rm16 0 "
has "$dir/trace" " pm32 0 "
has "$dir/trace" " lm64 0 "
has "$dir/trace" " #INT vector=13 kind=software"

"$kiln" trace "$image" -snapshot --sym "$symbols" --regs --mem --max-insns 3M >"$dir/again"
cmp "$dir/trace" "$dir/again" || fail "the second trace is another one"

# A checker that finds nothing proves nothing: each of these lines must be refused.
head -2000 "$dir/trace" >"$dir/good"
awk -f "$here/grammar.awk" "$dir/good" >/dev/null || fail "the first lines"
for edit in '5s/rm16/rm17/' '9s/:/;/' '7s/^ *[0-9]*/ 1/' '20s/ 000f/ 000e/' '30s/ 0 f000/ 4 f000/' \
    '40s/$/ ; x/' '50s/$/ ; w3[00000000]=000000/' '60d'; do
    sed "$edit" "$dir/good" >"$dir/bad"
    if awk -f "$here/grammar.awk" "$dir/bad" >/dev/null; then
        fail "the checker accepts $edit"
    fi
done
finish
