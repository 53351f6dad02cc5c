# -d out_asm and the map for perf: over a boot, the guest's side is what in_asm shows of the same boot
# in the interpreter, and watching the translator changes nothing of the run.
. "$(dirname "$0")/lib.sh"
sector long_mode
image="$dir/long_mode.img"
symbols="--sym $dir/long_mode.elf"

# run ARGS...: to the triple fault; the state's hash goes to $dir/hash
run() {
    "$kiln" -display none -snapshot "$image" --state-hash "$@" 2>"$dir/err"
    [ $? = 70 ] || fail "$*: no triple fault: $(head -1 "$dir/err")"
    grep -i 'hash' "$dir/err" >"$dir/hash" || fail "$*: no hash"
}

run -accel jit,hot=0
cp "$dir/hash" "$dir/plain"
run -accel jit,hot=0 -d in_asm,out_asm -D "$dir/out" $symbols --stats
same "the state with and without out_asm" "$dir/plain" "$dir/hash"
cp "$dir/err" "$dir/stats"
run -accel interp -d in_asm -D "$dir/in"

# Every translated instruction, address, bytes and text, is one of in_asm's. Those longer than a line
# of in_asm's are left out.
grep -c '^----' "$dir/out" >/dev/null || fail "nothing is translated"
grep -q '^IN:' "$dir/out" && fail "with out_asm, in_asm has code interpreted"
sed -n 's/^0x\([0-9a-f]*\): \(\( [0-9a-f][0-9a-f]\)*\)   *\([a-z].*\)/\1 \2 \4/p' "$dir/in" | tr -s ' ' | sed 's/ $//' | sort -u >"$dir/theirs"
sed -n 's/^  -- guest addr 0x\([0-9a-f]*\): \(\( [0-9a-f][0-9a-f]\)*\)  \([a-z].*\)/\1 \2 \4/p' "$dir/out" |
    tr -s ' ' | awk '{ n = 0; for (i = 2; i <= NF && $i ~ /^[0-9a-f][0-9a-f]$/; i++) n++ } n <= 8' | sort -u >"$dir/ours"
[ "$(wc -l <"$dir/ours")" -gt 1000 ] || fail "few guest instructions: $(wc -l <"$dir/ours")"
comm -23 "$dir/ours" "$dir/theirs" >"$dir/others"
[ -s "$dir/others" ] && fail "instructions that in_asm has not: $(head -5 "$dir/others"; wc -l <"$dir/others")"
has "$dir/out" "OUT: long_mode [size="
has "$dir/out" "mode lm64 "
has "$dir/out" "  -- stub of "
grep -q '(bad)' "$dir/out" && fail "host code that is none: $(grep -m1 '(bad)' "$dir/out")"

# The numbers are those of what was listed.
has "$dir/stats" "  JIT               $(grep -c '^  block at' "$dir/out") translations of $(grep -c '^  -- guest' "$dir/out") instructions"
has "$dir/stats" ", 0 flushes of all"
grep -q '^  rows in C *[1-9][0-9]*: [A-Z]' "$dir/stats" || fail "--stats: $(grep 'rows in C' "$dir/stats")"
# Each way out of translated code is counted once: what is missing to the entries is the page fault.
has "$dir/stats" " halts, 1 faults,"
run -accel jit,hot=0,block=1,cache=1 --stats
grep -q ' [1-9][0-9]* flushes of all' "$dir/err" || fail "1 MiB is enough for a boot: $(grep JIT "$dir/err")"

# Behind each guest instruction of the 64-bit part stands the host's.
sed -n '/^OUT: long_mode+0x1a/,/^$/p' "$dir/out" >"$dir/block"
in_block() { grep -q "$1" "$dir/block" || fail "no '$1' in $(cat "$dir/block")"; }
in_block '^  -- guest addr 0x00007c[0-9a-f]*:  bb 00 00 00 40  mov ebx, 0x40000000$'
in_block '^0x[0-9a-f]*:  bb 00 00 00 40           mov      ebx, 0x40000000$'
in_block '^0x[0-9a-f]*:  48 89 06                 mov      qword ptr \[rsi\], rax$'

# Where it cannot show anything, it says so.
"$kiln" -display none -snapshot "$image" --max-insns 10 -accel interp -d out_asm 2>"$dir/err"
has "$dir/err" "out_asm: interp makes no host code; try -accel jit"
"$kiln" -display none -snapshot "$image" --max-insns 10 -accel jit -d exec,out_asm -D /dev/null 2>"$dir/err"
has "$dir/err" "out_asm: exec, cpu, pcall and mmu have each instruction interpreted"

# perf's map: thunks first, then blocks by symbol or rip; ranges do not overlap.
"$kiln" -display none -snapshot "$image" -accel jit,hot=0,perf=on $symbols 2>/dev/null &
map=/tmp/perf-$!.map
wait $!
trap 'rm -rf "$dir" "$map"' EXIT
[ -f "$map" ] || fail "no $map"
grep -vqE '^[0-9a-f]+ [0-9a-f]+ kiln:[^ ].*$' "$map" && fail "perf's map: $(grep -vE '^[0-9a-f]+ [0-9a-f]+ kiln:' "$map" | head -3)"
head -1 "$map" | grep -q 'kiln:thunk enter$' || fail "perf's map begins with $(head -1 "$map")"
grep -q ' kiln:thunk slow$' "$map" || fail "perf's map: no thunk"
grep -q ' kiln:long_mode$' "$map" || fail "perf's map: no symbol"
grep -q ' kiln:fff0$' "$map" || fail "perf's map: not the reset vector"
sort "$map" | awk '{ print $1, $2 }' | while read -r at size; do
    [ $((0x$at)) -ge "${end:-0}" ] || echo "$at"
    end=$((0x$at + 0x$size))
done >"$dir/overlap"
[ -s "$dir/overlap" ] && fail "perf's map overlaps at $(head -1 "$dir/overlap")"
[ "$(wc -l <"$map")" -ge "$(grep -c '^OUT:' "$dir/out")" ] || fail "perf's map: $(wc -l <"$map") lines"
finish
