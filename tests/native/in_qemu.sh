#!/bin/sh
# in_qemu.sh NATIVE_TEST WORK_DIR [ARGUMENT ...]: runs the comparison in a Linux guest of QEMU's.
#
# For hosts without a 32-bit code segment. The witness is then QEMU's emulation of a processor,
# which is wide but not the truth (it takes LOCK where it is illegal, and more): a difference
# here is looked up in the manual. Debian's cloud kernel and busybox are fetched into WORK_DIR.
# Status: that of native_test; 77 when something for it is missing.
set -u
test=$(realpath "$1") work=$2
shift 2

for tool in qemu-system-x86_64 cpio apt-get dpkg-deb; do
    command -v $tool >/dev/null || { echo "in_qemu.sh: no $tool; skipped"; exit 77; }
done
mkdir -p "$work" && cd "$work" || exit 1

fetch() { # PACKAGE DIRECTORY
    [ -d "$2" ] && return
    apt-get download "$1" >/dev/null 2>&1 || { echo "in_qemu.sh: cannot download $1; skipped"; exit 77; }
    dpkg-deb -x "$1"_*.deb "$2.part" && mv "$2.part" "$2"
}
fetch busybox-static busybox
fetch "$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends:/ { print $2; exit }')" linux

rm -rf root
mkdir -p root/bin root/dev root/proc root/lib64
cp busybox/bin/busybox root/bin/
cp "$test" root/native_test
ldd "$test" | awk '/\// { for (i = 1; i <= NF; i++) if ($i ~ /^\//) print $i }' |
    while read -r lib; do
        mkdir -p "root/$(dirname "$lib")"
        cp -L "$lib" "root/$lib"
    done
cat >root/init <<END
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/native_test $*
echo "in_qemu status \$?"
/bin/busybox poweroff -f
END
chmod +x root/init
(cd root && find . | cpio -o -H newc 2>/dev/null) | gzip -1 >initrd.gz

timeout 3000 qemu-system-x86_64 -accel tcg -m 512 -nographic -no-reboot -nodefaults -serial stdio \
    -kernel linux/boot/vmlinuz-* -initrd initrd.gz \
    -append "console=ttyS0 quiet panic=-1 mitigations=off" </dev/null >out.txt 2>&1
tr -d '\r' <out.txt | grep -v "^\[" | grep -v "in_qemu status"
status=$(tr -d '\r' <out.txt | sed -n 's/.*in_qemu status //p')
exit "${status:-1}"
