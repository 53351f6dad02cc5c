#!/bin/sh
# The screen of a machine that cannot boot names the reason for each drive, and a key tries again.
# Without a video adapter the same words come on COM1; with one, COM1 stays silent.
# usage: nothing_boots.sh SPARK.BIN VGABIOS.BIN WORKDIR [EMULATOR]
src=$(cd "$(dirname "$0")" && pwd)
spark=$1 vga=$2 dir=$3 emulator=${4:-qemu-system-x86_64}
command -v "$emulator" > /dev/null || { echo "skipped: no $emulator"; exit 77; }
mkdir -p "$dir" && cd "$dir" || exit 1
. "$src/lib.sh"
: > screen.txt
dd if=/dev/zero of=blank.img bs=1048576 count=2 status=none
cp blank.img wrong.img
printf '\125\100' | dd of=wrong.img bs=1 seek=510 conv=notrunc status=none
start "$spark" "$vga" -drive file=blank.img,format=raw,index=0 \
    -drive file=wrong.img,format=raw,index=3
wait_screen "ends in 00 00"
wait_screen "ends in 55 40"
wait_screen "primary slave : no drive"
wait_screen "Press a key to try again"
echo "stop" >&3
# Repair the second disk, then press a key: it must boot now.
echo "cont" >&3
printf '\372\364\353\375' | dd of=wrong.img bs=1 conv=notrunc status=none # cli; hlt; jmp
printf '\125\252' | dd of=wrong.img bs=1 seek=510 conv=notrunc status=none
echo "sendkey spc 40" >&3
runs_sector() { echo "info registers" >&3; sleep 0.2; file_says monitor.log "EIP=00007c02"; }
until_true runs_sector || fail "the repaired disk did not boot"
[ -s serial.txt ] && fail "COM1 is not silent"
stop
start "$spark" none
until_true file_says serial.txt "Press a key" || fail "nothing on COM1"
stop
file_says serial.txt "No hard disk was found" || { echo "FAIL: COM1 does not say why"; exit 1; }
echo "the boot screen says why, tries again, and falls back to COM1"
