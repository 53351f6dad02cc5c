#!/bin/sh
# Boots PROGRAM.S, which prints lines on COM1 up to "end", under our firmware and under SeaBIOS, both in
# QEMU, and compares the lines; those that start with "?" may differ, and are those
# of PROGRAM.expect where that names them. With Kiln as emulator ours runs there.
# usage: compare.sh SPARK.BIN VGABIOS.BIN WORKDIR PROGRAM [EMULATOR]
src=$(cd "$(dirname "$0")" && pwd)
bios=$1 vga=$2 dir=$3 program=$4 emulator=${5:-qemu-system-x86_64}
ref_bios=/usr/share/seabios/bios.bin ref_vga=/usr/share/seabios/vgabios-stdvga.bin
command -v qemu-system-x86_64 >/dev/null || { echo "skipped: no qemu-system-x86_64"; exit 77; }
[ -f "$ref_bios" ] || { echo "skipped: no $ref_bios"; exit 77; }
mkdir -p "$dir" && cd "$dir" || exit 1
as --32 -I "$src" -o program.o "$src/$program.S" &&
    ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o disk.img program.o || exit 1
truncate -s 1M disk.img

# run EMULATOR BIOS VGA OUT
run() {
    rm -f "$4"
    case $1 in
    *kiln) "$1" -display none -m 64 -bios "$2" -vgabios "$3" -serial file:"$4" disk.img --timeout 200 \
        --until serial:end </dev/null ;;
    *)
        timeout 200 "$1" -accel tcg -m 64 -bios "$2" -vga none -device VGA,romfile="$3" -nic none -display none \
            -serial file:"$4" -monitor none -drive file=disk.img,format=raw </dev/null &
        pid=$!
        while kill -0 $pid 2>/dev/null && ! grep -q '^end' "$4" 2>/dev/null; do sleep 0.1; done
        kill $pid 2>/dev/null
        wait $pid 2>/dev/null
        ;;
    esac
}
run qemu-system-x86_64 "$ref_bios" "$ref_vga" reference.txt
run "$emulator" "$bios" "$vga" ours.txt
cat ours.txt
for f in reference ours; do
    grep -q '^end' $f.txt || { echo "FAIL: the $f run did not reach its end"; exit 1; }
    grep -v '^?' $f.txt >$f.cmp
done
# What is not the other BIOS's is a document's.
if [ -f "$src/$program.expect" ]; then
    while read -r line; do
        grep -qxF -- "$line" ours.txt || { echo "FAIL: no line '$line'"; exit 1; }
    done <"$src/$program.expect"
fi
diff reference.cmp ours.cmp || { echo "FAIL: they differ (< reference, > ours)"; exit 1; }
echo
echo "all lines agree"
