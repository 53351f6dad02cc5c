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
keys spc
sleep 1
echo "info registers" >&3
sleep 0.5
[ -s serial.txt ] && { echo "FAIL: COM1 is not silent"; stop; exit 1; }
stop
grep -aq "EIP=00007c02" monitor.log || { echo "FAIL: the repaired disk did not boot"; exit 1; }
start "$spark" none
n=0
while ! grep -aq "Press a key" serial.txt 2> /dev/null && [ $n -lt 50 ]; do
    sleep 0.2
    n=$((n + 1))
done
stop
grep -aq "No hard disk was found" serial.txt || { echo "FAIL: nothing on COM1"; exit 1; }
echo "the boot screen says why, tries again, and falls back to COM1"
