#!/bin/sh
# The loader's ext2 reader against file systems by mke2fs: every size of blocks and inodes, holes,
# indirect blocks of all three kinds, links, large directories; what it refuses, by name; and random
# damage. usage: ext2.sh EXT2_READER WORKDIR ROUNDS
reader=$1 dir=$2 rounds=$3
PATH=$PATH:/usr/sbin:/sbin
MKE2FS_CONFIG=/dev/null
export MKE2FS_CONFIG
for need in mke2fs e2fsck debugfs; do
    command -v $need >/dev/null || { echo "skipped: no $need"; exit 77; }
done
fail() { echo "FAIL: $*"; exit 1; }
rm -rf "$dir" && mkdir -p "$dir/tree" && cd "$dir" || exit 1

# make IMAGE SIZE MKE2FS_OPTIONS...
make() {
    rm -f "$1"
    name=$1 size=$2
    shift 2
    mke2fs -q -F -m 0 "$@" -d tree "$name" "$size" >mke2fs.txt 2>&1 ||
        { cat mke2fs.txt; fail "mke2fs $*"; }
}

# same PATH FILE, refused PATH TEXT: go to the list that `check` takes
same() { printf "same\t%s\t%s\n" "$1" "$2"; }
refused() { printf "refused\t%s\t%s\n" "$1" "$2"; }

# ---- files of all kinds
mkdir -p tree/a/b tree/long tree/empty
n255=$(printf '%0255d' 7)
seq 1 100 >"tree/$n255"
: >tree/zero
printf x >tree/one
seq 1 200000 >tree/double                        # 1.3 MB: double indirect with 1 KiB blocks
head -c 12288 tree/double >tree/direct           # ends with the last direct block, of 1 KiB
head -c 274432 tree/double >tree/single          # (12 + 256) KiB
head -c 274433 tree/double >tree/single1
truncate -s 67M tree/sparse                      # triple indirect with 1 KiB blocks (from 65804 KiB)
for at in 0 11 12 13 267 268 269 65803 65804 65805 68607; do
    printf "block %d" $at | dd of=tree/sparse bs=1024 seek=$at conv=notrunc status=none
done
seq 7 9000 >tree/a/b/deep
i=0
while [ $i -lt 600 ]; do
    : >"tree/long/a file with a name that is long enough to fill blocks $i"
    i=$((i + 1))
done
echo last >tree/long/zzz
ln -s double tree/fast
ln -s /a/b/deep tree/absolute
ln -s ../../a/./b/../b/deep tree/a/b/relative
ln -s a tree/folder
slow=$(printf 'a/b/../../%.0s' 1 2 3 4 5 6 7 8)one
ln -s "$slow" tree/slow                          # 83 characters: in a block
exact=$(printf '%059d' 0 | sed 's/./\//g')one    # 62 and 60, 59: the inode holds up to 59
ln -s "$exact" tree/exact62
ln -s "${exact#???}" tree/exact59
ln -s "${exact#??}" tree/exact60
ln -s one tree/chain1
for i in 2 3 4 5 6 7 8 9; do ln -s chain$((i - 1)) tree/chain$i; done
ln -s circle2 tree/circle1
ln -s circle1 tree/circle2
ln -s nowhere tree/dangling
ln tree/double tree/hard

{
    for path in zero one direct single single1 double sparse hard a/b/deep long/zzz "$n255"; do
        same "/$path" "tree/$path"
    done
    same "a//b/.././b/deep/" tree/a/b/deep
    same /../../one tree/one
    for link in fast absolute a/b/relative folder/b/deep slow exact59 exact60 exact62 chain8; do
        target=tree/$(readlink "tree/$link" 2>/dev/null)
        case $link in
        absolute | a/b/relative | folder/b/deep) target=tree/a/b/deep ;;
        fast) target=tree/double ;;
        *) target=tree/one ;;
        esac
        same "/$link" "$target"
    done
    refused /chain9 "more than 8 symbolic links"
    refused /circle1 "more than 8 symbolic links; a circle?"
    refused /dangling "no such file"
    refused /nothing "no such file"
    refused /one/more "a part of the path is no directory"
    refused /a/b "no regular file"
    refused / "no regular file"
    refused "/$n255$n255$n255" "the path is too long"
    refused "$(printf './%.0s' $(seq 70))one" "more than 64 parts"
} >all.txt

