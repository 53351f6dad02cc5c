#!/bin/sh
# kvm-unit-tests: each test of x86/unittests.cfg that needs one processor, with the options that it
# asks for. The suite is not part of this repository; README.md says how to build it.
#
#     KILN_KVM_UNIT=DIR[:DIR] sh run.sh KILN [TEST...]
#     KILN_KVM_UNIT=DIR[:DIR] ACCEL=tcg|kvm sh run.sh qemu-system-x86_64 [TEST...]
#
# A line for each test; in Kiln, what failed and is not in known.txt, and what is there and did not
# fail. Status: 0; 1 where there was such a thing; 77 without the suite. Tests get PATIENCE times as
# long as the suite gives them. KEEP=DIR keeps what they said.
here=$(cd "$(dirname "$0")" && pwd)
emulator=$1
shift
if [ -z "$KILN_KVM_UNIT" ]; then
    echo "skipped: KILN_KVM_UNIT names no built kvm-unit-tests"
    exit 77
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 known=0 left_out=0 failed=0

# run FILE SECONDS OPTIONS ARGUMENTS: $verdict, $work/out
run() {
    : >"$work/out"
    # OPTIONS are several words.
    # shellcheck disable=SC2086
    timeout $(($2 * ${PATIENCE:-1})) "$emulator" ${ACCEL:+-accel "$ACCEL"} -no-reboot -nodefaults \
        -device pc-testdev -device isa-debug-exit,iobase=0xf4,iosize=0x4 -device pci-testdev \
        -display none -serial "file:$work/out" $3 -kernel "$1" ${4:+-append "$4"} \
        </dev/null >"$work/err" 2>&1
    status=$?
    case $status in # isa-debug-exit makes 2 * value + 1 of what the test returns
    124) verdict=TIMEOUT ;;
    *) if [ ! -s "$work/out" ]; then
           verdict="DID NOT START: $(tail -n 1 "$work/err")"
       else
           case $status in
           1) verdict=PASS ;;
           77) verdict=SKIP ;;
           *) verdict="FAIL: status $status" ;;
           esac
       fi ;;
    esac
}

# judge "ARCH NAME": the failures of the test against known.txt; prints the differences.
judge() {
    tr -d '\r' <"$work/out" | grep -a '^FAIL' >"$work/bad"
    [ "$verdict" = PASS ] || [ -s "$work/bad" ] || echo "$verdict" >"$work/bad"
    awk -F ' *[|] *' -v TEST="$1" '
        FILENAME == ARGV[1] { if (!/^#/ && $1 == TEST) text[++n] = $2; next }
        { for (i = 1; i <= n; i++) if (index($0, text[i])) { seen[i] = 1; next }
          print "    " $0 }
        END { for (i = 1; i <= n; i++) if (!seen[i]) print "    not seen, but in known.txt: " text[i] }
    ' "$here/known.txt" "$work/bad" >"$work/news"
    cat "$work/news"
}

one_arch() {
    dir=$1
    shift
    arch=$(sed -n 's/^ARCH=//p' "$dir/config.mak" 2>/dev/null)
    [ -n "$arch" ] || { echo "KILN_KVM_UNIT: no configured kvm-unit-tests in $dir"; exit 1; }
    awk -v ARCH="$arch" -v ACCEL="${ACCEL:-interp}" -f "$here/list.awk" "$dir/x86/unittests.cfg" \
        >"$work/list"
    while IFS='|' read -r name file seconds why options args; do
        case " ${*:-$name} " in *" $name "*) ;; *) continue ;; esac
        [ -n "$why" ] || [ -f "$dir/x86/$file" ] || why="no $file for $arch"
        [ -n "$why$ACCEL" ] || ! grep -q "^$arch $name | NOT RUN" "$here/known.txt" ||
            why="known.txt says so"
        if [ -n "$why" ]; then
            echo "$arch $name: not run: $why"
            left_out=$((left_out + 1))
            continue
        fi
        run "$dir/x86/$file" "$seconds" "$options" "$args"
        echo "$arch $name: $verdict $(grep -a '^SUMMARY' "$work/out" | tr -d '\r')"
        [ -n "$KEEP" ] && cat "$work/out" "$work/err" >"$KEEP/$arch.$name"
        [ -n "$ACCEL" ] || judge "$arch $name"
        if [ -z "$ACCEL" ] && [ -s "$work/news" ]; then
            failed=$((failed + 1))
        elif [ "$verdict" = PASS ]; then
            passed=$((passed + 1))
        else
            known=$((known + 1))
        fi
    done <"$work/list"
}

for dir in $(echo "$KILN_KVM_UNIT" | tr : ' '); do
    one_arch "$dir" "$@"
done
echo "kvm-unit-tests: $passed passed, $known did not, $left_out not run, $failed not as known.txt says"
[ "$failed" = 0 ]
