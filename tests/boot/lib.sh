# Sourced by the scripts here. $1: kiln, $2: the build folder with its images. A scratch directory,
# checks that count, the verdict at the end.
kiln=$1
build=$2
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
seabios=/usr/share/seabios
seabios_firmware="-bios $seabios/bios.bin --vgabios $seabios/vgabios-stdvga.bin"
. "$here/grub_disk.sh"

# run ARGS...: runs kiln without a window and without input; $status, $dir/serial, $dir/err.
run() {
    shown="kiln $*"
    "$kiln" -display none -serial "file:$dir/serial" --timeout 800 "$@" 2>"$dir/err" </dev/null
    status=$?
}

fail() {
    failures=$((failures + 1))
    echo "FAILED: $shown"
    echo "  $1"
    sed 's/^/  stderr: /' "$dir/err" | tail -20
    tail -c 1000 "$dir/serial" | sed 's/^/  serial: /'
}

is_status() {
    [ "$status" = "$1" ] || fail "status $status, not $1"
}

serial_says() {
    grep -aqF -- "$1" "$dir/serial" || fail "serial does not say: $1"
}

# need_seabios: skips the test where the package is not there
need_seabios() {
    [ -f $seabios/bios.bin ] || { echo "skipped: no SeaBIOS"; exit 77; }
}

finish() {
    [ $failures = 0 ] || { echo "$failures failed"; exit 1; }
    echo "all good"
    exit 0
}
