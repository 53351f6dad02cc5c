# Sourced: a machine in Bochs, headless, for a fixed number of its ticks, so that the moment of
# looking does not depend on the host. Its display is a VNC server that waits for nobody: the one
# for terminals writes to a pseudoterminal of its own, and a guest whose screen scrolls stands
# still when nobody reads that.

bochs_missing() {
    command -v bochs >/dev/null && return 1
    echo "no bochs"
}

# bochs_config MEGS BIOS VGABIOS IMAGE CYLINDERS IPS: the machine's file, rc. IMAGE has 16 heads of 63
# sectors, or is a CD where CYLINDERS is 0; IPS ticks are a second, COM1 goes to com1.txt.
bochs_config() {
    case $5 in
    0) drive="ata1-master: type=cdrom, path=$4, status=inserted" boot=cdrom ;;
    *) drive="ata0-master: type=disk, path=$4, mode=flat, cylinders=$5, heads=16, spt=63" boot=disk ;;
    esac
    cat >rc <<RC
megs: $1
romimage: file=$2
vgaromimage: file=$3
ata1: enabled=1, ioaddr1=0x170, ioaddr2=0x370, irq=15
$drive
com1: enabled=1, mode=file, dev=com1.txt
boot: $boot
display_library: rfb, options="timeout=0"
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
log: bochs.log
panic: action=fatal
cpu: ips=$6
RC
}

# bochs_run BIOS VGABIOS IMAGE CYLINDERS IPS TICKS [ADDRESS]: $MEGS of 64 MiB, for so many ticks; with the
# linear ADDRESS of text memory, as it is mapped at the end, the screen goes to screen.txt.
bochs_run() {
    rm -f "$3.lock" com1.txt vga.bin
    bochs_config "${MEGS:-64}" "$1" "$2" "$3" "$4" "$5"
    printf 'sb %s\nc\n%sq\n' "$6" "${7:+writemem \"vga.bin\" $7 4000
}" >commands
    timeout 800 bochs -q -f rc -rc commands >debugger.log 2>&1 </dev/null
    [ -z "$7" ] && return
    [ -f vga.bin ] || { echo "FAIL: Bochs did not come to its end"; tail -n 5 bochs.log; exit 1; }
    od -An -v -tu1 -w160 vga.bin |
        awk '{ s = ""; for (i = 1; i <= NF; i += 2) s = s sprintf("%c", $i < 32 ? 32 : $i); print s }' \
            >screen.txt
}
