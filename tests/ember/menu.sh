#!/bin/sh
# The loader's menu on COM1 and on the screen, its configuration, what it says when something cannot
# be started, and a multiboot kernel that is not Ember.
# usage: menu.sh PROMPT.IMG WORKDIR EMULATOR [OPTIONS...]: the machine has 64 MiB
src=$(cd "$(dirname "$0")" && pwd)
image=$1 dir=$2
build=$(dirname "$image")
guestos=$src/../../guestos
shift 2
. "$src/lib.sh"
PATH=$PATH:/usr/sbin:/sbin
need "$1" as ld mke2fs debugfs
rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || exit 1
emulator=$*

# disk ROOT: disk.img with the files of ROOT and Ember's kernel
disk() {
    sh "$guestos/boot/mkdisk.sh" "$PWD/disk.img" 7 1024 "$1" /dev/null "$build/kernel.elf" "$PWD/work" \
        "$build/ember_mkimage" "$build/boot/mbr.bin" "$build/boot/vbr.bin" "$build/boot/loader.bin" ||
        fail "no disk"
}
# begin: starts the machine with disk.img; expect TEXT: COM1 says it, after what was expected before
begin() {
    # shellcheck disable=SC2086
    start $emulator -drive file=disk.img,format=raw,snapshot=on
}
came() { tail -c +$((seen + 1)) serial.txt | grep -qaF -- "$text"; }
expect() {
    text=$1
    until_true came || fail "COM1 does not say: $text"
    before=$(tail -c +$((seen + 1)) serial.txt | grep -abF -- "$text" | head -n 1 | cut -d: -f1)
    seen=$((seen + before + ${#text}))
}
# send TEXT: keys of a terminal, as printf wants them
send() { printf "$1" >&3; }
# never TEXT: it did not come up to now
never() {
    tail -c +$((seen + 1)) serial.txt | grep -qaF -- "$1" && fail "COM1 says: $1"
}
clock="a key stops the clock"

# ---- Ember's own disk: cursor keys, digits, editing, errors, over COM1
cp -R "$guestos/prompt" root
cp "$image" disk.img
begin
expect "1  Ember"
expect "2  Ember, with the message"
expect "starts in 3 s; $clock"
send '\033[B\033[B\033OA\033[B\033[A\033[F\r' # 2 1 2 1 2 2
expect "kernel: /boot/ember prompt motd"
expect "module: /etc/motd message of the day"
wait_prompt
ask boot
says "Loaded by Ember loader 2, command line: prompt motd" "Module 0: " \
    " $(wc -c <root/etc/motd) bytes, /etc/motd message of the day"
[ $((0x$(sed -n 's/^Module 0: \([0-9a-f]*\),.*/\1/p' answer.txt) % 4096)) = 0 ] || fail "no page"
frames_2=$(sed -n 's/^Frames: [0-9]* of \([0-9]*\) free.*/\1/p' serial.txt)

printf 'reboot\n' >&3
expect "$clock"
send 'x'           # stops the clock and does nothing else
expect "Up and Down"
send 'e'
expect "Esc goes back"
send ' qiet\033[D\033[D\033[Du\033[4~ lasx\177t\033[1~\033[3~/\033[F!\r'
expect "kernel: /boot/ember prompt quiet last!"
wait_prompt
ask boot
says "command line: prompt quiet last!"
grep -q Module answer.txt && fail "a module without being asked"
frames_1=$(sed -n 's/^Frames: [0-9]* of \([0-9]*\) free.*/\1/p' serial.txt | tail -n 1)
[ "$frames_1" -gt "$frames_2" ] || fail "a module's memory is given away: $frames_1, $frames_2 frames"

printf 'reboot\n' >&3
expect "$clock"
# edited LINE MESSAGE: instead of the entry's line; the menu comes back with the message
edited() {
    send 'e'
    expect "Esc goes back"
    send '\025'
    send "$1"
    send '\r'
    expect "what shall be started?"
    expect "$2"
}
edited "/boot/none some words" "no such file: /boot/none"
edited "/etc/motd/x" "a part of the path is no directory: /etc/motd/x"
edited "/boot" "no regular file: /boot"
edited "/etc/motd" "the kernel has no multiboot header"
edited "" "no kernel is named"
send 'e'
expect "Esc goes back"
send '\025/boot/none\033'
expect "> /boot/none"
# The next key waits until the rows below the menu are emptied: Esc was no sequence's first byte then.
left() { tail -c 20 serial.txt | grep -qaF "$(printf '\033[24;1H')"; }
until_true left || fail "Esc does not lead back to the menu"
send '1'
expect "kernel: /boot/ember"
wait_prompt
ask boot
says "Loaded by Ember loader 2"
end
echo "menu, editing and errors on COM1"

# ---- the keyboard and the screen; a monitor types and looks (the chosen row is black on grey)
for how in default down digit edit; do
    # shellcheck disable=SC2086
    launch monitor.txt $emulator -drive file=disk.img,format=raw,snapshot=on -display none \
        -serial file:serial.txt -monitor stdio
    expect "2  Ember, with"
    expect "$clock"
    row() { # ROW: the attribute of its first character
        : >monitor.txt
        echo "xp/1xb $((0xb8001 + $1 * 160))" >&3
        until_true grep -q ': 0x[0-9a-f][0-9a-f]' monitor.txt || fail "no monitor"
        sed -n 's/.*: \(0x[0-9a-f][0-9a-f]\).*/\1/p' monitor.txt | head -n 1
    }
    marked() { [ "$(row 2)$(row 3)" = "$1" ]; }
    marked 0x700x07 || fail "the first entry is not marked: $(row 2) $(row 3)"
    case $how in
    default) expect "kernel: /boot/ember" ;;
    down)
        echo "sendkey down 20" >&3
        until_true marked 0x070x70 || fail "Down does not mark the second entry"
        echo "sendkey ret 20" >&3
        expect "kernel: /boot/ember prompt motd"
        ;;
    digit)
        echo "sendkey 2 20" >&3
        expect "kernel: /boot/ember prompt motd"
        ;;
    edit)
        echo "sendkey e 20" >&3
        expect "Esc goes back"
        for key in spc a b left delete c home delete slash end ret; do
            echo "sendkey $key 20" >&3
            [ $key = ret ] || expect "> "
        done
        expect "kernel: /boot/ember prompt ac"
        ;;
    esac
    expect "Type help for the commands."
    end
