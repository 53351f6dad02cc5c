#!/bin/sh
# x87.sh DIRECTORY: x87 arithmetic by DIRECTORY/softfloat_x87 against Berkeley SoftFloat, in the three
# precisions. Status: 77 without KILN_TESTFLOAT.
set -u
. "$(dirname "$0")/testfloat.sh"
test=$1/softfloat_x87
for rounding in near_even min max minMag; do
    for precision in 32 64 80; do
        for op in add sub mul div sqrt; do
            check "$test extF80_$op $rounding $precision" -r$rounding -precision$precision extF80_$op
        done
    done
    for to in i32 i64; do
        check "$test extF80_to_$to $rounding 80" -r$rounding -exact extF80_to_$to
        check "$test ${to}_to_extF80 $rounding 80" -r$rounding ${to}_to_extF80
    done
    for f in f32 f64; do
        check "$test extF80_to_$f $rounding 80" -r$rounding extF80_to_$f
        check "$test ${f}_to_extF80 $rounding 80" -r$rounding ${f}_to_extF80
    done
    check "$test extF80_roundToInt $rounding 80" -r$rounding -exact extF80_roundToInt
done
for op in eq lt le rem; do
    check "$test extF80_$op near_even 80" extF80_$op
done
for to in i32 i64; do
    check "$test extF80_to_${to}_r_minMag near_even 80" -rminMag -exact extF80_to_$to
done
exit $status
