#!/bin/sh
# Boots the disk and uses every command of the prompt over COM1; poweroff must end the emulator.
# usage: prompt.sh PROMPT.IMG WORKDIR EMULATOR [OPTIONS...]
# EMULATOR takes QEMU's options; OPTIONS say what machine it is (memory, firmware).
src=$(cd "$(dirname "$0")" && pwd)
image=$1 dir=$2
shift 2
. "$src/lib.sh"
need "$1"
mkdir -p "$dir" && cd "$dir" || exit 1

start "$@" -drive file="$image",format=raw,snapshot=on
wait_prompt
says "Ember loader, drive 80h, partition at 2048" "by EDD" "Ember 0." "Loaded by Ember loader" \
    "CPU: " "Memory map:" "NX on" "Disk 0: "
sectors=$(($(wc -c <"$image") / 512))
says "$sectors sectors"

ask help
for command in help boot mem pci sector uptime fault reboot poweroff; do
    grep -q "^  $command " answer.txt || fail "help does not list $command"
done

# RAM from 0 and from 1 MiB, as every PC has it; the frames are those of -m, less firmware's share.
ask mem
grep -q '^  000000000000 - 00000009f.*RAM$' answer.txt || fail "no conventional memory"
grep -q '^  000000100000 - .* RAM$' answer.txt || fail "no memory at 1 MiB"
total=$(sed -n 's/^Frames: [0-9]* of \([0-9]*\) free.*/\1/p' answer.txt)
[ -n "$total" ] && [ "$total" -gt $((126 * 256)) ] && [ "$total" -lt $((128 * 256)) ] ||
    fail "$total frames in 128 MiB"

# The board: i440FX, PIIX3 and PIIX4 power management.
ask pci
for id in 8086:1237 8086:7000 8086:7010 8086:7113; do
    says "$id"
done

# The dump is the image's own bytes.
for sector in 0 2048 0x801 $((sectors - 1)); do
    ask "sector $sector"
    sed -n 's/^[0-9a-f]\{3\}  *\(\([0-9a-f][0-9a-f] \{1,2\}\)\{16\}\).*/\1/p' answer.txt |
        tr -s ' ' '\n' | grep . >dump.txt
    dd if="$image" bs=512 skip=$((sector)) count=1 status=none |
        od -An -v -tx1 | tr -s ' ' '\n' | grep . >expected.txt
    cmp -s dump.txt expected.txt || fail "sector $sector is not what the image holds"
done
ask "sector 0"
grep -q '^1f0 .* 55 aa  ' answer.txt || fail "sector 0 does not end in 55 aa"
ask "sector $sectors"
says "beyond the disk's end"
ask "sector 0 3"
says "there is no disk 3"
ask "sector 12x"
says "sector wants numbers"
ask "sector 0xfffffffffffffffff"
says "sector wants numbers"

# The clock goes, and never backwards.
ticks() { sed -n 's/^up \([0-9]*\):\([0-9][0-9]\):\([0-9][0-9]\)\.\([0-9][0-9]\)$/\1 \2 \3 \4/p' \
    answer.txt | awk '{ print (($1 * 60 + $2) * 60 + $3) * 100 + $4 }'; }
later() { ask uptime && [ "$(ticks)" -gt "$first" ]; }
ask uptime
first=$(ticks)
[ -n "$first" ] || fail "uptime does not look like h:mm:ss.cc"
until_true later || fail "the clock stands still"

ask nonsense
says "unknown command: nonsense"
ask ""
ask "  pci   too many"
says "usage: pci"
printf 'hellp\b\bp\n' >&3
wait_prompt "after backspaces"
says "this list"

ask reboot
says "restarting" "Ember 0."
ask uptime
printf 'poweroff\n' >&3
wait_exit poweroff
[ $status = 0 ] || fail "status $status after poweroff"
end
echo "every command does what it says"
