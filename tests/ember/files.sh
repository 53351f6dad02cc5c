#!/bin/sh
# The files themselves: what loaders rely on, and that the kernel touches general registers only.
# usage: files.sh EMBER.ELF EMBER.IMG
fail() { echo "FAIL: $*"; exit 1; }
bytes() { od -An -v -tu1 -j "$2" -N "$3" "$1" | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'; }
elf=$1 img=$2
for need in readelf objdump; do
    command -v $need >/dev/null || { echo "skipped: no $need"; exit 77; }
done

# Multiboot with address fields: the file must run in parallel with memory, from 1 MiB on.
readelf -lW "$elf" | awk '$1 == "LOAD" { print $2, $4 }' >"$elf.loads" || exit 1
[ "$(wc -l <"$elf.loads")" -ge 3 ] || fail "fewer than three segments"
while read -r offset paddr; do
    [ $((paddr - offset)) = $((0x100000 - 0x1000)) ] || fail "segment at $paddr, offset $offset"
done <"$elf.loads"
rm -f "$elf.loads"
[ "$(bytes "$elf" 4096 4)" = "2 176 173 27" ] || fail "no multiboot header at offset 4096"
readelf -lW "$elf" | grep -q 'RWE' && fail "a segment is writable and executable"

# Programs' floating-point registers are saved and loaded by kernel/fpu.c; nothing else touches them.
registers=$(objdump -d --no-show-raw-insn "$elf" | awk '/^[0-9a-f]+ </ { fpu = $2 ~ /^<fpu_/ }
    !fpu && /%(x|y|z)?mm[0-9]|%st|\tf(ld|st|add|mul|xsave)|\txsave/' | wc -l)
[ "$registers" = 0 ] || fail "$registers instructions use floating point or vectors"

# The disk: one active partition at LBA 2048 to the end, boot signatures, boot header.
[ "$(bytes "$img" 510 2)" = "85 170" ] || fail "MBR without 55AA"
[ "$(bytes "$img" 446 1)" = 128 ] || fail "first partition not active"
[ "$(bytes "$img" 454 4)" = "0 8 0 0" ] || fail "partition not at LBA 2048"
set -- $(bytes "$img" 458 4)
[ $(($1 + $2 * 256 + $3 * 65536 + 2048)) = $(($(wc -c <"$img") / 512)) ] || fail "partition's length"
[ "$(bytes "$img" 462 48 | tr -d ' 0')" = "" ] || fail "more than one partition"
[ "$(bytes "$img" $((2048 * 512 + 510)) 2)" = "85 170" ] || fail "volume boot record without 55AA"
[ "$(dd if="$img" bs=1 skip=$((2049 * 512)) count=8 status=none)" = EMBRBOOT ] || fail "boot header"
[ "$(bytes "$img" $((2050 * 512 + 56)) 2)" = "83 239" ] || fail "no ext2 superblock"
echo "kernel and image are well formed"
