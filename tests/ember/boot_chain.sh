#!/bin/sh
# The way from the MBR to the kernel on disks that are not as mkdisk.sh made them: it must work where
# it can (second partition, moved partition, BIOS without EDD), and say what is wrong where it
# cannot. The boot sectors speak through INT 10h, so the screen is read: by QEMU's monitor, or by
# Kiln's -until.
# usage: boot_chain.sh PROMPT.IMG WORKDIR EMULATOR [OPTIONS...]
src=$(cd "$(dirname "$0")" && pwd)
image=$1 dir=$2
shift 2
. "$src/lib.sh"
need "$1" as ld
mkdir -p "$dir" && cd "$dir" || exit 1

# poke OFFSET BYTES: bytes as printf wants them
poke() { printf "$2" | dd of=disk.img bs=1 seek="$1" conv=notrunc status=none; }
partition=$((2048 * 512))
header=$((2049 * 512))
loader=$((2 * 512))
superblock=$((2050 * 512))

on_screen() {
    screen_shows "$@" -drive file=disk.img,format=raw
    echo "$1"
}

# broken TEXT OFFSET BYTES EMULATOR...
broken() {
    cp "$image" disk.img
    poke "$2" "$3"
    text=$1
    shift 3
    on_screen "$text" "$@"
}

broken "MBR: no active partition" 446 '\000' "$@"
broken "MBR: active partition lacks 55AA" $((partition + 510)) '\000' "$@"
broken "MBR: disk error " 454 '\000\000\001\000' "$@" # LBA 65536 of 16384
broken "VBR: no boot header" $header 'X' "$@"
broken "VBR: no boot header" $((header + 8)) '\001' "$@" # version
broken "VBR: loader size" $((header + 16)) '\071' "$@"   # 57 sectors
broken "VBR: loader size" $((header + 16)) '\000' "$@"
broken "VBR: loader checksum" $((loader + 100)) '\377\377' "$@"
broken "the partition holds no ext2 (its magic is ef52" $((superblock + 56)) '\122' "$@"

# The partition in the table's last row.
cp "$image" disk.img
dd if="$image" of=disk.img bs=1 skip=446 seek=494 count=16 conv=notrunc status=none
dd if=/dev/zero of=disk.img bs=1 seek=446 count=16 conv=notrunc status=none
on_screen "Type help for the commands." "$@"

# The partition one MiB further on: what the MBR says counts, not what mkimage wrote into the VBR.
cp "$image" disk.img
dd if="$image" of=disk.img bs=1048576 skip=1 seek=2 conv=notrunc status=none
dd if=/dev/zero of=disk.img bs=1048576 seek=1 count=1 conv=notrunc status=none
poke 454 '\000\020\000\000' # LBA 4096
on_screen "Type help for the commands." "$@"
grep -aqF "partition at 4096" serial.txt || fail "the loader took another partition"

# A BIOS without EDD.
as --32 -o no_edd.o "$src/no_edd.S" && ld -m elf_i386 -Ttext 0 --oformat binary -o no_edd.bin no_edd.o ||
    fail "no_edd.S does not assemble"
cp "$image" disk.img
dd if="$image" of=disk.img bs=512 seek=1 count=1 conv=notrunc status=none
dd if=no_edd.bin of=disk.img bs=1 count=440 conv=notrunc status=none
on_screen "Type help for the commands." "$@"
grep -aqF "by CHS" serial.txt || fail "the disk was not read by CHS"
echo "the boot chain boots or says why not"
