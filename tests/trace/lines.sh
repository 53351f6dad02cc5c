# --lines: each change of the source line, as addr2line sees it, with the line's text; source lines
# in the report of a triple fault; files without line tables.
. "$(dirname "$0")/lib.sh"
image=$2
symbols=$3

# expected TRACE ELF: the "# file:line" lines that TRACE should have, by addr2line
expected() {
    awk '!/^#/ && $6 !~ /^#/ { print $5 }' "$1" >"$dir/addresses"
    sort -u "$dir/addresses" | sed 's/^/0x/' >"$dir/asked"
    addr2line -e "$2" <"$dir/asked" | sed 's/ (disc.*//; s,.*/,,; s/^??:.*//; s/.*:[?0]$//' |
        paste "$dir/asked" - | sed 's/^0x//' >"$dir/known"
    awk 'NR == FNR { line[$1] = $2; next }
        { now = line[$1]; if (now != "" && now != before) print "# " now; before = now }' \
        "$dir/known" "$dir/addresses"
}

# lines_agree TRACE ELF LEAST
lines_agree() {
    expected "$1" "$2" >"$dir/expected"
    sed 1d "$1" | sed -n 's/^\(# [^:]*:[0-9]*\).*/\1/p' >"$dir/shown"
    same "source lines of $(basename "$2")" "$dir/expected" "$dir/shown"
    [ "$(sort -u "$dir/shown" | wc -l)" -ge "$3" ] || fail "few source lines in $(basename "$2")"
}

mkdir "$dir/src"
cp "$here/protected_mode.S" "$dir/src"
cc -g -c -m64 "$dir/src/protected_mode.S" -o "$dir/pm.o" &&
    ld -m elf_x86_64 -Ttext 0x7c00 -o "$dir/pm.elf" "$dir/pm.o" &&
    objcopy -O binary "$dir/pm.elf" "$dir/pm.img" || exit 1
"$kiln" trace "$dir/pm.img" -snapshot --sym "$dir/pm.elf" --lines --from 0x7c00 \
    -o "$dir/trace" 2>"$dir/err"
lines_agree "$dir/trace" "$dir/pm.elf" 20

# The text is the source's, without blanks at its ends.
grep '^# protected_mode' "$dir/trace" | sort -u >"$dir/texts"
while IFS=: read -r _ number text; do
    source=$(sed -n "${number}p" "$dir/src/protected_mode.S" | tr '\t' ' ' | sed 's/^ *//; s/ *$//')
    [ "$text" = " $source" ] || fail "line $number is shown as '$text', not '$source'"
done <"$dir/texts"

# The report says where: the UD2 in protected(), which is behind the only call of divide.
line=$(grep -n '^    ud2' "$dir/src/protected_mode.S" | cut -d: -f1)
has "$dir/err" "> (protected_mode.S:$line), linear"

# Without its source, only the number; without line tables, an error; symbols are as ever.
mv "$dir/src" "$dir/gone"
"$kiln" trace "$dir/pm.img" -snapshot --sym "$dir/pm.elf" --lines --from 0x7c00 \
    -o "$dir/trace" 2>/dev/null
grep -q "^# protected_mode.S:$line\$" "$dir/trace" || fail "without a source: no line number alone"
mkdir "$dir/src"
mkfifo "$dir/src/protected_mode.S"
"$kiln" trace "$dir/pm.img" -snapshot --sym "$dir/pm.elf" --lines -o "$dir/trace" --timeout 60 2>/dev/null
[ $? = 70 ] || fail "a source that is no file: status $?"
sector protected_mode
"$kiln" trace "$dir/pm.img" --sym "$dir/protected_mode.elf" --lines 2>"$dir/err"
[ $? = 1 ] || fail "no line tables: not status 1"
has "$dir/err" "--lines: no source lines are known"
"$kiln" trace "$dir/pm.img" -snapshot --sym "$dir/protected_mode.elf" --from protected \
    -o "$dir/trace" 2>"$dir/err"
grep -q '@divide' "$dir/trace" || fail "no line tables: no symbols either"
grep -q '(protected_mode' "$dir/err" && fail "no line tables: the report has a line"

# A damaged table is no crash.
size=$(wc -c <"$dir/pm.elf")
for at in $(seq 64 331 "$size"); do
    cp "$dir/pm.elf" "$dir/bad.elf"
    printf '\377\200\001' | dd of="$dir/bad.elf" bs=1 seek="$at" conv=notrunc 2>/dev/null
    "$kiln" trace "$dir/pm.img" -snapshot --sym "$dir/bad.elf" --lines --max-insns 1 \
        >/dev/null 2>"$dir/err"
    status=$?
    [ $status -le 1 ] || fail "byte $at damaged: status $status"
done

[ -n "$image" ] || finish
"$kiln" trace "$image" -snapshot --sym "$symbols" --lines --from kernel_main --max-insns 3000K -o "$dir/trace"
lines_agree "$dir/trace" "$symbols" 100

# The ring shows the same lines.
"$kiln" trace "$image" -snapshot --sym "$symbols" --lines --from kernel_main --max-insns 3000K --last 5000 -o "$dir/ring"
first=$(grep -v '^#' "$dir/ring" | head -1)
[ "$(grep -vc '^#' "$dir/ring")" = 5000 ] || fail "--last counts source lines"
awk -v first="$first" '$0 == first { on = 1 } on' "$dir/trace" >"$dir/tail"
awk -v first="$first" '$0 == first { on = 1 } on' "$dir/ring" | cmp - "$dir/tail" ||
    fail "--last: other source lines"
finish
