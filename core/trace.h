/*
 * Trace events: declared once in core/trace_events.def, selected at run time by name pattern.
 * An event that is off costs one load and one branch. Instruction traces are not these: see
 * docs/TRACE.md.
 */
#ifndef CORE_TRACE_H
#define CORE_TRACE_H

#include "core/types.h"
#include <stdio.h>

struct clock;

enum trace_event {
#define EVENT(name, format) TRACE_##name,
#include "core/trace_events.def"
#undef EVENT
    NR_TRACE_EVENTS
};

struct trace {
    bool on[NR_TRACE_EVENTS];
    FILE *out;               /* not owned */
    const struct clock *clk; /* stamps each line with virtual nanoseconds; may be NULL */
};

void trace_init(struct trace *, FILE *out, const struct clock *);

/* Switches on the events whose name matches the shell pattern. Returns how many matched. */
unsigned trace_select(struct trace *, const char *pattern);

/* The names, one a line. */
void trace_print_names(FILE *);

void trace_emit(struct trace *, enum trace_event, ...);

/* TRACE(t, bus_read, region->name, off, value, size): integers must be cast to u64. */
#define TRACE(t, name, ...)                                                                        \
    do {                                                                                           \
        if (UNLIKELY((t)->on[TRACE_##name]))                                                       \
            trace_emit((t), TRACE_##name, __VA_ARGS__);                                            \
    } while (0)

#endif
