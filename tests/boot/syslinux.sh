# A CD by isolinux and a floppy by syslinux: what their tools say of a machine of 32 MiB is what it is.
# usage: syslinux.sh KILN BUILD spark|seabios cd|floppy
. "$(dirname "$0")/lib.sh"
modules=/usr/lib/syslinux/modules/bios isolinux=${KILN_ISOLINUX:-/usr/lib/ISOLINUX}/isolinux.bin
for need in $modules/hdt.c32 $([ "$4" = cd ] && echo $isolinux); do
    [ -f "$need" ] || { echo "skipped: no $need"; exit 77; }
done
for need in syslinux xorriso mformat mcopy; do
    command -v $need >/dev/null || { echo "skipped: no $need"; exit 77; }
done
firmware=
[ "$3" = seabios ] && need_seabios && firmware=$seabios_firmware

mkdir -p "$dir/files"
for module in ldlinux libcom32 libutil libmenu libgpl meminfo cpuidtest pcitest dmitest vesainfo hdt; do
    cp $modules/$module.c32 "$dir/files"
done
printf 'SERIAL 0 115200\nDEFAULT none\nPROMPT 1\n' >"$dir/files/syslinux.cfg"
case $4 in
cd)
    cp $isolinux "$dir/files"
    xorriso -as mkisofs -quiet -o "$dir/cd.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 \
        -boot-info-table "$dir/files" 2>"$dir/err" || { cat "$dir/err"; exit 1; }
    medium="-cdrom $dir/cd.iso -boot d" ;;
floppy)
    mformat -C -f 1440 -i "$dir/fd.img" ::
    mcopy -i "$dir/fd.img" "$dir"/files/* ::
    syslinux --install "$dir/fd.img" || exit 1
    medium="-fda $dir/fd.img -boot a" ;;
esac

# tools KEYS TEXT ARGS...: types KEYS at the prompt, until the port says TEXT
tools() {
    keys=$1 text=$2
    shift 2
    run $firmware -m 32 -snapshot $medium --keys "{serial:boot:}$keys" --until "$text" "$@"
    is_status 0
    sed 's/\x1b\[[0-9;?]*[A-Za-z]//g; s/\r//g; s/[ \t][ \t]*/ /g' "$dir/serial" >"$dir/lines"
}
says() { grep -qE -- "$1" "$dir/lines" || fail "COM1 does not say: $1"; }

# ---- memory, processor, PCI, SMBIOS ----
tools 'meminfo.c32\n{wait:2}cpuidtest.c32\n{wait:2}pcitest.c32\n{wait:2}\n{wait:1}dmitest.c32\n{wait:2}all\n{wait:1}\n{wait:1}\n{wait:1}\n{wait:1}\n{wait:1}x\n' \
    'serial:SBDS Chemistry'
# Low memory to the EBDA; INT 15h/88h, E801h and E820h agree about RAM above the first MiB.
number() { sed -n "s/.*$1.*/\\1/p" "$dir/lines" | head -1; }
low=$(number 'INT 12h: \([0-9]*\)K') old=$(number 'INT 15 88: 0x[0-9a-f]* (\([0-9]*\)K)')
below=$(number 'E801: 0x[0-9a-f]* (\([0-9]*\)K)') above=$(number 'E801: .* 0x[0-9a-f]* (\([0-9]*\)K)')
usable=$(number ' [0-9]* 0*100000x \([0-9a-f]*\)x [0-9a-f]*x 1 .*')
usable=$((0x${usable:-0} / 1024))
[ "$low" -ge 600 ] && [ "$low" -le 640 ] || fail "INT 12h: $low KiB"
[ "$usable" -gt 31000 ] && [ "$usable" -le 31744 ] || fail "E820h: $usable KiB above the first MiB"
[ "$old" = "$usable" ] && [ $(((below + above) / 64)) = $((usable / 64)) ] || # E801h counts 64 KiB
    fail "88h: $old, E801h: $below + $above, E820h: $usable"
# The default processor is QEMU's qemu64 to look at.
says '^Vendor = AMD'
says '^Family = 15'
says '^Model ID = 107'
says '^Flags = .*fpu .*tsc .*apic .*sse2 .*syscall .*lm'
# The board, by the identifiers of its chips' data sheets and QEMU's display.
says 'PCI: 5 PCI devices found'
for device in 8086:1237 8086:7000 8086:7010 8086:7113 1234:1111; do
    says "^$device\\["
done
says '^DMI 2.[48] present'
says "Vendor: $([ "$3" = seabios ] && echo SeaBIOS || echo Kiln)"
says 'Type Central Processor'
says 'Size : 32 MB'

# ---- VBE, whose pages want keys ----
tools 'vesainfo.c32\n{wait:1}\n{wait:1}\n{wait:1}\n{wait:1}\n' 'serial:1920  1080  32'
says '^VBE version 3.0'
says '^0x0118 0x00.b 1024 768 24 6 16 8 0'

# ---- hdt, which asks ACPI, too: its menu has the screen, its pages come to the port by its commands ----
tools 'hdt.c32\n' 'screen:Main Menu'
tools 'hdt.c32 nomenu\n{serial:hdt>}show summary\n{serial:modules.alias}{wait:0.2}set mode dmi\n{serial:dmi>}show memory\n{serial:bank 00}{wait:0.2}set mode pci\n{serial:pci>}show device 1\n{wait:0.3}show device 2\n{wait:0.3}show device 3\n{wait:0.3}show device 4\n{wait:0.3}show device 5\n{wait:0.3}set mode vesa\n{serial:vesa>}show vesa\n{serial:Modes}{wait:0.2}show modes\n{wait:0.5}\n{wait:0.5}\n{wait:0.5}\n{wait:0.5}\n' \
    'serial:0x0118'
# summary
says '^ Manufacturer : AMD'
says '^ Product : Kiln virtual CPU'
says '^ CPU Cores : 1 '
says '^ Features : .*x86_64 64bit'
says '^ Manufacturer : Kiln'
says '^ Product Name : i440FX/PIIX3 PC'
says '^Memory Size : 32 MB'
says '^ NB Devices : 5'
# memory by SMBIOS, PCI by configuration cycles, VBE by INT 10h
says '^ bank 00 : 32 MB RAM'
for device in 8086.1237.06.00.00 8086.7000.06.01.00 8086.7010.01.01.80 8086.7113.06.80.00 1234.1111.03.00.00; do
    awk -v WANT="$device" '/^Vendor ID/ { v = $NF } /^Product ID/ { p = $NF } /^Class ID/ { if (v "." p "." $NF == WANT) n++ }
        END { exit n != 1 }' "$dir/lines" || fail "PCI: not once: $device"
done
says '^ Vesa version : 3.0'
says '^ Memory \(KB\) : 16384'
says '^ 1024 768 24 792 0x0118'
finish
