#!/bin/sh
# run.sh SOFTFLOAT_TEST: SSE arithmetic against Berkeley SoftFloat. KILN_TESTFLOAT names the
# testfloat_gen of a build of TestFloat 3. Status: 77 without one.
set -u
gen=${KILN_TESTFLOAT:-} level=${KILN_TESTFLOAT_LEVEL:-1}
[ -n "$gen" ] || { echo "run.sh: KILN_TESTFLOAT is not set to a testfloat_gen; skipped"; exit 77; }
[ -x "$gen" ] || { echo "run.sh: KILN_TESTFLOAT=$gen is not a program"; exit 1; }
vectors=$(mktemp) || exit 1
trap 'rm -f "$vectors"' EXIT
status=0

# check FUNCTION ROUNDING OPTIONS...: the options are testfloat_gen's.
check() {
    name=$1 rounding=$2
    shift 2
    "$gen" -level "$level" -tininessafter "$@" > "$vectors" 2> /dev/null || { echo "run.sh: testfloat_gen $*"; status=1; return; }
    "$test" "$name" "$rounding" < "$vectors" || status=1
}
test=$1
for rounding in near_even min max minMag; do
    for f in f32 f64; do
        for op in add sub mul div sqrt; do
            check ${f}_$op $rounding -r$rounding ${f}_$op
        done
        for to in i32 i64; do
            check ${f}_to_$to $rounding -r$rounding -exact ${f}_to_$to
            check ${to}_to_$f $rounding -r$rounding ${to}_to_$f
        done
        check ${f}_roundToInt $rounding -r$rounding -exact ${f}_roundToInt
    done
    check f32_to_f64 $rounding -r$rounding f32_to_f64
    check f64_to_f32 $rounding -r$rounding f64_to_f32
done
for f in f32 f64; do
    for op in eq lt le; do
        check ${f}_$op near_even ${f}_$op
    done
    for to in i32 i64; do
        check ${f}_to_${to}_r_minMag near_even -rminMag -exact ${f}_to_$to
    done
done
exit $status
