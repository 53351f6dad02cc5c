# Writes reach the image, and with -snapshot they do not; nobody else may write meanwhile.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1

sector write.img "$WRITE_SECTOR"
printf 'before' | dd of=write.img bs=512 seek=1 conv=notrunc 2>/dev/null
cp write.img copy.img
run -display none -snapshot --on-halt exit --timeout 20 write.img
is_status 74
cmp -s write.img copy.img || fail "-snapshot changed the image"
run -display none --on-halt exit --timeout 20 write.img
is_status 74
if cmp -s write.img copy.img; then fail "nothing was written"; fi

sector loop.img "$LOOP"
"$kiln" -display none --timeout 10 loop.img 2>/dev/null </dev/null &
pid=$!
sleep 1
run -display none --timeout 1 loop.img
is_status 1
says "in use"
kill $pid
wait $pid
run -display none -snapshot --timeout 0.3 loop.img
is_status 124

printf 'short' >short.img
run -display none --max-insns 1000 short.img
says "no multiple of 512"
says "55 AA"
says "73 68 6f 72 74"
finish
