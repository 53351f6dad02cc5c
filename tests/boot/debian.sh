# A stock Debian kernel with busybox, loaded by GRUB, to a shell and to ACPI's power-off; what it says on
# the way is judged: no errors, no warnings of code, a stable TSC, right sums.
# usage: debian.sh KILN BUILD spark|seabios|qemu ide|ahci ext4|fat
# qemu: by Spark in QEMU. Which kernel: debian_disk.sh.
. "$(dirname "$0")/lib.sh"
skip() { echo "skipped: $1"; exit 77; }
. "$here/debian_disk.sh"
why=$(debian_missing) && skip "$why"

case $3 in
spark) firmware= ;;
seabios)
    need_seabios
    firmware=$seabios_firmware ;;
qemu) command -v qemu-system-x86_64 >/dev/null || skip "no QEMU" ;;
esac

debian_disk "$dir" "$5" "exec sh" || exit 1

# ---- the run ----
case $4 in
ahci) drive="-drive file=$dir/disk.img,format=raw,if=none,id=d -device ahci,id=a -device ide-hd,drive=d,bus=a.0" ;;
*) drive="-drive file=$dir/disk.img,format=raw,if=ide" ;;
esac
case $3 in
# Its time by instructions: on a loaded host interrupts would come late by the TSC, which Linux takes for bugs.
qemu) emulator="qemu-system-x86_64 -accel tcg -icount shift=1,sleep=off -bios $build/spark.bin -net none -monitor none" ;;
*) emulator="$kiln $firmware" ;;
esac
shown="$emulator $drive"
: >"$dir/serial"
mkfifo "$dir/in"
$emulator -m 256 -snapshot -display none -serial stdio $drive <"$dir/in" >"$dir/serial" 2>"$dir/err" &
pid=$!
exec 3>"$dir/in"
for second in $(seq 800); do
    grep -aq '/ # ' "$dir/serial" && break
    kill -0 $pid 2>/dev/null || break
    sleep 1
done
printf 'echo $((6 * 7)) is the answer; sleep 1; poweroff -f\n' >&3
exec 3>&-
wait $pid
status=$?
is_status 0
serial_says "Linux (none) "
serial_says "sum: $(seq 1 20000 | md5sum)"
serial_says "42 is the answer"
serial_says "clock source: tsc"
serial_says "reboot: Power down"
if grep -aE '^ERR: |WARNING: |BUG: |Kernel panic|clocksource: .*unstable' "$dir/serial" >"$dir/bad"; then
    fail "$(cat "$dir/bad")"
fi
echo "warnings:"
grep -a '^WARN: ' "$dir/serial"
finish
