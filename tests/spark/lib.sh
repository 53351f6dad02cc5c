# Shared by the tests that look at the screen: start an emulator with a monitor, type, read text.
# Sets: nothing. Uses: $dir (working directory, current), $emulator.

# start BIOS VGA OPTIONS...: VGA "none" means no video adapter
start() {
    bios=$1 rom=$2
    shift 2
    rm -f monitor serial.txt
    mkfifo monitor
    if [ "$rom" = none ]; then
        set -- -vga none "$@"
    else
        set -- -vga none -device VGA,romfile="$rom" "$@"
    fi
    timeout 60 "$emulator" -accel tcg -m 64 -bios "$bios" -display none -serial file:serial.txt \
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
keys() {
    for key in "$@"; do
        echo "sendkey $key 40" >&3
        sleep 0.15
    done
}
# The 25 lines of text memory, into screen.txt.
screen() {
    rm -f screen.bin
    echo "pmemsave 0xb8000 4000 \"$PWD/screen.bin\"" >&3
    sleep 0.4
    [ -f screen.bin ] && od -An -v -tu1 -w160 screen.bin |
        awk '{ s = ""; for (i = 1; i <= NF; i += 2) s = s sprintf("%c", $i < 32 ? 32 : $i); print s }' \
            > screen.txt
}
# wait_screen TEXT: up to 15 s
wait_screen() {
    tries=0
    while [ $tries -lt 25 ]; do
        sleep 0.3
        screen
        grep -aqF "$1" screen.txt && return 0
        tries=$((tries + 1))
    done
    echo "FAIL: the screen does not show: $1"
    cat screen.txt
    stop
    exit 1
}
