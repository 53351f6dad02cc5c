#!/bin/sh
# Checks the firmware images themselves. usage: image.sh SPARK.BIN VGABIOS.BIN
bytes() { od -An -v -tu1 -j "$2" -N "$3" "$1" | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'; }
fail() { echo "FAIL: $*"; exit 1; }
[ "$(wc -c < "$1")" -eq 131072 ] || fail "$1 is not 128 KiB"
set -- "$1" "$2" $(bytes "$1" 131056 5)
[ "$3" = 234 ] || fail "no far jump at FFF0"
[ "$(( $6 + $7 * 256 ))" -eq 61440 ] || fail "the reset jump does not go to segment F000"
[ "$(bytes "$1" 130899 1)" = 207 ] || fail "no IRET at FF53"
rom=$2
[ "$(bytes "$rom" 0 2)" = "85 170" ] || fail "option ROM signature"
len=$(( $(bytes "$rom" 2 1) * 512 ))
[ "$(wc -c < "$rom")" -eq "$len" ] || fail "option ROM length"
sum=$(od -An -v -tu1 "$rom" | awk '{ for (i = 1; i <= NF; i++) s += $i } END { print s % 256 }')
[ "$sum" -eq 0 ] || fail "option ROM checksum $sum"
set -- $(bytes "$rom" 24 2)
pcir=$(( $1 + $2 * 256 ))
[ "$(bytes "$rom" "$pcir" 8)" = "80 67 73 82 52 18 17 17" ] || fail "PCIR of 1234:1111"
[ "$(bytes "$rom" $((pcir + 13)) 3)" = "0 0 3" ] || fail "PCIR class"
echo "images are well formed"
