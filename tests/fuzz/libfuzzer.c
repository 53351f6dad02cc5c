/*
 * A fuzz target for clang's libFuzzer. Beside its own mutations it is given inputs that the
 * target makes, so that it needs no corpus to get past the first check of a format.
 *
 *     libfuzz_NAME [--only=WHAT] [-runs=N] [-seed=S] [CORPUS]
 */
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);
size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerMutate(u8 *data, size_t size, size_t max);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *only = NULL;

    for (int i = 1; i < *argc; i++)
        if (!strncmp((*argv)[i], "--only=", 7))
            only = (*argv)[i] + 7;
    if (fuzz_target.open)
        fuzz_target.open(only);
    return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    fuzz_target.run(data, size);
    return 0;
}

size_t LLVMFuzzerCustomMutator(u8 *data, size_t size, size_t max, unsigned seed)
{
    u64 rng = (u64)seed * 0x9e3779b97f4a7c15ull | 1;

    if (fuzz_target.make && max >= fuzz_target.cap && fuzz_below(&rng, size > 1 ? 16 : 2) == 0)
        return fuzz_target.make(&rng, data);
    return LLVMFuzzerMutate(data, size, max);
}
