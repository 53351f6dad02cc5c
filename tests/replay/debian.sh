# A stock Debian's boot from GRUB to power-off, with what somebody types at its shell, recorded; its replay
# has the same state at 10 random points and at its end, and COM1 says the same.
# usage: debian.sh KILN BUILD [SEED]
. "$(dirname "$0")/lib.sh"
kiln=$(readlink -f "$kiln")
. "$here/../boot/grub_disk.sh"
. "$here/../boot/debian_disk.sh"
why=$(debian_missing) && { echo "skipped: $why"; exit 77; }
cd "$dir" || exit 1
debian_disk . fat "exec sh" "console=ttyS0 quiet" || exit 1
mkfifo in
# 1750 million instructions come before the shell
points=$(awk -v seed="${3:-1}" 'BEGIN { srand(seed); for (i = 0; i < 10; i++) printf "--state-hash-at %d ", 1 + rand() * 1750000000 }')
drive="-drive file=disk.img,format=raw,if=none,id=d -device ahci,id=a -device ide-hd,drive=d,bus=a.0"
"$kiln" -display none -m 256 -snapshot $drive -serial stdio -rt off --timeout 1500 --state-hash $points \
    --record log <in >out 2>rec.err &
pid=$!
exec 3>in
for second in $(seq 1200); do
    grep -aq '/ # ' out && break
    kill -0 $pid 2>/dev/null || break
    sleep 1
done
printf 'echo $((6 * 7)) is the answer; sleep 1; poweroff -f\n' >&3
exec 3>&-
wait $pid || fail "the recorded run ended with $?"
grep -aq '42 is the answer' out || fail "the shell does not answer"

"$kiln" replay log -serial file:out2 --timeout 1500 --state-hash $points 2>err </dev/null || fail "the replay ended with $?"
grep -q 'replayed: same state' err || fail "no 'same state'"
for f in rec.err err; do
    grep '^state-hash' $f >$f.hashes
done
[ "$(wc -l <err.hashes)" = 11 ] || fail "$(wc -l <err.hashes) hashes, not 11"
cmp rec.err.hashes err.hashes || fail "the hashes differ"
cmp out out2 || fail "COM1 says something else"
cat err.hashes
finish
