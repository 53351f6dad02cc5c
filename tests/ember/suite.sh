#!/bin/sh
# Somebody else's programs in Ember: makes a second disk of a folder with built programs, boots Ember
# with it, runs a script there, and collects its lines "PASS NAME" and "FAIL NAME: WHY" into
# WORKDIR/results.txt. The disks' file systems are checked afterwards. Fails if a test of the list
# EXPECTED fails that should pass ("-": no list): what passes is a list that only grows.
# usage: suite.sh EMBER.IMG WORKDIR FOLDER SCRIPT EXPECTED EMULATOR [OPTIONS...]
# SCRIPT: one of suites/; it runs in Ember, in the folder. FOLDER, or the variable KILN_... that names
# it, is not changed.
src=$(cd "$(dirname "$0")" && pwd)
image=$1 dir=$2 folder=$3 script=$4 expected=$5
shift 5
. "$src/lib.sh"
. "$src/unix_lib.sh"
PATH=$PATH:/usr/sbin:/sbin
need "$1" mke2fs e2fsck
case $folder in
KILN_*)
    name=$folder
    eval "folder=\${$name:-}"
    [ -n "$folder" ] || { echo "skipped: $name names no folder"; exit 77; }
    ;;
esac
[ -d "$folder" ] || { echo "skipped: no folder $folder"; exit 77; }
rm -rf "$dir" && mkdir -p "$dir/tree" && cd "$dir" || exit 1
cp -RL "$folder/." tree && cp "$script" tree/run.sh || fail "no copy of $folder"
mib=$(($(du -sm tree | cut -f 1) * 3 / 2 + 64))
MKE2FS_CONFIG=/dev/null mke2fs -q -F -t ext2 -b 4096 -m 0 -O none,filetype,sparse_super,large_file \
    -E root_owner=0:0 -d tree suite.img "${mib}M" >mke2fs.txt 2>&1 || { cat mke2fs.txt; fail "mke2fs"; }
rm -rf tree
cp "$image" disk.img
start "$@" -m 512 -drive file=disk.img,format=raw,index=0 -drive file=suite.img,format=raw,index=1
log_in root
PROMPT="ember:/mnt# "
run "mount -t ext2 /dev/hdb /mnt && cd /mnt"
keys 'sh ./run.sh; echo "status $?"\n'
PATIENCE=${SUITE_PATIENCE:-3000}
finished run.sh
PATIENCE=60
keys 'cd; poweroff\n'
wait_exit poweroff
end
sed -n 's/.*\(\(PASS\|FAIL\) [^ ]*.*\)/\1/p' answer.txt >results.txt
for fs in suite.img; do
    e2fsck -fn $fs >fsck.txt 2>&1 || { cat fsck.txt; fail "e2fsck $fs"; }
done
dd if=disk.img of=files.img bs=1048576 skip=1 conv=sparse status=none
e2fsck -fn files.img >fsck.txt 2>&1 || { cat fsck.txt; fail "e2fsck"; }
rm -f disk.img files.img
grep '^FAIL' results.txt
echo "$(grep -c '^PASS' results.txt) passed, $(grep -c '^FAIL' results.txt) failed"
[ "$expected" = - ] && exit 0
sed -n 's/^PASS \([^ ]*\).*/\1/p' results.txt | sort >passed.txt
missing=$(grep -v '^#' "$expected" | sort | comm -23 - passed.txt)
[ -z "$missing" ] || fail "should pass and did not: $missing"
