#!/bin/sh
# sse.sh DIRECTORY: SSE arithmetic by DIRECTORY/softfloat_test against Berkeley SoftFloat. Status: 77
# without KILN_TESTFLOAT.
set -u
. "$(dirname "$0")/testfloat.sh"
test=$1/softfloat_test
for rounding in near_even min max minMag; do
    for f in f32 f64; do
        for op in add sub mul div sqrt; do
            check "$test ${f}_$op $rounding" -r$rounding ${f}_$op
        done
        for to in i32 i64; do
            check "$test ${f}_to_$to $rounding" -r$rounding -exact ${f}_to_$to
            check "$test ${to}_to_$f $rounding" -r$rounding ${to}_to_$f
        done
        check "$test ${f}_roundToInt $rounding" -r$rounding -exact ${f}_roundToInt
    done
    check "$test f32_to_f64 $rounding" -r$rounding f32_to_f64
    check "$test f64_to_f32 $rounding" -r$rounding f64_to_f32
done
for f in f32 f64; do
    for op in eq lt le; do
        check "$test ${f}_$op near_even" ${f}_$op
    done
    for to in i32 i64; do
        check "$test ${f}_to_${to}_r_minMag near_even" -rminMag -exact ${f}_to_$to
    done
done
exit $status
