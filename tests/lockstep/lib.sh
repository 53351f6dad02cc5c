# Sourced by the scripts here. $1: kiln, $2: the build folder. A scratch directory, failures that count.
kiln=$(readlink -f "$1")
build=$(readlink -f "$2")
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
unset KILN_ACCEL
TMPDIR=$dir
export TMPDIR
. "$here/../boot/grub_disk.sh"
cd "$dir" || exit 1

fail() {
    failures=$((failures + 1))
    echo "FAILED: $1"
    tail -${2:-12} err 2>/dev/null | sed 's/^/  stderr: /'
}

# lockstep KEYS ARGS...: a run in lock step; its output in out, its words in err, its status in $status
lockstep() {
    keys=$1
    shift
    "$kiln" -accel "lockstep,$keys" -display none -serial file:out -snapshot --stats --timeout 20000 "$@" \
        >stdout 2>err </dev/null
    status=$?
}

# again FOLDER ARGS...: its reproducer
again() {
    "$kiln" lockstep "$@" -serial file:again >stdout 2>err </dev/null
    status=$?
}

says() { grep -q -e "$1" err || fail "it does not say: $1"; }

finish() {
    [ -z "$(find "$dir" -maxdepth 1 -name 'kiln-lockstep-*')" ] || fail "kept states were left in TMPDIR"
    [ $failures = 0 ] || { echo "$failures failed"; exit 1; }
    echo "all good"
    exit 0
}
