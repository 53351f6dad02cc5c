# The exit statuses that kiln(1) documents.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1

sector exit.img "$EXIT_16"
run -display none -device isa-debug-exit,iobase=0xf4,iosize=0x04 --timeout 20 exit.img
is_status 33

sector halt.img "$HALT"
run -display none --on-halt exit --timeout 20 halt.img
is_status 74
says "halted for good"
run -display none --timeout 6 halt.img
is_status 124
says "halted for good"
[ "$(grep -c 'halted for good' err)" = 1 ] || fail "said more than once"

sector triple.img "$TRIPLE"
run -display none --timeout 20 triple.img
is_status 70
run -display none --on-triple-fault reset -no-reboot --timeout 20 triple.img
is_status 0

sector reset.img "$RESET"
run -display none -no-reboot --timeout 20 reset.img
is_status 0

sector loop.img "$LOOP"
run -display none --timeout 0.5 loop.img
is_status 124
says "timeout"

"$kiln" -display none loop.img 2>err </dev/null &
pid=$!
sleep 1
kill -TERM $pid
wait $pid
status=$?
shown="kiln loop.img, with SIGTERM"
is_status 143
says "terminating on signal 15"
finish
