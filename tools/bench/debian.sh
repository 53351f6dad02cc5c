#!/bin/bash
# A stock Debian kernel from GRUB to ACPI power-off, by processor time: in Kiln and in Bochs, the same disk,
# Spark and our video BIOS in both; the kernel is quiet, so that both wait little for COM1. The best of N runs.
# usage: KILN_LINUX=DIR debian.sh KILN BUILD [N]
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../tests/bochs.sh"
. "$here/../../tests/boot/grub_disk.sh"
. "$here/../../tests/boot/debian_disk.sh"
kiln=$(readlink -f "$1") build=$(readlink -f "$2") runs=${3:-3}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
debian_disk . ext4 "poweroff -f" "console=ttyS0 quiet" || exit 1
bochs_config 256 "$build/spark.bin" "$build/vgabios.bin" disk.img 65 100000000
printf 'c\nq\n' >commands

TIMEFORMAT='%U %S'
in_kiln() { "$kiln" -m 256 -snapshot -display none -serial file:com1.txt disk.img </dev/null 2>err; }
in_bochs() { bochs -q -f rc -rc commands >debugger.log 2>&1 </dev/null; }
for emulator in kiln bochs; do
    for n in $(seq "$runs"); do
        rm -f disk.img.lock com1.txt
        { time in_$emulator; } 2>time.txt
        grep -aq 'Power down' com1.txt || { echo "$emulator does not power off"; tail -n 5 com1.txt; exit 1; }
        awk -v who=$emulator 'NF == 2 { printf "%s %.1f\n", who, $1 + $2 }' time.txt
    done
done | tee all.txt
awk '!($1 in best) || $2 < best[$1] { best[$1] = $2 }
END { printf "Kiln %.1f s, Bochs %.1f s: %.2f times as fast\n", best["kiln"], best["bochs"], best["bochs"] / best["kiln"] }' all.txt
