/*
 * The JIT as an engine: its run() goes from block to block as the interpreter's does (cpu/run.h).
 */
#include "jit/jit.h"
#include "cpu/run.h"
#include "cpu/vec.h"
#include "cpu/operand.h"
#include <stdlib.h>

struct jit {
    struct cpu *c;
    struct block_cache *blocks;
};

static void *jit_create(struct cpu *c)
{
    struct jit *j = calloc(1, sizeof(*j));

    if (!j)
        return NULL;
    j->c = c;
    j->blocks = block_cache_create(c, NULL, j);
    if (!j->blocks) {
        free(j);
        return NULL;
    }
    return j;
}

static void jit_destroy(void *engine)
{
    struct jit *j = engine;

    block_cache_destroy(j->blocks);
    free(j);
}

static void jit_sync(void *engine)
{
    struct cpu *c = ((struct jit *)engine)->c;

    c->eflags = flags_all(c);
    c->lf = (struct lazy_flags){ 0 };
    floating_to_memory(c);
}

static void jit_code_changed(void *engine, u64 off, u64 len)
{
    struct jit *j = engine;

    if (block_invalidate(j->blocks, off, len))
        leave_block(j->c);
}

static void jit_map_changed(void *engine)
{
    struct jit *j = engine;

    mmu_flush_fast(j->c);
    leave_block(j->c);
}

static enum stop_reason jit_run(void *engine)
{
    struct jit *j = engine;
    struct cpu *c = j->c;
    enum stop_reason why;
    jmp_buf env, *outer = c->unwind;

    c->unwind = &env;
    if (setjmp(env) == UNWIND_FAULT && !run_fault(c)) {
        c->unwind = outer;
        floating_to_memory(c);
        return STOP_TRIPLE;
    }
    for (struct block *b = NULL; !run_poll(c, &why);) {
        b = block_lookup_from(j->blocks, b);
        if (UNLIKELY(run_needs_care(c, b)))
            run_one(c, b);
        else
            run_block(c, b, BLOCK_MAX_OPS);
        if (UNLIKELY(c->cfg.engine.stop_at_blocks) && !c->rep_interrupted) {
            why = STOP_REQUEST;
            break;
        }
    }
    c->unwind = outer;
    floating_to_memory(c);
    return why;
}

const struct engine jit_engine = {
    .name = "jit",
    .create = jit_create,
    .run = jit_run,
    .sync = jit_sync,
    .code_changed = jit_code_changed,
    .map_changed = jit_map_changed,
    .destroy = jit_destroy,
};
