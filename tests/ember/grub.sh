#!/bin/sh
# GRUB loads the kernel by its `multiboot` command from an ext2 partition.
# usage: grub.sh EMBER.ELF WORKDIR EMULATOR [OPTIONS...]
src=$(cd "$(dirname "$0")" && pwd)
kernel=$1 dir=$2
shift 2
. "$src/lib.sh"
. "$src/../boot/grub_disk.sh"
need "$1"
missing=$(grub_missing) && { echo "skipped: $missing"; exit 77; }
mkdir -p "$dir/files" && cd "$dir" || exit 1
cp "$kernel" files/ember.elf
GRUB_TIMEOUT=0
grub_disk . || fail "no GRUB disk"

start "$@" -drive file=disk.img,format=raw
wait_prompt
says "Ember 0.1" "Loaded by GRUB 2"
ask mem
grep -q '^  000000100000 - .* RAM$' answer.txt || fail "no memory at 1 MiB"
ask "sector 0"
grep -q '^1f0 .* 55 aa  ' answer.txt || fail "sector 0 does not end in 55 aa"
printf 'poweroff\n' >&3
wait_exit poweroff
[ $status = 0 ] || fail "status $status after poweroff"
end
echo "GRUB starts the kernel"
