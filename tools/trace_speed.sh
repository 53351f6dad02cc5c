#!/bin/sh
# trace_speed.sh KILN [INSTRUCTIONS]: how many instructions a second kiln trace writes to a file, or
# keeps in memory with --last.
# The guest is a boot sector that computes, branches, calls and touches memory, for ever.
set -eu
kiln=$1
count=${2:-20000000}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# xor ax,ax; mov ds,ax; mov ss,ax; mov sp,6000h
# 1: mov di,9000h; mov cx,64
# 2: mov bx,[di]; add bx,cx; mov [di+2],bx; call f; inc di; cmp bx,ax; jne 3; nop
# 3: loop 2; jmp 1
# f: push bx; shl bx,1; xor ax,bx; pop bx; ret
printf '\061\300\216\330\216\320\274\000\140\277\000\220\271\100\000' >"$dir/disk.img"
printf '\213\035\001\313\211\135\002\350\012\000\107\071\330\165\001\220' >>"$dir/disk.img"
printf '\342\356\353\346\123\321\343\061\330\133\303' >>"$dir/disk.img"
truncate -s 510 "$dir/disk.img"
printf '\125\252' >>"$dir/disk.img"

for options in "" "--regs" "--regs --mem" "--last 1M" "--last 1K --regs --mem"; do
    start=$(date +%s%N)
    # shellcheck disable=SC2086
    "$kiln" trace "$dir/disk.img" $options -o "$dir/trace" --max-insns "$count"
    end=$(date +%s%N)
    echo "${options:-plain}: $((count * 1000 / ((end - start) / 1000000))) instructions a second"
done
