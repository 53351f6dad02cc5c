# Sourced, behind grub_disk.sh: a stock Debian kernel with busybox as an initramfs, loaded by GRUB.
# The kernel is that of an installed linux-image-*-amd64, or of one unpacked (dpkg-deb -x) at KILN_LINUX,
# where busybox-static may be unpacked, too.

# debian_missing: says what, if something is; else sets $kernel and $busybox
debian_missing() {
    grub_missing && return 0
    for need in cpio mkfs.vfat mcopy; do
        command -v $need >/dev/null || { echo "no $need"; return 0; }
    done
    for kernel in "${KILN_LINUX:-}"/boot/vmlinuz-*-amd64 /boot/vmlinuz-*-amd64 none; do
        [ -r "$kernel" ] && break
    done
    [ "$kernel" != none ] ||
        { echo "no Debian kernel (install linux-image-amd64, or unpack it and set KILN_LINUX)"; return 0; }
    for busybox in "${KILN_LINUX:-}/bin/busybox" /bin/busybox none; do
        [ -x "$busybox" ] && ! ldd "$busybox" >/dev/null 2>&1 && break
    done
    [ "$busybox" != none ] || { echo "no static busybox (busybox-static)"; return 0; }
    return 1
}

# debian_disk DIR FS LAST [ARGUMENTS]: DIR/disk.img, ext4 or fat. Its init says what the kernel said of
# level err and warn, the clock source and a sum, and does LAST. ARGUMENTS are the kernel's (console=ttyS0).
debian_disk() {
    ! debian_missing || return 1
    mkdir -p "$1/root/bin" "$1/root/proc" "$1/root/sys" "$1/root/dev" "$1/files"
    cp "$busybox" "$1/root/bin/busybox"
    cat >"$1/root/init" <<'I'
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
I
    echo "$3" >>"$1/root/init"
    chmod +x "$1/root/init"
    (cd "$1/root" && find . | cpio -o -H newc 2>/dev/null) | gzip -1 >"$1/files/initrd.gz"
    cp "$kernel" "$1/files/vmlinuz"
    GRUB_TIMEOUT=0 GRUB_MIB=32 GRUB_FS=$2 \
        GRUB_ENTRY="${DEBIAN_SETUP:-}linux (hd0,msdos1)/vmlinuz ${4:-console=ttyS0}; initrd (hd0,msdos1)/initrd.gz" grub_disk "$1"
}
