# Runs that somebody sits in front of: serial input and monitor commands at times that nobody
# plans, resets, a debugger, a window with keys and mouse. Each replays to the same state.
# usage: people.sh KILN BUILD
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1
mkfifo in

# until FILE TEXT: waits for it
until_says() {
    i=0
    until grep -qF -- "$2" "$1" 2>/dev/null; do
        i=$((i + 1))
        [ $i -lt 1200 ] || { fail "no '$2' in $1"; return 1; }
        sleep 0.1
    done
}

# ---- serial input, paced; the same bytes come out
"$kiln" -display none -serial stdio -rt on --timeout 300 --state-hash --record serial.log \
    "$build/guestos/prompt.img" <in >out 2>rec.err &
pid=$!
exec 3>in
until_says out "ember> " && printf 'mem\npci\n' >&3 && until_says out "ISA bridge" &&
    printf 'halt\nxyz' >&3
sleep 1
kill $pid
wait $pid
exec 3>&-
same serial.log -serial file:out2
cmp -s out out2 || fail "the serial port says something else"

# ---- monitor: keys, stop, reset, -S; QEMU's words
"$kiln" -display none -serial file:out.mon -monitor stdio -S --timeout 300 --state-hash \
    --record monitor.log "$build/guestos/prompt.img" <in >mon 2>rec.err &
pid=$!
exec 3>in
echo "sendkey a" >&3
echo cont >&3
until_says out.mon "ember> " && {
    printf 'sendkey m\nsendkey e\nsendkey m\nstop\n' >&3
    printf 'info registers\nsystem_reset\nsendkey p\ncont\n' >&3
    sleep 2
    printf 'sendkey shift-c\nsystem_reset\nstop\nx /4x 0x400\ncont\nsendkey ret\n' >&3
    sleep 1
}
echo quit >&3
wait $pid
exec 3>&-
same monitor.log
printf 'sendkey a\nsystem_reset\nquit\n' |
    "$kiln" replay monitor.log -monitor stdio -S >mon 2>err
[ "$(grep -c 'a replay takes no input' mon)" = 2 ] || fail "a replay takes keys or a reset"

# ---- gdb may look and stop, and may not write
if command -v gdb >/dev/null; then
    cat >commands <<CMDS
set confirm off
set debuginfod enabled off
set remotetimeout 60
target remote | exec "$kiln" -display none -S -gdb stdio --record gdb.log --state-hash "$build/guestos/prompt.img" 2>rec.err
hbreak *0x7c00
continue
stepi 5
set var \$rax = 5
set var *(int *) 0x500 = 7
p/x \$pc
kill
CMDS
    timeout 200 gdb -nx -batch -x commands >gdb.out 2>&1 </dev/null
    grep -q 'may not change registers' rec.err || fail "gdb may write: $(cat gdb.out)"
    same gdb.log
    cat >commands <<CMDS
set confirm off
set debuginfod enabled off
set remotetimeout 60
target remote | exec "$kiln" replay gdb.log -S -gdb stdio --state-hash 2>err
hbreak *0x7c00
continue
stepi 5
kill
CMDS
    timeout 200 gdb -nx -batch -x commands >gdb.out 2>&1 </dev/null
    grep -q '0x0*7c00 in' gdb.out || fail "a replay does not stop for gdb: $(cat gdb.out)"
fi

# ---- a window: keys, mouse, the R key after the guest's end
. "$here/../xvfb.sh"
if have_xvfb; then
    open_xvfb
    "$kiln" "$build/guestos/prompt.img" -serial file:out.win --state-hash --record window.log 2>rec.err </dev/null &
    pid=$!
    wait_title MIPS && xdotool windowfocus "$window" && until_says out.win "ember> " &&
        xdotool type --delay 40 "mem" && xdotool mousemove --window "$window" 200 200 click 1 &&
        for i in 1 2 3 4 5 6 7 8; do xdotool mousemove_relative -- $((i * 3 - 9)) 5; done &&
        sleep 0.5 && xdotool key ctrl+alt+g && xdotool key Return && sleep 0.5 || kill $pid
    xdotool key ctrl+alt+q
    wait $pid
    same window.log
    . "$here/../cli/sectors.sh"
    sector halt.img "$HALT"
    "$kiln" halt.img --state-hash --record halt.log 2>rec.err </dev/null &
    pid=$!
    wait_title "Halted for good" && xdotool windowfocus "$window" && sleep 0.5 && xdotool key r &&
        wait_title MIPS && wait_title "Halted for good" && xdotool key q || kill $pid
    wait $pid
    grep -q "recorded [1-9]" rec.err || fail "R is no event"
    same halt.log
fi

# ---- the guest's own end: status 0 of a replay, and the recorded one in words
. "$here/../cli/sectors.sh"
sector triple.img "$TRIPLE"
record triple.log triple.img
same triple.log
grep -q "that run ended with status 70" err || fail "the recorded status is not said"
record reset.log triple.img -on-triple-fault reset --max-insns 4M
same reset.log
finish
