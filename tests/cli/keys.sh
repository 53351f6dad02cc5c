# --keys goes through the keyboard controller and the BIOS to INT 16h.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1

sector keys.img "$ECHO_KEYS"
run -display none -serial stdio --keys '{wait:3}Hello, World! 0123 [x]~|' --until 'serial:[x]~|' \
    --timeout 60 keys.img
is_status 0
grep -qF 'Hello, World! 0123 [x]~|' out || fail "stdout: $(cat out)"
finish
