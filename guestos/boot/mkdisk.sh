#!/bin/sh
# Makes a disk of Ember's without root rights and without loop devices: a copy of the tree ROOT with
# the kernel in it, mke2fs -d for the file system, mkimage for what surrounds it. Equal inputs give
# equal bytes: identifiers are fixed, and owners and times are set by debugfs, since mke2fs -d takes
# the builder's. All files are root's, with mode 755 (folders, and what is executable in ROOT) or 644,
# but for the lines "MODE UID GID PATH" of MODES; folders that ROOT lacks are made.
# usage: mkdisk.sh OUT MIB BLOCK_BYTES ROOT MODES KERNEL WORKDIR MKIMAGE MBR VBR LOADER
set -eu
out=$1 mib=$2 block=$3 root=$4 modes=$5 kernel=$6 dir=$7
shift 7
PATH=$PATH:/usr/sbin:/sbin # where mke2fs is, for users who are not root
export E2FSPROGS_FAKE_TIME=1750000000 MKE2FS_CONFIG="$(dirname "$0")/mke2fs.conf" LC_ALL=C
files=$dir/files stage=$dir/stage log=$dir/mkdisk.log

rm -rf "$stage" "$files"
mkdir -p "$stage"
cp -RP "$root/." "$stage"
cp "$kernel" "$stage/boot/ember"
chmod 644 "$stage/boot/ember"
grep -v '^#' "$modes" >"$dir/modes" || true
while read -r mode uid gid path; do
    [ -e "$stage$path" ] || mkdir -p "$stage$path"
done <"$dir/modes"
find "$stage" -type d -exec chmod 755 {} +
find "$stage" -type f -perm -100 -exec chmod 755 {} +
find "$stage" -type f ! -perm -100 -exec chmod 644 {} +

# $block: -T small has no say in it
mke2fs -q -t ext2 -T small -b "$block" -L ember -U 6b696c6e-e3be-4000-8000-000000000001 \
    -E hash_seed=6b696c6e-e3be-4000-8000-000000000002,root_owner=0:0 \
    -d "$stage" "$files" "${mib}M" >"$log" 2>&1 || { cat "$log"; exit 1; }
{
    (cd "$stage" && find . | sort | cut -c2-) | while read -r path; do
        for field in "uid 0" "gid 0" "atime @$E2FSPROGS_FAKE_TIME" "ctime @$E2FSPROGS_FAKE_TIME" \
            "mtime @$E2FSPROGS_FAKE_TIME"; do
            echo "set_inode_field \"/${path#/}\" $field"
        done
    done
    while read -r mode uid gid path; do
        type=100000
        [ -d "$stage$path" ] && type=40000
        echo "set_inode_field $path mode 0$(printf %o $((0$mode | 0$type)))"
        echo "set_inode_field $path uid $uid"
        echo "set_inode_field $path gid $gid"
    done <"$dir/modes"
} >"$dir/fields"
debugfs -w -f "$dir/fields" "$files" >"$log" 2>&1 || { cat "$log"; exit 1; }
e2fsck -fn "$files" >"$log" 2>&1 || { cat "$log"; exit 1; }

mkimage=$1
shift
"$mkimage" "$out" "$@" "$files"
