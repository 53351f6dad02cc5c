# The window, seen from outside: a guest's end leaves it open with its reason in the title, and Q
# closes it. Skipped without Xvfb and xdotool.
. "$(dirname "$0")/lib.sh"
command -v Xvfb >/dev/null && command -v xdotool >/dev/null || exit 77
cd "$dir" || exit 1
export HOME="$dir" SDL_AUDIODRIVER=dummy
unset WAYLAND_DISPLAY SDL_VIDEODRIVER
mkfifo display
Xvfb -displayfd 3 -screen 0 1280x1024x24 3>display >/dev/null 2>&1 &
xvfb=$!
read -r number <display
export DISPLAY=":$number"
trap 'kill $xvfb 2>/dev/null; rm -rf "$dir"' EXIT

# wait_title TEXT: until the window's title holds it; the window's id in $window
wait_title() {
    for _ in $(seq 100); do
        window=$(xdotool search --name "$1" 2>/dev/null | head -1)
        [ -n "$window" ] && return 0
        sleep 0.2
    done
    fail "no window titled $1"
    return 1
}

shown="kiln halt.img in a window"
sector halt.img "$HALT"
"$kiln" halt.img 2>err </dev/null &
pid=$!
wait_title "Halted for good" && xdotool windowfocus "$window" && sleep 0.5 && xdotool key q
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
    sleep 0.5 && xdotool key q
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
