# A short run of libFuzzer with a fixed seed. usage: libfuzzer.sh PROGRAM RUNS [--only=WHAT]
program=$1 runs=$2
shift 2
[ -x "$program" ] || { echo "skipped: $program is built only by clang with libFuzzer (clang, libclang-rt-14-dev)"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
mkdir corpus
# a case that takes a minute on a busy machine hangs; the driver has the limit of 10 s
"$program" -seed=1 -runs="$runs" -timeout=60 -rss_limit_mb=4096 -malloc_limit_mb=4000000 \
    -max_len=65536 -print_final_stats=1 "$@" corpus >log 2>&1
status=$?
[ $status = 0 ] || { tail -60 log; for f in crash-* timeout-* oom-*; do [ -f "$f" ] && echo "$f:" && base64 "$f" | head -40; done; exit 1; }
grep -E 'DONE|number_of_executed_units' log
units=$(sed -n 's/^stat::number_of_executed_units: *//p' log)
[ "${units:-0}" -ge "$runs" ] || { echo "too few runs"; exit 1; }
