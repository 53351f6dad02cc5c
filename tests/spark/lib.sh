# Shared by the tests that look at the screen: start an emulator with a monitor, type, read text.
# Sets: nothing. Uses: $dir (working directory, current), $emulator, $LIMIT (seconds that one may run: 900).
#
# Nothing here depends on the speed of the host: every step waits for its effect, as long as
# PATIENCE seconds, and the next step follows at once.
PATIENCE=120

# start BIOS VGA OPTIONS...: VGA "none" means no video adapter
start() {
    bios=$1 rom=$2
    shift 2
    rm -f monitor serial.txt screen.bin
    mkfifo monitor
    if [ "$rom" = none ]; then
        set -- -vga none "$@"
    else
        set -- -vga none -device VGA,romfile="$rom" "$@"
    fi
    timeout "${LIMIT:-900}" "$emulator" -accel tcg -m 64 -bios "$bios" -display none -serial file:serial.txt \
        -monitor stdio "$@" < monitor > monitor.log 2>&1 &
    pid=$!
    exec 3> monitor
}
stop() {
    echo quit >&3
    exec 3>&-
    kill $pid 2> /dev/null
    wait $pid 2> /dev/null
    rm -f monitor
}
fail() {
    echo "FAIL: $*"
    cat screen.txt
    stop
    exit 1
}

# until_true COMMAND...: repeats it until it succeeds; not to be nested. False when patience ends or the emulator did.
until_true() {
    end=$(($(date +%s) + PATIENCE))
    while ! "$@"; do
        [ "$(date +%s)" -lt $end ] && kill -0 $pid 2> /dev/null || return 1
        sleep 0.1
    done
}

# The 25 lines of text memory, into screen.txt; the bytes, behind the cursor's, stay in screen.bin.
screen() {
    rm -f text.bin cursor.bin
    echo "pmemsave 0x450 2 \"$PWD/cursor.bin\"" >&3
    echo "pmemsave 0xb8000 4000 \"$PWD/text.bin\"" >&3
    tries=0
    while ! [ -f text.bin ] || [ "$(wc -c < text.bin)" -ne 4000 ]; do
        tries=$((tries + 1))
        [ $tries -le $((10 * PATIENCE)) ] && kill -0 $pid 2> /dev/null || return 1
        sleep 0.1
    done
    cat cursor.bin text.bin > screen.bin
    od -An -v -tu1 -w160 text.bin |
        awk '{ s = ""; for (i = 1; i <= NF; i += 2) s = s sprintf("%c", $i < 32 ? 32 : $i); print s }' \
            > screen.txt
}
shows() { screen && grep -aqF "$1" screen.txt; }
wait_screen() {
    until_true shows "$1" || fail "the screen does not show: $1"
}
changed() { screen && ! cmp -s screen.bin before.bin; }
# keys KEY...: each key must change the screen before the next is pressed.
keys() {
    for key in "$@"; do
        screen || fail "no screen to type at"
        cp screen.bin before.bin
        echo "sendkey $key 40" >&3
        until_true changed || fail "nothing happened on the key $key"
    done
}
# file_says FILE TEXT
file_says() { grep -aqF "$2" "$1" 2> /dev/null; }
