/*
 * Repeated string instructions against the host's own: random operands over eight pages, sizes, prefixes,
 * directions, overlaps, slices that end anywhere, and ticks by the rule of docs/decisions/001.
 * The guest's pages lie in memory in another order than in its addresses.
 */
#define _GNU_SOURCE
#include "cpu/test_rig.h"
#include "cpu/flags.h"
#include <sys/mman.h>

enum { BASE = 0x40000, PAGES = 8, AREA = PAGES * 4096, CASES = 20000 };
enum { OP_MOVS = 0xa4, OP_CMPS = 0xa6, OP_STOS = 0xaa, OP_LODS = 0xac, OP_SCAS = 0xae };

struct regs {
    u64 rax, rcx, rsi, rdi, flags;
};

static u64 next_random(u64 *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void on_host(const u8 *code, struct regs *r)
{
    __asm__ volatile("leaq -256(%%rsp), %%rsp\n\t"
                     "call *%[code]\n\t"
                     "leaq 256(%%rsp), %%rsp"
                     : "+a"(r->rax), "+c"(r->rcx), "+S"(r->rsi), "+D"(r->rdi), "=d"(r->flags)
                     : [code] "r"(code)
                     : "memory", "cc");
}

/* What follows the instruction, and where it begins: [67] [66] rep [48] op. */
static unsigned assemble(u8 *at, u64 pick, unsigned op, unsigned size)
{
    unsigned n = 0;

    if (pick & 1)
        at[n++] = 0x67;
    if (size == 2)
        at[n++] = 0x66;
    at[n++] = pick & 2 ? 0xf3 : 0xf2;
    if (size == 8)
        at[n++] = 0x48;
    at[n++] = (u8)(op | (size != 1));
    return n;
}

/* Ticks of the instruction as it ran, given where RDI was: one for each element, or line. */
static u64 expected_ticks(unsigned op, unsigned size, u64 n, u64 di, bool down)
{
    u64 ticks = 0, line = ~0ull;

    if (op != OP_MOVS && op != OP_STOS)
        return n ? n : 1;
    for (u64 i = 0; i < n; i++, di += down ? -(u64)size : size) {
        ticks += di >> 6 != line;
        line = di >> 6;
    }
    return ticks ? ticks : 1;
}

static void as_on_the_host(void **state)
{
    static const u8 ops[] = { OP_MOVS, OP_MOVS, OP_STOS, OP_CMPS, OP_SCAS, OP_LODS };
    struct test_rig *r = rig_long(0, false);
    u8 *host = mmap(NULL, AREA + 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    u8 *host_code = host + AREA, guest[AREA];
    u64 s = 88172645463325252ull;
    unsigned cut_short = 0, slices;

    (void)state;
    assert_ptr_not_equal(host, MAP_FAILED);
    for (u64 p = 0; p < PAGES; p++)
        map4(r, BASE + p * 4096, 0x100000 + (p * 5 % PAGES) * 4096, 7);
    for (unsigned i = 0; i < CASES; i++) {
        unsigned op = ops[next_random(&s) % sizeof(ops)], size = 1u << next_random(&s) % 4, n;
        bool down = next_random(&s) % 4 == 0;
        u64 pick = next_random(&s), count = next_random(&s) % (next_random(&s) & 1 ? 200 : 3 * 4096 / size);
        u64 span = (count + 1) * size, from = next_random(&s) % (AREA - span), start;
        u64 to = next_random(&s) & 3 ? next_random(&s) % (AREA - span) : from + next_random(&s) % 100;
        u8 same = (u8)next_random(&s), code[16];
        struct regs h;

        if (to > AREA - span)
            to = AREA - span;
        if (down) {
            from += count * size;
            to += count * size;
        }
        if (next_random(&s) % 8 == 0) /* all equal but for a few, so that comparisons go far */
            memset(host, same, AREA);
        for (unsigned j = 0; j < 4; j++)
            host[next_random(&s) % AREA] = (u8)next_random(&s);
        for (u64 p = 0; p < PAGES; p++)
            memcpy(rig_ram(r, 0x100000 + (p * 5 % PAGES) * 4096), host + p * 4096, 4096);

        n = assemble(code, pick, op, size);
        code[n] = 0xf4;
        put_code(r, code, n + 1);
        h = (struct regs){ same * 0x0101010101010101ull, count, (uintptr_t)host + from, (uintptr_t)host + to, 0 };
        r->c.gpr[RAX] = h.rax;
        r->c.gpr[RCX] = count;
        r->c.gpr[RSI] = BASE + from;
        r->c.gpr[RDI] = BASE + to;
        r->c.rip = CODE;
        r->c.halted = HALT_NONE;
        host_code[0] = down ? 0xfd : 0xfc;
        memcpy(host_code + 1, (u8[]){ 0x31, 0xd2 }, 2); /* xor edx, edx: defined flags */
        memcpy(host_code + 3, code, n);
        memcpy(host_code + 3 + n, (u8[]){ 0xfc, 0x9c, 0x5a, 0xc3 }, 4); /* cld; pushfq; pop rdx; ret */
        flags_set(&r->c, F_ARITH | F_D, F_Z | F_P | (down ? F_D : 0));
        on_host(host_code, &h);

        start = clock_ticks(&r->clk);
        for (slices = 0;; slices++) {
            u64 end = clock_ticks(&r->clk) + 1 + next_random(&s) % (pick & 4 ? 5000 : 40);

            clock_open_slice(&r->clk, end);
            if (r->engine->run(r->e) != STOP_SLICE)
                break;
            assert_int_equal(clock_ticks(&r->clk), end);
        }
        cut_short += slices > 1;
        assert_int_equal(clock_ticks(&r->clk) - start,
                         expected_ticks(op, size, count - r->c.gpr[RCX], BASE + to, down) + 1);
        assert_int_equal(r->c.rip, CODE + n + 1);
        assert_int_equal(r->c.gpr[RAX], h.rax);
        assert_int_equal(r->c.gpr[RCX], h.rcx);
        assert_int_equal(r->c.gpr[RSI] - BASE, h.rsi - (uintptr_t)host);
        assert_int_equal(r->c.gpr[RDI] - BASE, h.rdi - (uintptr_t)host);
        assert_int_equal(flags_all(&r->c) & F_ARITH, h.flags & F_ARITH);
        for (u64 p = 0; p < PAGES; p++)
            memcpy(guest + p * 4096, rig_ram(r, 0x100000 + (p * 5 % PAGES) * 4096), 4096);
        assert_memory_equal(guest, host, AREA);
    }
    assert_true(cut_short > CASES / 10);
    munmap(host, AREA + 4096);
    rig_destroy(r);
}

/* ---- in bulk and element by element ---- */

enum { VARIED_CASES = 30000, ALIASED = 1, ABSENT_PAGE = 4, READ_ONLY_PAGE = 5, DEVICE_PAGE = 6, CODE_PAGE = 7 };

/* Eight pages in memory's own order, of which one is another's alias, and others fault, are a device or hold the
 * code. */
static struct test_rig *varied_rig(bool compat, bool code16, bool by_elements)
{
    struct test_rig *r = rig_long(0, compat);

    for (u64 p = 0; p < PAGES; p++) {
        u64 pa = p == DEVICE_PAGE ? RAM_SIZE : p == CODE_PAGE ? CODE : 0x100000 + (p == ALIASED ? 0 : p * 5 % PAGES) * 4096;

        if (p != ABSENT_PAGE)
            map4(r, BASE + p * 4096, pa, p == READ_ONLY_PAGE ? 5 : 7);
    }
    if (compat) {
        set_descriptor(r, SMALL, descriptor(BASE + 4 - 0x21, 0x5123, 0x93, 4));
        set_descriptor(r, DOWN, descriptor(BASE - 0x1003, 0x8800, 0x93, 4));
        rig_load_seg(r, DS, SMALL);
        rig_load_seg(r, ES, DOWN);
        if (code16)
            rig_load_seg(r, CS, CODE16);
    }
    r->c.cfg.engine.hash_writes = by_elements; /* each store goes the slow way: no fast set is used */
    cpu_update_mode(&r->c);
    return r;
}

/* Offsets that lie in the area, near the ends of its pages often. */
static u64 varied_offset(u64 *s, const struct test_rig *r, unsigned seg)
{
    u64 at = BASE + next_random(s) % AREA;

    if (next_random(s) & 1)
        at = (at & ~0xfffull) + 4096 - next_random(s) % 80;
    return at - ((r->c.mode & MODE_CODE_MASK) == MODE_CODE64 ? 0 : r->c.seg[seg].base);
}

static void assert_same(const struct test_rig *a, const struct test_rig *b)
{
    assert_memory_equal(a->c.gpr, b->c.gpr, sizeof(a->c.gpr));
    assert_int_equal(a->c.rip, b->c.rip);
    assert_int_equal(clock_ticks(&a->clk), clock_ticks(&b->clk));
    assert_int_equal(clock_icount(&a->clk), clock_icount(&b->clk));
    assert_int_equal(flags_all(&a->c), flags_all(&b->c));
    assert_int_equal(a->c.nr_events, b->c.nr_events);
    assert_int_equal(a->c.cr2, b->c.cr2);
    assert_int_equal(a->mem.nr_accesses, b->mem.nr_accesses);
    assert_int_equal(tlb_hash(a->c.tlb, 0), tlb_hash(b->c.tlb, 0));
}

/* What is done at once leaves what elements one by one would: at each slice's end, at faults, at
 * devices, where segments end, and in code that writes itself. */
static void in_bulk_as_by_elements(void **state)
{
    static const u8 ops[] = { OP_MOVS, OP_MOVS, OP_MOVS, OP_STOS, OP_STOS, OP_CMPS, OP_SCAS, OP_LODS };
    static u8 random[AREA + 4096], equal[AREA];
    u64 s = 88172645463325252ull, faults = 0, cuts = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof(random); i++)
        random[i] = (u8)next_random(&s);
    for (unsigned kind = 0; kind < 3; kind++) {
        struct test_rig *r[2] = { varied_rig(kind > 0, kind > 1, false), varied_rig(kind > 0, kind > 1, true) };
        struct cpu fresh = r[0]->c;

        for (unsigned i = 0; i < VARIED_CASES / 3; i++) {
            u8 code[32], op = ops[next_random(&s) % sizeof(ops)];
            unsigned n = 0, slices = 1 + next_random(&s) % 30, far = next_random(&s) & 1 ? 8192 : 200;
            bool down = next_random(&s) % 4 == 0;
            u64 pick = next_random(&s), count = next_random(&s) % far;
            u64 from = varied_offset(&s, r[0], DS), to = varied_offset(&s, r[0], ES), fill = next_random(&s);
            enum stop_reason why[2] = { STOP_SLICE, STOP_SLICE };

            if (pick & 8)
                to = from + next_random(&s) % 200 - 100;
            if (pick & 1)
                code[n++] = 0x67;
            if (pick & 2)
                code[n++] = 0x66;
            code[n++] = pick & 4 ? 0xf3 : 0xf2;
            if (kind == 0 && (pick & 16))
                code[n++] = 0x48;
            code[n++] = op | (pick >> 5 & 1);
            code[n++] = 0xf4;
            for (unsigned j = 0; j < 2; j++) {
                struct cpu *c = &r[j]->c;

                memcpy(rig_ram(r[j], 0x100000), op == OP_CMPS || op == OP_SCAS ? equal : random + fill % 4096, AREA);
                memset(rig_ram(r[j], CODE), 0xf4, 4096);
                put_code(r[j], code, n);
                memcpy(c->gpr, fresh.gpr, sizeof(c->gpr));
                memcpy(c->seg, fresh.seg, sizeof(c->seg));
                c->rip = CODE;
                c->halted = HALT_NONE;
                c->gpr[RAX] = op == OP_SCAS ? 0 : fill;
                c->gpr[RCX] = count;
                c->gpr[RSI] = from;
                c->gpr[RDI] = to;
                flags_set(c, F_ARITH | F_D, F_Z | F_P | (down ? F_D : 0));
                cpu_update_mode(c);
                if (pick & 64)
                    mmu_flush_all(c);
            }
            while (slices-- && why[0] == STOP_SLICE) {
                u64 ticks = 1 + next_random(&s) % (pick & 128 ? 300 : pick & 256 ? 12 : 3);

                for (unsigned j = 0; j < 2; j++)
                    why[j] = rig_run(r[j], ticks);
                assert_int_equal(why[0], why[1]);
                assert_same(r[0], r[1]);
                cuts += why[0] == STOP_SLICE;
            }
            faults += why[0] == STOP_HALT && r[0]->c.rip >= HANDLER && r[0]->c.rip < HANDLER + 16 * 64;
            assert_memory_equal(rig_ram(r[0], 0x100000), rig_ram(r[1], 0x100000), AREA);
            assert_memory_equal(rig_ram(r[0], CODE), rig_ram(r[1], CODE), 4096);
            if (i % 100 == 0)
                assert_memory_equal(rig_ram(r[0], 0), rig_ram(r[1], 0), 0x100000);
            assert_memory_equal(r[0]->view.page_flags, r[1]->view.page_flags, 0x110);
        }
        assert_int_equal(r[1]->c.fast, &r[1]->c.fast_sets[FAST_NONE]);
        assert_int_equal(r[0]->c.fast, &r[0]->c.fast_sets[FAST_SUPERVISOR]);
        rig_destroy(r[0]);
        rig_destroy(r[1]);
    }
    assert_true(faults > VARIED_CASES / 20 && cuts > VARIED_CASES);
}

/* The first element faults: nothing has changed (SDM 3A 6.5), the upper half of RDI neither. */
static void a_fault_leaves_the_upper_half(void **state)
{
    struct test_rig *r = rig_long(0, false);
    const u64 absent = 0xdead00030000;

    (void)state;
    CODE_BYTES(r, 0x67, 0xf3, 0xaa); /* rep stosb to EDI */
    r->c.gpr[RDI] = absent;
    r->c.gpr[RCX] = 0xbeef00000005;
    assert_int_equal(run_to_fault(r), EXC_PF);
    assert_int_equal(r->c.gpr[RDI], absent);
    assert_int_equal(r->c.gpr[RCX], 0xbeef00000005);
    rig_destroy(r);
}

/* Addresses that are not canonical, those among them that mark empty entries of the fast path. */
static void what_is_not_canonical_faults(void **state)
{
    static const u8 ops[] = { OP_MOVS, OP_CMPS, OP_STOS, OP_SCAS };
    static const u64 at[] = { 0x4000000000000000, 0x4000000000000fff, 1ull << 47, ~0ull << 48 };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(ops); i++)
        for (unsigned j = 0; j < 2 * ARRAY_LEN(at); j++) {
            struct test_rig *r = rig_long(0, false);

            CODE_BYTES(r, 0xf3, ops[i]);
            r->c.gpr[RSI] = j & 1 ? DATA : at[j / 2];
            r->c.gpr[RDI] = j & 1 || ops[i] == OP_STOS || ops[i] == OP_SCAS ? at[j / 2] : DATA;
            r->c.gpr[RCX] = 5;
            assert_int_equal(run_to_fault(r), EXC_GP);
            assert_int_equal(r->c.gpr[RCX], 5);
            rig_destroy(r);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_on_the_host),
        cmocka_unit_test(in_bulk_as_by_elements),
        cmocka_unit_test(a_fault_leaves_the_upper_half),
        cmocka_unit_test(what_is_not_canonical_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
