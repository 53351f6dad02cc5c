# Builds the fuzzers with sanitizers: with clang and its libFuzzer if they are there, else with the
# main build's compiler, and then only for the seeded driver. usage: build.sh SOURCE BUILD CC [LAUNCHER]
source=$1 build=$2 cc=$3 launcher=${4:-}
works() { echo 'int LLVMFuzzerTestOneInput(void){return 0;}' | "$1" -x c -fsanitize=fuzzer,address,undefined - -o /dev/null; }
flags=
for try in clang clang-14 "$cc"; do
    if works "$try" 2>/dev/null; then
        cc=$try flags=-fsanitize=fuzzer-no-link
        break
    fi
done
cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Sanitize -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_C_FLAGS="$flags" -DCMAKE_C_COMPILER_LAUNCHER="$launcher" >"$build.log" 2>&1 &&
    cmake --build "$build" -t fuzzers >>"$build.log" 2>&1 || { tail -30 "$build.log"; exit 1; }
echo "built with $cc $flags"
