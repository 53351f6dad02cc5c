# The stub without gdb: packets by hand, as in gdb's manual, appendix E.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1

# packet TEXT: framed, with its checksum
packet() {
    sum=0
    for byte in $(printf '%s' "$1" | od -An -v -tu1); do sum=$((sum + byte)); done
    printf '$%s#%02x' "$1" $((sum % 256))
}

# stub OPTIONS...: packets on standard input, answers to out, the exit status to status
stub() {
    timeout 60 "$kiln" -gdb stdio -display none "$@" >out 2>err
    echo $? >status
}
is_status() { [ "$(cat status)" = "$1" ] || fail "$2: status $(cat status), not $1"; }
# await NR TEXT: until out holds TEXT that often
await() {
    for try in $(seq 600); do
        [ "$(grep -aoF -- "$2" out | wc -l)" -ge "$1" ] && return
        sleep 0.1
    done
}
answers() { tr '#' '\n' <out | sed 's/^.*\$//' >answers; }

sector loop.img "$LOOP"
{
    for p in '?' qAttached qC qfThreadInfo 'H g0' 'vCont?' 'm7c00,2' 'M7c00,2:abcd' 'm7c00,2' \
        'Z0,7c00,1' 'z0,7c00,1' 'Z9,7c00,1' 'm20000000,4' 'p10' 'P10=3412000000000000' p10 \
        'm' 'm,' 'mzz,1' 'm0,ffffffffffffffff' 'M0,4:00' 'G00' 'P' 'Pffff=00' 'pffffffffffffffff' \
        'X7c00,ffff:a' 'Z' 'Z0' 'qXfer:features:read:target.xml:ffffffff,10' \
        'qXfer:features:read:other.xml:0,10' 'qRcmd,5' 'qRcmd,zz' 'vFoo' 'QNoSuch' '!' 'vCont;x' \
        'qRcmd,696e666f20737461747573'; do
        packet "$p"
    done
} | stub -S loop.img
answers
is_status 0 "the input ends"
in_order answers "T05thread:01;" 1 QC1 m1 OK "vCont;c;C;s;S" 0000 OK abcd OK OK E16 E0e \
    f0ff000000000000 OK 3412000000000000 E16 E16 E16
has answers "O564d207374617475733a20" # "VM status: "

# the interrupt byte stops what runs; a breakpoint may be set while it is stopped
{
    packet c
    printf '\003'
    packet Z0,7c00,1
    packet c
    await 1 T05
    packet s
    await 2 T05
    packet D
} | stub loop.img -S
answers
in_order answers "T02thread:01;" "OK" "T05thread:01;" "T05thread:01;" "OK"

# how a run ends is told: by isa-debug-exit, and by a triple fault, which can be looked at first
sector exit.img "$EXIT_16"
{ packet c; await 1 W21; } | stub -S -device isa-debug-exit,iobase=0xf4,iosize=1 exit.img
is_status 33 isa-debug-exit
answers
has answers W21
sector triple.img "$TRIPLE"
{ packet c; await 1 T0b; packet p10; packet c; await 1 W46; } | stub -S triple.img
is_status 70 "triple fault"
answers
in_order answers "T0bthread:01;" 0 W46

# a wrong checksum is asked for again, a lost answer repeated
printf '+$g#00' | stub -S loop.img
[ "$(cat out)" = "-" ] || fail "a wrong checksum is answered by $(head -c 20 out)"
{ packet qC; printf -- '-'; } | stub -S loop.img
[ "$(cat out)" = '+$QC1#c5$QC1#c5' ] || fail "a lost answer: $(head -c 40 out)"
finish
