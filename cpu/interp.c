/*
 * The interpreter: the reference engine. It runs decoded blocks, one function for each instruction.
 */
#include "cpu/operand.h"
#include "cpu/run.h"
#include "cpu/vec.h"
#include <stdlib.h>

struct interp {
    struct cpu *c;
    struct block_cache *blocks;
};

static void *interp_create(struct cpu *c)
{
    struct interp *e = calloc(1, sizeof(*e));

    if (!e)
        return NULL;
    e->c = c;
    e->blocks = block_cache_create(c, NULL, NULL);
    if (!e->blocks) {
        free(e);
        return NULL;
    }
    return e;
}

static void interp_destroy(void *engine)
{
    struct interp *e = engine;

    block_cache_destroy(e->blocks);
    free(e);
}

static void interp_sync(void *engine)
{
    run_sync(((struct interp *)engine)->c);
}

static void interp_code_changed(void *engine, u64 off, u64 len)
{
    struct interp *e = engine;

    if (block_invalidate(e->blocks, off, len))
        leave_block(e->c);
}

static void interp_map_changed(void *engine)
{
    struct interp *e = engine;

    mmu_flush_fast(e->c);
    leave_block(e->c);
}

static enum stop_reason interp_run(void *engine)
{
    struct interp *e = engine;
    struct cpu *c = e->c;
    enum stop_reason why;
    jmp_buf env, *outer = c->unwind;

    c->unwind = &env;
    if (setjmp(env) == UNWIND_FAULT && !run_fault(c)) { /* an instruction, a fetch or a delivery */
        c->unwind = outer;
        floating_to_memory(c);
        return STOP_TRIPLE;
    }
    for (struct block *b = NULL; !run_poll(c, &why);) {
        b = block_lookup_from(e->blocks, b);
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

const struct engine interp_engine = {
    .name = "interp",
    .create = interp_create,
    .run = interp_run,
    .sync = interp_sync,
    .code_changed = interp_code_changed,
    .map_changed = interp_map_changed,
    .destroy = interp_destroy,
};
