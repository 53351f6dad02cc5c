# kiln bench: checksums are the host's, states are equal; a kernel that computes something else is told of;
# times come in a table; a disk runs under both engines. usage: image.sh BUILD
kiln=$1/kiln build=$1
shown="kiln bench"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
. "$(dirname "$0")/../cli/sectors.sh"
failures=0

# expect STATUS PATTERN WHAT ARGS...: the status, and a line of either output
expect() {
    wanted=$1 pattern=$2 shown="kiln bench $3"
    shift 3
    "$kiln" bench "$@" >"$dir/out" 2>"$dir/err" </dev/null
    status=$?
    if [ $status != "$wanted" ] || ! grep -q -e "$pattern" "$dir/out" "$dir/err"; then
        failures=$((failures + 1))
        echo "FAILED: $shown: status $status, not $wanted, or nothing says '$pattern'"
        cat "$dir/err" "$dir/out"
    fi
}

expect 0 "are equal: 30 of 30" "--check" --check
expect 0 "all user kernels *1 kernel" "of one kernel" --runs 2 --time 1 --kernels fib
grep -q '^fib .* equal$' "$dir/out" || { failures=$((failures + 1)); echo "FAILED: no row for fib"; cat "$dir/out"; }
expect 1 "no kernel or group 'fob'" "of an unknown kernel" --kernels fob

sector "$dir/ok.img" "$SERIAL_OK"
expect 0 "states equal" "of a disk" "$dir/ok.img" --until serial:OK --runs 2
expect 124 "ended with status 124" "of a disk that does not come to its end" "$dir/ok.img" --until serial:NO --timeout 2

# Another constant in SHA-256: the guest's checksum is not the host's any more.
cp "$kiln" "$build/bench-native" "$build/spark.bin" "$build/vgabios.bin" "$dir"
LC_ALL=C sed 's/\x98\x2f\x8a\x42/\x99\x2f\x8a\x42/' "$build/bench.img" >"$dir/bench.img"
cmp -s "$build/bench.img" "$dir/bench.img" && { failures=$((failures + 1)); echo "FAILED: the image has no such constant"; }
kiln=$dir/kiln
expect 72 "sha256 *jit's checksum is not the host's" "of a kernel that differs" --check --kernels hash64,sha256
rm "$dir/bench-native"
expect 0 "nothing to compare with the host" "without bench-native" --check --kernels sha256
printf 'no image' >"$dir/bench.img"
expect 1 "is no benchmark image" "of another file"

[ $failures = 0 ] || exit 1
echo "all good"
