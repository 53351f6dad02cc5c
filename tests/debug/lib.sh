# Sourced by the scripts here: a scratch directory, checks that count, gdb in batch mode.
# usage of a script: script.sh KILN BUILD_DIRECTORY
kiln=$1
build=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0
. "$(dirname "$0")/../cli/sectors.sh"

need() {
    for program in "$@"; do
        command -v "$program" >/dev/null || { echo "skipped: no $program"; exit 77; }
    done
}

fail() {
    failures=$((failures + 1))
    echo "FAILED: $1"
}

# has FILE TEXT ...: some line of FILE contains TEXT, for each
has() {
    file=$1
    shift
    for text in "$@"; do
        grep -qF -- "$text" "$file" || {
            fail "no '$text' in $(basename "$file"):"
            tail -n 40 "$file" | cut -c1-100
        }
    done
}

# in_order FILE TEXT ...: lines with the texts follow one another
in_order() {
    file=$1
    shift
    rest=$file
    for text in "$@"; do
        n=$(grep -nF -m 1 -- "$text" "$rest" | cut -d: -f1)
        [ -n "$n" ] || {
            fail "no '$text' in its place in $(basename "$file"):"
            tail -n 40 "$file" | cut -c1-100
            return
        }
        tail -n +$((n + 1)) "$rest" >"$dir/rest.new"
        mv "$dir/rest.new" "$dir/rest"
        rest=$dir/rest
    done
}

# gdb_says OUTPUT: runs gdb on the commands of standard input. $kiln and $dir may stand in them.
gdb_says() {
    {
        echo "set pagination off"
        echo "set confirm off"
        echo "set width 0"
        echo "set remotetimeout 120" # a loaded host takes its time
        echo "set debuginfod enabled off"
        cat
    } >"$dir/commands"
    timeout 240 gdb -nx -batch -x "$dir/commands" >"$1" 2>&1 </dev/null
}

finish() {
    [ $failures = 0 ] || { echo "$failures failed"; exit 1; }
    echo "all good"
    exit 0
}
