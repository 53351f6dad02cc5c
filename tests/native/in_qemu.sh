#!/bin/sh
# in_qemu.sh NATIVE_TEST GUEST_INIT WORK_DIR MODE INSNS SEED [ARGUMENT ...]: the comparison with the
# processor that QEMU emulates (TCG), for modes that this host's kernel does not offer. QEMU is wide,
# but not the truth: docs/CONFORMANCE.md. ARGUMENTs go to native_test --judge.
set -u
. "$(dirname "$(realpath "$0")")/guest.sh"
guest_need qemu-system-x86_64 cpio
"$1" --mode "$4" --insns 1 >/dev/null
[ $? = 77 ] || guest_skip "this host's processor runs $4-bit code itself: native.full.$4"
test=$(realpath "$1") init=$(realpath "$2") work=$3
shift 3
mkdir -p "$work" && cd "$work" || exit 1
guest_kernel
guest_initrd "$test" "$init"

# With SMAP, QEMU 7.2 takes the stack accesses of far returns from user mode for supervisor ones. And
# it adds the base of DS in 64-bit mode where a DS prefix is given (SDM 1 3.4.2.1 has none), as the
# kernel writes one over each LOCK on a single processor: noreplace-smp keeps the LOCKs.
boot() {
    timeout 7200 qemu-system-x86_64 -accel tcg -cpu max,smap=off -m 512 -nodefaults -display none -no-reboot \
        -serial file:serial.txt -kernel "$kernel" -initrd initrd.gz \
        -append "console=ttyS0 quiet loglevel=1 panic=-1 no_timer_check noreplace-smp mitigations=off $1" \
        -drive file="$2",format=raw,if=ide -drive file="$3",format=raw,if=ide </dev/null
    tr -d '\r' <serial.txt | grep '^native_test'
    grep -q '^guest status 0' serial.txt
}

guest_compare "$test" qemu "$@"
