#!/bin/sh
# Makes Ember's disk without root rights and without loop devices: a copy of the tree ROOT with the
# kernel in it, mke2fs -d for the file system, mkimage for what surrounds it. Equal inputs give equal
# bytes: identifiers are fixed, and owners and times are set by debugfs, since mke2fs -d takes the
# builder's.
# usage: mkdisk.sh OUT MIB ROOT KERNEL WORKDIR MKIMAGE MBR VBR LOADER
set -eu
out=$1 mib=$2 root=$3 kernel=$4 dir=$5
shift 5
PATH=$PATH:/usr/sbin:/sbin # where mke2fs is, for users who are not root
export E2FSPROGS_FAKE_TIME=1750000000 MKE2FS_CONFIG="$(dirname "$0")/mke2fs.conf" LC_ALL=C
files=$dir/files stage=$dir/stage log=$dir/mkdisk.log

rm -rf "$stage" "$files"
mkdir -p "$stage"
cp -R "$root/." "$stage"
cp "$kernel" "$stage/boot/ember"
find "$stage" -type d -exec chmod 755 {} +
find "$stage" -type f -exec chmod 644 {} +

mke2fs -q -t ext2 -T small -L ember -U 6b696c6e-e3be-4000-8000-000000000001 \
    -E hash_seed=6b696c6e-e3be-4000-8000-000000000002,root_owner=0:0 \
    -d "$stage" "$files" "${mib}M" >"$log" 2>&1 || { cat "$log"; exit 1; }
(cd "$stage" && find . | sort) | while read -r path; do
    for field in "uid 0" "gid 0" "atime @$E2FSPROGS_FAKE_TIME" "ctime @$E2FSPROGS_FAKE_TIME" \
        "mtime @$E2FSPROGS_FAKE_TIME"; do
        echo "set_inode_field \"/$path\" $field"
    done
done >"$dir/fields"
debugfs -w -f "$dir/fields" "$files" >"$log" 2>&1 || { cat "$log"; exit 1; }
e2fsck -fn "$files" >"$log" 2>&1 || { cat "$log"; exit 1; }

mkimage=$1
shift
"$mkimage" "$out" "$@" "$files"
