# Serial ports whose other end is a pseudo-terminal or a socket. The guest answers each byte on COM1
# with the other case.
. "$(dirname "$0")/lib.sh"
command -v nc >/dev/null || { echo "skipped: no nc"; exit 77; }
cd "$dir" || exit 1
sector echo.img "$ECHO_SERIAL"
: >err

# start ARGS: kiln in the background, ended by end
start() {
    shown="kiln $*"
    "$kiln" -display none --timeout 100 "$@" echo.img >out 2>err </dev/null &
    pid=$!
}
end() {
    kill $pid 2>/dev/null
    wait $pid
    status=$?
    is_status 143
}
trap 'kill $pid 2>/dev/null; rm -rf "$dir"' EXIT

# until COMMAND...: tries it again until it is true
until_true() {
    for _ in $(seq 300); do
        "$@" && return 0
        sleep 0.1
    done
    fail "never true: $*"
    return 1
}

# answers WORD COMMAND...: what is sent to the command comes back as WORD. The guest may still be
# booting: it is said again and again.
answers() {
    word=$1
    shift
    for _ in $(seq 30); do
        { printf hello; sleep 1; } | timeout 3 "$@" >answer 2>/dev/null
        grep -q "$word" answer && return 0
    done
    fail "no $word from $*"
}

start -serial pty
until_true grep -q "^char device redirected to /dev/pts/[0-9]* (label serial0)$" err && {
    line=$(sed -n 's/^char device redirected to \(.*\) (label.*/\1/p' err)
    for round in 1 2; do # it may be closed and opened again
        exec 3<>"$line"
        for _ in $(seq 30); do
            printf hello >&3
            timeout 1 head -c 5 <&3 >answer
            grep -q HELLO answer && break
        done
        grep -q HELLO answer || fail "round $round: no HELLO from $line"
        exec 3>&-
    done
}
end

start -serial unix:sock,server,nowait
until_true test -S sock
answers HELLO nc -U sock
answers HELLO nc -U sock # the next one, when the first has gone
end
[ -e sock ] && fail "the socket is still there"

start -serial null -serial tcp::0,server=on,wait=off
until_true grep -q "serial1: listening on port" err
end

# We call; the guest starts when the other has come.
nc -l -U called </dev/null >answer 2>/dev/null &
other=$!
until_true test -S called
sector ok.img "$SERIAL_OK"
run -display none -serial unix:called --until serial:OK --timeout 60 ok.img
is_status 0
wait $other
grep -q OK answer || fail "no OK at the listener"

run -display none -serial unix:nobody echo.img
is_status 1
says "nobody listens at nobody"
finish
