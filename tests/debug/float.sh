# x87 and SSE registers: gdb reads and changes what the guest loaded and stores, and `info registers`
# says of them what QEMU's says of the same guest.
. "$(dirname "$0")/lib.sh"
need gdb nc
cd "$dir" || exit 1

# cr4 |= OSFXSR; fninit; fldpi; fld1; movdqu xmm1,[7c60h]; ldmxcsr [7c70h];
# 7c21: nop; fstp tbyte [600h]; movdqu [610h],xmm1; stmxcsr [620h]; fnstcw [624h]; fnstsw [626h];
# 'O' to COM1; 7c3f: jmp $
sector float.img "31c0 8ed8 0f20e0 660d00020000 0f22e0 dbe3 d9eb d9e8 f30f6f0e607c 0fae16707c
    90 db3e0006 f30f7f0e1006 0fae1e2006 d93e2406 dd3e2606 baf803 b04f ee ebfe
    00000000000000000000000000000000000000000000000000000000000000
    00112233445566778899aabbccddeeff c09f0000"

# ---- gdb: what is loaded; what is changed, the guest stores
run="$kiln -S -display none -serial null -snapshot float.img"
for arch in x86-64 i386; do
    gdb_says $arch.txt <<END
target remote | $run -gdb stdio --gdb-arch $arch
hbreak *0x7c21
continue
delete
printf "st0 %.1f st1 %.15f\n", \$st0, \$st1
printf "fctrl %x fstat %x ftag %x\n", \$fctrl, \$fstat, \$ftag
p/x \$xmm1.v2_int64
p/x \$mxcsr
p \$mxcsr
info float
monitor info registers
set var \$st0 = 2.5
set var \$xmm1.v4_int32[3] = 0x12345678
set var \$mxcsr = 0x1f80
set var \$fctrl = 0x27f
hbreak *0x7c3f
continue
x/gx 0x600
x/hx 0x608
x/2gx 0x610
x/wx 0x620
x/2hx 0x624
set var \$mxcsr = 0x10000
END
    in_order $arch.txt "st0 1.0 st1 3.141592653589793" "fctrl 37f fstat 3000 ftag fff" \
        "= {0x7766554433221100, 0xffeeddccbbaa9988}" "= 0x9fc0" "= [ DAZ IM DM ZM OM UM PM FZ ]" \
        "R7: Valid   0x4000c90fdaa22168c235" "=>R6: Valid   0x3fff8000000000000000" \
        "R5: Empty" "Status Word:         0x3000" \
        "FCW=037f FSW=3000 [ST=6] FTW=c0 MXCSR=00009fc0" \
        "FPR6=8000000000000000 3fff FPR7=c90fdaa22168c235 4000" \
        "XMM01=ffeeddccbbaa9988 7766554433221100" \
        "0xa000000000000000" "0x4000" "0x7766554433221100	0x12345678bbaa9988" "0x00001f80" \
        "0x027f	0x3800" "Could not write register"
done

# ---- packets: 'g' gives what 'G' has set, when TOP and the registers change at once; MXCSR's
# reserved bits are refused
packet() {
    sum=0
    for byte in $(printf '%s' "$1" | od -An -v -tu1); do sum=$((sum + byte)); done
    printf '$%s#%02x' "$1" $((sum % 256))
}
answers() { tr '#' '\n' | sed 's/^.*\$//'; }
packet g | timeout 60 $run -gdb stdio 2>err | answers | head -n 1 >g
# digits before ST0, and in it; before the status word; the status word, the tag word
new=$(sed 's/^\(.\{328\}\).\{20\}\(.\{148\}\)0000000055550000/\100000000000000a00040\20030000055450000/' g)
[ "$new" != "$(cat g)" ] || fail "the registers after a reset: $(cat g)"
{
    packet "G$new"
    packet g
    packet P38=00000100
    packet p38
    packet P38=c09f0000
    packet p38
} | timeout 60 $run -gdb stdio 2>err | answers >answers
in_order answers OK "$new" E16 801f0000 OK c09f0000

# ---- the same guest in QEMU
# floating SOCKET: the lines of x87 and SSE
floating() {
    printf '%s\n' 'info registers' quit | timeout 120 nc -U -N "$1" | tr -d '\r' | grep '^FCW=\|^FPR\|^XMM'
}
await_guest() {
    for try in $(seq 1200); do
        [ -s serial.txt ] && [ -S mon ] && break
        kill -0 $pid || break
        sleep 0.1
    done
}
"$kiln" -display none -snapshot -serial file:serial.txt -monitor unix:"$dir/mon",server,nowait float.img 2>err &
pid=$!
await_guest
floating mon >ours
wait $pid || fail "quit: status $?"
[ "$(wc -l <ours)" = 9 ] || fail "info registers: $(cat ours)"
if command -v qemu-system-x86_64 >/dev/null; then
    rm -f mon serial.txt
    qemu-system-x86_64 -accel tcg -display none -snapshot -serial file:serial.txt -net none \
        -monitor unix:"$dir/mon",server,nowait -drive file=float.img,format=raw 2>qerr &
    pid=$!
    await_guest
    floating mon >theirs
    wait $pid
    cmp -s ours theirs || { fail "info registers differs from QEMU's"; diff ours theirs; }
fi
finish
