# Sourced: grub_disk DIR makes DIR/disk.img, a hard disk with GRUB in its MBR, a partition with the
# files below DIR/files, and a menu on the display and on COM1. No root rights, no loop devices.
# $GRUB_TIMEOUT: seconds before the first entry starts (30). $GRUB_ENTRY: what it does (starts
# /ember.elf). $GRUB_DRIVERS: the modules that find the disk (biosdisk). $GRUB_MIB: the disk's size
# (16). $GRUB_FS: ext2, ext4 or fat (ext2).
grub_lib=/usr/lib/grub/i386-pc

grub_missing() {
    for need in grub-mkimage mke2fs; do
        command -v $need >/dev/null || { echo "no $need"; return 0; }
    done
    [ -f $grub_lib/boot.img ] || { echo "no GRUB for i386-pc (grub-pc-bin)"; return 0; }
    return 1
}

# poke FILE OFFSET BYTES: bytes as printf wants them
poke() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

grub_disk() {
    disk=$1/disk.img fs=${GRUB_FS:-ext2} mib=${GRUB_MIB:-16}
    sectors=$(((mib - 1) * 2048))
    mkdir -p "$1/files"
    echo "hello from ext2" >"$1/files/hello.txt"
    cat >"$1/grub.cfg" <<CFG
serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
set timeout=${GRUB_TIMEOUT:-30}
menuentry "first entry" { ${GRUB_ENTRY:-multiboot (hd0,msdos1)/ember.elf prompt}; boot }
menuentry "second entry" { lsmmap }
CFG
    cat >"$1/load.cfg" <<CFG
set root=(memdisk)
set prefix=(memdisk)
configfile (memdisk)/grub.cfg
CFG
    tar cf "$1/memdisk.tar" -C "$1" grub.cfg
    grub-mkimage -O i386-pc -o "$1/core.img" -p '(memdisk)' -c "$1/load.cfg" -m "$1/memdisk.tar" \
        ${GRUB_DRIVERS:-biosdisk} part_msdos ext2 fat memdisk tar normal configfile echo ls cat lsmmap cpuid serial terminal \
        multiboot linux || return 1
    rest=$((($(wc -c <"$1/core.img") + 511) / 512 - 1))
    rm -f "$disk"
    dd if=/dev/zero of="$disk" bs=1048576 count=$mib status=none
    dd if=$grub_lib/boot.img of="$disk" conv=notrunc status=none
    dd if="$1/core.img" of="$disk" bs=512 seek=1 conv=notrunc status=none
    poke "$disk" 102 '\220\220' # no jump over the drive check
    # One active partition from LBA 2048, of type 83h or 0Eh.
    type=203
    [ $fs = fat ] && type=016
    poke "$disk" 446 "\\200\\000\\041\\000\\$type\\001\\001\\001\\000\\010\\000\\000$(printf '\\%03o\\%03o\\%03o\\%03o' \
        $((sectors & 255)) $((sectors >> 8 & 255)) $((sectors >> 16 & 255)) $((sectors >> 24)))"
    dd if=/dev/zero of="$disk" bs=1 seek=462 count=48 conv=notrunc status=none
    poke "$disk" 510 '\125\252'
    # The first sector of core.img lists where the rest lies: LBA 2, sectors, segment 820h.
    poke "$disk" 1012 '\002\000\000\000\000\000\000\000'
    poke "$disk" 1020 "$(printf '\\%03o\\%03o' $((rest % 256)) $((rest / 256)))\\040\\010"
    if [ $fs = fat ]; then
        mkfs.vfat --offset 2048 "$disk" $((sectors / 2)) >/dev/null &&
            mcopy -i "$disk@@1M" -s "$1"/files/* ::
    else
        mke2fs -q -t $fs -d "$1/files" -E offset=1048576 "$disk" $((sectors / 2))K
    fi
}
