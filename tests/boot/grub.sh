# GRUB from a hard disk, under Spark or under SeaBIOS with its VGA BIOS: its menu on COM1 and on the
# display, ls, cat, cpuid, lsmmap at its command line, and Ember by multiboot.
# usage: grub.sh KILN BUILD spark|seabios
. "$(dirname "$0")/lib.sh"
why=$(grub_missing) && { echo "skipped: $why"; exit 77; }
firmware=
if [ "$3" = seabios ]; then
    need_seabios
    firmware=$seabios_firmware
fi
mkdir "$dir/files"
cp "$build/ember.elf" "$dir/files/" || exit 1
GRUB_TIMEOUT=30 grub_disk "$dir" || exit 1

# The keys wait for the screen, so the menu is on the display too.
run $firmware -m 64 -snapshot --keys '{screen:second entry}c{screen:grub>}ls\n{serial:msdos1}cat (hd0,msdos1)/hello.txt\n{serial:hello from}if cpuid -l; then echo long mode; fi\n{serial:long mode}lsmmap\n' \
    --until 'screen:base_addr = 0x100000, length = 0x3' "$dir/disk.img"
is_status 0
serial_says "GNU GRUB"
serial_says "first entry"
serial_says "(hd0,msdos1)"
serial_says "hello from ext2"
serial_says "base_addr = 0x0, length = 0x9fc00, available RAM"

# The first entry loads Ember's kernel.
run $firmware -m 64 -snapshot --keys '{screen:second entry}\n' --until 'screen:ember>' "$dir/disk.img"
is_status 0
serial_says "ember>"
finish
