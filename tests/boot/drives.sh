# Disks on AHCI, CDs on IDE and on AHCI, a floppy: made by GRUB, xorriso, mtools and syslinux, booted by Spark
# or by SeaBIOS in Kiln, or by SeaBIOS in QEMU, which must show the same. GRUB's own drivers too.
# usage: drives.sh KILN BUILD spark|seabios|qemu
. "$(dirname "$0")/lib.sh"
why=$(grub_missing) && { echo "skipped: $why"; exit 77; }
for need in grub-mkrescue xorriso syslinux mformat mcopy; do
    command -v $need >/dev/null || { echo "skipped: no $need"; exit 77; }
done
world=$3
case $world in
seabios)
    need_seabios
    firmware=$seabios_firmware ;;
qemu) command -v qemu-system-x86_64 >/dev/null || { echo "skipped: no QEMU"; exit 77; } ;;
*) firmware= ;;
esac
modules=/usr/lib/syslinux/modules/bios
[ -f $modules/ldlinux.c32 ] || { echo "skipped: no syslinux modules"; exit 77; }

# ---- images ----
mkdir -p "$dir/ahci" "$dir/pata" "$dir/cd/boot/grub"
grub_disk "$dir" || exit 1
GRUB_DRIVERS="biosdisk ahci" grub_disk "$dir/ahci" || exit 1
GRUB_DRIVERS="biosdisk pata" grub_disk "$dir/pata" || exit 1
cat >"$dir/cd/boot/grub/grub.cfg" <<'CFG'
serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
cat /hello.txt
set timeout=30
menuentry "cd entry" { true }
CFG
echo "hello from the cd" >"$dir/cd/hello.txt"
grub-mkrescue -d $grub_lib -o "$dir/cd.iso" "$dir/cd" >"$dir/mkrescue" 2>&1 || { cat "$dir/mkrescue"; exit 1; }
dd if=/dev/zero of="$dir/fd.img" bs=1024 count=1440 status=none
mformat -i "$dir/fd.img" -f 1440 ::
mcopy -i "$dir/fd.img" $modules/ldlinux.c32 ::
printf 'SERIAL 0 115200\nDEFAULT none\nPROMPT 1\n' >"$dir/syslinux.cfg"
mcopy -i "$dir/fd.img" "$dir/syslinux.cfg" ::
syslinux --install "$dir/fd.img" || exit 1

# ---- running: KEYS are typed on COM1 once the screen or the port says FIRST; TEXT ends it ----
boots() { # FIRST KEYS TEXT ARGS...
    first=$1 keys=$2 text=$3
    shift 3
    if [ $world != qemu ]; then
        typed=
        [ -n "$keys" ] && typed="{serial:$first}$keys"
        run $firmware -m 64 -snapshot ${typed:+--keys "$typed"} --until "serial:$text" "$@"
        is_status 0
        return
    fi
    shown="qemu $*"
    : >"$dir/serial" >"$dir/err"
    rm -f "$dir/in"
    mkfifo "$dir/in"
    nice qemu-system-x86_64 -m 64 -snapshot -display none -net none -serial stdio -monitor none "$@" \
        <"$dir/in" >"$dir/serial" 2>"$dir/err" &
    pid=$!
    exec 3>"$dir/in"
    sent=
    for try in $(seq 3000); do
        if [ -z "$sent" ] && [ -n "$keys" ] && grep -aqF -- "$first" "$dir/serial"; then
            sleep 1
            printf "$(printf '%s' "$keys" | sed 's/\\n/\\r/g')" >&3
            sent=1
        elif [ -n "$sent" ] && [ $((try % 100)) = 0 ]; then
            printf '\r' >&3 # a slow machine may have lost one
        fi
        grep -aqF -- "$text" "$dir/serial" && break
        sleep 0.2
    done
    exec 3>&-
    kill $pid 2>/dev/null
    wait $pid 2>/dev/null
    serial_says "$text"
}

# ---- AHCI ----
ahci="-device ahci,id=a -device ide-hd,drive=d,bus=a.0"
boots "second entry" "c" "grub>" -drive file="$dir/disk.img",format=raw,if=none,id=d $ahci
boots "second entry" 'cls\ncat (ahci0,msdos1)/hello.txt\n' "hello from ext2" \
    -drive file="$dir/ahci/disk.img",format=raw,if=none,id=d $ahci
serial_says "(ahci0) (ahci0,msdos1)"
boots "second entry" 'cls\ncat (ata0,msdos1)/hello.txt\n' "hello from ext2" \
    -drive file="$dir/pata/disk.img",format=raw
serial_says "(ata0) (ata0,msdos1)"

# ---- CDs ----
boots "cd entry" "" "hello from the cd" -boot d -cdrom "$dir/cd.iso"
boots "cd entry" "" "hello from the cd" -boot d -drive file="$dir/cd.iso",format=raw,media=cdrom,if=none,id=d \
    -device ahci,id=a -device ide-cd,drive=d,bus=a.2

# ---- floppy ----
# COM1 speaks once syslinux has read its configuration.
boots "boot:" "" "boot:" -boot a -drive file="$dir/fd.img",format=raw,if=floppy
finish
