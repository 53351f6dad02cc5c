#!/bin/sh
# The tables that POST leaves, read out of a machine's memory: sums and addresses, and what ACPICA's
# disassembler and interpreter and dmidecode make of them. They must say what the machine was given: two
# processors (one in Kiln), 64 MiB.
# usage: tables.sh SPARK.BIN VGABIOS.BIN WORKDIR [EMULATOR]
src=$(cd "$(dirname "$0")" && pwd)
spark=$1 vga=$2 dir=$3 emulator=${4:-qemu-system-x86_64}
for need in "$emulator" iasl acpiexec dmidecode; do
    command -v "$need" >/dev/null || { echo "skipped: no $need"; exit 77; }
done
mkdir -p "$dir" && cd "$dir" || exit 1
. "$src/lib.sh"
. "$src/tables_lib.sh"
: >screen.txt
cpus=2
case $emulator in *kiln) cpus=1 ;; esac
halting_disk
rm -f low.bin top.bin
case $emulator in
*kiln) memory_of_kiln "$emulator" -bios "$spark" -vgabios "$vga" ;;
*)
    start "$spark" "$vga" -nic none -smp $cpus -drive file=halt.img,format=raw
    halted() { echo "info registers" >&3; sleep 0.2; grep -aqF "EIP=00007c0" monitor.log; }
    until_true halted || fail "the boot sector does not run"
    echo "pmemsave 0 0x100000 \"$PWD/low.bin\"" >&3
    echo "pmemsave 0x3f00000 0x100000 \"$PWD/top.bin\"" >&3
    all_there() { [ -f top.bin ] && [ "$(wc -c <top.bin)" = 1048576 ]; }
    until_true all_there || fail "no memory to look at"
    stop
    ;;
esac

fail() { echo "FAIL: $*"; exit 1; }
says() { grep -qE -- "$2" "$1" || { cat "$1"; fail "$1 does not say: $2"; }; }

acpi_tables
says FACP.dsl 'PM Timer Block Address : 00000608'
says FACP.dsl 'SCI Interrupt : 0009'
says APIC.dsl 'Local Apic Address : FEE00000'
[ "$(grep -c 'Processor Local APIC' APIC.dsl)" = $cpus ] || fail "the MADT does not have $cpus processors"
says DSDT.dsl 'PNP0A03'
acpiexec -b 'evaluate \_S5_,evaluate \_SB_.PCI0._PRT,evaluate \_SB_.PCI0._CRS' DSDT.dat >acpiexec.log 2>&1
says acpiexec.log 'returned object'
grep -qE 'AE_[A-Z_]+' acpiexec.log && { cat acpiexec.log; fail "acpiexec finds an error"; }

mp=$(anchor '_MP_' 16)
[ -n "$mp" ] || fail "no MP table"
config=$(u4 $((mp + 4)))
copy "$config" "$(u2 $((config + 4)))" mp.dat
file_at $((config + 44))
n=0
while [ "$(od -An -tu1 -j $((off + 20 * n)) -N 1 $file | tr -d ' ')" = 0 ]; do n=$((n + 1)); done
[ $n = $cpus ] || fail "the MP table has $n processors"
[ -n "$(anchor '$PIR' 128)" ] || fail 'no $PIR'
[ -n "$(anchor _32_ 16)" ] || fail "no BIOS32 directory"

smbios
says smbios.log 'SMBIOS 2.8 present'
says smbios.log 'Size: 64 MB'
[ "$(grep -c 'Central Processor' smbios.log)" = $cpus ] || fail "SMBIOS does not have $cpus processors"
for type in 0 1 3 4 16 17 19 32 127; do says smbios.log "DMI type $type,"; done
echo "ACPI, MP, PIR, BIOS32 and SMBIOS agree with the machine ($cpus processors)"
