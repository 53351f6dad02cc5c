# Sourced by the scripts here: a scratch directory, checks that count, the verdict at the end.
kiln=$1
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
. "$here/sectors.sh"

# run ARGS...: runs kiln without input; leaves $status, $dir/out, $dir/err.
run() {
    shown="kiln $*"
    "$kiln" "$@" >"$dir/out" 2>"$dir/err" </dev/null
    status=$?
}

fail() {
    failures=$((failures + 1))
    echo "FAILED: $shown"
    echo "  $1"
    sed 's/^/  stderr: /' "$dir/err" | head -20
}

is_status() {
    [ "$status" = "$1" ] || fail "status $status, not $1"
}

says() {
    grep -qF -- "$1" "$dir/err" || fail "stderr does not say: $1"
}

# no_word TEXT: stderr must not contain it
no_word() {
    if grep -qF -- "$1" "$dir/err"; then fail "stderr says: $1"; fi
}

stdout_is() {
    printf '%b' "$1" >"$dir/expected"
    cmp -s "$dir/out" "$dir/expected" || fail "stdout is '$(head -c 200 "$dir/out")', not '$1'"
}

finish() {
    [ $failures = 0 ] || { echo "$failures failed"; exit 1; }
    echo "all good"
    exit 0
}
