/*
 * A processor in real mode with 2 MiB of memory and no device: unclaimed ports read as all ones.
 * It runs one instruction and remembers what was written. A20 is open, so that addresses above
 * 1 MiB are memory, as on the recorded board.
 */
#ifndef TESTS_VECTORS_BOARD_H
#define TESTS_VECTORS_BOARD_H

#include "core/bus.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem_view.h"
#include "core/trace.h"
#include "cpu/cpu.h"
#include "tests/vectors/moo.h"

enum { BOARD_RAM = 2 << 20, BOARD_MAX_TOUCHED = 65536 };

struct board {
    struct cpu c;
    struct clock clk;
    struct log log;
    struct trace trace;
    struct bus io, mem;
    struct mem_view view;
    const struct engine *engine;
    void *e;
    FILE *sink;
    struct cpu_observer observer;
    bool retired;
    u32 nr_touched;
    u32 touched[BOARD_MAX_TOUCHED]; /* addresses of bytes that may not be 0 */
};

/* How the one instruction ended. */
struct ending {
    bool exception, hung, shutdown;
    u8 vector;
};

int board_init(struct board *);
void board_fini(struct board *);

/* Memory becomes the state's, and zeros elsewhere; the registers are the state's. */
void board_load(struct board *, const struct moo_state *);

/* Runs the instruction at CS:IP to its end, or to the first instruction of its exception's
 * handler, which is not run. */
struct ending board_run(struct board *);

/* All sixteen bits of a register as the test's file numbers them. */
u16 board_reg(const struct board *, enum moo_reg);

/* Makes memory zero again. False: a byte had been written that touched[] does not list; only
 * looked for when thorough. */
bool board_clean(struct board *, bool thorough);

#endif