done
echo "menu on the screen, by the keyboard"

# ---- a kernel of another kind, and kernels that cannot be started
# kernel FILE BSS_BYTES
kernel() {
    as --32 --defsym BSS_BYTES="$2" -o kernel.o "$src/multiboot.S" &&
        ld -m elf_i386 -T "$src/multiboot.ld" -z noexecstack --no-warn-rwx-segments -z max-page-size=4096 \
            --build-id=none -o "$1" kernel.o || fail "multiboot.S"
}
poke() { printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }
mkdir root/k
kernel root/k/elf 100000
kernel root/k/big 100000000
head -c 8000 root/k/elf >root/k/short
cp root/k/elf root/k/entry && poke root/k/entry 24 '\000\000\100\000'
cp root/k/elf root/k/elf64 && poke root/k/elf64 4 '\002'
cp root/k/elf root/k/headers && poke root/k/headers 44 '\377\377'
cp root/k/elf root/k/far && poke root/k/far 28 '\360\377\377\377'
cp root/k/elf root/k/low && poke root/k/low 64 '\000\000\001\000' # first segment to 64 KiB
cp root/k/elf root/k/overlap && poke root/k/overlap 96 '\000\000\040\000'
seq 1 20000 >root/k/data
truncate -s 62M root/k/huge
ln -s data root/k/link
cat >root/boot/ember.cfg <<'CFG'
timeout never
title elf
 kernel   /k/elf   one  two
	module /etc/motd first module
