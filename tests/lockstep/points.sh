# Both engines at random points of a boot: points.c says how.
# usage: points.sh PROGRAM BUILD prompt|ember|grub|debian ENGINE POINTS INSTRUCTIONS SEED
program=$1 build=$2 guest=$3
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
. "$here/../boot/grub_disk.sh"
mib=64
case $guest in
prompt) cp "$build/guestos/prompt.img" "$dir/disk.img" || exit 1 ;;
ember) cp "$build/ember.img" "$dir/disk.img" || exit 1 ;;
grub)
    why=$(grub_missing) && { echo "skipped: $why"; exit 77; }
    mkdir -p "$dir/files"
    cp "$build/ember.elf" "$dir/files/" || exit 1
    GRUB_TIMEOUT=0 grub_disk "$dir" || exit 1
    ;;
debian)
    . "$here/../boot/debian_disk.sh"
    why=$(debian_missing) && { echo "skipped: $why"; exit 77; }
    debian_disk "$dir" ext4 "poweroff -f" "console=ttyS0 quiet" || exit 1
    mib=256
    ;;
esac
"$program" "$build/spark.bin" "$build/vgabios.bin" "$dir/disk.img" "$4" "$5" "$6" "$7" $mib
