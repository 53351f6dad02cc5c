# Sourced by the scripts here: a scratch directory, boot sectors with symbols, checks that count.
kiln=$1
here=$(dirname "$0")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failures=0

# sector NAME: assembles NAME.S to $dir/NAME.elf and $dir/NAME.img
sector() {
    cc -c -m64 "$here/$1.S" -o "$dir/$1.o" &&
        ld -m elf_x86_64 -Ttext 0x7c00 -o "$dir/$1.elf" "$dir/$1.o" &&
        objcopy -O binary "$dir/$1.elf" "$dir/$1.img" || exit 1
}

fail() {
    failures=$((failures + 1))
    echo "FAILED: $1"
}

# has FILE TEXT: a line of FILE contains TEXT
has() {
    grep -qF -- "$2" "$1" || fail "no '$2' in $(basename "$1"): $(head -3 "$1")"
}

# same NAME FILE FILE: no difference
same() {
    diff "$2" "$3" >"$dir/difference" || {
        fail "$1 differ:"
        head -20 "$dir/difference"
    }
}

finish() {
    [ $failures = 0 ] || { echo "$failures failed"; exit 1; }
    echo "all good"
    exit 0
}
