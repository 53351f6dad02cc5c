# Sourced by the scripts here. $1: kiln, $2: the build folder. A scratch directory, failures that count.
kiln=$(readlink -f "$1")
build=$(readlink -f "$2")
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
. "$here/../boot/grub_disk.sh"

fail() {
    failures=$((failures + 1))
    echo "FAILED: $1"
    tail -5 "$dir/err" 2>/dev/null | sed 's/^/  stderr: /'
}

finish() {
    [ $failures = 0 ] || { echo "$failures failed"; exit 1; }
    echo "all good"
    exit 0
}
