# Sourced by the scripts here: runs an emulator with its first serial port on pipes, and talks to
# Ember's prompt, or to a shell in Ember (unix_lib.sh). Works in the current directory; sets $pid, $status, answer.txt, serial.txt.
#
# Nothing depends on the speed of the host: every step waits for its effect, as long as PATIENCE
# seconds, and the next step follows at once.
PATIENCE=${PATIENCE:-180}
PROMPT=${PROMPT:-ember> }
pid=

# need PROGRAM...: else the test is skipped
need() {
    for program in "$@"; do
        command -v "$program" >/dev/null || { echo "skipped: no $program"; exit 77; }
    done
}

fail() {
    echo "FAIL: $*"
    [ -f serial.txt ] && { echo "the end of what COM1 said:"; tail -n 30 serial.txt; }
    if [ -n "$pid" ] && gone; then
        wait $pid
        echo "the emulator has ended, with status $?"
    fi
    [ -s stderr.txt ] && { echo "the emulator said:"; tail -n 10 stderr.txt; }
    end
    exit 1
}

# launch OUTPUT COMMAND...: in the background, its input from us, its output to a file
launch() {
    rm -f in
    mkfifo in
    : >serial.txt
    seen=0
    output=$1
    shift
    exec 3<>in
    timeout $((4 * PATIENCE)) "$@" <in >"$output" 2>stderr.txt &
    pid=$!
}

# start EMULATOR OPTIONS...
start() { launch serial.txt "$@" -display none -serial stdio -monitor none; }

end() {
    [ -n "$pid" ] && { kill $pid; wait $pid; } 2>/dev/null
    pid=
    exec 3>&-
    rm -f in
}

# until_true COMMAND...: repeats it until it succeeds; false when patience or the emulator ends.
until_true() {
    deadline=$(($(date +%s) + PATIENCE))
    while ! "$@"; do
        if ! kill -0 $pid 2>/dev/null || [ "$(date +%s)" -ge $deadline ]; then
            "$@" # what it wrote last
            return
        fi
        sleep 0.05
    done
}

# What came since the last command, up to the prompt, goes to answer.txt.
answered() {
    tail -c +$((seen + 1)) serial.txt | tr -d '\r' >answer.txt
    [ "$(tail -c ${#PROMPT} answer.txt)" = "$PROMPT" ]
}
# $(...) would eat the space at the end, were it not for the quotes: "ember> " has no newline.

wait_prompt() {
    until_true answered || fail "no prompt ${1:-after the start}"
    seen=$(wc -c <serial.txt)
}

# ask COMMAND: types it, waits for the next prompt.
ask() {
    printf '%s\n' "$1" >&3
    wait_prompt "after: $1"
}

# says TEXT ...: every TEXT is in the last answer
says() {
    for text in "$@"; do
        grep -qF -- "$text" answer.txt || fail "the answer does not say: $text"
    done
}

gone() { ! kill -0 $pid 2>/dev/null; }

# wait_exit: the emulator must end by itself; its exit status is in $status.
wait_exit() {
    deadline=$(($(date +%s) + PATIENCE))
    until gone; do
        [ "$(date +%s)" -lt $deadline ] || fail "the emulator did not end after: $1"
        sleep 0.05
    done
    wait $pid
    status=$?
    pid=
}

# screen_shows TEXT EMULATOR OPTIONS...: started like that, the emulator's screen (text mode) shows
# TEXT in the end. QEMU is asked by its monitor, Kiln by -until. COM1 goes to serial.txt.
screen_shows() {
    text=$1
    shift
    : >screen.txt
    case $1 in
    *qemu*)
        launch monitor.txt "$@" -display none -serial file:serial.txt -monitor stdio
        until_true text_memory_says || { cat screen.txt; fail "the screen does not say: $text"; }
        ;;
    *)
        launch stdout.txt "$@" -display none -serial file:serial.txt -until "screen:$text" \
            -timeout $PATIENCE
        wait_exit "waiting for: $text"
        [ $status = 0 ] || fail "the screen does not say: $text"
        ;;
    esac
    end
}
text_memory_saved() { [ -f text.bin ] && [ "$(wc -c <text.bin)" = 4000 ]; }
text_memory_says() {
    rm -f text.bin
    echo "pmemsave 0xb8000 4000 \"$PWD/text.bin\"" >&3
    for i in 1 2 3 4 5 6 7 8 9 10; do
        text_memory_saved && break
        sleep 0.05
    done
    text_memory_saved || return 1
    od -An -v -tu1 -w160 text.bin |
        awk '{ s = ""; for (i = 1; i <= NF; i += 2) s = s sprintf("%c", $i); print s }' >screen.txt
    grep -qF -- "$text" screen.txt
}
