#!/bin/sh
# The guests of tests end in the same state in the other engine. Tests type at times that nobody plans, so two
# live runs differ; each run of kiln is therefore recorded while its test goes on (recorder.py), and replayed in
# the interpreter, which compares the processor twice a second and the whole machine at the end.
#
#     sh tests/replay/other_engine.sh BUILD WORK REGEX [ENGINE]
#
# REGEX chooses tests as ctest -R does; the recorded engine is ENGINE, else KILN_ACCEL's, else the JIT. A test's
# own verdict does not count: disks are not written to while a run is recorded, so those that look at one fail.
# Recordings stay in WORK/TEST/run-*: those that do not replay to the same state, only, with WORK/images.
# Status: 1 where a replay went another way, or nothing was recorded; 77 without python3.
set -u
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
here=$(cd "$(dirname "$0")" && pwd)
build=$(readlink -f "$1") && mkdir -p "$2" && work=$(readlink -f "$2") || exit 1
regex=$3 engine=${4:-${KILN_ACCEL:-jit}}
same=0 partly=0 different=0 alone=0 ended=0

# The same tests, with another kiln: its name must still end in kiln.
mkdir -p "$work/bin" "$work/images"
cp "$here/recorder.py" "$work/bin/kiln" && chmod +x "$work/bin/kiln" || exit 1
rm -rf "$work/ctest"
(cd "$build" && find . -name CTestTestfile.cmake) | while read -r file; do
    mkdir -p "$work/ctest/$(dirname "$file")"
    sed "s#\"$build/kiln\"#\"$work/bin/kiln\"#g" "$build/$file" >"$work/ctest/$file"
done

# replay RUN: prints what it came to; counts
replay() {
    env -u KILN_ACCEL "$build/kiln" replay "$1/log" -accel interp --state-hash --timeout 7200 ${2:-} \
        2>"$1/err" >"$1/out" </dev/null
    status=$?
    said=$(sed -n 's/^kiln: replayed: //p' "$1/err")
    case $status/$said in
    0/"same state"*)
        same=$((same + 1))
        echo "  same $(sed -n 's/^state-hash: //p' "$1/err"): $said"
        rm -rf "$1"
        ;;
    0/"as far as"*)
        partly=$((partly + 1))
        echo "  killed, the same as far as it is recorded: $said"
        rm -rf "$1"
        ;;
    *)
        if [ -z "${2:-}" ] && grep -q 'was the recorder killed' "$1/err"; then
            replay "$1" --partial
        else
            different=$((different + 1))
            echo "  DIFFERENT, status $status, $1: $(grep '^kiln: ' "$1/err" | tail -n 1)"
        fi
        ;;
    esac
}

for test in $(ctest --test-dir "$work/ctest" -N -R "$regex" | sed -n 's/^ *Test *#[0-9]*: //p'); do
    rm -rf "${work:?}/$test" && mkdir -p "$work/$test" && ln -s ../images "$work/$test/images"
    KILN_ACCEL=$engine KILN_RECORDED=$build/kiln KILN_RECORD_DIR=$work/$test \
        ctest --test-dir "$work/ctest" -R "^$test\$" --output-on-failure >"$work/$test/ctest.log" 2>&1
    verdict=$(sed -n 's/^ *1\/1 Test.*\.\.\.[. ]*//p' "$work/$test/ctest.log")
    echo "$test: $verdict"
    for run in "$work/$test"/run-*; do
        [ -d "$run" ] || continue
        if [ -s "$run/why" ]; then
            alone=$((alone + 1))
            echo "  not recorded: $(cat "$run/why")"
            rm -rf "$run"
        elif [ ! -s "$run/log" ]; then
            ended=$((ended + 1))
            echo "  did not start: kiln $(cut -c 1-150 "$run/args")"
            rm -rf "$run"
        else
            replay "$run"
        fi
    done
done
echo "recordings of $engine replayed in the interpreter: $same end in the same state, $partly killed and the same so far," \
    "$different different; $alone runs not recorded, $ended did not start"
[ $different = 0 ] && [ $same != 0 ]