module /k/link
module /etc/hostname
title big
kernel /k/big
title module missing
kernel /k/elf
module /etc/none
title module too large
kernel /k/elf
module /k/huge
title no kernel
CFG
disk root
begin
expect "5  no kernel"
for n in '2:does not fit into memory' '3:no such file: /etc/none' '4:memory has no room for 65011712 bytes' \
    '5:no kernel is named: no kernel'; do
    send "${n%%:*}"
    expect "what shall be started?"
    expect "${n#*:}"
done
edited /k/short "lies outside of the file"
edited /k/entry "entry point 400000 is in none of its segments"
edited /k/elf64 "no ELF32 executable"
edited /k/headers "65535 program headers"
edited /k/far "ends at byte"
edited /k/low "kernel segment 0 (at 10000"
edited /k/overlap "kernel segments 0 and 1 overlap"
send 1
expect "starting it"
byte_sum() { od -An -v -tu1 "$1" | awk '{ for (i = 1; i <= NF; i++) s += $i } END { printf "%08x", s }'; }
expect "loader: Ember loader 2"
expect "command line: one  two"
for module in "/etc/motd first module:root/etc/motd" "/k/link:root/k/data" "/etc/hostname:root/etc/hostname"; do
    file=${module#*:}
    expect "module: ${module%%:*}, bytes $(printf %08x "$(wc -c <"$file")"), sum $(byte_sum "$file")"
done
expect "the test kernel ends"
end
echo "another multiboot kernel, its modules, and kernels that cannot be started"

# ---- configurations
# config TEXT: starts a disk with that configuration
config() {
    printf '%s' "$1" >root/boot/ember.cfg
    disk root
    begin
}
rm -rf root/k
config "$(printf '# comment\r\n\r\ntimeout 1\r\ndefault 2\r\ntitle first\r\nkernel /boot/none\r\n'
    printf 'title second \r\nkernel /boot/ember prompt dos\r\n')"
expect "second"
expect "starts in 1 s"
expect "kernel: /boot/ember prompt dos"
expect "Type help"
end
config "timeout 0
title one
kernel /boot/ember at once"
expect "by EDD"
expect "kernel: /boot/ember at once"
end
grep -aq "what shall be started" serial.txt && fail "a menu, in spite of timeout 0"
# wrong TEXT CONFIGURATION: what the menu says about it; it does not count down
wrong() {
    config "$2"
    expect "what shall be started"
    expect "/boot/ember.cfg$1"
    send '\r'
    expect "kernel: /boot/ember"
    end
    grep -aq "$clock" serial.txt && fail "a countdown, in spite of: $1"
}
entry='title a
kernel /boot/ember
'
wrong ', line 3: "timeuot" is unknown' "${entry}timeuot 3
colour red"
wrong ', line 1: "kernel" needs a title before it' "kernel /boot/ember
$entry"
wrong ', line 3: "timeout" wants a number up to 9999' "${entry}timeout soon"
wrong ', "default 2", but there are 1 entries' "${entry}default 2"
wrong ', line 1: "title" needs a value' "title
kernel /boot/ember"
wrong ', line 3: "kernel" is longer than 255 characters' "${entry}kernel /boot/ember $(printf %0300d 0)"
wrong ', no entry; an entry begins with "title"' ""
wrong ', line 18: "title" is one more than 16 entries' \
    "$entry$(for i in 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do echo "title $i"; done)"
wrong " is longer than 16384 bytes" "$entry#$(printf %016384d 0)"
rm root/boot/ember.cfg
disk root
begin
expect "1  Ember"
expect "no such file: /boot/ember.cfg"
send '\r'
expect "Ember 0."
end
echo "configurations, good and wrong"
