# Where slices end changes nothing (slices.c says how), for a boot sector that provokes it, for
# Ember and for GRUB.
# usage: slices.sh PROGRAM BUILD storm|ember|grub SEED TICKS
program=$1 build=$2 guest=$3
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
case $guest in
storm)
    command -v as >/dev/null && command -v ld >/dev/null || { echo "skipped: no as and ld"; exit 77; }
    as --32 -o "$dir/storm.o" "$here/storm.S" &&
        ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o "$dir/disk.img" "$dir/storm.o" || exit 1
    ;;
ember) cp "$build/guestos/prompt.img" "$dir/disk.img" || exit 1 ;;
grub)
    . "$here/../boot/grub_disk.sh"
    why=$(grub_missing) && { echo "skipped: $why"; exit 77; }
    grub_disk "$dir" || exit 1
    ;;
esac
"$program" "$build/spark.bin" "$build/vgabios.bin" "$dir/disk.img" "$4" "$5"
