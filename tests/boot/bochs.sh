# By Spark in Bochs, what others have made: isolinux, memtest86+ and a stock Debian.
# usage: bochs.sh SPARK.BIN VGABIOS.BIN isolinux|memtest_cd|memtest_disk|debian
# memtest86+ has two thousand million instructions. Debian writes to the screen, too, which scrolls.
here=$(cd "$(dirname "$0")" && pwd)
spark=$(readlink -f "$1") vga=$(readlink -f "$2") what=$3
skip() { echo "skipped: $1"; exit 77; }
. "$here/grub_disk.sh"
. "$here/debian_disk.sh"
. "$here/../bochs.sh"
why=$(bochs_missing) && skip "$why"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
: >screen.txt

fail() {
    echo "FAIL: $*"
    tail -c 2000 com1.txt
    cat screen.txt
    exit 1
}
com1_says() { grep -aqE -- "$1" com1.txt || fail "COM1 does not say: $1"; }
shows() { grep -aqE -- "$1" screen.txt || fail "the screen does not show: $1"; }

# cd_of FILES BOOT: cd.iso, whose boot image BOOT loads the rest
cd_of() {
    command -v xorriso >/dev/null || skip "no xorriso"
    xorriso -as mkisofs -quiet -o cd.iso -b "$2" -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table "$1" \
        2>err || { cat err; exit 1; }
}

isolinux() {
    modules=/usr/lib/syslinux/modules/bios isolinux=${KILN_ISOLINUX:-/usr/lib/ISOLINUX}/isolinux.bin
    for need in $modules/meminfo.c32 "$isolinux"; do
        [ -f "$need" ] || skip "no $need"
    done
    mkdir files
    cp "$isolinux" files
    for module in ldlinux libcom32 libutil meminfo; do
        cp $modules/$module.c32 files
    done
    printf 'SERIAL 0 115200\nDEFAULT none\nPROMPT 1\nTIMEOUT 20\nONTIMEOUT meminfo.c32\n' >files/isolinux.cfg
    cd_of files isolinux.bin
    bochs_run "$spark" "$vga" cd.iso 0 10000000 200000000 0xb8000
    com1_says '^boot:'
    com1_says 'INT 12h: 6[0-9][0-9]K'
    com1_says ' 0*100000x 0*3[ef][0-9a-f]{5}x [0-9a-f]*x 1 ' # RAM to 64 MiB, but for a little
    shows '^boot:'
}

# tested: what memtest86+ shows after some minutes of its time
tested() {
    shows 'Memtest86[+] v'
    shows 'Pass +0%|Pass +[1-9]'
    shows '#[3-9]' # the test that it is at
    shows 'Errors: +0 '
}
memtest_cd() {
    iso=/usr/lib/memtest86+/memtest86+x64.iso
    [ -f $iso ] || skip "no $iso (memtest86+)"
    cp $iso cd.iso
    MEGS=32 bochs_run "$spark" "$vga" cd.iso 0 10000000 2000000000 0xb8000
    tested
}
memtest_disk() {
    why=$(grub_missing) && skip "$why"
    [ -f /boot/memtest86+ia32.bin ] || skip "no memtest86+"
    mkdir files
    cp /boot/memtest86+ia32.bin files/memtest
    GRUB_TIMEOUT=0 GRUB_MIB=32 GRUB_ENTRY="linux (hd0,msdos1)/memtest" grub_disk . || exit 1
    MEGS=32 bochs_run "$spark" "$vga" disk.img 65 10000000 2000000000 0xb8000
    tested
}

debian() {
    why=$(debian_missing) && skip "$why"
    debian_disk . ext4 "sleep 1; echo the end; sleep 1; poweroff -f" "console=tty0 console=ttyS0" || exit 1
    MEGS=256 bochs_run "$spark" "$vga" disk.img 65 50000000 8000000000
    com1_says '^Linux \(none\) '
    com1_says "^sum: $(seq 1 20000 | md5sum)"
    com1_says '^the end'
    com1_says 'reboot: Power down'
    # Bochs' processor has no MSR C0010007, an event counter of AMD's, which Linux tries.
    grep -aE '^ERR: |WARNING: |BUG: |Kernel panic|clocksource: .*unstable' com1.txt | grep -v c0010007 >bad &&
        fail "$(cat bad)"
    echo "what it said of levels err and warn:"
    grep -aE '^(ERR|WARN): ' com1.txt
}

$what
echo "$what in Bochs by Spark: good"
