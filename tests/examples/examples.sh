#!/bin/sh
# The examples of docs/examples do what their comments say, in any emulator.
# usage: examples.sh EXAMPLES-DIRECTORY WORKDIR EMULATOR [OPTIONS...]
src=$(cd "$(dirname "$0")/../ember" && pwd)
examples=$1 dir=$2
shift 2
. "$src/lib.sh"
need "$1"
mkdir -p "$dir" && cd "$dir" || exit 1

cp "$examples/boot_sector.img" disk.img
[ "$(wc -c <disk.img)" = 512 ] || fail "the boot sector has not 512 bytes"
screen_shows "Hello from 512 bytes." "$@" -drive file=disk.img,format=raw

launch serial.txt "$@" -m 64 -kernel "$examples/kernel.elf" -display none -serial stdio \
    -monitor none -device isa-debug-exit,iobase=0xf4,iosize=0x04
wait_exit "the kernel's start"
[ $status = 7 ] || fail "exit status $status, not 7"
grep -q '^Hello from C\. Memory above 1 MiB: 6[45][0-9][0-9][0-9] KiB\.$' serial.txt ||
    fail "COM1 says something else"
screen_shows "Hello from C. Memory above 1 MiB: 6" "$@" -m 64 -kernel "$examples/kernel.elf"
end
echo "both examples work"
