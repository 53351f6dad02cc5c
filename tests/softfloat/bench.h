/*
 * A processor that runs a few bytes of 64-bit code, with what the two programs here have in common.
 */
#ifndef TESTS_SOFTFLOAT_BENCH_H
#define TESTS_SOFTFLOAT_BENCH_H

#include "core/bus.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem_view.h"
#include "core/trace.h"
#include "cpu/cpu.h"

enum { BENCH_CODE = 0x1000, BENCH_DATA = 0x2000, MAX_SHOWN = 20 };

struct bench {
    struct cpu c;
    struct clock clk;
    struct log log;
    struct trace trace;
    struct bus io, mem;
    struct mem_view view;
    const struct engine *engine;
    void *e;
};

/* False: no memory. */
bool bench_init(struct bench *);

/* Code is put at BENCH_CODE; a HLT must end it. */
void bench_put_code(struct bench *, const void *code, size_t bytes);
void bench_run(struct bench *);

/* The number that RC has for TestFloat's rounding mode (near_even, min, max, minMag); 4: none. */
unsigned bench_rounding(const char *);

/* TestFloat's flags as MXCSR and the x87 status word have them. */
u32 bench_flags(unsigned testfloat);

#endif
