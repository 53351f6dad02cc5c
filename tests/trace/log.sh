# The names of -d: each says what it logs, those that log nothing say why, and what the log holds
# follows from the boot sector's source. QEMU's own names and logs are asked where it is installed.
. "$(dirname "$0")/lib.sh"
firmware=$2
sector log
sector long_mode

address() {
    nm "$dir/log.elf" | awk -v name="$1" '$3 == name { print $1 }'
}

# log ITEMS ARGS...: the log of the sector, in $dir/log
log() {
    items=$1
    shift
    "$kiln" -display none -snapshot "$dir/log.img" -d "$items" -D "$dir/log" "$@" 2>"$dir/err"
    [ $? = 70 ] || fail "-d $items: the run does not end in a triple fault: $(head -1 "$dir/err")"
}

# Every name of the help does something, or says on stderr that it does not.
"$kiln" -d help >"$dir/help" || fail "-d help: status $?"
sed -n '2,$s/ .*//p' "$dir/help" | grep -v : >"$dir/names"
[ "$(wc -l <"$dir/names")" -ge 20 ] || fail "-d help has few names"
while read -r name; do
    if grep -q "^$name  *no effect" "$dir/help"; then
        "$kiln" -display none -snapshot "$dir/log.img" -d "$name" -D "$dir/log" --max-insns 10K \
            2>"$dir/err" || fail "-d $name: status $?"
        grep -q "^kiln: -d: $name: no effect: ....." "$dir/err" || fail "-d $name does not say why"
        grep -qv '^kiln: not there yet' "$dir/log" && fail "-d $name is without effect and writes"
    else
        engine=
        [ "$name" = out_asm ] && engine="-accel jit,hot=0"
        log "$name" $engine
        grep -q "^kiln: -d" "$dir/err" && fail "-d $name: $(cat "$dir/err")"
        grep -qv '^kiln: not there yet' "$dir/log" || [ "$name" = unimp ] ||
            fail "-d $name writes nothing"
    fi
done <"$dir/names"
"$kiln" -d trace:help | grep -qx bus_unclaimed || fail "-d trace:help lists no events"

if command -v qemu-system-x86_64 >/dev/null; then
    qemu-system-x86_64 -d help | sed -n 's/^\([a-z_]*\)  .*/\1/p' >"$dir/theirs"
    [ "$(wc -l <"$dir/theirs")" -ge 15 ] || fail "QEMU's names are not found"
    grep -vxFf "$dir/names" "$dir/theirs" && fail "QEMU has names that are refused"
fi

# Far calls and returns, in order, with their targets.
log pcall
{
    to() { echo "lcall $1:00000000$2 s=$3"; }
    from() { echo "lret new 0008:................ s=$1 addend=$2"; }
    f=$(address f | cut -c9-) g=$(address g | cut -c9-) h=$(address h | cut -c9-)
    to 0008 "$f" 1 && from 1 0x0   # direct
    to 0008 "$f" 1 && from 1 0x0   # through memory
    to 0018 00000000 1 && from 1 0x0 # through a call gate
    to 0008 "$g" 0 && from 0 0x0   # 16 bits
    to 0008 "$h" 1 && echo "lret new 0008:$(address after) s=1 addend=0x4"
    from 1 0x0                     # the handler's IRET
} >"$dir/wanted"
grep '^l' "$dir/log" >"$dir/got"
paste -d'\n' "$dir/wanted" "$dir/got" | while read -r wanted && read -r got; do
    echo "$got" | grep -qx "$wanted" || echo "$got, not $wanted"
done >"$dir/wrong"
[ -s "$dir/wrong" ] && fail "pcall: $(cat "$dir/wrong")"
[ "$(wc -l <"$dir/got")" = 11 ] || fail "pcall: $(wc -l <"$dir/got") lines"
[ "$(grep -c '^EAX=' "$dir/log")" = 11 ] || fail "pcall: not the registers with each"

