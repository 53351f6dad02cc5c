#!/bin/sh
# test386.asm, a tester of the 80386's instructions and modes that runs in the BIOS' place: it must
# end at POST FFh, and print what its reference lists. It is not part of this repository.
#
#     KILN_TEST386=DIRECTORY sh run.sh KILN
#
# The directory holds test386.bin (64 or 128 KiB; the latter tests task switches, too) and
# test386-EE-reference.txt, built with POST_PORT 80h, OUT_PORT E9h and TEST_UNDEF 0.
kiln=$1
if [ -z "$KILN_TEST386" ]; then
    echo "skipped: KILN_TEST386 names no directory with a built test386.bin and its reference"
    exit 77
fi
rom=$KILN_TEST386/test386.bin reference=$KILN_TEST386/test386-EE-reference.txt
for file in "$rom" "$reference"; do
    if [ ! -s "$file" ]; then
        echo "test386: there is no $file"
        exit 1
    fi
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

"$kiln" -bios "$rom" -display none --on-halt exit --timeout 250 -trace post_code \
    -D "$work/post" -debugcon "file:$work/listing" 2>"$work/err"
last=$(tail -n 1 "$work/post")
if [ "${last##* }" != ff ]; then
    echo "test386: the last POST code is ${last##* }, not ff"
    cat "$work/err"
    exit 1
fi
if ! cmp "$work/listing" "$reference"; then
    diff "$work/listing" "$reference" | head -n 20
    exit 1
fi
echo "test386: POST ff, $(wc -l <"$reference") lines as in the reference"
