/*
 * See bench.h.
 */
#include "tests/softfloat/bench.h"
#include "cpu/rig_engine.h"
#include "cpu/vec.h"

enum { RAM = 1 << 16 };

bool bench_init(struct bench *b)
{
    struct cpu_config cfg = { .view = &b->view, .io = &b->io, .clk = &b->clk, .log = &b->log, .features = ~0ull };

    clock_init(&b->clk);
    log_init(&b->log, stderr, 0);
    trace_init(&b->trace, stderr, &b->clk);
    bus_init(&b->io, "io", 0x10000, 1000, &b->clk, &b->log, &b->trace);
    bus_init(&b->mem, "mem", 0, 200, &b->clk, &b->log, &b->trace);
    if (mem_view_init(&b->view, RAM, &b->mem, &b->trace))
        return false;
    mem_view_add(&b->view, (struct mem_overlay){ "ram", 0, RAM, 0, 0, 0, true });
    b->engine = rig_engine(&cfg);
    if (cpu_init(&b->c, &cfg) || !(b->e = b->engine->create(&b->c)))
        return false;
    /* 64-bit code without tables: nothing is loaded or mapped here but this flat state. Paging off
     * and LMA on is no state of a processor's, yet one that the interpreter runs. */
    b->c.cr0 = CR0_PE | CR0_ET | CR0_NE;
    b->c.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    b->c.msr.efer = EFER_LME | EFER_LMA;
    b->c.seg[CS] = (struct seg){ .sel = 8, .attr = SEG_P | SEG_S | SEG_CODE | SEG_RW | SEG_ACCESSED | SEG_L,
                                 .limit = ~0u, .usable = 1 };
    cpu_update_mode(&b->c);
    return true;
}

void bench_put_code(struct bench *b, const void *code, size_t bytes)
{
    memcpy(b->view.backing + BENCH_CODE, code, bytes);
    mem_view_wrote(&b->view, BENCH_CODE, bytes);
    b->engine->code_changed(b->e, BENCH_CODE, bytes);
}

void bench_run(struct bench *b)
{
    b->c.rip = BENCH_CODE;
    b->c.halted = HALT_NONE;
    clock_open_slice(&b->clk, clock_ticks(&b->clk) + 100000);
    b->engine->run(b->e);
}

unsigned bench_rounding(const char *name)
{
    static const char *const roundings[] = { "near_even", "min", "max", "minMag" };
    unsigned rc = 0;

    while (rc < ARRAY_LEN(roundings) && strcmp(roundings[rc], name))
        rc++;
    return rc;
}

/* TestFloat's flags: inexact 1, underflow 2, overflow 4, infinite 8, invalid 16. */
u32 bench_flags(unsigned f)
{
    return (f & 1 ? MXCSR_PE : 0) | (f & 2 ? MXCSR_UE : 0) | (f & 4 ? MXCSR_OE : 0) |
           (f & 8 ? MXCSR_ZE : 0) | (f & 16 ? MXCSR_IE : 0);
}