# Control registers, A20 and the TLB; in the sector's order.
log mmu
page=$(address pages | sed 's/...$/000/')
sed -n '/^A20 update: a20=0/,$p' "$dir/log" >"$dir/got"
cat >"$dir/wanted" <<EOF
A20 update: a20=0
A20 update: a20=1
CR0 update: CR0=0x60000011
CR4 update: CR4=0x00000010
CR0 update: CR0=0xe0000011
TLB fill: $page -> $page w-xdg level 0
TLB fill: 0000000000005000 -> 0000000000005000 w-xd- level 0
TLB drop: 0000000000005000
CR3 update: CR3=0000000000001000
EOF
# The rest is the code page again, and the way into the triple fault. Whether a flush is needed, and
# whether a page is dirty, is not the sector's affair.
grep -v '^TLB flush' "$dir/got" | sed 's/[d-][g-] level/.. level/; /CR3 update/q' >"$dir/part"
sed 's/[d-][g-] level/.. level/' "$dir/wanted" >"$dir/wanted.part"
same "mmu" "$dir/wanted.part" "$dir/part"
sed -n '/^CR3 update/,$p' "$dir/log" | sed -n 2p | grep -q '^TLB flush: 0 entries stay' ||
    fail "mmu: a load of CR3 flushes nothing"

# The same firmware in QEMU: the same writes to CR0 and CR3.
if command -v qemu-system-x86_64 >/dev/null; then
    for name in log long_mode; do
        timeout 60 qemu-system-x86_64 -accel tcg -bios "$firmware" -display none -no-reboot \
            -d mmu -D "$dir/q.log" -drive file="$dir/$name.img",format=raw,snapshot=on
        "$kiln" -display none -snapshot "$dir/$name.img" -d mmu -D "$dir/log" 2>/dev/null
        for who in q.log log; do
            grep '^CR[03]' "$dir/$who" | tail -3 >"$dir/$who.end"
        done
        same "mmu: QEMU's and our last writes in $name" "$dir/q.log.end" "$dir/log.end"
    done
fi

# What the guest does wrong, what is missing, what nobody answers: each time.
log guest_errors
[ "$(grep -c '^i8042: unknown command 0f' "$dir/log")" = 2 ] || fail "guest_errors: not twice"
log unimp
[ "$(grep -c 'pic: single mode (ICW1 13)' "$dir/log")" = 2 ] || fail "unimp: not twice"
log cpu_reset
[ "$(grep -c 'pic: single mode (ICW1 13)' "$dir/log")" = 1 ] || fail "without unimp: not once"
log invalid_mem
grep -q 'bus_unclaimed io 2f0 (1)$' "$dir/log" || fail "invalid_mem: no port 2F0h"

# -dfilter: what it lets through of in_asm and exec is what the whole log has there.
log in_asm,exec
grep -E '^0x00007c[0-3]' "$dir/log" >"$dir/wanted"
grep '^Trace 0: .*/0000000000007c[0-3]' "$dir/log" >>"$dir/wanted"
for range in 0x7c00..0x7c3f 0x7c00+0x40 0x7c3f-0x40 0x0+1,0x7c00..0x7c3f; do
    log in_asm,exec -dfilter $range
    grep -E '^0x00007c[0-3]' "$dir/log" >"$dir/got"
    grep '^Trace 0: .*/0000000000007c[0-3]' "$dir/log" >>"$dir/got"
    same "-dfilter $range" "$dir/wanted" "$dir/got"
    grep '^Trace' "$dir/log" | grep -vq '/0000000000007c[0-3]' && fail "-dfilter $range: others, too"
done
for bad in x 0x7c00 1..0 0x10+ 0x10+0 0x10-0x20 1..2x ''; do
    "$kiln" -dfilter "$bad" "$dir/log.img" 2>"$dir/err" && fail "-dfilter '$bad' is accepted"
    has "$dir/err" "-dfilter"
done
finish
