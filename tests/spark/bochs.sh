#!/bin/sh
# Spark in Bochs, with our VGA BIOS and with the one that comes with Bochs: a disk boots through its
# MBR and writes by INT 10h; a blank disk is named.
# usage: bochs.sh SPARK.BIN VGABIOS.BIN WORKDIR
spark=$1 vga=$2 dir=$3
theirs=/usr/share/bochs/VGABIOS-lgpl-latest
. "$(dirname "$0")/../bochs.sh"
why=$(bochs_missing) && { echo "skipped: $why"; exit 77; }
mkdir -p "$dir" && cd "$dir" || exit 1

cat > sector.S << 'S'
    .code16
    .globl _start
_start:
    xorw %ax, %ax
    movw %ax, %ds
    movw %ax, %ss
    movw $0x7c00, %sp
    movb %dl, drive
    movw $text, %si
1:  lodsb
    testb %al, %al
    jz 2f
    movb $0x0e, %ah
    movw $7, %bx
    int $0x10
    jmp 1b
2:  movw $0x0201, %ax                 /* sector 2 says who it is */
    movw $0x0002, %cx
    movb drive, %dl
    xorb %dh, %dh
    movw $0x8000, %bx
    int $0x13
    jc 3f
    cmpw $0x4321, 0x8000
    jne 3f
    movw $0x0e2b, %ax                 /* "+" */
    movw $7, %bx
    int $0x10
3:  hlt
    jmp 3b
drive: .byte 0
text: .asciz "MBR in Bochs "
    .org 510
    .word 0xaa55
    .word 0x4321
S
as --32 -o sector.o sector.S && ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o sector.bin sector.o || exit 1

# boot IMAGE VGA
boot() { bochs_run "$spark" "$2" "$1" 16 10000000 60000000 0xb8000; }
shows() {
    grep -aqF "$1" screen.txt || { echo "FAIL: $2: the screen does not show: $1"; cat screen.txt; exit 1; }
}

dd if=/dev/zero of=blank.img bs=8257536 count=1 status=none # 16 * 16 * 63 sectors
cp blank.img disk.img
dd if=sector.bin of=disk.img conv=notrunc status=none
boot disk.img "$vga"
shows "MBR in Bochs +" "our VGA BIOS"
if [ -f $theirs ]; then
    boot disk.img $theirs
    shows "MBR in Bochs +" "Bochs' VGA BIOS"
fi
boot blank.img "$vga"
shows "ends in 00 00" "a blank disk"
echo "Spark boots in Bochs, by either VGA BIOS"
