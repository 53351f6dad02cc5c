# What a replay refuses, and why, in words; that it harms no file; what a killed recorder leaves.
# usage: refusals.sh KILN BUILD MUTANTS
. "$(dirname "$0")/lib.sh"
mutants=$3
cd "$dir" || exit 1
cp "$build/guestos/prompt.img" disk.img
record good.log -m 16 disk.img --keys '{screen:ember>}mem\n' --max-insns 3M
[ -s good.log ] || { cat rec.err; exit 1; }

# refused FILE WORDS ARGS...: status 1, the reason on stderr
refused() {
    file=$1 words=$2
    shift 2
    replay "$file" "$@"
    [ $status = 1 ] || fail "$file: status $status, not 1"
    grep -qF -- "$words" err || fail "$file: no '$words'"
}

same good.log
size=$(wc -c <good.log)
head=$(grep -abo '^sum ' good.log | head -1 | cut -d: -f1)

# truncated, wherever
for n in 0 3 20 $((head / 2)) $((head + 5)) $((head + 21)) $((head + 25)) $((head + 60)); do
    head -c "$n" good.log >cut.log
    replay cut.log
    [ $status = 1 ] || fail "cut to $n bytes: status $status"
    grep -Eq 'truncated|no input log' err || fail "cut to $n bytes: no reason"
done
head -c $((size - 1)) good.log >cut.log
refused cut.log "the input log is truncated: it ends at "
replay cut.log --partial
[ $status = 0 ] && grep -q "replayed: as far as the recording goes" err || fail "--partial: $status"

# altered: each byte of the file, by steps; and bytes behind its end
i=0
while [ $i -lt "$size" ]; do
    cp good.log bad.log
    byte=$(dd if=good.log bs=1 skip=$i count=1 2>/dev/null | od -An -tu1 | tr -d ' ')
    # shellcheck disable=SC2059
    printf "$(printf '\\%03o' $((byte ^ 1 << (i % 8))))" | dd of=bad.log bs=1 seek=$i conv=notrunc 2>/dev/null
    "$kiln" replay bad.log --timeout 60 >/dev/null 2>err </dev/null
    status=$?
    [ $status = 1 ] && [ -s err ] || { fail "byte $i altered: status $status"; break; }
    i=$((i + 23))
done
{ cat good.log; echo more; } >bad.log
refused bad.log "altered: 5 bytes follow its end"

# another host, another machine's time, another kind, no log at all
sed 's/^host .*/host x87-128/' good.log >bad.log && "$mutants" --resum bad.log
refused bad.log "another class of host (x87-128; here: "
sed 's/^definition .*/definition 999/' good.log >bad.log && "$mutants" --resum bad.log
refused bad.log "definition 999"
sed '1s/.*/Kiln input log 99/' good.log >bad.log && "$mutants" --resum bad.log
refused bad.log "format 99"
refused disk.img "no input log"
refused missing.log "No such file"
refused . "no plain file"

# the disk has changed since; it may have moved; the log's own words win over -m
mv disk.img moved.img
refused good.log "disk.img"
same good.log -hda moved.img
cp moved.img disk.img
printf X | dd of=disk.img bs=1 seek=500000 conv=notrunc 2>/dev/null
refused good.log "first disk"
cp moved.img disk.img
same good.log

# what contradicts itself
for bad in "--record x.log" "--keys a" "--nvram n" "-loadvm s"; do
    # shellcheck disable=SC2086
    refused good.log "all input comes from the recording" $bad
done
"$kiln" replay 2>err && fail "replay of nothing"
"$kiln" disk.img --partial 2>err && fail "--partial without replay"

# --record replaces recordings only, and leaves disks as they are
sum=$(cksum <disk.img)
record disk.img -m 16 disk.img --max-insns 1M
grep -q "no recording" rec.err || fail "--record onto a disk image"
record /dev/full -m 16 disk.img --max-insns 1M
grep -q "no plain file" rec.err || fail "--record onto a device"
record good.log -m 16 disk.img --max-insns 1M
grep -q "stay in memory" rec.err || fail "no word about the disk's writes"
same good.log
[ "$sum" = "$(cksum <disk.img)" ] || fail "the disk image was changed"

# a recorder that is killed; the run was paced, so that blocks were written
"$kiln" -display none -rt on -m 16 disk.img --record killed.log 2>/dev/null </dev/null &
pid=$!
i=0
while [ "$(wc -c <killed.log 2>/dev/null || echo 0)" -lt $((head + 250)) ] && [ $i -lt 600 ]; do
    sleep 0.1
    i=$((i + 1))
done
kill -9 $pid
wait $pid 2>/dev/null
refused killed.log "was the recorder killed?"
replay killed.log --partial
[ $status = 0 ] || fail "what a killed recorder left: status $status"

# a log that says something else than what happens
sed 's/^date .*/date 1704067201/' good.log >bad.log && "$mutants" --resum bad.log
refused bad.log "power-on"
finish
