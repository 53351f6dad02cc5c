#!/bin/sh
# A GRUB disk in Bochs by Spark: the menu's first entry loads Ember by multiboot, which comes to its
# prompt. Bochs counts instructions, so that the moment of looking does not depend on the host.
# usage: grub_bochs.sh SPARK.BIN VGABIOS.BIN EMBER.ELF WORKDIR
src=$(cd "$(dirname "$0")" && pwd)
spark=$1 vga=$2 kernel=$3 dir=$4
. "$src/../boot/grub_disk.sh"
for need in bochs script; do
    command -v "$need" > /dev/null || { echo "skipped: no $need"; exit 77; }
done
why=$(grub_missing) && { echo "skipped: $why"; exit 77; }
mkdir -p "$dir/files" && cd "$dir" || exit 1
export TERM=xterm
cp "$kernel" files/ember.elf
GRUB_TIMEOUT=1 grub_disk . || exit 1
rm -f disk.img.lock com1.txt
cat > rc << RC
megs: 64
romimage: file=$spark
vgaromimage: file=$vga
ata0-master: type=disk, path=disk.img, mode=flat, cylinders=32, heads=16, spt=63
com1: enabled=1, mode=file, dev=com1.txt
boot: disk
display_library: term
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: bochs.log
panic: action=fatal
cpu: ips=50000000
RC
printf 'sb 900000000\nc\nq\n' > commands
timeout 600 script -qc "bochs -q -f rc -rc commands" term.log > /dev/null 2>&1 < /dev/null
for text in "GNU GRUB" "first entry" "Ember 0.1" "Disk 0: Generic 1234, 32768 sectors" "ember>"; do
    grep -aqF "$text" com1.txt || { echo "FAIL: COM1 does not say: $text"; strings com1.txt | tail; exit 1; }
done
echo "GRUB starts Ember in Bochs, by Spark"
