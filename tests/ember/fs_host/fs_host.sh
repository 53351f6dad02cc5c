#!/bin/sh
# Ember's file system code on the host: random calls beside Linux', on file systems of several kinds,
# and damaged images. usage: fs_host.sh CALLS-PROGRAM DAMAGE-PROGRAM WORKDIR CALLS DAMAGES
calls=$1 damage=$2 dir=$3 nr_calls=$4 nr_damages=$5
PATH=$PATH:/usr/sbin:/sbin
export ASAN_OPTIONS=detect_leaks=0:exitcode=66 MKE2FS_CONFIG=/dev/null
for need in mke2fs e2fsck debugfs; do
    command -v $need >/dev/null || { echo "skipped: no $need"; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "skipped: chroot needs root"; exit 77; }
fail() { echo "FAIL: $*"; exit 1; }
rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || exit 1

# compare SEED LARGEST SIZE MKE2FS_OPTIONS...: both sides begin empty, without lost+found
compare() {
    seed=$1 largest=$2 size=$3
    shift 3
    rm -rf linux fs.img && mkdir linux
    mke2fs -q -F "$@" fs.img "$size" >mke2fs.txt 2>&1 || { cat mke2fs.txt; fail "mke2fs $*"; }
    debugfs -w -R 'rmdir lost+found' fs.img >/dev/null 2>&1
    e2fsck -fy fs.img >/dev/null 2>&1 # rmdir leaves the root's count of links
    debugfs -w -R 'rmdir lost+found' fs.img >/dev/null 2>&1
    "$calls" "$dir/fs.img" "$dir/linux" "$seed" "$nr_calls" 1500 "$largest" >calls.txt 2>&1 ||
        { tail -n 40 calls.txt; fail "seed $seed, mke2fs $*"; }
    tail -n 1 calls.txt
}
compare 1 16 64M -b 1024
compare 2 300 64M -b 1024 -g 1024 -I 128
compare 3 64 64M -b 2048 -O ^resize_inode,^dir_index
compare 4 600 200M -b 4096

# A tree with all that ext2 has, for damage.
mkdir -p tree/dir0/dir0/dir0 tree/dir1 tree/many
for i in 0 1 2 3 4 5 6 7 8 9; do
    seq 1 $((i * 600)) >tree/file$i
    ln tree/file$i tree/dir1/l$i
done
i=0
while [ $((i += 1)) -le 250 ]; do : >tree/many/f$i; done
seq 1 100000 >tree/big
ln -s file3 tree/fast
ln -s "$(printf 'a/%.0s' $(seq 1 100))" tree/slow
truncate -s 30M tree/sparse && echo end >>tree/sparse
mke2fs -q -F root.img 2M >/dev/null 2>&1 || fail "mke2fs root.img"
for block in 1024 4096; do
    rm -f good.img
    mke2fs -q -F -b $block -d tree good.img 4M >/dev/null 2>&1 || fail "mke2fs good.img"
    e2fsck -fyD good.img >/dev/null 2>&1 # makes the hash trees
    "$damage" root.img good.img work.img 0 "$nr_damages" >damage.txt 2>&1 ||
        { tail -n 40 damage.txt; fail "damage, blocks of $block"; }
    tail -n 1 damage.txt
done
rm -rf linux tree ./*.img
