#!/bin/sh
# Types on the emulated PS/2 keyboard: every printable key, plain and shifted, Caps Lock, Control,
# Backspace, Up, keys with an E0 prefix. The echo on COM1 and the screen tell what arrived.
# QEMU's keys are typed by its monitor, Kiln's by -keys.
# usage: keyboard.sh PROMPT.IMG WORKDIR EMULATOR [OPTIONS...]
src=$(cd "$(dirname "$0")" && pwd)
image=$1 dir=$2
shift 2
. "$src/lib.sh"
need "$1"
mkdir -p "$dir" && cd "$dir" || exit 1

plain='`1234567890-=qwertyuiop[]\asdfghjkl;'"'"'zxcvbnm,./'
shifted='~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:"ZXCVBNM<>?'

check_answers() {
    tr -d '\r' <serial.txt | sed 's/.*\x08//' >answer.txt
    for text in "$plain" "$shifted" "A1bC" "ok" "a/b"; do
        says "unknown command: $text (try help)"
    done
    [ "$(grep -c 'unknown command: ok ' answer.txt)" = 2 ] || fail "Up did not bring the line back"
    says "this list" "power off"
}

case $1 in
*qemu*) ;;
*)
    # Escapes of -keys: a backslash before \ and {.
    typed=$(printf '%s\\n%s\\n' "$plain" "$shifted" | sed 's/\\\([^n]\)/\\\\\1/; s/{/\\{/g')
    launch stdout.txt "$@" -drive file="$image",format=raw,snapshot=on -display none \
        -serial file:serial.txt -keys "{serial:ember> }${typed}{caps}a1{shift-b}c{caps}\\n"\
"xy{ctrl-u}ok\\n{up}\\na{kpslash}b{kpenter}helpx\\b\\n{screen:this list}poweroff\\n"
    wait_exit "typing"
    [ $status = 0 ] || fail "status $status"
    check_answers
    end
    echo "every key arrives"
    exit 0
    ;;
esac

grown() { [ "$(wc -c <serial.txt)" -gt "$before" ]; }
# press KEY...: by QEMU's names; each must be echoed before the next one
press() {
    for key in "$@"; do
        before=$(wc -c <serial.txt)
        echo "sendkey $key 20" >&3
        until_true grown || fail "nothing was echoed for the key $key"
    done
}
# silent KEY...: keys that echo nothing; the monitor's answer says that they are under way
silent() {
    for key in "$@"; do
        echo "sendkey $key 20" >&3
    done
}

launch monitor.txt "$@" -drive file="$image",format=raw,snapshot=on -display none \
    -serial file:serial.txt -monitor stdio
prompt() { [ "$(tail -c 7 serial.txt)" = "ember> " ]; }
until_true prompt || fail "no prompt"
keys="grave_accent 1 2 3 4 5 6 7 8 9 0 minus equal q w e r t y u i o p bracket_left bracket_right
    backslash a s d f g h j k l semicolon apostrophe z x c v b n m comma dot slash"
press $keys ret
until_true prompt
for key in $keys; do
    press shift-$key
done
press ret
until_true prompt
silent caps_lock
press a 1 shift-b c
silent caps_lock
press ret
until_true prompt
press x y ctrl-u o k ret
until_true prompt
press up ret
until_true prompt
press a kp_divide b kp_enter
until_true prompt
press h e l p x backspace ret
until_true prompt

# The prompt stands on the screen's last line by now, the cursor behind it: CRTC registers 0Eh, 0Fh.
cursor() {
    : >monitor.txt
    printf 'o /b 0x3d4 0x0e\ni /b 0x3d5\no /b 0x3d4 0x0f\ni /b 0x3d5\n' >&3
    until_true sh -c 'test "$(grep -c "portb\[0x03d5\] = 0x" monitor.txt)" = 2' || fail "no cursor"
    set -- $(sed -n 's/.*portb\[0x03d5\] = 0x\([0-9a-f]*\).*/0x\1/p' monitor.txt)
    echo $(($1 * 256 + $2))
}
[ "$(cursor)" = $((24 * 80 + 7)) ] || fail "the cursor is at $(cursor)"
rm -f text.bin
echo "pmemsave 0xb8000 4000 \"$PWD/text.bin\"" >&3
saved() { [ -f text.bin ] && [ "$(wc -c <text.bin)" = 4000 ]; }
until_true saved || fail "no screen"
od -An -v -tu1 -w160 text.bin |
    awk '{ s = ""; for (i = 1; i <= NF; i += 2) s = s sprintf("%c", $i); sub(/ +$/, "", s); print s }' \
        >screen.txt
tr -d '\r' <serial.txt | tail -n 9 | head -n 8 >expected.txt
tail -n 9 screen.txt | head -n 8 | cmp -s - expected.txt || { cat screen.txt; fail "screen and COM1 differ"; }
[ "$(tail -n 1 screen.txt)" = "ember>" ] || { cat screen.txt; fail "no prompt on the last line"; }

for key in p o w e r o f f; do
    press $key
done
silent ret
wait_exit poweroff
check_answers
end
echo "every key arrives"
