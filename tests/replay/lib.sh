# Sourced by the scripts here. usage of each: script.sh KILN BUILD ...
kiln=$1 build=$2
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

fail() {
    failures=$((failures + 1))
    echo "FAILED: $1"
    [ -s "$dir/err" ] && sed 's/^/  stderr: /' "$dir/err" | tail -8
}

hash_in() { sed -n 's/^state-hash: //p' "$1"; }

# record LOG ARGS...: a run without a window; its stderr in $dir/rec.err
record() {
    log=$1
    shift
    "$kiln" -display none --timeout 300 --state-hash --record "$log" "$@" 2>"$dir/rec.err" </dev/null
}

# replay LOG ARGS...: $status, $dir/err
replay() {
    "$kiln" replay "$@" --state-hash --timeout 300 2>"$dir/err" </dev/null
    status=$?
}

# same LOG: its replay ends as the recording did, by both programs' own words
same() {
    replay "$@"
    [ $status = 0 ] || fail "$1: replay ended with $status"
    grep -q 'replayed: same state' "$dir/err" || fail "$1: no 'same state'"
    [ -n "$(hash_in "$dir/rec.err")" ] && [ "$(hash_in "$dir/rec.err")" = "$(hash_in "$dir/err")" ] ||
        fail "$1: the state hashes differ: $(hash_in "$dir/rec.err") $(hash_in "$dir/err")"
}

finish() {
    [ $failures = 0 ] || { echo "$failures failed"; exit 1; }
    echo "all good"
    exit 0
}
