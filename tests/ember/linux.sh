#!/bin/sh
# A program's output on the host's Linux and in Ember must be the same, line by line.
# usage: linux.sh EMBER.IMG WORKDIR PROGRAM EMULATOR [OPTIONS...]; the program is linked statically
src=$(cd "$(dirname "$0")" && pwd)
image=$1 dir=$2 tested=$3
shift 3
. "$src/lib.sh"
. "$src/unix_lib.sh"
PATH=$PATH:/usr/sbin:/sbin
need "$1" debugfs
rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || exit 1
timeout 60 "$tested" >linux.txt || fail "it fails on Linux"

# ORDER: the partition begins at 1 MiB, boot/mkdisk.sh
cp --sparse=always "$image" disk.img
printf 'write %s /bin/program\nset_inode_field /bin/program mode 0100755\n' "$tested" >commands
debugfs -w -f commands 'disk.img?offset=1048576' >debugfs.txt 2>&1 || fail "debugfs: $(cat debugfs.txt)"
start "$@" -m 256 -drive file=disk.img,format=raw,snapshot=on
log_in root
run program
sed "s/^\($PROMPT\)*//; /^status 0$/d; /^$/d" answer.txt >ember.txt
diff linux.txt ember.txt >differences.txt || { cat differences.txt; fail "Ember (>) is not Linux (<)"; }
keys 'poweroff\n'
until_true gone
end
rm -f disk.img
echo "$(wc -l <linux.txt) lines, the same in Linux and Ember"
