#!/bin/sh
# Ember's disk as others see it: e2fsck finds nothing, every file is there and root's, and building
# it again elsewhere, later, with another umask, gives the same bytes.
# usage: image.sh EMBER.IMG GUESTOS GUESTOS_BUILD WORKDIR
image=$1 source=$2 build=$3 dir=$4
PATH=$PATH:/usr/sbin:/sbin
fail() { echo "FAIL: $*"; exit 1; }
for need in e2fsck debugfs; do
    command -v $need >/dev/null || { echo "skipped: no $need"; exit 77; }
done
rm -rf "$dir" && mkdir -p "$dir/root" && cd "$dir" || exit 1

[ "$(od -An -v -tx1 -j 450 -N 1 "$image")" = " 83" ] || fail "the partition's type is not 83h"
dd if="$image" of=files.img bs=1048576 skip=1 status=none
e2fsck -fn files.img >fsck.txt 2>&1 || { cat fsck.txt; fail "e2fsck"; }

# debugfs rdump brings every file back; the tree must be the source's, with the kernel in it.
mkdir tree
debugfs -R "rdump / tree" files.img >debugfs.txt 2>&1
rmdir tree/lost+found || fail "no lost+found"
cmp -s tree/boot/ember "$build/kernel.elf" || fail "/boot/ember is not the kernel"
rm tree/boot/ember
diff -r tree "$source/root" || fail "the files differ"
for folder in / /boot /etc; do
    debugfs -R "ls -l $folder" files.img 2>/dev/null
done >list.txt
[ "$(grep -c 'ember' list.txt)" = 2 ] || { cat list.txt; fail "no list"; }
others=$(awk 'NF > 5 && ($4 != 0 || $5 != 0)' list.txt)
[ -z "$others" ] || fail "not root's: $others"

cp -R "$source/root/." root
find root -exec touch -d 2001-01-01 {} +
(umask 077 && sh "$source/boot/mkdisk.sh" "$PWD/again.img" 7 "$PWD/root" "$build/kernel.elf" "$PWD/work" \
    "$build/ember_mkimage" "$build/boot/mbr.bin" "$build/boot/vbr.bin" "$build/boot/loader.bin") ||
    fail "mkdisk.sh"
cmp "$image" again.img || fail "another build gives other bytes"
echo "the image is clean, complete and reproducible"
