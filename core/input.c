/*
 * The input log: stamps, keeps and delivers what comes from outside.
 */
#include "core/input.h"
#include "core/clock.h"
#include "core/trace.h"
#include <stdlib.h>

void input_init(struct input_log *l, struct clock *clk, struct trace *trace,
                void (*deliver)(void *, const struct input_event *), void *sink)
{
    *l = (struct input_log){ .clk = clk, .trace = trace, .deliver = deliver, .sink = sink };
}

void input_fini(struct input_log *l)
{
    free(l->events);
    l->events = NULL;
    l->nr_events = l->cap_events = 0;
}

void input_push(struct input_log *l, enum input_kind kind, u16 code, i64 value, i32 extra)
{
    /* Between slices no instruction is under way, so all ticks beyond the last retired
     * instruction are the charges since then; the pair of counters names the point. */
    struct input_event e = { .icount = clock_icount(l->clk), .sub_tick = l->clk->charged,
                             .kind = (u16)kind, .code = code, .extra = extra, .value = value };

    if (l->nr_events == l->cap_events) {
        u32 cap = l->cap_events ? 2 * l->cap_events : 64;
        struct input_event *more = realloc(l->events, cap * sizeof(*more));

        ASSERT(more); /* a log with a hole could not be replayed */
        l->events = more;
        l->cap_events = cap;
    }
    l->events[l->nr_events++] = e;
    TRACE(l->trace, input, (u64)kind, (u64)code, value);
    l->deliver(l->sink, &e);
}
