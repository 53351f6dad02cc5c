#!/bin/sh
# Puts the tree of ember.img together: a copy of ROOT, our programs, busybox, and a symbolic link to
# it for each of its applets that has no program of ours in its place.
# usage: mktree.sh TREE ROOT BUSYBOX [PROGRAM_FILE:PATH_IN_TREE ...]
set -eu
tree=$1 root=$2 busybox=$3
shift 3
if readelf -lW "$busybox" | grep -q INTERP; then
    echo "$busybox is not static; Ember needs one that is (Debian: busybox-static)" >&2
    exit 1
fi
rm -rf "$tree"
mkdir -p "$tree"
cp -RP "$root/." "$tree"
mkdir -p "$tree/bin" "$tree/sbin" "$tree/usr/bin" "$tree/usr/sbin"
for program in "$@"; do
    cp "${program%%:*}" "$tree/${program#*:}"
    chmod 755 "$tree/${program#*:}"
done
cp "$busybox" "$tree/bin/busybox"
chmod 755 "$tree/bin/busybox"
"$busybox" --list-full | while read -r path; do
    case $path in
    */*) [ -e "$tree/$path" ] || ln -s /bin/busybox "$tree/$path" ;;
    esac
done
