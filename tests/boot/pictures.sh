# The picture of a linear mode is QEMU's screendump, byte by byte: GRUB's gfxterm with its menu, and a stock
# Debian's console on vesafb. Spark and our video BIOS in both; the screen rests when it is looked at.
# usage: pictures.sh KILN BUILD gfxterm|vesafb
kiln=$(readlink -f "$1") build=$(readlink -f "$2")
here=$(cd "$(dirname "$0")" && pwd)
what=$3
skip() { echo "skipped: $1"; exit 77; }
. "$here/grub_disk.sh"
. "$here/debian_disk.sh"
command -v qemu-system-x86_64 >/dev/null || skip "no QEMU"
font=/usr/share/grub/unicode.pf2
[ -f $font ] || skip "no $font (grub-common)"
why=$(grub_missing) && skip "$why"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
. "$here/../spark/lib.sh"
: >screen.txt

GRUB_DRIVERS="biosdisk vbe video gfxterm font sleep"
case $what in
gfxterm)
    mkdir files
    cp $font files
    GRUB_TIMEOUT=0 GRUB_MIB=32 GRUB_ENTRY="loadfont (hd0,msdos1)/unicode.pf2; set gfxmode=1024x768x32; terminal_output gfxterm; set color_normal=yellow/blue; clear; cat (hd0,msdos1)/hello.txt; lsmmap; terminal_output --append serial; echo; echo resting; sleep 10000" \
        grub_disk . || exit 1 ;;
vesafb)
    why=$(debian_missing) && skip "$why"
    DEBIAN_SETUP="set gfxpayload=1024x768x32; " debian_disk . ext4 \
        'clear; seq 1 60; ls --color=always / /bin; cat /proc/fb; echo resting >/dev/ttyS0; sleep 100000' \
        "console=tty0 quiet vt.global_cursor_default=0" || exit 1 ;;
esac

# dump: the screen as it is now, to now.ppm
dump() {
    rm -f now.ppm
    echo "screendump now.ppm" >&3
    for tenth in $(seq 600); do
        [ -f now.ppm ] && [ "$(wc -c <now.ppm)" = $((1024 * 768 * 3 + 16)) ] && return 0
        sleep 0.1
    done
    return 1
}
# The last words come to COM1 before they stand on the screen. So QEMU's picture is one that five dumps
# repeat, and Kiln's has a minute to become the same.
rests() { cp now.ppm last.ppm; sleep 0.5; dump && cmp -s now.ppm last.ppm; }
same() { dump && cp now.ppm kiln.ppm && cmp -s kiln.ppm qemu.ppm; }
says_so() { [ -f serial.txt ] && grep -aq resting serial.txt; }
for emulator in qemu-system-x86_64 "$kiln"; do
    start "$build/spark.bin" "$build/vgabios.bin" -m 256 -snapshot -drive file=disk.img,format=raw,if=ide
    PATIENCE=600
    until_true says_so || fail "$emulator does not come to rest"
    PATIENCE=60
    if [ "$emulator" = qemu-system-x86_64 ]; then
        until_true dump || fail "QEMU shows nothing of 1024x768"
        for again in 1 2 3 4 5; do
            until_true rests || fail "QEMU's screen does not rest"
        done
        cp now.ppm qemu.ppm
    else
        until_true same
    fi
    stop
done
colours=$(tail -c +17 kiln.ppm | od -An -v -tx1 -w3 | sort -u | wc -l)
[ "$colours" -ge 2 ] || { echo "FAIL: a picture of $colours colours"; exit 1; }
cmp kiln.ppm qemu.ppm || { cp ./*.ppm "${KEEP:-/dev/null}" 2>/dev/null; exit 1; }
echo "the pictures are equal, $colours colours"
