#!/bin/sh
# GRUB loads the kernel by its `multiboot` command from an ext2 partition.
# Of PROMPT.IMG the whole partition is taken, as the loader of its own has it.
# usage: grub.sh EMBER.ELF|PROMPT.IMG WORKDIR EMULATOR [OPTIONS...]
src=$(cd "$(dirname "$0")" && pwd)
kernel=$1 dir=$2
shift 2
. "$src/lib.sh"
. "$src/../boot/grub_disk.sh"
need "$1"
missing=$(grub_missing) && { echo "skipped: $missing"; exit 77; }
mkdir -p "$dir/files" && cd "$dir" || exit 1
GRUB_TIMEOUT=0
case $kernel in
*.img)
    GRUB_ENTRY="multiboot (hd0,msdos1)/boot/ember prompt"
    grub_disk . || fail "no GRUB disk"
    dd if="$kernel" of=disk.img bs=1048576 skip=1 seek=1 conv=notrunc status=none
    ;;
*)
    cp "$kernel" files/ember.elf
    grub_disk . || fail "no GRUB disk"
    ;;
esac

start "$@" -drive file=disk.img,format=raw
wait_prompt
says "Ember 0." "Loaded by GRUB 2"
ask mem
grep -q '^  000000100000 - .* RAM$' answer.txt || fail "no memory at 1 MiB"
ask "sector 0"
grep -q '^1f0 .* 55 aa  ' answer.txt || fail "sector 0 does not end in 55 aa"
printf 'poweroff\n' >&3
wait_exit poweroff
[ $status = 0 ] || fail "status $status after poweroff"
end
echo "GRUB starts the kernel"
