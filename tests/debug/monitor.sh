# The monitor on standard input, a Unix socket and behind Ctrl-A c. Numbers come from the boot
# sector, Ember's symbol table and, where it is there, QEMU's monitor with the same guest.
. "$(dirname "$0")/lib.sh"
need nc nm
cd "$dir" || exit 1
cp "$build/guestos/prompt.img" . && ember=$dir/prompt.img # a copy: others may hold its lock

# ask SOCKET LINE ...: sends lines, prints what comes until the other end has answered them all
ask() {
    socket=$1
    shift
    printf '%s\n' "$@" | timeout 120 nc -U -N "$socket"
}

sector loop.img "$LOOP"

# ---- standard input; a run that ends by "quit"
printf '%s\n' 'info status' 'stop' 'info status' 'xp /2hx 0x7c00' 'x/1xh 0x7dfe' 'print 0x10*(3+4)' \
    'p/d -7/2' 'p 1+2*3' 'p $nosuch' 'p 1/0' 'p (' 'p/c 65' 'info registers' 'info nosuch' 'nosuch' \
    'x' 'x/8q 0' 'savevm' 'info mem' 'info idt' 'help stop' 'sendkey nokey' 'screendump' \
    "screendump $dir/s.png" "screendump $dir/s.ppm" "screendump $dir/no/s.ppm" \
    'sendkey ctrl-alt-f1' 'c' 'info status' 'quit' |
    timeout 60 "$kiln" -S -display none -monitor stdio loop.img >out 2>err
[ $? = 0 ] || fail "quit: status"
in_order out "VM status: paused (prelaunch)" "paused" "0000000000007c00: 0x" "0x70" "-3" "0x7" \
    "unknown register" "division by zero" "unexpected end" "'A'" "EIP=0000fff0" \
    "unknown command: 'info nosuch'" "unknown command: 'nosuch'" "unexpected end of expression" \
    "invalid char" "name of a file is missing" "PG disabled" "real mode" "stop the guest" \
    "invalid parameter: nokey" "file name" "Error: cannot" "VM status: running"
[ "$(head -c 4 s.png | tail -c 3)" = PNG ] || fail "no PNG"
[ "$(head -c 3 s.ppm | head -c 2)" = P6 ] || fail "no PPM"

# ---- numbers of the translator, or why there are none
printf '%s\n' 'info jit' quit | "$kiln" -S -display none -accel interp -monitor stdio loop.img >out 2>err
has out "interp engine translates nothing"
printf '%s\n' 'info jit' quit | "$kiln" -S -display none -accel jit -monitor stdio loop.img >out 2>err
in_order out " 0 translations of 0 instructions" "links " "entries " "exits " "slow paths " "run in C " "rows in C "

# ---- a Unix socket, with a guest that runs: typed keys arrive, memory shows it
sector keys.img "$ECHO_KEYS"
"$kiln" -display none -serial file:serial.txt -monitor unix:"$dir/mon",server,nowait keys.img 2>err &
pid=$!
until [ -S mon ]; do kill -0 $pid || break; done
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do # until the guest listens
    ask mon 'sendkey shift-a' 'sendkey b' 'sendkey 0x2e' >reply
    grep -q Abc serial.txt && break
done
grep -q Abc serial.txt || fail "keys: $(cat serial.txt)"
ask mon 'xp/1hx 0x7dfe' 'info pic' 'info pci' 'info mtree' 'info ivt 0x10 0x13' >reply
in_order reply "(kiln) 0000000000007dfe: 0xaa55" "pic1: irr=" "pic0: irr=" \
    "Host bridge: PCI device 8086:1237" "VGA controller: PCI device 1234:1111" \
    "address-space: memory" "(prio" "address-space: I/O" "INT 10 >" "INT 13 >"
ask mon stop 'info status' 'p $rip' 'p $rip' cont 'info status' >reply
in_order reply "VM status: paused" "VM status: running"
[ "$(grep -c '^(kiln) 0x' reply)" = 2 ] || fail "print: $(cat reply)"
[ "$(grep '^(kiln) 0x' reply | sort -u | wc -l)" = 1 ] || fail "it runs although it is stopped"
ask mon system_reset 'info status' quit >reply
has reply "VM status: running"
wait $pid || fail "quit over the socket: status $?"

# ---- Ctrl-A c: the terminal's bytes go to the monitor, and back
printf 'ab\001cinfo status\r\001cxy\001cquit\r' | timeout 60 "$kiln" -nographic loop.img >out 2>err
in_order out "monitor - type" "(kiln) info status" "VM status: running" "(kiln) quit"

# ---- Ember: paging, tables, symbols' addresses
"$kiln" -display none -snapshot -serial file:serial.txt -monitor unix:"$dir/mon",server,nowait \
    "$ember" 2>err &
pid=$!
for try in $(seq 600); do
    grep -q 'ember>' serial.txt 2>/dev/null && break
    kill -0 $pid || break
    sleep 0.1
done
main=$(nm "$build/ember.elf" | awk '$3 == "kernel_main" { print $1 }')
ask mon 'info mem' 'info tlb' 'info tab' 'info gdt' 'info idt 8 8' 'info tss' 'info registers' \
    "x/1i 0x$main" "gva2gpa 0x$main" quit >reply
wait $pid || fail "quit: status $?"
in_order reply "-rw" "-r-" "G" "-> 0x" "64-bit TSS (busy)" "IDT[0x08]=64-bit interrupt gate" "rsp0=" \
    "CPU#0" "CS64" "0x$main:" "gpa: 0x"
grep -q '^ffff800000000000-' reply || grep -q '(kiln) ffff800000000000-' reply || fail "no direct map"

# ---- the same guest in QEMU: info mem and tlb in the same words
if command -v qemu-system-x86_64 >/dev/null; then
    rm -f mon serial.txt
    qemu-system-x86_64 -accel tcg -m 128 -display none -snapshot -serial file:serial.txt -net none \
        -bios "$build/spark.bin" -vga none -device VGA,romfile="$build/vgabios.bin" \
        -monitor unix:"$dir/mon",server,nowait -drive file="$ember",format=raw 2>qerr &
    pid=$!
    for try in $(seq 1200); do
        grep -q 'ember>' serial.txt 2>/dev/null && break
        kill -0 $pid || break
        sleep 0.1
    done
    ask mon 'info mem' 'info tlb' quit >qreply
    wait $pid
    for f in reply qreply; do
        tr -d '\r' <$f | grep -o '^[0-9a-f]\{16\}[-:].*\|) [0-9a-f]\{16\}[-:].*' | sed 's/^) //' >$f.all
        # ranges; and mappings without the accessed and dirty bits, which depend on what ran
        grep '^[0-9a-f]*-[0-9a-f]* [0-9a-f]* ' $f.all | grep -v gpa >$f.mem
        grep '^[0-9a-f]\{16\}: [0-9a-f]\{16\} [-X]' $f.all | sed 's/\(.*\) \(..\)\(.\)..\(.*\)/\1 \2\3\4/' >$f.tlb
    done
    [ "$(wc -l <qreply.mem)" -gt 3 ] || fail "QEMU's info mem: $(head -5 qreply qerr)"
    [ "$(wc -l <qreply.tlb)" -gt 100 ] || fail "QEMU's info tlb has $(wc -l <qreply.tlb) lines"
    cmp -s reply.mem qreply.mem || { fail "info mem differs"; diff reply.mem qreply.mem | head; }
    cmp -s reply.tlb qreply.tlb || { fail "info tlb differs"; diff reply.tlb qreply.tlb | head; }
fi
finish
