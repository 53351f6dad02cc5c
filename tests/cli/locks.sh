# One image, Kiln and QEMU: both may read it; who writes has it alone. Skipped without QEMU.
. "$(dirname "$0")/lib.sh"
command -v qemu-system-x86_64 >/dev/null || exit 77
cd "$dir" || exit 1
sector loop.img "$LOOP"
truncate -s 1M loop.img

# qemu OPTIONS: opens the image and stays, stopped; its lock is there when the monitor answers
qemu() {
    mkfifo commands
    qemu-system-x86_64 -S -display none -serial none -monitor stdio \
        -drive file=loop.img,format=raw,$1 <commands >monitor 2>&1 &
    pid=$!
    exec 3>commands
    echo "info status" >&3
    for _ in $(seq 600); do
        grep -q "VM status" monitor && return
        sleep 0.1
    done
    shown=qemu
    fail "QEMU does not start: $(cat monitor)"
}
end_qemu() {
    exec 3>&-
    kill $pid 2>/dev/null
    wait $pid 2>/dev/null
    rm -f commands
}

qemu snapshot=on
run -display none -snapshot --max-insns 1000 loop.img
is_status 0
run -display none --max-insns 1000 loop.img
is_status 1
says "in use by another program"
end_qemu
qemu snapshot=off
run -display none -snapshot --max-insns 1000 loop.img
is_status 1
says "in use by another program, which writes to it"
end_qemu

"$kiln" -display none -snapshot -debugcon file:ready loop.img 2>err </dev/null &
kiln_pid=$!
while [ ! -e ready ]; do sleep 0.1; done # consoles are opened after the disks
shown="kiln reads, QEMU reads"
qemu snapshot=on
end_qemu
kill $kiln_pid
wait $kiln_pid
finish
