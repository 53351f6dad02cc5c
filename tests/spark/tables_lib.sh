# Sourced: the tables that firmware leaves, out of a machine's memory.
# low.bin: the first MiB; top.bin: the last MiB of 64. Uses fail().
top_at=$((0x3f00000))

# A boot sector that halts, as halt.img: cli; hlt; jmp.
halting_disk() {
    printf '\372\364\353\375' >halt.img
    truncate -s 1M halt.img
    printf '\125\252' | dd of=halt.img bs=1 seek=510 conv=notrunc status=none
}

# memory_of_kiln KILN OPTIONS...: when the boot sector runs, by gdb
memory_of_kiln() {
    emulator=$1
    shift
    command -v gdb >/dev/null || { echo "skipped: no gdb"; exit 77; }
    rm -f shadow.bin top.bin
    timeout 300 gdb -nx -batch -ex 'set pagination off' -ex 'set remotetimeout 120' -ex 'set tcp connect-timeout 60' \
        -ex "target remote | $emulator -S -gdb stdio -display none -m 64 $* halt.img" \
        -ex 'hbreak *0x7c00' -ex continue -ex 'dump binary memory shadow.bin 0xe0000 0x100000' \
        -ex 'dump binary memory top.bin 0x3f00000 0x4000000' -ex kill >gdb.log 2>&1 </dev/null
    { head -c 917504 /dev/zero; cat shadow.bin; } >low.bin
    [ -s shadow.bin ] && [ -s top.bin ] || { cat gdb.log; echo "FAIL: no memory to look at"; exit 1; }
}

# file_at ADDRESS: sets file and off
file_at() {
    if [ "$1" -lt 1048576 ]; then file=low.bin off=$1; else file=top.bin off=$(($1 - top_at)); fi
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

# All that the RSDP leads to, as NAME.dat and, by iasl, NAME.dsl; their sums must be right.
acpi_tables() {
    rm -f ./*.dat ./*.dsl
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
}

# What dmidecode makes of the SMBIOS structures: smbios.log. Its dumps have the structures behind the entry
# point: address and sums are made to fit.
smbios() {
    smbios=$(anchor _SM_ 31)
    [ -n "$smbios" ] || fail "no SMBIOS"
    copy $((smbios + 16)) 15 dmi.sum
    table=$(u4 $((smbios + 24))) len=$(u2 $((smbios + 22)))
    tail -c +$((smbios + 1)) low.bin | head -c 31 | od -An -v -tu1 | awk '{ for (i = 1; i <= NF; i++) b[n++] = $i }
        END { b[24] = 32; b[25] = b[26] = b[27] = 0
            for (i = 16; i < 31; i++) if (i != 21) s += b[i]
            b[21] = (512000 - s) % 256; s = 0
            for (i = 0; i < 31; i++) if (i != 4) s += b[i]
            b[4] = (512000 - s) % 256
            for (i = 0; i < 31; i++) printf "\\%03o", b[i]; printf "\\000" }' >entry.txt
    file_at "$table"
    { printf "$(cat entry.txt)"; tail -c +$((off + 1)) $file | head -c "$len"; } >smbios.dmi
    dmidecode --from-dump smbios.dmi >smbios.log 2>&1
    ! grep -qiE 'checksum|truncated|wrong' smbios.log || { cat smbios.log; fail "dmidecode complains"; }
}
