/*
 * For unit tests of the processor: a struct cpu with RAM, descriptor tables and handlers, put
 * into a mode by setting its state. Test programs are a few bytes of code at CODE.
 *
 * Each IDT vector leads to HLT at HANDLER + 16 * vector, so a fault ends a run there, with its
 * frame on the stack.
 */
#ifndef CPU_TEST_RIG_H
#define CPU_TEST_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/bus.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem_view.h"
#include "core/trace.h"
#include "cpu/cpu.h"
#include "cpu/rig_engine.h"
#include "cpu/segment.h"
#include "mmu/mmu.h"
#include <stdio.h>
#include <stdlib.h>

enum { /* physical and, without paging, linear addresses */
    GDT = 0x1000, LDT = 0x1800, IDT = 0x2000, TSS = 0x3000, HANDLER = 0x4000, CODE = 0x6000,
    STACK0 = 0x8000, STACK3 = 0x9000, DATA = 0xa000, IST1 = 0xc000, TABLES = 0x10000,
    RAM_SIZE = 16 << 20,
};

enum { /* selectors */
    CODE0 = 0x08, DATA0 = 0x10, CODE3 = 0x1b, DATA3 = 0x23, TSS_SEL = 0x28, CONFORMING = 0x38,
    GATE = 0x40, ABSENT = 0x50, SMALL = 0x58, DOWN = 0x60, CODE16 = 0x68, EXEC_ONLY = 0x70,
    CODE64 = 0x78, CODE64_3 = 0x83, READ_ONLY = 0x88, LDT_SEL = 0x90, CODE1 = 0xa1, DATA1 = 0xa9,
    GDT_LIMIT = 0xff,
};

struct test_rig {
    struct cpu c;
    struct clock clk;
    struct log log;
    struct trace trace;
    struct bus io, mem;
    struct mem_view view;
    const struct engine *engine;
    void *e;
    FILE *sink;
};

static void rig_code_written(void *sink, u64 off, u64 len)
{
    struct test_rig *r = sink;

    r->engine->code_changed(r->e, off, len);
}

static inline u8 *rig_ram(struct test_rig *r, u64 pa)
{
    return r->view.backing + pa;
}

static inline void rig_poke(struct test_rig *r, u64 pa, u64 v, unsigned size)
{
    store_le(rig_ram(r, pa), v, size);
    mem_view_wrote(&r->view, pa, size);
}

static inline u64 rig_peek(struct test_rig *r, u64 pa, unsigned size)
{
    return load_le(rig_ram(r, pa), size);
}

