#!/bin/sh
# run.sh VECTORS_TEST: SingleStepTests' 80286 real-mode tests, from a checkout of the suite that
# KILN_MOO_DIR names. Status: that of vectors_test; 77 without a suite.
set -u
dir=${KILN_MOO_DIR:-}
[ -n "$dir" ] || {
    echo "run.sh: KILN_MOO_DIR is not set to a checkout of SingleStepTests' 80286 suite; skipped"
    exit 77
}
[ -d "$dir/v1_real_mode" ] || { echo "run.sh: no v1_real_mode in KILN_MOO_DIR=$dir"; exit 1; }
command -v gzip >/dev/null || { echo "run.sh: no gzip; skipped"; exit 77; }
# A damaged file shows: the tests that the heads announce are then not all there.
for file in "$dir"/v1_real_mode/*.MOO.gz; do
    [ -s "$file" ] && gzip -dc "$file" || echo "run.sh: $file is empty or damaged" >&2
done | "$1" "$dir/revocation_list.txt"
