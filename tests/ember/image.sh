#!/bin/sh
# A disk of Ember's as others see it: e2fsck finds nothing, every file is there, with the owner and the
# mode that it should have, and building it again elsewhere, later, with another umask, gives the
# same bytes. MIB, BLOCK, ROOT and MODES are what mkdisk.sh got.
# usage: image.sh IMAGE MKDISK GUESTOS_BUILD WORKDIR MIB BLOCK ROOT MODES
image=$1 mkdisk=$2 build=$3 dir=$4 mib=$5 block=$6 root=$7 modes=$8
PATH=$PATH:/usr/sbin:/sbin
fail() { echo "FAIL: $*"; exit 1; }
for need in e2fsck debugfs; do
    command -v $need >/dev/null || { echo "skipped: no $need"; exit 77; }
done
[ -d "$root" ] || { echo "skipped: built without a userland, no $root"; exit 77; }
rm -rf "$dir" && mkdir -p "$dir/root" && cd "$dir" || exit 1

[ "$(od -An -v -tx1 -j 450 -N 1 "$image")" = " 83" ] || fail "the partition's type is not 83h"
dd if="$image" of=files.img bs=1048576 skip=1 conv=sparse status=none
e2fsck -fn files.img >fsck.txt 2>&1 || { cat fsck.txt; fail "e2fsck"; }

# debugfs rdump brings every file back; the tree must be the source's, with the kernel in it, and
# with the folders that only MODES names.
mkdir tree
debugfs -R "rdump / tree" files.img >debugfs.txt 2>&1
rmdir tree/lost+found || fail "no lost+found"
cmp -s tree/boot/ember "$build/kernel.elf" || fail "/boot/ember is not the kernel"
rm tree/boot/ember
cp -RP "$root/." root
grep -v '^#' "$modes" | while read -r mode uid gid path; do
    [ -e "root$path" ] || mkdir -p "root$path"
done
diff -r --no-dereference tree root || fail "the files differ"

# stat of each file against the rule and its exceptions
(cd root && find . ! -type l | sed 's/^\.//; s/^$/\//') | while read -r path; do
    if [ -d "root$path" ] || [ -x "root$path" ]; then should="0755 0 0"; else should="0644 0 0"; fi
    special=$(awk -v path="$path" '$4 == path { print "0" $1, $2, $3 }' "$modes")
    echo "$path ${special:-$should}"
done >should.txt
sed 's/^\([^ ]*\) .*/stat "\1"/' should.txt >stat.cmd
debugfs -f stat.cmd files.img 2>/dev/null | awk '/^debugfs: stat/ { gsub(/"/, ""); path = $3 }
    /^Inode:/ { mode = $0; sub(/.*Mode: */, "", mode); sub(/ .*/, "", mode) }
    /^User:/ { print path, mode, $2, $4 }' >is.txt
[ -s is.txt ] || fail "debugfs names no file"
diff should.txt is.txt || fail "owners or modes"

find root -exec touch -h -d 2001-01-01 {} +
(umask 077 && sh "$mkdisk" "$PWD/again.img" "$mib" "$block" "$PWD/root" "$modes" "$build/kernel.elf" \
    "$PWD/work" "$build/ember_mkimage" "$build/boot/mbr.bin" "$build/boot/vbr.bin" \
    "$build/boot/loader.bin") || fail "mkdisk.sh"
cmp "$image" again.img || fail "another build gives other bytes"
rm -f again.img files.img work/files
echo "the image is clean, complete and reproducible"