/* access: the descriptor's bits 47..40 (P, DPL, S, type); flags: bits 55..52 (G, D/B, L, AVL). */
static inline u64 descriptor(u32 base, u32 limit, u8 access, u8 flags)
{
    return (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 |
           (u64)(limit >> 16 & 15) << 48 | (u64)flags << 52 | (u64)(base >> 24) << 56;
}

static inline void set_descriptor(struct test_rig *r, u16 sel, u64 d)
{
    rig_poke(r, GDT + (sel & ~7u), d, 8);
}

/* A gate of the given type to sel:off. 32-bit form; long mode's is 16 bytes. */
static inline void set_gate(struct test_rig *r, unsigned vector, u16 sel, u64 off, u8 access, u8 ist)
{
    u64 low = (off & 0xffff) | (u64)sel << 16 | (u64)ist << 32 | (u64)access << 40 | (off >> 16 & 0xffff) << 48;

    if (r->c.msr.efer & EFER_LMA) {
        rig_poke(r, IDT + 16 * vector, low, 8);
        rig_poke(r, IDT + 16 * vector + 8, off >> 32, 8);
    } else {
        rig_poke(r, IDT + 8 * vector, low, 8);
    }
}

static inline void rig_load_seg(struct test_rig *r, unsigned seg, u16 sel)
{
    r->c.seg[seg] = seg_from_desc(sel, rig_peek(r, GDT + (sel & ~7u), 8));
}

static inline struct test_rig *rig_create(void)
{
    struct test_rig *r = calloc(1, sizeof(*r));
    struct cpu_config cfg = { .view = &r->view, .io = &r->io, .clk = &r->clk, .log = &r->log,
                              .features = ~0ull };

    r->sink = fopen("/dev/null", "w");
    clock_init(&r->clk);
    log_init(&r->log, r->sink, 0);
    trace_init(&r->trace, r->sink, &r->clk);
    bus_init(&r->io, "io", 0x10000, 1000, &r->clk, &r->log, &r->trace);
    bus_init(&r->mem, "mem", 0, 200, &r->clk, &r->log, &r->trace);
    assert_int_equal(mem_view_init(&r->view, RAM_SIZE, &r->mem, &r->trace), 0);
    mem_view_add(&r->view, (struct mem_overlay){ "ram", 0, RAM_SIZE, 0, 0, 0, true });
    r->view.sink = r;
    r->view.code_written = rig_code_written;
    r->engine = rig_engine(&cfg);
    assert_int_equal(cpu_init(&r->c, &cfg), 0);
    r->e = r->engine->create(&r->c);
    assert_non_null(r->e);
    memset(rig_ram(r, HANDLER), 0xf4, 0x1000);
    return r;
}

static inline void rig_destroy(struct test_rig *r)
{
    r->engine->destroy(r->e);
    cpu_fini(&r->c);
    mem_view_fini(&r->view);
    bus_fini(&r->io);
    bus_fini(&r->mem);
    clock_fini(&r->clk);
    log_fini(&r->log);
    fclose(r->sink);
    free(r);
}

/* Protected mode, 32 bits, at the CPL given, with all descriptors and gates in place. */
static inline struct test_rig *rig_protected(unsigned cpl)
{
    struct test_rig *r = rig_create();
    struct cpu *c = &r->c;

    set_descriptor(r, CODE0, descriptor(0, 0xfffff, 0x9b, 0xc));
    set_descriptor(r, DATA0, descriptor(0, 0xfffff, 0x93, 0xc));
    set_descriptor(r, CODE3, descriptor(0, 0xfffff, 0xfb, 0xc));
    set_descriptor(r, DATA3, descriptor(0, 0xfffff, 0xf3, 0xc));
    set_descriptor(r, TSS_SEL, descriptor(TSS, 0x67, 0x8b, 0));
    set_descriptor(r, CONFORMING, descriptor(0, 0xfffff, 0x9f, 0xc));
    set_descriptor(r, ABSENT, descriptor(0, 0xfffff, 0x73, 0xc));
    set_descriptor(r, SMALL, descriptor(DATA, 0xfff, 0xf3, 4));
    set_descriptor(r, DOWN, descriptor(DATA, 0xfff, 0xf7, 0));
    set_descriptor(r, CODE16, descriptor(0, 0xffff, 0x9b, 0));
    set_descriptor(r, EXEC_ONLY, descriptor(0, 0xfffff, 0xf9, 0xc));
    set_descriptor(r, CODE64, descriptor(0, 0xfffff, 0x9b, 0xa));
    set_descriptor(r, CODE64_3, descriptor(0, 0xfffff, 0xfb, 0xa));
    set_descriptor(r, READ_ONLY, descriptor(0, 0xfffff, 0xf1, 0xc));
    set_descriptor(r, LDT_SEL, descriptor(LDT, 0x3f, 0x82, 0));
    set_descriptor(r, CODE1, descriptor(0, 0xfffff, 0xbb, 0xc));
    set_descriptor(r, DATA1, descriptor(0, 0xfffff, 0xb3, 0xc));
    c->gdtr = (struct dtable){ GDT, GDT_LIMIT };
    c->idtr = (struct dtable){ IDT, 0x7ff };
    for (unsigned v = 0; v < 256; v++)
        set_gate(r, v, CODE0, HANDLER + 16 * (v & 63), 0x8e, 0);
    rig_poke(r, TSS + 4, STACK0, 4);
    rig_poke(r, TSS + 8, DATA0, 4);
    rig_poke(r, TSS + 12, STACK0 - 0x800, 4); /* level 1 */
    rig_poke(r, TSS + 16, DATA1, 4);
    rig_poke(r, TSS + 0x66, 0x68, 2);
    c->tr = seg_from_desc(TSS_SEL, rig_peek(r, GDT + TSS_SEL, 8));
    c->cr0 = CR0_PE | CR0_ET | CR0_NE;
    c->cpl = cpl;
    rig_load_seg(r, CS, cpl == 0 ? CODE0 : CODE3);
    for (int s = 0; s < NR_SEGS; s++)
        if (s != CS)
            rig_load_seg(r, (unsigned)s, cpl == 0 ? DATA0 : DATA3);
    c->rip = CODE;
    c->gpr[RSP] = cpl == 0 ? STACK0 - 0x100 : STACK3;
    cpu_update_mode(c);
    return r;
}

/* Maps lin to pa in the 4-level tables at TABLES; the page tables are taken one after another. */
static inline void map4(struct test_rig *r, u64 lin, u64 pa, u64 flags)
{
    u64 table = TABLES;

    for (unsigned level = 3; level > 0; level--) {
        u64 at = table + ((lin >> (12 + 9 * level)) & 511) * 8;

        if (!rig_peek(r, at, 8)) {
            u64 free = rig_peek(r, TABLES - 8, 8) + 0x1000;

            rig_poke(r, TABLES - 8, free, 8);
            rig_poke(r, at, (TABLES + free) | 7, 8);
        }
        table = rig_peek(r, at, 8) & 0xffffff000;
    }
    rig_poke(r, table + ((lin >> 12) & 511) * 8, pa | flags, 8);
}

/* Long mode, the first 128 KiB mapped one to one for everybody. */
static inline struct test_rig *rig_long(unsigned cpl, bool compat)
{
    struct test_rig *r = rig_protected(cpl);
    struct cpu *c = &r->c;

    c->msr.efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
    for (u64 p = 0; p < 0x20000; p += 0x1000)
        map4(r, p, p, 7);
    for (unsigned v = 0; v < 128; v++)
        set_gate(r, v, CODE64, HANDLER + 16 * (v & 63), 0x8e, 0);
    c->idtr.limit = 128 * 16 - 1;
    rig_poke(r, TSS + 4, STACK0, 8); /* RSP0 */
    rig_poke(r, TSS + 0x24, IST1, 8);
    rig_poke(r, GDT + TSS_SEL + 8, 0, 8);
    c->cr4 = CR4_PAE | CR4_PGE;
    c->cr3 = TABLES;
    c->cr0 |= CR0_PG | CR0_WP;
    if (!compat)
        rig_load_seg(r, CS, cpl == 0 ? CODE64 : CODE64_3);
    cpu_update_mode(c);
    mmu_flush_all(c);
    return r;
}

static inline void put_code(struct test_rig *r, const void *bytes, size_t n)
{
    memcpy(rig_ram(r, CODE), bytes, n);
    mem_view_wrote(&r->view, CODE, n);
}
#define CODE_BYTES(r, ...) put_code(r, (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

static inline enum stop_reason rig_run(struct test_rig *r, u64 ticks)
{
    clock_open_slice(&r->clk, clock_ticks(&r->clk) + ticks);
    return r->engine->run(r->e);
}

/* Runs the code and says which vector's handler it ended in; -1: none. */
static inline int run_to_fault(struct test_rig *r)
{
    enum stop_reason why = rig_run(r, 100000);

    if (why == STOP_TRIPLE)
        return -2;
    if (why != STOP_HALT || r->c.rip - 1 < HANDLER || r->c.rip - 1 >= HANDLER + 16 * 64 || (r->c.rip - 1) % 16)
        return -1;
    return (int)((r->c.rip - 1 - HANDLER) / 16);
}

/* The n-th slot of the frame on the stack, from the top; linear is physical here. */
static inline u64 frame(struct test_rig *r, unsigned n)
{
    unsigned size = r->c.msr.efer & EFER_LMA ? 8 : r->c.cr0 & CR0_PE ? 4 : 2;

    return rig_peek(r, r->c.seg[SS].base + (r->c.gpr[RSP] & (size == 2 ? 0xffff : ~0ull)) + n * size, size);
}

/* A fault with an error code, at the first instruction of CODE. */
static inline void expect_fault(struct test_rig *r, int vector, u32 error)
{
    assert_int_equal(run_to_fault(r), vector);
    assert_int_equal(frame(r, 0), error);
    assert_int_equal(frame(r, 1), CODE);
    rig_destroy(r);
}

static inline void expect_plain_fault(struct test_rig *r, int vector)
{
    assert_int_equal(run_to_fault(r), vector);
    assert_int_equal(frame(r, 0), CODE);
    rig_destroy(r);
}

/* Runs to the HLT that ends the code. */
static inline void expect_done(struct test_rig *r, u64 rip)
{
    assert_int_equal(rig_run(r, 1000), STOP_HALT);
    assert_int_equal(r->c.rip, rip);
}

#endif
