#!/bin/sh
# GRUB from a hard disk: its menu appears on the display and on COM1, and ls, cat and lsmmap work with
# keys typed.
# usage: grub.sh SPARK.BIN VGABIOS.BIN WORKDIR [EMULATOR]
src=$(cd "$(dirname "$0")" && pwd)
spark=$1 vga=$2 dir=$3 emulator=${4:-qemu-system-x86_64}
. "$src/../boot/grub_disk.sh"
command -v "$emulator" > /dev/null || { echo "skipped: no $emulator"; exit 77; }
why=$(grub_missing) && { echo "skipped: $why"; exit 77; }
mkdir -p "$dir" && cd "$dir" || exit 1
. "$src/lib.sh"
: > screen.txt
GRUB_TIMEOUT=600 grub_disk . || exit 1

start "$spark" "$vga" -drive file=disk.img,format=raw
wait_screen "GNU GRUB"
wait_screen "first entry"
keys c
wait_screen "grub>"
keys l s ret
wait_screen "(hd0,msdos1)"
keys c a t spc shift-9 h d 0 comma m s d o s 1 shift-0 slash h e l l o dot t x t ret
wait_screen "hello from ext2"
keys l s m m a p ret
wait_screen "base_addr = 0x100000"
for text in "GNU GRUB" "first entry" "hello from ext2" "base_addr = 0x100000"; do
    grep -aqF "$text" serial.txt || { echo "FAIL: COM1 does not say: $text"; stop; exit 1; }
done
stop
echo "GRUB boots, reads keys, the disk and the memory map"
