#!/bin/sh
# Damaged file systems in the loader itself: it must say what is wrong within a fixed number of
# instructions: on the spot where nothing can be read, else in the menu, which then still works.
# usage: corrupt.sh PROMPT.IMG WORKDIR KILN [OPTIONS...]
image=$1 dir=$2
shift 2
PATH=$PATH:/usr/sbin:/sbin
LIMIT=${LIMIT:-20M} # instructions; an undamaged disk is at its prompt after 3 million
command -v debugfs >/dev/null || { echo "skipped: no debugfs"; exit 77; }
rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || exit 1
kiln=$*
fail() { echo "FAIL: $*"; cat -v serial.txt stderr.txt; exit 1; }

dd if="$image" of=good.img bs=1048576 skip=1 status=none
fresh() { cp good.img files.img; }
# says TEXT: the loader, with files.img as its partition
says() {
    cp "$image" disk.img
    dd if=files.img of=disk.img bs=1048576 seek=1 conv=notrunc status=none
    : >serial.txt
    # shellcheck disable=SC2086
    $kiln -display none -serial file:serial.txt --max-insns "$LIMIT" --until "serial:$1" disk.img \
        >/dev/null 2>stderr.txt || fail "status $? instead of: $1"
    grep -aqF -- "$1" serial.txt || fail "the loader does not say: $1"
    echo "$1"
}
poke() { printf "$2" | dd of=files.img bs=1 seek="$1" conv=notrunc status=none; }
# debug COMMAND...: of debugfs
debug() {
    printf '%s\n' "$@" | debugfs -w files.img >debugfs.txt 2>&1
    grep -v "^debugfs" debugfs.txt | grep -q "^[a-z_]*: " && { cat debugfs.txt; fail "debugfs"; }
}
block() { debugfs -R "stat $1" good.img 2>/dev/null | sed -n 's/^(0[-0-9]*):\([0-9]*\).*/\1/p'; }

# super OFFSET BYTES TEXT: of the superblock; nothing can be read
super() {
    fresh
    poke $((1024 + $1)) "$2"
    says "cannot boot: $3"
}
super 56 '\000\000' "the partition holds no ext2 (its magic is 0"
super 4 '\377\377\377\377' "file system: its 4294967295 blocks of 1024 bytes reach beyond"
super 4 '\001\034' "file system: its 7169 blocks of 1024 bytes reach beyond"
super 24 '\377' "file system: its blocks have neither 1, 2 nor 4 KiB"
super 32 '\000\000\000\000' "file system: groups of 0 blocks"
super 40 '\000\000\000\000' "file system: groups of 8192 blocks and 0 inodes"
super 88 '\000\000' "file system: inodes of 0 bytes"
super 96 '\102' "file system: it uses extents (feature 40), which this loader cannot read"

# The way to /boot/ember.cfg: the menu says it, and has its one entry.
fresh
poke $((2048 + 8)) '\377\377\377\377' # group 0: inode table
says "the inode table, block 4294967295, lies outside of the file system"
fresh
poke $((2048 + 8)) '\000\034\000\000' # the first block behind the end
says "the inode table, block 7168, lies outside of the file system"
fresh
poke $((2048 + 8)) '\001\000\000\000' # the superblock as inodes
says "inode 2 is not in use"
for damage in '4:\000\000:(length 0,' '4:\001\000:(length 1,' '4:\377\377:(length 65535,' \
    '6:\377:(length 12, name 255)'; do
    fresh
    bytes=${damage#*:}
    poke $(($(block /boot) * 1024 + ${damage%%:*})) "${bytes%%:*}"
    says "directory inode $(debugfs -R 'stat /boot' good.img 2>/dev/null |
        sed -n 's/^Inode: \([0-9]*\).*/\1/p') has a damaged entry ${damage##*:}"
done
fresh
debug "rm /boot/ember.cfg" "sif /boot size 4194304" # so that it is looked for to the end
says "has a hole"
fresh
debug "sif /boot/ember.cfg size 100000"
says "/boot/ember.cfg is longer than 16384 bytes"
fresh
debug "sif /boot/ember.cfg block[0] 999999"
says "block 999999 lies outside of the file system"

# The kernel: the countdown ends, it cannot be loaded, the menu comes back.
fresh
debug "sif /boot/ember block[IND] 4294967295"
says "an indirect block, block 4294967295, lies outside of the file system"
fresh
debug "sif /boot/ember block[IND] 1" # numbers from the superblock
says "lies outside of the file system"
fresh
debug "sif /boot/ember size 20000"
says "kernel segment 0 lies outside of the file"
fresh
debug "sif /boot/ember size 4294967296"
says "has 4 GiB or more"
fresh
debug "rm /boot/ember" "symlink /boot/ember /boot/other" "symlink /boot/other ember"
says "more than 8 symbolic links; a circle? /boot/ember"
fresh
debug "rm /boot/ember" "mkdir /boot/ember"
says "no regular file: /boot/ember"
fresh
debug "rm /boot/ember"
says "no such file: /boot/ember"
fresh
debug "sif /boot/ember flags 0x80000"
says "extents, which this loader cannot read"
fresh
debug "sif /boot/ember block[0] 0" "sif /boot/ember block[4] 0" "sif /boot/ember block[8] 0" # holes
says "the kernel has no multiboot header"

# Behind an error in the menu everything works: the module is not needed for the first entry.
fresh
debug "rm /etc/motd"
LIMIT=60M
kiln="$kiln --keys {serial:stops}2{serial:motd}1"
says "Type help for the commands."
grep -aqF "no such file: /etc/motd" serial.txt || fail "no word about the module"
echo "damaged file systems are refused with a reason"
