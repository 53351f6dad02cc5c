#!/bin/sh
# GRUB from a hard disk: its menu appears, and ls, cat and lsmmap work with keys typed.
# usage: grub.sh SPARK.BIN VGABIOS.BIN WORKDIR [EMULATOR]
src=$(cd "$(dirname "$0")" && pwd)
spark=$1 vga=$2 dir=$3 emulator=${4:-qemu-system-x86_64}
lib=/usr/lib/grub/i386-pc
for need in "$emulator" grub-mkimage mke2fs; do
    command -v "$need" > /dev/null || { echo "skipped: no $need"; exit 77; }
done
[ -f $lib/boot.img ] || { echo "skipped: no GRUB for i386-pc"; exit 77; }
mkdir -p "$dir/files" && cd "$dir" || exit 1
. "$src/lib.sh"
: > screen.txt
poke() { printf "$2" | dd of=disk.img bs=1 seek="$1" conv=notrunc status=none; }

echo "hello from ext2" > files/hello.txt
cat > grub.cfg <<'CFG'
set timeout=-1
menuentry "first entry" { lsmmap }
CFG
printf 'set root=(memdisk)\nset prefix=(memdisk)\nconfigfile (memdisk)/grub.cfg\n' > load.cfg
tar cf memdisk.tar grub.cfg
grub-mkimage -O i386-pc -o core.img -p '(memdisk)' -c load.cfg -m memdisk.tar \
    biosdisk part_msdos ext2 memdisk tar normal configfile ls cat lsmmap || exit 1
sectors=$((($(wc -c < core.img) + 511) / 512))
rm -f disk.img
dd if=/dev/zero of=disk.img bs=1048576 count=8 status=none
dd if=$lib/boot.img of=disk.img conv=notrunc status=none
dd if=core.img of=disk.img bs=512 seek=1 conv=notrunc status=none
poke 102 '\220\220'                                  # no jump over the drive check
poke 446 '\200\000\041\000\203\001\001\010\000\010\000\000\000\070\000\000'
dd if=/dev/zero of=disk.img bs=1 seek=462 count=48 conv=notrunc status=none
poke 510 '\125\252'
# The first sector of core.img lists where the rest lies: LBA 2, sectors - 1, segment 820h.
rest=$((sectors - 1))
poke 1012 '\002\000\000\000\000\000\000\000'
poke 1020 "$(printf '\\%03o\\%03o' $((rest % 256)) $((rest / 256)))\\040\\010"
mke2fs -q -t ext2 -d files -E offset=1048576 disk.img 7M || exit 1

start "$spark" "$vga" -drive file=disk.img,format=raw
wait_screen "GNU GRUB"
wait_screen "first entry"
keys c
wait_screen "grub>"
keys l s ret
wait_screen "(hd0,msdos1)"
keys c a t spc shift-9 h d 0 comma m s d o s 1 shift-0 slash h e l l o dot t x t ret
wait_screen "hello from ext2"
keys l s m m a p ret
wait_screen "base_addr = 0x100000"
stop
echo "GRUB boots, reads keys, the disk and the memory map"
