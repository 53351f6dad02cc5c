# --until, --max-insns, --state-hash, --screenshot: exact, and the same in every run.
. "$(dirname "$0")/lib.sh"
cd "$dir" || exit 1

sector loop.img "$LOOP"
run -display none --max-insns 50M --state-hash --timeout 60 loop.img
is_status 0
first=$(grep '^state-hash: [0-9a-f]\{16\}$' err) || fail "no hash"
mkdir other && cp loop.img other/ && cd other || exit 1
"$kiln" -display none --max-insns 50M --state-hash --timeout 60 loop.img 2>../err </dev/null
cd ..
[ "$first" = "$(grep '^state-hash: ' err)" ] || fail "another hash: $first"

sector ok.img "$SERIAL_OK"
run -display none --until serial:OK --state-hash --timeout 60 ok.img
is_status 0
first=$(grep '^state-hash: ' err)
run -display none --until serial:OK --state-hash --timeout 60 ok.img
[ "$first" = "$(grep '^state-hash: ' err)" ] || fail "--until ends elsewhere: $first"

sector post.img "$POST_5A"
run -display none --until port:0x80 --timeout 20 post.img
is_status 0

sector xy.img "$SCREEN_XY"
run -display none --until screen:XY --screenshot s.png --timeout 20 xy.img
is_status 0
[ "$(head -c 4 s.png | tail -c 3)" = PNG ] || fail "no PNG"

run -display none --until serial:OK --timeout 20 --stats ok.img
is_status 0
grep -qi insn err || grep -qi instruction err || fail "--stats names no instructions"
run -display none --max-insns 1M --screenshot /nonexistent/s.png loop.img
is_status 1
says "no screenshot"
finish
