#!/bin/sh
# Ember's Unix disk in Bochs: from the MBR to busybox' shell, by the menu's entry that starts only that.
# usage: bochs_unix.sh EMBER.IMG WORKDIR
image=$1 dir=$2
. "$(dirname "$0")/../bochs.sh"
PATH=$PATH:/usr/sbin:/sbin
why=$(bochs_missing) && { echo "skipped: $why"; exit 77; }
command -v debugfs >/dev/null || { echo "skipped: no debugfs"; exit 77; }
rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || exit 1
cp "$image" disk.img
partition="disk.img?offset=1048576"
debugfs -R "dump /boot/ember.cfg ember.cfg" "$partition" 2>/dev/null
entry=$(grep "^title" ember.cfg | grep -n "only a shell" | cut -d: -f1)
[ -n "$entry" ] || { echo "FAIL: the menu has no entry for a shell"; exit 1; }
sed "s/^default .*/default $entry/" ember.cfg >new.cfg
printf 'rm /boot/ember.cfg\nwrite new.cfg /boot/ember.cfg\n' >commands
debugfs -w -f commands "$partition" >/dev/null 2>&1
cylinders=$((($(wc -c <disk.img) + 516095) / 516096)) # Bochs wants whole ones
truncate -s $((cylinders * 516096)) disk.img
bochs_run /usr/share/bochs/BIOS-bochs-latest /usr/share/bochs/VGABIOS-lgpl-latest disk.img \
    $cylinders 10000000 "${TICKS:-700000000}" 0xffff8000000b8000
for text in "Ember 0.2, a 64-bit Unix" "Root: /dev/hda1 (ext2)" "BusyBox v" "# "; do
    grep -aqF "$text" com1.txt screen.txt || {
        echo "FAIL: neither COM1 nor the screen says: $text"
        cat com1.txt screen.txt
        exit 1
    }
done
echo "Ember's Unix disk comes to a shell in Bochs"
