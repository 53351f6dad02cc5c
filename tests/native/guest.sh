# Sourced by in_qemu.sh: the comparison with a processor that an emulator emulates.
# Cases are made and judged here, by the same program; only their execution takes place in the
# guest, a Debian kernel with native_test in its initramfs. Nothing is fetched or installed: the
# kernel is that of an installed linux-image-*-amd64, or of one unpacked (dpkg-deb -x) at KILN_LINUX.

guest_skip() { echo "$(basename "$0"): $1; skipped"; exit 77; }

guest_need() { for tool in "$@"; do command -v "$tool" >/dev/null || guest_skip "no $tool"; done; }

guest_kernel() {
    for root in "${KILN_LINUX:-}" ""; do
        for kernel in "$root"/boot/vmlinuz-*-amd64; do
            version=${kernel##*/vmlinuz-}
            modules=$root/lib/modules/$version/kernel
            [ -f "$modules/drivers/ata/ata_piix.ko" ] && return
        done
    done
    guest_skip "no kernel of linux-image-amd64 (install it, or unpack it and set KILN_LINUX)"
}

# guest_initrd NATIVE_TEST GUEST_INIT: initrd.gz in the present directory
guest_initrd() {
    rm -rf root
    mkdir -p root/dev root/proc root/modules
    cp "$1" root/native_test
    cp "$2" root/init
    ldd "$1" | awk '{ for (i = 1; i <= NF; i++) if ($i ~ /^\//) print $i }' | while read -r lib; do
        mkdir -p "root/$(dirname "$lib")"
        cp -L "$lib" "root/$lib"
    done
    n=10
    for module in crypto/crct10dif_common lib/crc64 crypto/crct10dif_generic lib/crc-t10dif lib/crc64-rocksoft crypto/crc64_rocksoft_generic \
        block/t10-pi drivers/scsi/scsi_common drivers/scsi/scsi_mod drivers/ata/libata \
        drivers/ata/ata_piix drivers/scsi/sd_mod; do
        cp "$modules/$module.ko" "root/modules/$n-$(basename $module).ko" 2>/dev/null
        n=$((n + 1))
    done
    (cd root && find . | cpio -o -H newc 2>/dev/null) | gzip -1 >initrd.gz
}

# Disks: whole cylinders of 16 heads and 63 sectors.
guest_disk_size() { echo $((($1 + 516095) / 516096 * 516096)); }

# guest_blank FILE BYTES: a disk for results
guest_blank() {
    rm -f "$1"
    printf KILNDISK >"$1"
    truncate -s "$(guest_disk_size "$2")" "$1"
}

# guest_run CASES OUTCOMES: executes them
guest_run() {
    size=$(guest_disk_size "$(wc -c <"$1")")
    truncate -s "$size" "$1"
    guest_blank "$2" $((size * 2))
    boot none=1 "$1" "$2"
}

# guest_compare NATIVE_TEST EMULATOR MODE INSNS SEED [ARGUMENT ...]: boot KERNEL_ARGUMENT DISK DISK
# boots the guest with these disks, and fails if it does not end well. Status: the judgement's.
guest_compare() {
    test=$1 emulator=$2 mode=$3 insns=$4 seed=$5
    shift 5
    if [ ! -f facts.img ] || [ facts.img -ot "$test" ]; then
        guest_blank facts.part 1
        guest_blank none.img 1
        boot "probe=$emulator" facts.part none.img || return 1
        [ "$(head -c 8 facts.part)" = KILNCASE ] || mv none.img facts.part
        mv facts.part facts.img
    fi
    "$test" --export cases.img --facts facts.img --mode "$mode" --insns "$insns" --seed "$seed" --min-runs $((insns / 20000)) >export.txt
    status=$?
    [ $status = 0 ] || { tail -3 export.txt; return $status; }
    guest_run cases.img outcomes.img || return 1
    "$test" --judge outcomes.img --cases cases.img --again singles.img "$@" && return
    guest_run singles.img singles_outcomes.img || return 1
    "$test" --judge singles_outcomes.img --cases singles.img "$@"
}
