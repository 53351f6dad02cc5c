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
: >screen.txt
cpus=2
case $emulator in *kiln) cpus=1 ;; esac
# A boot sector that halts: cli; hlt; jmp.
printf '\372\364\353\375' >halt.img
truncate -s 1M halt.img
printf '\125\252' | dd of=halt.img bs=1 seek=510 conv=notrunc status=none

rm -f low.bin top.bin shadow.bin ./*.dat ./*.dsl
case $emulator in
*kiln) # its memory by gdb
    command -v gdb >/dev/null || { echo "skipped: no gdb"; exit 77; }
    timeout 300 gdb -nx -batch -ex 'set pagination off' -ex 'set remotetimeout 120' -ex 'set tcp connect-timeout 60' \
        -ex "target remote | $emulator -S -gdb stdio -display none -m 64 -bios $spark -vgabios $vga halt.img" \
        -ex 'hbreak *0x7c00' -ex continue -ex 'dump binary memory shadow.bin 0xe0000 0x100000' \
        -ex 'dump binary memory top.bin 0x3ff0000 0x4000000' -ex kill >gdb.log 2>&1 </dev/null
    { head -c 917504 /dev/zero; cat shadow.bin; } >low.bin
    [ -s shadow.bin ] && [ -s top.bin ] || { cat gdb.log; echo "FAIL: no memory to look at"; exit 1; }
    ;;
*)
    start "$spark" "$vga" -nic none -smp $cpus -drive file=halt.img,format=raw
    halted() { echo "info registers" >&3; sleep 0.2; grep -aqF "EIP=00007c0" monitor.log; }
    until_true halted || fail "the boot sector does not run"
    echo "pmemsave 0 0x100000 \"$PWD/low.bin\"" >&3
    echo "pmemsave 0x3ff0000 0x10000 \"$PWD/top.bin\"" >&3
    all_there() { [ -f top.bin ] && [ "$(wc -c <top.bin)" = 65536 ]; }
    until_true all_there || fail "no memory to look at"
    stop
    ;;
esac

fail() { echo "FAIL: $*"; exit 1; }
# file_at ADDRESS: sets file and off
file_at() {
    if [ "$1" -lt 1048576 ]; then file=low.bin off=$1; else file=top.bin off=$(($1 - 0x3ff0000)); fi
    [ "$off" -ge 0 ] && [ "$off" -lt "$(wc -c <$file)" ] || fail "address $1 is outside"
}
u4() { file_at "$1"; od -An -tu4 -j $off -N 4 $file | tr -d ' '; }
u2() { file_at "$1"; od -An -tu2 -j $off -N 2 $file | tr -d ' '; }
# copy ADDRESS LENGTH FILE: bytes that must add up to 0
copy() {
    file_at "$1"
    tail -c +$((off + 1)) $file | head -c "$2" >"$3"
    [ "$(od -An -v -tu1 "$3" | awk '{ for (i = 1; i <= NF; i++) s += $i } END { print s % 256 }')" = 0 ] ||
        fail "the sum of $3 at $1"
}
# anchor SIGNATURE LENGTH: where it is, on a paragraph from F0000h on
anchor() {
    for at in $(grep -abo -F -- "$1" low.bin | cut -d: -f1); do
        [ "$at" -ge 983040 ] && [ $((at % 16)) = 0 ] || continue
        sum=$(tail -c +$((at + 1)) low.bin | head -c "$2" | od -An -v -tu1 |
            awk '{ for (i = 1; i <= NF; i++) s += $i } END { print s % 256 }')
        [ "$sum" = 0 ] && { echo "$at"; return; }
    done
}
says() { grep -qE -- "$2" "$1" || { cat "$1"; fail "$1 does not say: $2"; }; }

rsdp=$(anchor 'RSD PTR ' 20)
[ -n "$rsdp" ] || fail "no RSDP"
xsdt=$(u4 $((rsdp + 24)))
copy "$xsdt" "$(u4 $((xsdt + 4)))" xsdt.dat
rsdt=$(u4 $((rsdp + 16)))
copy "$rsdt" "$(u4 $((rsdt + 4)))" rsdt.dat
i=36
while [ $i -lt "$(wc -c <xsdt.dat)" ]; do
    at=$(u4 $((xsdt + i)))
    file_at "$at"
    name=$(tail -c +$((off + 1)) $file | head -c 4)
    copy "$at" "$(u4 $((at + 4)))" "$name.dat"
    i=$((i + 8))
done
[ -f FACP.dat ] || fail "no FADT"
dsdt=$(od -An -tu4 -j 40 -N 4 FACP.dat | tr -d ' ')
copy "$dsdt" "$(u4 $((dsdt + 4)))" DSDT.dat
for table in *.dat; do
    iasl -d "$table" >"$table.log" 2>&1 || fail "iasl -d $table: $(tail -n 3 "$table.log")"
done
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

# dmidecode's dumps have the table behind the entry point: address and sums are made to fit.
smbios=$(anchor _SM_ 31)
[ -n "$smbios" ] || fail "no SMBIOS"
table=$(u4 $((smbios + 24))) len=$(u2 $((smbios + 22)))
tail -c +$((smbios + 1)) low.bin | head -c 31 | od -An -v -tu1 | awk '{ for (i = 1; i <= NF; i++) b[n++] = $i }
    END { b[24] = 32; b[25] = b[26] = b[27] = 0
        for (i = 16; i < 31; i++) if (i != 21) s += b[i]
        b[21] = (512000 - s) % 256; s = 0
        for (i = 0; i < 31; i++) if (i != 4) s += b[i]
        b[4] = (512000 - s) % 256
        for (i = 0; i < 31; i++) printf "\\%03o", b[i]; printf "\\000" }' >entry.txt
{ printf "$(cat entry.txt)"; tail -c +$((table + 1)) low.bin | head -c "$len"; } >smbios.dmi
dmidecode --from-dump smbios.dmi >smbios.log 2>&1
says smbios.log 'SMBIOS 2.8 present'
says smbios.log 'Size: 64 MB'
[ "$(grep -c 'Central Processor' smbios.log)" = $cpus ] || fail "SMBIOS does not have $cpus processors"
for type in 0 1 3 4 16 17 19 32 127; do says smbios.log "DMI type $type,"; done
grep -qiE 'checksum|truncated|wrong' smbios.log && { cat smbios.log; fail "dmidecode complains"; }
echo "ACPI, MP, PIR, BIOS32 and SMBIOS agree with the machine ($cpus processors)"
