/*
 * A hostile guest: its code is the input, in real, protected, paged and long mode, at levels 0
 * and 3, on a whole board with a disk. Input bytes that the code does not use come as keys, serial
 * bytes and mouse moves while it runs. Nothing that it does may harm the host.
 */
#include "cpu/isa.h"
#include "devices/test_bench.h"
#include "machine/pc.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rig.h"

enum { HEAD = 8, CAP = HEAD + 2048, SLICES = 10, SLICE = 2000, DISK_SECTORS = 64 };

static void push_input(struct machine *m, u8 byte, unsigned i)
{
    struct input_log *log = machine_input(m);

    switch (i % 4) {
    case 0: input_push(log, INPUT_KEY, byte, i & 8, 0); break;
    case 1: input_push(log, INPUT_SERIAL, i & 1, byte, 0); break;
    case 2: input_push(log, INPUT_MOUSE, byte & 7, byte * 0x01010101u, 0); break;
    default: break;
    }
}

static void look(struct machine *m)
{
    static u32 px[SCREEN_MAX_W * SCREEN_MAX_H];
    struct screen s = { .px = px };
    char text[4096];

    machine_render(m, &s);
    machine_screen_text(m, text, sizeof(text));
    machine_print_stats(m, fuzz_quiet(), 1);
    machine_state_hash(m);
}

static u64 run(const u8 *bytes, size_t len)
{
    struct bench_disk disk;
    struct machine *m;
    enum machine_stop stop;
    u64 done;

    if (len <= HEAD || len > CAP)
        return 0;
    bench_disk_init(&disk, DISK_SECTORS);
    m = rig_create(bytes + HEAD, len - HEAD, bytes[0] % NR_RIG_MODES, &disk.dev);
    for (unsigned i = 0; i < SLICES && rig_run(m, SLICE, &stop); i++)
        push_input(m, bytes[1 + i % (HEAD - 1)], i);
    if (bytes[1] % 16 == 0)
        look(m);
    done = machine_icount(m);
    machine_destroy(m);
    bench_disk_fini(&disk);
    return done;
}

/* ---- likely guests ---- */

static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x40, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x80,
                             0x92, 0x1f0, 0x1f1, 0x1f2, 0x1f6, 0x1f7, 0x3f6, 0x3c0, 0x3c2, 0x3c4,
                             0x3c5, 0x3ce, 0x3cf, 0x3d4, 0x3d5, 0x3da, 0x3f8, 0x3f9, 0x3fb, 0x4d0,
                             0x510, 0x511, 0x514, 0x518, 0xcf8, 0xcf9, 0xcfc, 0xb2, 0x64 };

/* mov edx, port; mov eax, value; in or out of some width. */
static size_t put_port(u64 *rng, u8 *p)
{
    static const u8 ops[] = { 0xec, 0xed, 0xee, 0xef };
    size_t n = 0;
    u32 port = fuzz_below(rng, 8) ? ports[fuzz_below(rng, ARRAY_LEN(ports))] : fuzz_below(rng, 0x10000);

    p[n++] = 0x66, p[n++] = 0xba; /* in 16-bit code 32 bits, elsewhere 16 bits and two to run */
    store_le(p + n, port, 4), n += 4;
    p[n++] = 0xb8;
    fuzz_fill(rng, p + n, 4), n += 4;
    p[n++] = ops[fuzz_below(rng, 4)];
    return n;
}

static size_t put_row(u64 *rng, u8 *p)
{
    const struct isa_row *row = &isa_rows[1 + fuzz_below(rng, NR_ROWS - 1)];
    size_t n = 0, map = row->opcode >> 8;

    if (fuzz_below(rng, 4) == 0)
        p[n++] = (u8)"\x66\x67\xf2\xf3\xf0\x64\x48\x41"[fuzz_below(rng, 8)];
    if (map != MAP_1)
        p[n++] = 0x0f;
    if (map == MAP_0F38 || map == MAP_0F3A)
        p[n++] = map == MAP_0F38 ? 0x38 : 0x3a;
    p[n++] = (u8)(row->opcode | (row->attr & A_PLUSR ? fuzz_below(rng, 8) : 0));
    fuzz_fill(rng, p + n, 6);
    if (row->reg >= 0)
        p[n] = (u8)((p[n] & 0xc7) | row->reg << 3);
    if (fuzz_below(rng, 2)) /* small displacements, so that memory is met */
        p[n + 2] = p[n + 3] = p[n + 4] = 0;
    return n + fuzz_below(rng, 7);
}

/* Where something begins or ends: powers of two, their negatives, and a few bytes around. */
static u64 border(u64 *rng)
{
    u64 at = 1ull << fuzz_below(rng, 64);

    if (fuzz_below(rng, 4) == 0)
        at |= 1ull << fuzz_below(rng, 64);
    return (fuzz_below(rng, 2) ? at : 0 - at) + fuzz_below(rng, 20) - 10;
}

static size_t put_mov(u8 *p, enum rig_mode mode, unsigned reg, u64 value)
{
    size_t n = 0, bytes = mode >= RIG_LONG ? 8 : 4;

    if (mode >= RIG_LONG || mode == RIG_REAL)
        p[n++] = mode == RIG_REAL ? 0x66 : 0x48;
    p[n++] = (u8)(0xb8 + reg);
    store_le(p + n, value, (unsigned)bytes);
    return n + bytes;
}

/* A string instruction, mostly repeated, between two borders. */
static size_t put_string(u64 *rng, u8 *p, enum rig_mode mode)
{
    static const u8 ops[] = { 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0x6c, 0x6d, 0x6e, 0x6f };
    size_t n = put_mov(p, mode, RSI, border(rng));

    n += put_mov(p + n, mode, RDI, border(rng));
    n += put_mov(p + n, mode, RCX, fuzz_below(rng, 8) ? fuzz_below(rng, 5000) : border(rng));
    p[n++] = fuzz_below(rng, 2) ? 0xfc : 0xfd; /* cld, std */
    if (fuzz_below(rng, 4))
        p[n++] = fuzz_below(rng, 2) ? 0xf2 : 0xf3;
    if (fuzz_below(rng, 2))
        p[n++] = (u8)"\x66\x67\x64\x65"[fuzz_below(rng, 4)];
    if (fuzz_below(rng, 3) == 0 && mode >= RIG_LONG)
        p[n++] = 0x48;
    p[n++] = ops[fuzz_below(rng, ARRAY_LEN(ops))];
    return n;
}

static size_t make(u64 *rng, u8 *out)
{
    size_t len = HEAD, want = HEAD + 16 + fuzz_below(rng, CAP - HEAD - 60);

    fuzz_fill(rng, out, HEAD);
    while (len < want)
        switch (fuzz_below(rng, 9)) {
        case 0:
        case 1: len += put_port(rng, out + len); break;
        case 2: fuzz_fill(rng, out + len, 8), len += 1 + fuzz_below(rng, 8); break;
        case 3: out[len++] = 0xeb, out[len++] = (u8)fuzz_below(rng, 24); break; /* jmp */
        case 4: len += put_string(rng, out + len, out[0] % NR_RIG_MODES); break;
        default: len += put_row(rng, out + len); break;
        }
    return len;
}

const struct fuzz_target fuzz_target = { "board", "instructions", CAP, NULL, run, make };
