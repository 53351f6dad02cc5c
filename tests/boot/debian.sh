# A stock Debian kernel with busybox, loaded by GRUB, to a shell and to ACPI's power-off; what it says on
# the way is judged: no errors, no warnings of code, a stable TSC, right sums.
# usage: debian.sh KILN BUILD spark|seabios|qemu ide|ahci ext4|fat
# qemu: by Spark in QEMU. The kernel is that of an installed linux-image-*-amd64, or of one unpacked
# (dpkg-deb -x) at KILN_LINUX, where busybox-static may be unpacked, too.
. "$(dirname "$0")/lib.sh"
skip() { echo "skipped: $1"; exit 77; }
why=$(grub_missing) && skip "$why"
for need in cpio mkfs.vfat mcopy; do
    command -v $need >/dev/null || skip "no $need"
done
for kernel in "${KILN_LINUX:-}"/boot/vmlinuz-*-amd64 /boot/vmlinuz-*-amd64 none; do
    [ -r "$kernel" ] && break
done
[ "$kernel" != none ] || skip "no Debian kernel (install linux-image-amd64, or unpack it and set KILN_LINUX)"
for busybox in "${KILN_LINUX:-}/bin/busybox" /bin/busybox none; do
    [ -x "$busybox" ] && ! ldd "$busybox" >/dev/null 2>&1 && break
done
[ "$busybox" != none ] || skip "no static busybox (busybox-static)"

case $3 in
spark) firmware= ;;
seabios)
    need_seabios
    firmware=$seabios_firmware ;;
qemu) command -v qemu-system-x86_64 >/dev/null || skip "no QEMU" ;;
esac

# ---- the disk ----
mkdir -p "$dir/root/bin" "$dir/root/proc" "$dir/root/sys" "$dir/root/dev" "$dir/files"
cp "$busybox" "$dir/root/bin/busybox"
cat >"$dir/root/init" <<'I'
#!/bin/busybox sh
/bin/busybox mkdir -p /sbin /usr/bin /usr/sbin
/bin/busybox --install -s
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
uname -a
dmesg -r | grep '^<[0-3]>' | sed 's/^/ERR: /'
dmesg -r | grep '^<4>' | sed 's/^/WARN: /'
echo "clock source: $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)"
echo "sum: $(seq 1 20000 | md5sum)"
exec sh
I
chmod +x "$dir/root/init"
(cd "$dir/root" && find . | cpio -o -H newc 2>/dev/null) | gzip -1 >"$dir/files/initrd.gz"
cp "$kernel" "$dir/files/vmlinuz"
GRUB_TIMEOUT=0 GRUB_MIB=32 GRUB_FS=$5 \
    GRUB_ENTRY="linux (hd0,msdos1)/vmlinuz console=ttyS0; initrd (hd0,msdos1)/initrd.gz" grub_disk "$dir" || exit 1

# ---- the run ----
case $4 in
ahci) drive="-drive file=$dir/disk.img,format=raw,if=none,id=d -device ahci,id=a -device ide-hd,drive=d,bus=a.0" ;;
*) drive="-drive file=$dir/disk.img,format=raw,if=ide" ;;
esac
case $3 in
qemu) emulator="qemu-system-x86_64 -bios $build/spark.bin -net none -monitor none" ;;
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
