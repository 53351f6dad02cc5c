/*
 * --sym: a file that says it is ELF. It is read or refused with a message, and asking for
 * addresses and names finds what is there or nothing.
 */
#include "machine/symbols.h"
#include "tests/fuzz/fuzz.h"

enum { CAP = 64 << 10 };
static u8 sample[CAP];
static size_t sample_len;

static void open_sample(const char *only)
{
    (void)only;
    sample_len = fuzz_sample(sample, sizeof(sample));
}

static u64 run(const u8 *bytes, size_t len)
{
    static const u64 addresses[] = { 0, 0x100000, 0x100010, 0x101000, 0x7fffffff, UINT64_MAX };
    static const char *const names[] = { "work", "_start+0x10", "", "+", "step+-1", "counter" };
    struct fuzz_file file = fuzz_file(bytes, len);
    const char *paths[] = { file.path, file.path };
    char err[512] = "";
    struct symbols *s = symbols_load(paths, 1 + len % 2, err, sizeof(err));
    u64 a, b;

    FUZZ_CHECK(s || err[0]);
    for (unsigned i = 0; s && i < ARRAY_LEN(addresses); i++) {
        const char *name = symbols_at(s, addresses[i], &a);

        FUZZ_CHECK(!name || *name);
        symbols_value(s, names[i], &a, &b);
    }
    symbols_free(s);
    fuzz_file_close(&file);
    return 1;
}

static size_t make(u64 *rng, u8 *out)
{
    memcpy(out, sample, sample_len);
    return fuzz_mutate(rng, out, sample_len, CAP);
}

const struct fuzz_target fuzz_target = { "symbols", "files", CAP, open_sample, run, make };
