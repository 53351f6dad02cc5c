#!/bin/sh
# Boots services.S under our firmware and under a reference one, and compares the lines.
# usage: services.sh SPARK.BIN VGABIOS.BIN WORKDIR [EMULATOR]
# EMULATOR takes QEMU's options or is Kiln; the reference always runs in QEMU with SeaBIOS. With
# SeaBIOS as SPARK.BIN it is the emulator that is tested.
# Exit: 0 same, 1 different, 77 when a program is missing.
src=$(cd "$(dirname "$0")" && pwd)
bios=$1 vga=$2 dir=$3 emulator=${4:-qemu-system-x86_64}
ref_bios=/usr/share/seabios/bios.bin ref_vga=/usr/share/seabios/vgabios-stdvga.bin
command -v qemu-system-x86_64 > /dev/null || { echo "skipped: no qemu-system-x86_64"; exit 77; }
[ -f "$ref_bios" ] || { echo "skipped: no $ref_bios"; exit 77; }
command -v "$emulator" > /dev/null || { echo "skipped: no $emulator"; exit 77; }
mkdir -p "$dir" && cd "$dir" || exit 1
. "$src/lib.sh"
as --32 -I "$src" -o services.o "$src/services.S" &&
    ld -m elf_i386 -Ttext 0x7c00 --oformat binary -o sector.img services.o || exit 1

# The disk: the program, then sectors that hold their own number.
make_disk() {
    awk 'BEGIN { for (i = 0; i < 20; i++) printf "%0512d", i }' > rest.img
    cp sector.img "$1"
    dd if=/dev/zero of="$1" bs=512 seek=16 count=48 conv=notrunc status=none
    dd if=rest.img of="$1" bs=512 seek=64 conv=notrunc status=none
    dd if=/dev/zero of="$1" bs=1048576 seek=63 count=1 conv=notrunc status=none
}

# run EMULATOR BIOS VGA OUT: until "end", typing keys when asked. Nothing is timed: a key is
# pressed when the one before has been printed.
words() { tail -n 1 "$1" | wc -w; }
run() {
    make_disk disk.img
    rm -f "$4" monitor
    : > "$4"
    mkfifo monitor
    timeout 300 "$1" -accel tcg -m 64 -bios "$2" -vga none -device VGA,romfile="$3" \
        -display none -serial file:"$4" -monitor stdio -rtc base=2024-03-01T12:00:00 \
        -drive file=disk.img,format=raw < monitor > monitor.log 2>&1 &
    pid=$!
    exec 3> monitor
    until_true file_says_type "$4"
    typed=0
    for key in a shift-a ctrl-c alt-x 1 shift-1 f1 up left kp_enter esc tab ret; do
        echo "sendkey $key 40" >&3
        typed=$((typed + 1))
        until_true printed "$4" $typed
    done
    until_true grep -q '^end' "$4"
    echo quit >&3
    exec 3>&-
    kill $pid 2> /dev/null
    wait $pid 2> /dev/null
    rm -f monitor
}
file_says_type() { [ "$(grep -c '^type' "$1")" = 2 ]; }
printed() { grep -q '^end' "$1" || [ "$(words "$1")" -gt "$2" ]; }

# The same in Kiln, whose keys are a script.
run_kiln() {
    make_disk disk.img
    rm -f "$4"
    "$1" -display none -m 64 -bios "$2" -vgabios "$3" -serial file:"$4" -rtc base=2024-03-01T12:00:00 \
        disk.img --timeout 300 --until serial:end < /dev/null \
        --keys '{serial:kept}{wait:1}aA{ctrl-c}{alt-x}1!{F1}{up}{left}{kpenter}\e\t\n'
}

run qemu-system-x86_64 "$ref_bios" "$ref_vga" reference.txt
case $emulator in
*kiln) run_kiln "$emulator" "$bios" "$vga" ours.txt ;;
*) run "$emulator" "$bios" "$vga" ours.txt ;;
esac
cat ours.txt
for f in reference ours; do
    grep -q '^end' $f.txt || { echo "FAIL: the $f run did not reach its end"; exit 1; }
    grep -v '^?' $f.txt > $f.cmp
done
if ! diff reference.cmp ours.cmp; then
    echo "FAIL: services differ (< reference, > ours)"
    exit 1
fi
echo "all lines agree"
