/*
 * A line of the instruction trace while it is being written: one big buffer, digits by hand.
 * Lines end in a column of items, "; @main+0x12 eax=00000001", which the first item opens.
 */
#ifndef MACHINE_TRACE_LINE_H
#define MACHINE_TRACE_LINE_H

#include "core/types.h"
#include "machine/hex.h"
#include "machine/trace_output.h"

enum {
    TRACE_BUFFER = 1 << 20,
    TRACE_ROOM = 4096, /* more than is put between two looks at the room */
};

struct trace_line {
    char *p;    /* where the next character goes */
    char *text; /* where the last column but the items starts; NULL: written out already */
    bool items; /* " ;" has been written */
    struct trace_output *out; /* not owned */
    int error;                /* errno of the write that failed: nothing is written any more */
    char buf[TRACE_BUFFER];
};

/* Writes out what is in the buffer. */
void trace_line_flush(struct trace_line *);

static inline void trace_line_room(struct trace_line *l, unsigned room)
{
    if (UNLIKELY(l->p > l->buf + TRACE_BUFFER - room))
        trace_line_flush(l);
}

void trace_line_string(struct trace_line *, const char *);
void trace_line_decimal(struct trace_line *, u64, unsigned width);

/* "name" or "name+0x12". */
void trace_line_name(struct trace_line *, const char *name, u64 offset);

/* Begins an item; name=value as one. */
void trace_line_item(struct trace_line *);
void trace_line_value(struct trace_line *, const char *name, u64 v, unsigned digits);

#endif
