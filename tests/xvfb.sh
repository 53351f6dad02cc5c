# Sourced: a display of the test's own, and windows on it. Needs Xvfb and xdotool, and $dir, the
# scratch directory that is current; the caller's fail() is told of a window that does not come.

have_xvfb() { command -v Xvfb >/dev/null && command -v xdotool >/dev/null; }

# Sets DISPLAY; the display goes when the script ends, and the scratch directory with it.
open_xvfb() {
    export HOME="$dir" SDL_AUDIODRIVER=dummy
    unset WAYLAND_DISPLAY SDL_VIDEODRIVER
    mkfifo display
    Xvfb -displayfd 4 -screen 0 1280x1024x24 4>display >/dev/null 2>&1 &
    xvfb=$!
    read -r number <display
    export DISPLAY=":$number"
    trap 'kill $xvfb 2>/dev/null; rm -rf "$dir"' EXIT
}

# wait_title TEXT: until a window's title holds it; the window's id in $window
wait_title() {
    for _ in $(seq 300); do
        window=$(xdotool search --name "$1" 2>/dev/null | head -1)
        [ -n "$window" ] && return 0
        sleep 0.2
    done
    fail "no window titled $1"
    return 1
}
