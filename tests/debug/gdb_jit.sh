# -accel jit,gdb=on: a gdb that debugs kiln itself finds names of translated code, and the way through it to main();
# when the code cache begins anew, what was in it is forgotten. usage: gdb_jit.sh KILN BUILD
. "$(dirname "$0")/lib.sh"
need gdb as ld objcopy
nice_gdb() { timeout 240 gdb -q -nx -batch -ex 'set confirm off' -ex 'set pagination off' -ex 'set debuginfod enabled off' "$@" </dev/null 2>&1; }

cat >"$dir/spin.S" <<'SPIN'
    .code16
    .globl spin
    .type spin, @function
spin:
    mov $0xffff, %cx
1:  inc %ax
    loop 1b
    in $0x80, %al
    jmp spin
    .size spin, . - spin
    .org 510
    .byte 0x55, 0xaa
SPIN
as --32 -o "$dir/spin.o" "$dir/spin.S" && ld -m elf_i386 -Ttext=0x7c00 -e 0x7c00 -o "$dir/spin.elf" "$dir/spin.o" &&
    objcopy -O binary -j .text "$dir/spin.elf" "$dir/spin.img" && truncate -s 65536 "$dir/spin.img" ||
    { echo "skipped: no assembler for 16-bit code"; exit 77; }
common="-display none -serial none --sym $dir/spin.elf $dir/spin.img"

# From the start, under gdb: in C that translated code has called, the frames above are the thunk's and the engine's.
# shellcheck disable=SC2086
nice_gdb -ex 'set breakpoint pending on' -ex 'break bus_read' -ex 'ignore 1 2000' -ex run -ex backtrace -ex 'info symbol $pc' \
    -ex kill --args "$kiln" -accel jit,gdb=on,hot=0 $common --timeout 200 >"$dir/c.txt"
if grep -q "ptrace: Operation not permitted\|warning: Could not trace" "$dir/c.txt"; then echo "skipped: gdb may not trace"; exit 77; fi
in_order "$dir/c.txt" "in kiln:thunk" "jit_run (" "machine_run (" "main ("

# Attached to one that runs: the guest's loop has its symbol.
# shellcheck disable=SC2086
"$kiln" -accel jit,gdb=on $common --timeout 200 </dev/null >/dev/null 2>&1 &
pid=$!
sleep 3
for try in 1 2 3 4 5; do
    nice_gdb -p $pid -ex backtrace -ex 'info symbol $pc' -ex 'x/3i $pc' -ex detach >"$dir/attached.txt"
    grep -q "^#0 .*kiln:spin" "$dir/attached.txt" && break
    sleep 1
done
kill $pid
wait $pid 2>/dev/null
if grep -q "ptrace: Operation not permitted" "$dir/attached.txt"; then
    echo "gdb may not attach: only the run under it was looked at"
else
    in_order "$dir/attached.txt" "in kiln:spin" "jit_run (" "machine_run (" "main (" "kiln:spin" "<kiln:spin"
fi

# A small cache that begins anew again and again: each address has one name at most in gdb.
# shellcheck disable=SC2086
nice_gdb -ex 'break machine_destroy' -ex run -ex 'maintenance print msymbols' -ex 'p __jit_debug_descriptor.first_entry != 0' -ex 'break _exit' -ex continue \
    -ex 'p __jit_debug_descriptor.first_entry == 0' --args "$kiln" -accel jit,gdb=on,hot=0,cache=1,block=1 -display none -serial none \
    --max-insns 3000000 -snapshot "$build/guestos/prompt.img" >"$dir/flush.txt"
has "$dir/flush.txt" 'kiln:thunk' '$1 = 1' '$2 = 1'
grep -o '0x[0-9a-f]* kiln:[^ ]*' "$dir/flush.txt" | cut -d' ' -f1 | sort | uniq -d >"$dir/twice"
[ ! -s "$dir/twice" ] || fail "$(wc -l <"$dir/twice") addresses have two names, such as $(head -n 1 "$dir/twice")"
[ "$(grep -c ' kiln:' "$dir/flush.txt")" -gt 100 ] || fail "few names: $(grep -c ' kiln:' "$dir/flush.txt")"
finish
