# Sourced: vectors from the testfloat_gen of a build of Berkeley TestFloat 3 that KILN_TESTFLOAT names.
gen=${KILN_TESTFLOAT:-} level=${KILN_TESTFLOAT_LEVEL:-1}
[ -n "$gen" ] || { echo "softfloat: KILN_TESTFLOAT is not set to a testfloat_gen; skipped"; exit 77; }
[ -x "$gen" ] || { echo "softfloat: KILN_TESTFLOAT=$gen is not a program"; exit 1; }
vectors=$(mktemp) || exit 1
trap 'rm -f "$vectors"' EXIT
status=0

# check COMMAND OPTIONS...: COMMAND judges what testfloat_gen makes with the options.
check() {
    command=$1
    shift
    "$gen" -level "$level" -tininessafter "$@" >"$vectors" 2>/dev/null || { echo "testfloat_gen $*"; status=1; return; }
    $command <"$vectors" || status=1
}
