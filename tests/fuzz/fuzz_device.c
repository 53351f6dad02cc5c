/*
 * A device, or the board of all of them, at the mercy of its guest and of its inputs: accesses of
 * any width anywhere, time, keys, DMA, pictures. devices/test_world.h has the steps, which take
 * their decisions from the input's bytes.
 *
 * --only NAME: the device; else the input's first byte says which.
 */
#include "devices/test_world.h"
#include "tests/fuzz/fuzz.h"

enum { CAP = 64 << 10 };
static const struct world_row *only_row;

static void open_row(const char *only)
{
    if (!only)
        return;
    for (only_row = world_rows; only_row->name; only_row++)
        if (!strcmp(only_row->name, only))
            return;
    fprintf(stderr, "there is no device %s\n", only);
    exit(2);
}

static unsigned nr_rows(void)
{
    unsigned n = 0;

    while (world_rows[n].name)
        n++;
    return n;
}

static u64 run(const u8 *bytes, size_t len)
{
    struct world *w;
    struct draw d;
    u64 accesses;

    if (!len)
        return 0;
    w = world_new(only_row ? only_row : &world_rows[bytes[0] % nr_rows()]);
    d = draw_bytes(bytes + 1, len - 1);
    while (d.p < d.end)
        world_step(w, &d);
    accesses = w->b.io.nr_accesses + w->b.mem.nr_accesses;
    world_free(w);
    return accesses;
}

static size_t make(u64 *rng, u8 *out)
{
    size_t len = fuzz_below(rng, 2) ? CAP : fuzz_below(rng, 1024);

    fuzz_fill(rng, out, len);
    return len;
}

const struct fuzz_target fuzz_target = { "device", "accesses", CAP, open_row, run, make };
