#!/bin/sh
# Ember's disk in Bochs: from the MBR through the menu, whose countdown must end, to the prompt.
# Bochs counts instructions, so that the moment of looking does not depend on the host.
# usage: bochs.sh EMBER.IMG WORKDIR [BIOS VGABIOS]: without them, Bochs' own
image=$1 dir=$2
bios=${3:-/usr/share/bochs/BIOS-bochs-latest} vga=${4:-/usr/share/bochs/VGABIOS-lgpl-latest}
for need in bochs script; do
    command -v "$need" >/dev/null || { echo "skipped: no $need"; exit 77; }
done
for need in "$bios" "$vga"; do
    [ -f "$need" ] || { echo "skipped: no $need"; exit 77; }
done
rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || exit 1
export TERM=xterm
sectors=$((17 * 16 * 63)) # Bochs wants whole cylinders: more than the image has
cp "$image" disk.img && truncate -s $((sectors * 512)) disk.img
cat >rc <<RC
megs: 64
romimage: file=$bios
vgaromimage: file=$vga
ata0-master: type=disk, path=disk.img, mode=flat, cylinders=17, heads=16, spt=63
com1: enabled=1, mode=file, dev=com1.txt
boot: disk
display_library: term
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: bochs.log
panic: action=fatal
cpu: ips=10000000
RC
# In the kernel's map, low addresses are not there: text memory by its direct map (mm/layout.h).
printf 'sb %s\nc\nwritemem "vga.bin" 0xffff8000000b8000 4000\nq\n' "${TICKS:-150000000}" >commands
timeout 800 script -qc "bochs -q -f rc -rc commands" term.log >/dev/null 2>&1 </dev/null
[ -f vga.bin ] || { echo "FAIL: Bochs did not come to its end"; tail -n 5 bochs.log; exit 1; }
od -An -v -tu1 -w160 vga.bin |
    awk '{ s = ""; for (i = 1; i <= NF; i += 2) s = s sprintf("%c", $i < 32 ? 32 : $i); print s }' >screen.txt
fail() {
    echo "FAIL: $*"
    cat com1.txt screen.txt
    exit 1
}
for text in "by EDD" "what shall be started?" "starts in 3 s" "starts in 1 s" "kernel: /boot/ember" \
    "Loaded by Ember loader 2" "Disk 0: Generic 1234, $sectors sectors" "ember> "; do
    grep -aqF "$text" com1.txt || fail "COM1 does not say: $text"
done
grep -aqF "Type help for the commands." screen.txt || fail "the screen does not show the prompt"
echo "Ember's disk comes to its prompt in Bochs"
