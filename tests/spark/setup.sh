#!/bin/sh
# Set-up, boot menu, boot order and the file of --nvram: which of two disks boots says what was
# chosen. Each disk's sector writes its own letter and the drive number it was given to COM1.
# usage: setup.sh KILN WORKDIR
kiln=$1 dir=$2
mkdir -p "$dir" && cd "$dir" || exit 1
rm -f nvram*

# disk LETTER FILE
disk() {
    cat > sector.S <<S
    .code16
    .globl _start
_start:
    movb \$'$1', %al
    movw \$0x3f8, %cx
    movb %dl, %bl
    movw %cx, %dx
    outb %al, %dx
    movb %bl, %al
    andb \$0x7f, %al
    addb \$'0', %al
    outb %al, %dx
    movb \$'.', %al
    outb %al, %dx
    int \$0x18
    .org 510
    .word 0xaa55
S
    as --32 -o sector.o sector.S && ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$2" sector.o || exit 1
    dd if=/dev/zero of="$2" bs=1 count=0 seek=1048576 status=none
}
disk A a.img
disk B b.img

fail() {
    echo "FAIL: $*"
    cat screen.txt err serial.txt
    exit 1
}
# boot KEYS OPTIONS...: until nothing is left to boot from
boot() {
    keys=$1
    shift
    timeout 120 "$kiln" -display none -serial file:serial.txt -hda a.img -hdc b.img --keys "$keys" \
        --until "screen:Press a key to try again" --screenshot screen.txt "$@" 2>err ||
        fail "status $? of: $keys $*"
}
booted() { [ "$(cat serial.txt)" = "$1" ] || fail "$2: COM1 has '$(cat serial.txt)', not '$1'"; }
shows() { grep -qF "$1" screen.txt || fail "$2: the screen does not show: $1"; }

boot ''
booted A0.B1. "the order of a new board"
shows "primary master: KILN HARDDISK: its boot sector gave up" "the order of a new board"

# The disk that is chosen is drive 80h; the others follow.
boot '{screen:F12}{F12}{screen:Esc}2'
booted B0.A1. "the menu by digit"
boot '{screen:F12}{F12}{screen:Esc}{down}\n'
booted B0.A1. "the menu by arrow"
boot '{screen:F12}{F12}{screen:Esc}\e'
booted A0.B1. "Esc in the menu"

# In set-up rows 1 to 5 are: option ROM, primary master, primary slave, secondary master and slave.
second_first='{screen:F12}{F2}{screen:defaults}{down}{down}{down}++'
boot "$second_first"'{F10}' --nvram nvram
booted B0.A1. "after set-up"
boot '' --nvram nvram
booted B0.A1. "the next run with the file"
boot ''
booted A0.B1. "a run without it"
boot "$second_first"'\e' --nvram nvram2
booted A0.B1. "Esc in set-up"
boot '' --nvram nvram2
booted A0.B1. "after Esc nothing is kept"
boot '{screen:F12}{F2}{screen:defaults}{F9}{F10}' --nvram nvram
booted A0.B1. "the defaults"
boot '{screen:F12}{F2}{screen:defaults}{down} {F10}'
booted B0. "without the primary master"
shows "primary master: KILN HARDDISK: not in the boot order" "without the primary master"

# The words on how long it lasts.
set_up() {
    timeout 120 "$kiln" -display none -hda a.img --keys '{screen:F12}{F2}{screen:defaults}' \
        --until 'screen:memory' --until 'screen:CMOS' --screenshot screen.txt "$@" 2>err || fail "set-up"
}
set_up
shows "CMOS memory lasts for this run only; kiln --nvram FILE keeps" "without --nvram"
set_up --nvram nvram
shows "in the file of --nvram" "with --nvram"

# Any cell of the settings damaged: the defaults. A file that is none is refused and left alone.
boot "$second_first"'{F10}' --nvram nvram
for cell in 96 98 99 100 104 110 111; do
    cp nvram damaged
    printf '\377' | dd of=damaged bs=1 seek=$cell conv=notrunc status=none
    boot '' --nvram damaged
    booted A0.B1. "cell $cell damaged"
done
for wrong in 0 255 257; do
    head -c $wrong /dev/zero > wrong
    cp wrong before
    "$kiln" -display none -hda a.img --nvram wrong 2>err
    [ $? = 1 ] || fail "$wrong bytes: status"
    grep -q "wrong is no such file" err || fail "$wrong bytes: no reason"
    cmp -s wrong before || fail "$wrong bytes: the file was changed"
done
"$kiln" -display none -hda a.img --nvram . 2>err
[ $? = 1 ] && grep -q "cannot read" err || fail "a folder as file"

# The clock: the date is set in set-up, kept by the chip, and not by the file.
boot '{screen:F12}{F2}{screen:defaults}{up}{up}{up}{up}{up}+++{F10}' --nvram nvram3
[ "$(od -An -tx1 -j9 -N1 nvram3 | tr -d ' ')" = 27 ] || fail "the year is not 2027"
boot '' --nvram nvram3
[ "$(od -An -tx1 -j9 -N1 nvram3 | tr -d ' ')" = 24 ] || fail "the year came from the file"
echo "set-up, menu, order and file agree"
