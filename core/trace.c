/*
 * Trace events: selection by pattern, and printing after the declared formats.
 */
#include "core/trace.h"
#include "core/clock.h"
#include <fnmatch.h>
#include <inttypes.h>
#include <stdarg.h>

static const struct {
    const char *name, *format;
} events[NR_TRACE_EVENTS] = {
#define EVENT(name, format) [TRACE_##name] = { #name, format },
#include "core/trace_events.def"
#undef EVENT
};

void trace_init(struct trace *t, FILE *out, const struct clock *clk)
{
    *t = (struct trace){ .out = out, .clk = clk };
}

unsigned trace_select(struct trace *t, const char *pattern)
{
    unsigned n = 0;

    for (unsigned i = 0; i < NR_TRACE_EVENTS; i++)
        if (!fnmatch(pattern, events[i].name, 0)) {
            t->on[i] = true;
            n++;
        }
    return n;
}

void trace_print_names(FILE *f)
{
    for (unsigned i = 0; i < NR_TRACE_EVENTS; i++)
        fprintf(f, "%s\n", events[i].name);
}

void trace_emit(struct trace *t, enum trace_event e, ...)
{
    va_list ap;

    fprintf(t->out, "%" PRIu64 " %s ", t->clk ? clock_now(t->clk) : 0, events[e].name);
    va_start(ap, e);
    vfprintf(t->out, events[e].format, ap);
    va_end(ap);
    fputc('\n', t->out);
}