# check IMAGE LIST
check() {
    "$reader" --check "$2" "$1" >out.txt 2>&1 || { cat out.txt; fail "$1"; }
}
check_all() {
    e2fsck -fn "$1" >fsck.txt 2>&1 || { cat fsck.txt; fail "e2fsck $1"; }
    check "$1" all.txt
}
# bad PATH TEXT: bad.img refuses it
bad() {
    refused "$1" "$2" >one.txt
    check bad.img one.txt
}
for bytes in 1024 2048 4096; do
    for inode in 128 256; do
        make fs.img 20M -b $bytes -I $inode -O none,filetype,sparse_super,large_file
        check_all fs.img
        echo "blocks of $bytes bytes, inodes of $inode bytes: read"
    done
done
make fs.img 20M -b 1024 -r 0
check_all fs.img
make fs.img 20M -b 1024 -g 1024 -I 1024 # many groups, descriptors in more than one block
check_all fs.img
make fs.img 20M -b 1024 -O has_journal,dir_index,resize_inode,ext_attr
e2fsck -fyD fs.img >/dev/null 2>&1 # hashes the large directory
debugfs -R "stat /long" fs.img 2>/dev/null | grep -q 'Flags: 0x1000' || fail "no hashed directory"
check_all fs.img
echo "revision 0, many groups, journal and hashed directories: read"

# ---- refused by name; the feature's number is the kernel's documentation's
make fs.img 20M -b 1024 -O none,filetype
feature() { # NAME WORD: bits of the feature word
    cp fs.img bad.img
    debugfs -w -R "set_super_value feature_incompat $2" bad.img >/dev/null 2>&1
    bad /one "$1"
}
feature compression 0x3
feature "a journal device" 0xa
feature "meta block groups" 0x12
feature extents 0x42
feature 64bit 0x82
feature "multiple mount protection" 0x102
feature flex_bg 0x202
feature ea_inode 0x402
feature inline_data 0x8002
feature encrypt 0x10002
feature casefold 0x20002
feature "something unknown (feature 40000000)" 0x40000002
make bad.img 20M -b 4096 -O none,filetype,extents
bad /one "extents (feature 40), which this loader cannot read"
make bad.img 20M -b 8192
bad /one "1, 2 nor 4 KiB"
cp fs.img bad.img
debugfs -w -R "set_super_value feature_incompat 0x6" bad.img >/dev/null 2>&1 # not unmounted
same /one tree/one >one.txt
check bad.img one.txt

# ---- damage, one field each; places and names: "The Second Extended File System"
little() { # VALUE BYTES: as printf wants them
    v=$1 n=$2
    while [ "$n" -gt 0 ]; do
        printf '\\%03o' $((v % 256))
        v=$((v / 256)) n=$((n - 1))
    done
}
super() { # NAME VALUE TEXT
    cp fs.img bad.img
    bytes=4
    case $1 in
    inodes_count) at=0 ;;
    blocks_count) at=4 ;;
    first_data_block) at=20 ;;
    log_block_size) at=24 ;;
    blocks_per_group) at=32 ;;
    inodes_per_group) at=40 ;;
    magic) at=56 bytes=2 ;;
    rev_level) at=76 ;;
    inode_size) at=88 bytes=2 ;;
    esac
    printf "$(little "$2" $bytes)" | dd of=bad.img bs=1 seek=$((1024 + at)) conv=notrunc status=none
    bad /one "$3"
}
super magic 0x1234 "no ext2 (its magic is 1234"
super rev_level 2 "revision 2 is unknown"
super log_block_size 31 "1, 2 nor 4 KiB"
super log_block_size 1 "blocks from block 1"
super first_data_block 0 "blocks from block 0"
super blocks_count 4294967295 "beyond the partition's end"
super blocks_count 20481 "beyond the partition's end"
super blocks_count 1 "1 blocks"
super blocks_per_group 0 "groups of 0 blocks"
super blocks_per_group 8193 "groups of 8193 blocks"
super inodes_per_group 0 "and 0 inodes"
super inodes_per_group 4294967295 "groups of"
super inodes_count 4294967295 "4294967295 inodes"
super inodes_count 1 "1 inodes"
super inode_size 0 "inodes of 0 bytes"
super inode_size 127 "inodes of 127 bytes"
super inode_size 2048 "inodes of 2048 bytes"

