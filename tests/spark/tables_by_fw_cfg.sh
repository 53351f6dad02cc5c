#!/bin/sh
# The ACPI tables and SMBIOS structures that Kiln hands to firmware by fw_cfg, as SeaBIOS leaves them in
# memory: whole, with right sums, and what Spark's own say of the same machine, which were written apart from
# them; but for addresses, ACPI's makers' names and what the firmware says of itself. The same with -no-hpet.
# usage: tables_by_fw_cfg.sh SPARK.BIN VGABIOS.BIN WORKDIR KILN
src=$(cd "$(dirname "$0")" && pwd)
spark=$1 vga=$2 dir=$3 kiln=$4
seabios=/usr/share/seabios/bios.bin
[ -f $seabios ] || { echo "skipped: no SeaBIOS"; exit 77; }
for need in iasl dmidecode; do
    command -v $need >/dev/null || { echo "skipped: no $need"; exit 77; }
done
mkdir -p "$dir" && cd "$dir" || exit 1
fail() { echo "FAIL: $*"; exit 1; }
. "$src/tables_lib.sh"
halting_disk

# sentences FOLDER: of its tables, without what must differ. The I/O APIC's number is the firmware's choice,
# and SeaBIOS leaves it at 0.
sentences() {
    for name in APIC DSDT FACP HPET; do
        [ -f "$1/$name.dsl" ] || continue
        echo "== $name"
        grep -vE '^ \*|Checksum|Oem Table ID|(FACS|DSDT) Address|I/O Apic ID|Raw Table Data|^ *[0-9A-F]{4}: |Name \(INFO' "$1/$name.dsl" |
            sed 's/DefinitionBlock.*//'
    done
    awk 'BEGIN { RS = ""; ORS = "\n\n" } /^Handle/ && !/DMI type 0,/' "$1/smbios.log"
}

for options in "" -no-hpet; do
    for bios in $seabios "$spark"; do
        memory_of_kiln "$kiln" -bios "$bios" -vgabios "$vga" $options
        acpi_tables
        smbios
        [ -s DSDT.dsl ] || fail "no DSDT"
        folder=$([ "$bios" = $seabios ] && echo by_seabios || echo by_spark)
        rm -rf "$folder"
        mkdir "$folder"
        mv ./*.dat ./*.dsl smbios.log "$folder"
    done
    sentences by_seabios >seabios.txt
    sentences by_spark >spark.txt
    [ "$(grep -c '^==' seabios.txt)" = $([ "$options" ] && echo 3 || echo 4) ] || fail "tables are missing: $(grep '^==' seabios.txt)"
    [ "$(grep -c '^Handle' seabios.txt)" = 8 ] || fail "SMBIOS structures are missing: $(grep '^Handle' seabios.txt)"
    diff seabios.txt spark.txt || fail "the tables differ${options:+, with $options}"
done
echo "fw_cfg's ACPI tables and SMBIOS structures say what Spark's do"
