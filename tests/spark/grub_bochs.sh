#!/bin/sh
# A GRUB disk in Bochs by Spark: the menu's first entry loads Ember by multiboot, which comes to its
# prompt.
# usage: grub_bochs.sh SPARK.BIN VGABIOS.BIN EMBER.ELF WORKDIR
src=$(cd "$(dirname "$0")" && pwd)
spark=$1 vga=$2 kernel=$3 dir=$4
. "$src/../boot/grub_disk.sh"
. "$src/../bochs.sh"
why=$(bochs_missing) && { echo "skipped: $why"; exit 77; }
why=$(grub_missing) && { echo "skipped: $why"; exit 77; }
mkdir -p "$dir/files" && cd "$dir" || exit 1
cp "$kernel" files/ember.elf
GRUB_TIMEOUT=1 grub_disk . || exit 1
bochs_run "$spark" "$vga" disk.img 32 50000000 900000000
for text in "GNU GRUB" "first entry" "Ember 0." "Disk 0: Generic 1234, 32768 sectors" "ember>"; do
    grep -aqF "$text" com1.txt || { echo "FAIL: COM1 does not say: $text"; strings com1.txt | tail; exit 1; }
done
echo "GRUB starts Ember in Bochs, by Spark"