field() { # PATH TEXT FIELD VALUE [FIELD VALUE]
    cp fs.img bad.img
    path=$1 text=$2
    shift 2
    while [ $# -gt 0 ]; do
        debugfs -w -R "set_inode_field $path $1 $2" bad.img >debugfs.txt 2>&1
        shift 2
    done
    [ "$path" = / ] && path=/one
    bad "$path" "$text"
}
field /one "block 20480 lies outside" "block[0]" 20480
field /one "block 4294967295 lies outside" "block[0]" 4294967295
field /double "an indirect block, block 4294967295, lies outside" "block[IND]" 4294967295
field /double "an indirect block, block 20480, lies outside" "block[DIND]" 20480
field /one "is not in use" links_count 0
field /one "extents" flags 0x80000
field /one "inline data" flags 0x10000000
field /one "no regular file" mode 020644
field /one "4 GiB or more" size 4294967297
field / "has 5000 bytes" size 5000
field / "has 1073741824 bytes" size 1073741824
field / "has a hole" "block[0]" 0
field / "has a damaged entry" "block[0]" 1 # the superblock as a directory
field /fast "a symbolic link of 0 bytes" size 0
field /fast "a symbolic link of 5000 bytes" size 5000
field /fast "without a block" size 60
field /slow "no regular file" "block[0]" 0 size 100 # a hole: zeros

inodes=$(debugfs -R "stat <2>" fs.img 2>/dev/null | sed -n 's/^(0):\([0-9]*\).*/\1/p') # root's block
entry() { # OFFSET BYTES TEXT: in the root directory
    cp fs.img bad.img
    printf "$2" | dd of=bad.img bs=1 seek=$((inodes * 1024 + $1)) conv=notrunc status=none
    bad /one "$3"
}
entry 4 '\000\000' "damaged entry (length 0,"
entry 4 '\007\000' "damaged entry (length 7,"
entry 4 '\013\000' "damaged entry (length 11,"
entry 4 '\377\377' "damaged entry (length 65535,"
entry 4 '\004\004' "damaged entry (length 1028,"
entry 6 '\011' "damaged entry (length 12, name 9)"
entry 4 '\374\003' "damaged entry (length 0," # four bytes are left


cp fs.img bad.img
debugfs -w -R "clri <$(debugfs -R 'stat /one' fs.img 2>/dev/null | sed -n 's/^Inode: \([0-9]*\).*/\1/p')>" \
    bad.img >debugfs.txt 2>&1
bad /one "is not in use"
echo "refused, with a reason: unknown features and damaged fields"

# ---- random damage to a small file system
rm -rf tree/sparse tree/single* tree/direct tree/long
mkdir tree/long
i=0
while [ $i -lt 100 ]; do
    : >"tree/long/a file with a name that is long enough to fill blocks $i"
    i=$((i + 1))
done
truncate -s 70M tree/sparse
printf end | dd of=tree/sparse bs=1024 seek=71000 conv=notrunc status=none
head -c 300000 tree/double >tree/single
rm tree/double tree/hard
mv tree/single tree/double
for bytes in 1024 4096; do
    make fs.img 2M -b $bytes -N 256 -O none,filetype
    "$reader" --damage $bytes "$rounds" fs.img /double /sparse /slow /chain8 /a/b/relative /circle1 \
        "/long/a file with a name that is long enough to fill blocks 99" /folder/b/deep ||
        fail "random damage"
done
