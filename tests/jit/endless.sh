#!/bin/sh
# A guest that generates code without end runs on in bounded memory: what kiln has resident after many rounds is
# what it had after the first ones.
# usage: endless.sh KILN ACCEL...
kiln=$1
shift
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
${CC:-cc} -m32 -nostdlib -static -no-pie -Wl,-Ttext=0x200000,-N,--build-id=none,--no-warn-rwx-segments \
    -o "$dir/endless.elf" "$here/endless.S" || exit 1

resident() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$pid/status; }

# rounds N: waits until so many are done
rounds() {
    deadline=$(($(date +%s) + 500))
    until [ "$(wc -c <"$dir/dots")" -ge $1 ]; do
        if ! kill -0 $pid 2>/dev/null || [ "$(date +%s)" -ge $deadline ]; then
            echo "FAILED: -accel $accel: $(wc -c <"$dir/dots") rounds of $1"
            cat "$dir/err"
            exit 1
        fi
        sleep 0.1
    done
}

for accel in "$@"; do
    : >"$dir/dots"
    "$kiln" -accel "$accel" -m 32 -display none -serial none -kernel "$dir/endless.elf" -debugcon "file:$dir/dots" \
        -device isa-debug-exit,iobase=0xf4,iosize=4 2>"$dir/err" </dev/null &
    pid=$!
    rounds 1
    before=$(resident)
    rounds 5
    after=$(resident)
    kill $pid
    wait $pid 2>/dev/null
    if grep -q '!' "$dir/dots"; then
        echo "FAILED: -accel $accel: a function gave a wrong result"
        exit 1
    fi
    echo "-accel $accel: $before KiB resident after a round, $after KiB after 5"
    if [ $((after - before)) -gt 2048 ] || [ "$after" -gt 200000 ]; then
        echo "FAILED: that grows"
        exit 1
    fi
done
