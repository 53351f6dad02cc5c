# stdout carries what an option sent there and nothing else; input reaches the guest.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1

sector ok.img "$SERIAL_OK"
run -display none -serial stdio --until serial:OK --timeout 20 ok.img
is_status 0
grep -q OK out || fail "no OK on stdout"
run -display none -serial file:com1.txt --until serial:OK --timeout 20 ok.img
is_status 0
stdout_is ""
grep -q OK com1.txt || fail "no OK in the file"

# A pipe feeds bytes; the guest answers each with the other case.
sector echo.img "$ECHO_SERIAL"
shown="echo hello | kiln"
printf hello | "$kiln" -display none -serial stdio --until serial:HELLO --timeout 20 echo.img \
    >out 2>err
status=$?
is_status 0
grep -q HELLO out || fail "no HELLO"

shown="Ctrl-A x in a pipe"
{ sleep 1; printf '\001x'; sleep 1; } | "$kiln" -nographic --timeout 20 echo.img >out 2>err
status=$?
is_status 0

# The reader goes: so does kiln, at the guest's next byte.
shown="kiln | head"
sector many.img "baf803 b055 ee eb fb"
{ "$kiln" -display none -serial stdio --timeout 20 many.img 2>err </dev/null; echo $? >status; } |
    head -c 10 >/dev/null
status=$(cat status)
is_status 141
finish
