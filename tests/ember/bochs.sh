#!/bin/sh
# Ember's disk in Bochs: from the MBR through the menu, whose countdown must end, to the prompt.
# usage: bochs.sh PROMPT.IMG WORKDIR [BIOS VGABIOS]: without them, Bochs' own
image=$1 dir=$2
bios=${3:-/usr/share/bochs/BIOS-bochs-latest} vga=${4:-/usr/share/bochs/VGABIOS-lgpl-latest}
. "$(dirname "$0")/../bochs.sh"
why=$(bochs_missing) && { echo "skipped: $why"; exit 77; }
for need in "$bios" "$vga"; do
    [ -f "$need" ] || { echo "skipped: no $need"; exit 77; }
done
rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || exit 1
sectors=$((17 * 16 * 63)) # Bochs wants whole cylinders: more than the image has
cp "$image" disk.img && truncate -s $((sectors * 512)) disk.img
# In the kernel's map, low addresses are not there: text memory by its direct map (mm/layout.h).
bochs_run "$bios" "$vga" disk.img 17 10000000 "${TICKS:-150000000}" 0xffff8000000b8000
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
