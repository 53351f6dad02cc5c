/*
 * Records of the instruction trace as text, in the grammar of docs/TRACE.md.
 *
 * A line may be written piece by piece: its head, items as they come, its end.
 */
#ifndef MACHINE_TRACE_TEXT_H
#define MACHINE_TRACE_TEXT_H

#include "machine/disasm.h"
#include "machine/symbols.h"
#include "machine/trace_line.h"
#include "machine/trace_record.h"

struct trace_text {
    struct disasm *disasm; /* not owned */
    const struct symbols *symbols;
    bool tty;                   /* each line is written out at once */
    bool lines;                 /* --lines */
    struct source_line line_at; /* of the latest instruction */
    struct trace_line line;
};

/* The buffer is not cleared: it is large. */
void trace_text_init(struct trace_text *, struct disasm *, const struct symbols *, bool lines,
                     struct trace_output *);

/* The event is NULL but for TRACE_EVENT. */
void trace_text_head(struct trace_text *, const struct trace_head *, const struct event_record *);
void trace_text_item(struct trace_text *, const struct trace_item *);
void trace_text_end(struct trace_text *);

#endif
