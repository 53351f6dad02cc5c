#!/bin/sh
# mutants.sh [NAME ...]: are the processor's tests any good?
#
# Breaks one line at a time of a copy of cpu/, mmu/ and jit/, as tools/mutants.list says, builds the
# tests, and runs them until one fails. A mutant that no test sees is an error; so is one whose
# expression does not change exactly one line any more. MUTANTS_DIR: where to work.
set -u
root=$(cd "$(dirname "$0")/.." && pwd)
work=${MUTANTS_DIR:-$(mktemp -d)}
[ -n "${MUTANTS_DIR:-}" ] || trap 'rm -rf "$work"' EXIT
mkdir -p "$work"

units="gates_test ranges_test insn_test interp_test string_test protect_test event_test v86_test task_test dr_test paging_test supervisor_test"
targets="$units native_test decode_test jit_fuzz"

# Only what these targets need, with a top-level file of its own: nothing else is configured.
rm -rf "$work/tree"
mkdir -p "$work/tree/tests"
for dir in core mmu cpu jit; do cp -r "$root/$dir" "$work/tree/"; done
mkdir -p "$work/tree/machine"
cp "$root/machine/disasm.c" "$root/machine/disasm.h" "$root/machine/hex.h" "$work/tree/machine/"
cp -r "$root/tests/native" "$root/tests/decode" "$root/tests/jit" "$work/tree/tests/"
sed 's/^foreach(dir core .*/foreach(dir core cpu jit tests\/native tests\/decode tests\/jit)/' "$root/CMakeLists.txt" \
    >"$work/tree/CMakeLists.txt"

build() {
    cmake --build "$work/build" --target $targets >"$work/build.log" 2>&1
}

# Prints the name of the first test that fails; 1 when none does.
first_failure() {
    case $1 in jit/*) # what is in it shows beside the interpreter
        for test in $units; do
            KILN_ACCEL=jit,hot=0 timeout 600 "$work/build/unit/$test" >"$work/test.log" 2>&1 || { echo "$test"; return 0; }
        done
        timeout 900 "$work/build/unit/jit_fuzz" --cases 100000 --seed 6 --shrink no >"$work/test.log" 2>&1 || { echo jit_fuzz; return 0; }
        return 1 ;;
    esac
    for test in $units; do
        timeout 600 "$work/build/unit/$test" >"$work/test.log" 2>&1 || { echo "$test"; return 0; }
    done
    timeout 600 "$work/build/unit/decode_test" --count 50000 >"$work/test.log" 2>&1 || { echo decode_test; return 0; }
    for mode in 64 32 16; do
        timeout 900 "$work/build/unit/native_test" --mode $mode --insns 1000000 --reports 1 >"$work/test.log" 2>&1
        status=$?
        [ $status = 0 ] || [ $status = 77 ] || { echo "native_test $mode"; return 0; }
    done
    return 1
}

cmake -S "$work/tree" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_FLAGS_RELEASE=-O1 >"$work/build.log" 2>&1 && build ||
    { echo "mutants: the unbroken tree does not build:"; tail -20 "$work/build.log"; exit 1; }
if test=$(first_failure jit/ || first_failure cpu/); then
    echo "mutants: $test fails on the unbroken tree"
    exit 1
fi

nr=0 caught=0 bad=0
while IFS='|' read -r name file expression; do
    case $name in '#'* | '') continue ;; esac
    if [ $# -gt 0 ]; then
        case " $* " in *" $name "*) ;; *) continue ;; esac
    fi
    nr=$((nr + 1))
    cp "$work/tree/$file" "$work/original"
    sed "$expression" "$work/original" >"$work/tree/$file"
    changed=$(diff "$work/original" "$work/tree/$file" | grep -c '^>')
    if [ "$changed" != 1 ]; then
        echo "$name: the expression changes $changed lines of $file"
        bad=$((bad + 1))
    elif ! build; then
        echo "$name: does not build"
        bad=$((bad + 1))
    elif test=$(first_failure "$file"); then
        echo "$name: caught by $test"
        caught=$((caught + 1))
    else
        echo "$name: MISSED"
        bad=$((bad + 1))
    fi
    cp "$work/original" "$work/tree/$file"
done <"$root/tools/mutants.list"
echo "mutants: $caught of $nr caught"
[ $bad = 0 ] && [ $nr -gt 0 ]
