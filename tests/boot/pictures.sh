# The picture of a linear mode is QEMU's screendump, byte by byte: GRUB's gfxterm with its menu, and a stock
# Debian's console on vesafb. That of memtest86+'s text screen is, cell by cell (cells.awk), at its settings. Spark and
# our video BIOS in both; the screen rests when it is looked at.
# usage: pictures.sh KILN BUILD gfxterm|vesafb|memtest
kiln=$(readlink -f "$1") build=$(readlink -f "$2")
here=$(cd "$(dirname "$0")" && pwd)
what=$3
skip() { echo "skipped: $1"; exit 77; }
. "$here/grub_disk.sh"
. "$here/debian_disk.sh"
command -v qemu-system-x86_64 >/dev/null || skip "no QEMU"
font=/usr/share/grub/unicode.pf2 iso=/usr/lib/memtest86+/memtest86+x64.iso
if [ "$what" = memtest ]; then
    [ -f $iso ] || skip "no $iso (memtest86+)"
else
    [ -f $font ] || skip "no $font (grub-common)"
    why=$(grub_missing) && skip "$why"
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
. "$here/../spark/lib.sh"
LIMIT=1600
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
memtest) size=864015 ;; # 720x400
esac

# dump: the screen as it is now, to now.ppm
dump() {
    rm -f now.ppm
    echo "screendump now.ppm" >&3
    for tenth in $(seq 600); do
        [ -f now.ppm ] && [ "$(wc -c <now.ppm)" = "${size:-2359312}" ] && return 0
        sleep 0.1
    done
    return 1
}
# The last words come to COM1 before they stand on the screen. So QEMU's picture is one that five dumps
# repeat, and Kiln's has a minute to become the same.
rests() { cp now.ppm last.ppm; sleep 0.5; dump && cmp -s now.ppm last.ppm; }
same() { dump && cp now.ppm kiln.ppm && cmp -s kiln.ppm qemu.ppm; }
says_so() { [ -f serial.txt ] && grep -aq resting serial.txt; }

# text: text memory, by a command that both monitors have, 25 lines of numbers in text.txt, to read in screen.txt
text() {
    mark=$(wc -c <monitor.log)
    echo "xp /4000ub 0xb8000" >&3
    for tenth in $(seq 600); do
        tail -c +"$((mark + 1))" monitor.log | grep -aq '^0*b8f98:' && break
        kill -0 $pid 2>/dev/null || return 1
        sleep 0.1
    done
    tail -c +"$((mark + 1))" monitor.log | tr -d '\r' | sed -n 's/^0*b8[0-9a-f]*: *//p' | xargs -n 160 >text.txt
    awk '{ s = ""; for (i = 1; i <= NF; i += 2) s = s sprintf("%c", $i < 32 ? 32 : $i); print s }' text.txt >screen.txt
}
shows() { text && grep -aqF "$1" screen.txt; }
if [ "$what" = memtest ]; then
    for emulator in qemu-system-x86_64 "$kiln"; do
        start "$build/spark.bin" "$build/vgabios.bin" -cdrom $iso -boot d
        PATIENCE=300
        wait_screen "Press <F1>"
        echo "sendkey f1" >&3
        wait_screen "Exit menu"
        until_true dump || fail "$emulator shows nothing of 720x400"
        until_true rests || fail "$emulator's screen does not rest"
        text || fail "no text"
        mv text.txt "$(basename "$emulator").text"
        tail -c 864000 now.ppm | od -An -v -tu1 -w2160 >"$(basename "$emulator").dots"
        stop
    done
    awk -f "$here/cells.awk" qemu-system-x86_64.text qemu-system-x86_64.dots kiln.text kiln.dots
    exit
fi

colours_of() { tail -c +17 "$1" | od -An -v -tx1 -w3 | sort -u | wc -l; }
for emulator in qemu-system-x86_64 "$kiln"; do
    start "$build/spark.bin" "$build/vgabios.bin" -m 256 -snapshot -drive file=disk.img,format=raw,if=ide
    PATIENCE=1500
    until_true says_so || fail "$emulator does not come to rest"
    PATIENCE=60
    if [ "$emulator" = qemu-system-x86_64 ]; then
        until_true dump || fail "QEMU shows nothing of 1024x768"
        for again in 1 2 3 4 5; do
            until_true rests || fail "QEMU's screen does not rest"
        done
        [ "$(colours_of now.ppm)" -ge 2 ] ||
            { stop; skip "in QEMU, too, the screen has one colour: a kernel without a framebuffer console (Debian's for clouds)"; }
        cp now.ppm qemu.ppm
    else
        until_true same
    fi
    stop
done
colours=$(colours_of kiln.ppm)
[ "$colours" -ge 2 ] || { echo "FAIL: a picture of $colours colours"; exit 1; }
cmp kiln.ppm qemu.ppm || { cp ./*.ppm "${KEEP:-/dev/null}" 2>/dev/null; exit 1; }
echo "the pictures are equal, $colours colours"
