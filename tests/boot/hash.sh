# The same image, options and key script, run in two processes from two directories, end with the
# same state hash over processor, memory and devices: GRUB's menu with keys, and Ember's prompt.
# A third run with one key changed must not.
# usage: hash.sh KILN BUILD
. "$(dirname "$0")/lib.sh"
why=$(grub_missing) && { echo "skipped: $why"; exit 77; }
mkdir -p "$dir/a" "$dir/b/deeper" "$dir/files"
cp "$build/ember.elf" "$dir/files/" || exit 1
grub_disk "$dir" || exit 1

# hash_of FOLDER KEYS IMAGE ARGS...
hash_of() {
    cp "$3" "$dir/$1/disk.img"
    keys=$2
    cd "$dir/$1" || exit 1
    shift 3
    shown="kiln in $1"
    "$kiln" -display none -serial file:serial -m 64 --timeout 800 --keys "$keys" "$@" --state-hash \
        disk.img 2>err </dev/null || { cat err; exit 1; }
    sed -n 's/^state-hash: //p' err
}

# same NAME KEYS OTHER_KEYS IMAGE ARGS...
same() {
    name=$1 keys=$2 other=$3 image=$4
    shift 4
    a=$(hash_of a "$keys" "$image" "$@")
    b=$(hash_of b/deeper "$keys" "$image" "$@")
    c=$(hash_of a "$other" "$image" "$@")
    echo "$name: $a $b, with another key $c"
    [ -n "$a" ] && [ "$a" = "$b" ] || { echo "FAILED: $name: the hashes differ"; failures=1; }
    [ "$a" != "$c" ] || { echo "FAILED: $name: another key makes no difference"; failures=1; }
}

same GRUB '{screen:second entry}{down}{up}c{screen:grub>}ab' '{screen:second entry}{down}{up}c{screen:grub>}ac' \
    "$dir/disk.img" --max-insns 300M
same Ember '{screen:ember>}mem\npci\n' '{screen:ember>}mem\npcj\n' "$build/guestos/prompt.img" --max-insns 30M
finish
