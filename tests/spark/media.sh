#!/bin/sh
# Boots one small program from every kind of medium: floppies, IDE and AHCI disks, CDs on IDE and AHCI
# without emulation and as floppy and hard disk. What it must say follows from the media's standards.
# usage: media.sh SPARK.BIN VGABIOS.BIN WORKDIR [EMULATOR]
src=$(cd "$(dirname "$0")" && pwd)
spark=$1 vga=$2 dir=$3 emulator=${4:-qemu-system-x86_64}
command -v "$emulator" >/dev/null || { echo "skipped: no $emulator"; exit 77; }
command -v xorriso >/dev/null || { echo "skipped: no xorriso"; exit 77; }
mkdir -p "$dir" && cd "$dir" || exit 1
as --32 -o media.o "$src/media.S" && ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o boot.bin media.o || exit 1

# image FILE KIB
image() {
    cp boot.bin "$1"
    truncate -s "$2K" "$1"
}
# cd FILE IMAGE OPTIONS...
cd_image() {
    iso=$1 img=$2
    shift 2
    rm -rf tree "$iso"
    mkdir tree && cp "$img" tree/boot.img
    xorriso -as mkisofs -quiet -o "$iso" -b boot.img -c boot.cat "$@" tree 2>/dev/null || exit 1
}
image disk.img 20160 # 40 cylinders of 16 heads and 63 sectors
image f720.img 720
image f1440.img 1440
image f2880.img 2880
cp disk.img hard.img
# The hard disk's partition says its geometry: to cylinder 39, head 15, sector 63.
printf '\200\001\001\000\006\017\077\047\077\000\000\000\101\235\000\000' | dd of=hard.img bs=1 seek=446 conv=notrunc status=none
cd_image none.iso boot.bin -no-emul-boot -boot-load-size 4 -boot-info-table
cd_image floppy.iso f1440.img
cd_image hard.iso hard.img -hard-disk-boot

failed=0
# boots WHAT EXPECTED OPTIONS...
boots() {
    what=$1 expected=$2
    shift 2
    rm -f serial.txt
    case $emulator in
    *kiln)
        "$emulator" -display none -m 32 -bios "$spark" -vgabios "$vga" -serial file:serial.txt "$@" \
            --timeout 120 --until 'serial:, end' </dev/null 2>err
        ;;
    *)
        timeout 120 "$emulator" -accel tcg -m 32 -bios "$spark" -vga none -device VGA,romfile="$vga" -nic none \
            -display none -serial file:serial.txt -monitor none "$@" 2>err &
        pid=$!
        while kill -0 $pid 2>/dev/null && ! grep -q end serial.txt 2>/dev/null; do sleep 0.1; done
        kill $pid 2>/dev/null
        wait $pid 2>/dev/null
        ;;
    esac
    got=$(cat serial.txt 2>/dev/null)
    if [ "$got" = "$expected, end" ]; then
        echo "$what: $got"
    else
        echo "FAIL: $what says '$got', not '$expected, end'"
        cat err
        failed=1
    fi
}
ahci="-device ahci,id=a -drive format=raw,if=none,id=d,file="
text=", second sector"
boots "IDE disk" "drive 80$text, CHS 263F0F" -drive file=disk.img,format=raw
boots "AHCI disk" "drive 80$text, CHS 263F0F" ${ahci}disk.img -device ide-hd,drive=d,bus=a.0
boots "1.44 MB floppy" "drive 00$text, CHS 4F1201" -drive file=f1440.img,format=raw,if=floppy -boot a
boots "2.88 MB floppy" "drive 00$text, CHS 4F2401" -drive file=f2880.img,format=raw,if=floppy -boot a
boots "720 KB floppy" "drive 00$text, CHS 4F1201" -drive file=f720.img,format=raw,if=floppy -boot a
boots "IDE CD" "drive E0$text, CD 00E0" -cdrom none.iso -boot d
boots "AHCI CD" "drive E0$text, CD 00E0" ${ahci}none.iso,media=cdrom -device ide-cd,drive=d,bus=a.0 -boot d
boots "CD as floppy" "drive 00$text, CHS 4F1201, CD 0200" -cdrom floppy.iso -boot d
boots "CD as hard disk" "drive 80$text, CHS 273F0F, CD 0480" -cdrom hard.iso -boot d
boots "CD as hard disk, AHCI" "drive 80$text, CHS 273F0F, CD 0480" ${ahci}hard.iso,media=cdrom -device ide-cd,drive=d,bus=a.0 \
    -drive file=disk.img,format=raw -boot d
exit $failed
