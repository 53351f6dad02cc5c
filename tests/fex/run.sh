#!/bin/sh
# run.sh FEX_CASE WORK [FOLDER ...]: FEX's instruction tests (its Primary and TwoByte folders, unless
# others are named), from the checkout of FEX-Emu/FEX that KILN_FEX names. Status: run.py's.
set -u
[ -n "${KILN_FEX:-}" ] || {
    echo "run.sh: KILN_FEX is not set to a checkout of FEX-Emu/FEX; skipped"
    exit 77
}
for tool in nasm python3; do
    command -v $tool >/dev/null || { echo "run.sh: no $tool; skipped"; exit 77; }
done
case=$1 work=$2
shift 2
exec python3 "$(dirname "$0")/run.py" "$case" "$KILN_FEX" "$work" ${@:-Primary TwoByte}
