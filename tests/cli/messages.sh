# Every message says what, why and what to try; a bad option is status 1 and nothing on stdout.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1

bad() { # bad WORDS ARGS...: status 1, stderr has WORDS
    words=$1
    shift
    run "$@"
    is_status 1
    says "$words"
    stdout_is ""
}

run --help
is_status 0
grep -q QEMU out || fail "--help lacks the word QEMU"
run -version
is_status 0

bad "did you mean -snapshot?" -snapshoot x.img
bad "did you mean --timeout?" --timeuot 3 x.img
bad "no such file" -display none nosuch.img
bad "is a directory" -display none .
bad "no disk image given"

: >empty.img
bad "truncate -s 64M" -display none empty.img
sector disk.img "$LOOP"
printf 'QFI\373' | dd of=disk.img conv=notrunc 2>/dev/null
bad "qemu-img convert -O raw" -display none disk.img
cp "$kiln" program
bad "try -kernel program" -display none -hda program
truncate -s 100K cd.iso
printf '\001CD001' | dd of=cd.iso bs=1 seek=32768 conv=notrunc 2>/dev/null
bad "try -cdrom cd.iso" -display none -hda cd.iso
gzip -c disk.img >disk.img.gz
bad "try gunzip" -display none disk.img.gz

if [ "$(id -u)" != 0 ]; then
    sector ro.img "$LOOP"
    chmod 444 ro.img
    bad "try -snapshot" -display none ro.img
fi

sector disk.img "$LOOP"
# a socket takes no other file's place
cp disk.img kept.img
bad "cannot make the socket disk.img" -display none --timeout 60 -monitor unix:disk.img,server,nowait disk.img
cmp -s disk.img kept.img || fail "a socket replaced the image"

(
    unset DISPLAY WAYLAND_DISPLAY SDL_VIDEODRIVER
    run disk.img
    is_status 1
    says "no display"
    says "-display none -serial stdio"
    [ $failures = 0 ]
) || failures=$((failures + 1))
bad "both want stdout" -display none -serial stdio -debugcon stdio disk.img
bad "-o FILE" trace -serial stdio disk.img
bad "not there yet" debug disk.img
bad "-bios" -display none -bios nosuch.bin disk.img
finish
