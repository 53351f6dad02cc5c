# The monitor's NMI reaches the guest's handler, ends HLT, and is an event of a recording.
. "$(dirname "$0")/lib.sh"
need nc
cd "$dir" || exit 1

# xor ax,ax; mov ds,ax; mov word [8],7c16h; mov [10],ax; mov dx,3f8h; mov al,'R'; out dx,al
# hlt; jmp -3; the handler at 7c16h: mov al,'N'; out dx,al; iret
sector nmi.img "31c0 8ed8 c7060800167c a30a00 baf803 b052 ee f4 ebfd b04e ee cf"
"$kiln" --record run.log -display none -serial file:serial.txt \
    -monitor unix:"$dir/mon",server,nowait nmi.img 2>err &
pid=$!
until [ -s serial.txt ]; do kill -0 $pid || break; done
printf 'nmi\n' | timeout 60 nc -U -N mon >reply
until grep -q RN serial.txt; do kill -0 $pid || break; done
printf 'nmi\nquit\n' | timeout 60 nc -U -N mon >reply
wait $pid || fail "quit: status $?"
has serial.txt RN
timeout 60 "$kiln" replay run.log -display none >out 2>err || fail "replay: status $?"
has err "same state"
finish
