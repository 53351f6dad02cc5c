# The window, seen from outside: a guest's end leaves it open with its reason in the title, and Q
# closes it. Skipped without Xvfb and xdotool.
. "$(dirname "$0")/lib.sh"
. "$here/../xvfb.sh"
have_xvfb || exit 77
cd "$dir" || exit 1
open_xvfb

shown="kiln halt.img in a window"
sector halt.img "$HALT"
"$kiln" halt.img 2>err </dev/null &
pid=$!
wait_title "Halted for good" && xdotool windowfocus "$window" && sleep 0.5 && xdotool key q || kill $pid
sleep 1
if kill -0 $pid 2>/dev/null; then
    fail "Q does not close the window"
    kill $pid
fi
wait $pid
status=$?
is_status 0
says "halted for good"

shown="kiln triple.img in a window"
sector triple.img "$TRIPLE"
"$kiln" triple.img 2>err </dev/null &
pid=$!
wait_title "Triple fault" && xdotool windowfocus "$window" && sleep 0.5 && xdotool key s &&
    sleep 0.5 && xdotool key q || kill $pid
wait $pid
status=$?
is_status 70
ls kiln-*.png >/dev/null 2>&1 || fail "S made no screenshot"

shown="keys in a window"
sector keys.img "$ECHO_KEYS"
"$kiln" -serial file:com1.txt keys.img 2>err </dev/null &
pid=$!
wait_title "MIPS" && xdotool windowfocus "$window" && sleep 6 && xdotool type --delay 100 hello
sleep 1
xdotool key ctrl+alt+q
wait $pid
status=$?
is_status 0
grep -q hello com1.txt || fail "COM1: $(cat com1.txt)"
finish
