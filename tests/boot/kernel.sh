# -kernel: multiboot kernels through the option ROM, under Spark and under SeaBIOS, with command
# line and module; what the loader refuses.
# usage: kernel.sh KILN BUILD
. "$(dirname "$0")/lib.sh"
need_seabios
cc=${CC:-cc}
exit_port="-device isa-debug-exit,iobase=0xf4,iosize=0x04"
flags="-m32 -nostdlib -static -no-pie -Wl,-Ttext=0x200000,-N,--build-id=none,--no-warn-rwx-segments"
"$cc" $flags -o "$dir/echo.elf" "$here/echo_kernel.S" || exit 1
"$cc" $flags -Wl,-Ttext=0x4000 -o "$dir/low.elf" "$here/echo_kernel.S" || exit 1
"$cc" $flags -Wl,-Ttext=0x3000 -o "$dir/too_low.elf" "$here/echo_kernel.S" || exit 1
"$cc" $flags -DADDRESSES -o "$dir/flat.elf" "$here/echo_kernel.S" || exit 1
objcopy -O binary "$dir/flat.elf" "$dir/flat.bin"
objcopy -O elf64-x86-64 "$dir/echo.elf" "$dir/echo64.elf"
echo "hello module" >"$dir/mod"
echo "second" >"$dir/mod2"

for firmware in "" "$seabios_firmware"; do
    for k in echo.elf echo64.elf flat.bin low.elf; do
        run $firmware -m 64 $exit_port -kernel "$dir/$k" -append "foo bar" \
            -initrd "$dir/mod one,$dir/mod2"
        is_status 7
        serial_says "command line: $dir/$k foo bar"
        serial_says "module: $dir/mod one: hello module"
        serial_says "module: $dir/mod2: second"
        serial_says "memory: 0000027F" # 639 KiB, then KiB above 1 MiB
        serial_says "map: 0000000000000000 000000000009FC00 1"
        serial_says "map: 0000000000100000 0000000003"
    done
done

refuse() {
    run -m 8 -kernel "$@"
    [ "$status" = 1 ] || fail "status $status, not 1"
}
says() {
    grep -qF -- "$1" "$dir/err" || fail "stderr does not say: $1"
}
head -c 9000 /dev/zero >"$dir/zero"
refuse "$dir/zero"
says "no multiboot 1 header"
head -c 200 "$dir/echo.elf" >"$dir/cut"
refuse "$dir/cut"
says "-kernel $dir/cut:"
refuse "$dir/too_low.elf"
says "loaded below 4000h"
refuse "$dir/absent"
says "No such file"
refuse "$dir/echo.elf" -initrd "$dir/absent"
says "-initrd $dir/absent"
head -c 8000000 /dev/zero >"$dir/big"
refuse "$dir/echo.elf" -initrd "$dir/big"
says "try more with -m"
finish
