# kiln bench --html: the page is well-formed and needs nothing from elsewhere, its tables say what the text says,
# names are text; a file that cannot be written is found before anything runs, and an old one is kept when the run fails.
# --sym: where the time goes, in both engines. usage: html.sh BUILD
kiln=$1/kiln
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
. "$here/../cli/sectors.sh"
command -v python3 >/dev/null || { echo "no python3"; exit 77; }
failures=0

fail() {
    failures=$((failures + 1))
    echo "FAILED: $1"
    sed 's/^/  stderr: /' "$dir/err" | head -20
}

bench() {
    "$kiln" bench "$@" >"$dir/out" 2>"$dir/err" </dev/null
    status=$?
}

# page FILE: one that is whole, and agrees with the text
page() {
    if command -v xmllint >/dev/null && ! xmllint --noout "$1" 2>"$dir/err"; then fail "$1 is not well-formed"; fi
    python3 "$here/html_check.py" "$1" "$dir/out" >"$dir/err" || fail "the page and the text: $(cat "$dir/err")"
}

# ---- the benchmark's kernels ----

bench --runs 3 --time 2 --kernels fib,x87,port --html "$dir/kernels.html"
[ $status = 0 ] || fail "kernels: status $status"
page "$dir/kernels.html"
grep -q 'after 3 of 3 kernels' "$dir/kernels.html" || fail "kernels: the page does not say that states are equal"
bench --runs 1 --time 1 --kernels port --engine interp --html "$dir/one.html"
[ $status = 0 ] || fail "one engine, nothing native: status $status"
page "$dir/one.html"

# ---- a disk, with symbols that are not made for HTML ----

cat >"$dir/spin.S" <<'SPIN'
    .code16
    .globl "spin<T&>"
    .type "spin<T&>", @function
"spin<T&>":
    movl $60000000, %ecx
1:  decl %ecx
    jnz 1b
    mov $0x3f8, %dx
    .irp c, 'O', 'K', 10
    mov $\c, %al
    out %al, %dx
    .endr
2:  jmp 2b
    .size "spin<T&>", . - "spin<T&>"
    .org 510
    .byte 0x55, 0xaa
SPIN
as --32 -o "$dir/spin.o" "$dir/spin.S" && ld -m elf_i386 -Ttext=0x7c00 -e 0x7c00 -o "$dir/spin.elf" "$dir/spin.o" &&
    objcopy -O binary -j .text "$dir/spin.elf" "$dir/a<b>&\"c'.img" && truncate -s 65536 "$dir/a<b>&\"c'.img" ||
    { echo "no assembler for 16-bit code"; exit 77; }
bench "$dir/a<b>&\"c'.img" --until serial:OK --runs 2 --sym "$dir/spin.elf" --html "$dir/disk.html"
[ $status = 0 ] || fail "a disk: status $status"
page "$dir/disk.html"
grep -q 'a&lt;b&gt;&amp;&quot;c&#39;.img' "$dir/disk.html" || fail "the disk's name is not on the page as text"
grep -q 'spin&lt;T&amp;&gt;' "$dir/disk.html" || fail "the symbol is not on the page as text"
grep -q 'states equal' "$dir/out" || fail "a disk: states differ"
grep -q '^interp: 100.00% of the instructions interpreted' "$dir/out" || fail "the interpreter has not interpreted all"
# Nearly all of the time goes into the loop, which nearly all ran in translated code.
awk '$1 == "spin<T&>" { found = $3 + 0 > 50 && $4 + 0 < 20 && $6 + 0 > 80 } END { exit !found }' "$dir/out" ||
    { cat "$dir/out"; fail "the loop is not where the time goes"; }
awk '/^jit: / { found = $2 + 0 < 10 } END { exit !found }' "$dir/out" || { cat "$dir/out"; fail "the loop was interpreted"; }

sector "$dir/ok.img" "$SERIAL_OK"
bench "$dir/ok.img" --until serial:OK --runs 1 --html "$dir/plain.html"
[ $status = 0 ] || fail "without --sym: status $status"
page "$dir/plain.html"
grep -q 'id="functions"' "$dir/plain.html" && fail "functions without --sym"

# ---- files that cannot be written ----

for what in "--kernels fib" "$dir/ok.img --until serial:OK"; do
    # shellcheck disable=SC2086
    bench $what --html "$dir/none/page.html"
    [ $status = 1 ] || fail "no such folder: status $status"
    grep -q "cannot write .*none/page.html: No such file" "$dir/err" || fail "no such folder: nothing says so"
    grep -q "kiln bench: " "$dir/err" && fail "no such folder: it ran all the same"
done
if [ -c /dev/full ]; then
    bench --runs 1 --time 1 --kernels fib --html /dev/full
    [ $status = 1 ] || fail "a full disk: status $status"
    grep -q "cannot write /dev/full: No space" "$dir/err" || fail "a full disk: nothing says so"
fi
echo old >"$dir/old.html"
for name in old new; do
    bench "$dir/ok.img" --until serial:NO --timeout 1 --runs 1 --html "$dir/$name.html"
    [ $status = 124 ] || fail "a run without an end: status $status"
done
[ "$(cat "$dir/old.html")" = old ] || fail "a run that failed has touched the old page"
[ ! -e "$dir/new.html" ] || fail "a run that failed has left a page"

[ $failures = 0 ] || exit 1
echo "all good"
