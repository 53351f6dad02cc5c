#!/bin/sh
# Each header compiles alone, and twice. usage: check_headers.sh ROOT BUILD [CC]
root=$1 build=$2 cc=${3:-cc}
cd "$root" || exit 2
n=0 failed=0
# check FLAGS... < list of headers
check() {
    for header in $list; do
        n=$((n + 1))
        printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
            "$cc" -x c -std=gnu11 -Wall -Wextra -Wno-unused-function -Werror -fsyntax-only "$@" - || {
            echo "$header does not compile alone"
            failed=1
        }
    done
}
headers() { find "$@" -name '*.h' 2> /dev/null | sort; }
list=$(headers core cpu mmu jit devices machine host)
# shellcheck disable=SC2046
check -I. -I"$build/gen" $(pkg-config --cflags sdl2 libpng capstone libelf cmocka 2> /dev/null)
for world in bios firmware; do
    list=$(headers $world)
    check -m16 -march=i386 -ffreestanding -mregparm=3 -mno-sse -fno-pie -I$world
done
list=$(headers guestos/boot)
check -m32 -ffreestanding -fno-pie -I. -Iguestos/boot
list=$(headers guestos | grep -v '^guestos/boot/')
check -m64 -ffreestanding -mno-red-zone -mgeneral-regs-only -fno-pie -I. -Iguestos
[ $n -ge 40 ] || { echo "only $n headers found: wrong folder?"; exit 1; }
[ $failed = 0 ] && echo "$n headers compile alone"
exit $failed
