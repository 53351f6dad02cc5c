/*
 * The input log: stamps what comes from outside, shows it to a recorder and delivers it.
 */
#include "core/input.h"
#include "core/clock.h"
#include "core/trace.h"

void input_init(struct input_log *l, struct clock *clk, struct trace *trace,
                void (*deliver)(void *, const struct input_event *), void *sink)
{
    *l = (struct input_log){ .clk = clk, .trace = trace, .deliver = deliver, .sink = sink };
}

static void deliver(struct input_log *l, const struct input_event *e)
{
    TRACE(l->trace, input, (u64)e->kind, (u64)e->code, e->value);
    l->deliver(l->sink, e);
    if (l->follower)
        l->follower(l->follower_h, e);
}

bool input_push(struct input_log *l, enum input_kind kind, u16 code, i64 value, i32 extra)
{
    /* Between slices no instruction is under way, so all ticks beyond the last retired
     * instruction are the charges since then; the pair of counters names the point. */
    struct input_event e = { .icount = clock_icount(l->clk), .sub_tick = l->clk->charged,
                             .kind = (u16)kind, .code = code, .extra = extra, .value = value };

    if (l->replaying)
        return false;
    if (l->recorder)
        l->recorder(l->recorder_h, &e);
    deliver(l, &e);
    return true;
}

void input_replay(struct input_log *l, const struct input_event *e)
{
    deliver(l, e);
}
