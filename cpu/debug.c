/*
 * The debugger's points, as the engine and the mmu ask for them. See cpu/debug.h.
 */
#include "cpu/debug.h"
#include "core/clock.h"
#include "cpu/operand.h"

void cpu_debug_attach(struct cpu *c, struct cpu_debug *d)
{
    c->debug = d;
    mmu_flush_fast(c); /* which pages may be in the fast sets has changed */
}

static bool is_watch(const struct debug_point *p)
{
    return !(p->access & DEBUG_EXEC);
}

static bool breaks_at(struct cpu_debug *d, u64 lin)
{
    for (unsigned i = 0; i < d->nr_points; i++)
        if (!is_watch(&d->point[i]) && d->point[i].lin == lin) {
            d->hit_tag = d->point[i].tag;
            return true;
        }
    return false;
}

/* Whether this is the instruction at which the run went on. As with the guest's own breakpoints
 * and RF, it is that also after an interrupt or fault that came before it was done. */
static bool skips(struct cpu *c, u64 lin, u64 icount)
{
    struct cpu_debug *d = c->debug;
    u64 rsp = c->gpr[RSP];

    if (lin == d->skip_lin && icount == d->skip_icount)
        return true;
    if (icount == d->skip_icount && c->nr_events != d->step_events) {
        d->again = true;
        d->again_lin = d->skip_lin;
        d->again_rsp = d->skip_rsp;
        d->skip_icount = ~0ull;
    }
    if (!d->again || lin != d->again_lin || rsp != d->again_rsp)
        return false;
    d->again = false;
    d->skip_lin = lin;
    d->skip_rsp = rsp;
    d->skip_icount = icount;
    return true;
}

bool debug_stops(struct cpu *c)
{
    struct cpu_debug *d = c->debug;
    u64 lin = cpu_lin_rip(c), icount = clock_icount(c->cfg.clk);

    if (d->why == DEBUG_WATCH) /* debug_access() has seen it */
        return true;
    if (!c->halted && !skips(c, lin, icount) && breaks_at(d, lin)) {
        d->why = DEBUG_BREAK;
        return true;
    }
    if (d->stepping && (icount != d->step_icount || c->nr_events != d->step_events)) {
        d->why = DEBUG_STEP;
        return true;
    }
    return false;
}

bool debug_wants_steps(const struct cpu *c, u64 lin, u64 len)
{
    const struct cpu_debug *d = c->debug;

    if (d->stepping)
        return true;
    for (unsigned i = 0; i < d->nr_points; i++)
        if (!is_watch(&d->point[i]) && d->point[i].lin - lin < len)
            return true;
    return false;
}

bool debug_watches_page(const struct cpu *c, u64 lin)
{
    const struct cpu_debug *d = c->debug;

    for (unsigned i = 0; i < d->nr_points; i++) {
        const struct debug_point *p = &d->point[i];
        u64 first = p->lin >> 12, last = (p->lin + p->len - 1) >> 12;

        if (is_watch(p) && (lin >> 12) - first <= last - first)
            return true;
    }
    return false;
}

void debug_access(struct cpu *c, u64 lin, unsigned size, bool write)
{
    struct cpu_debug *d = c->debug;

    if (d->why == DEBUG_WATCH)
        return; /* an instruction may hit several: the first is told */
    for (unsigned i = 0; i < d->nr_points; i++) {
        const struct debug_point *p = &d->point[i];

        if (!is_watch(p) || !(p->access & (write ? DEBUG_WRITE : DEBUG_READ)))
            continue;
        if (p->lin - lin >= size && lin - p->lin >= p->len)
            continue;
        d->why = DEBUG_WATCH;
        d->hit_tag = p->tag;
        d->hit_lin = lin > p->lin && lin - p->lin < p->len ? lin : p->lin;
        leave_block(c);
        return;
    }
}
