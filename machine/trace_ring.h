/*
 * The last records of an instruction trace, kept in memory: --last N.
 *
 * Keeping one costs a copy. They are put in lists of pieces: when the pieces behind the oldest
 * hold N records, the oldest is used again.
 */
#ifndef MACHINE_TRACE_RING_H
#define MACHINE_TRACE_RING_H

#include "machine/trace_record.h"
#include "machine/trace_text.h"

struct trace_ring;

struct trace_ring *trace_ring_create(u64 nr_records); /* NULL: no memory */
void trace_ring_destroy(struct trace_ring *);         /* NULL is allowed */

/* The event is NULL but for TRACE_EVENT. */
void trace_ring_head(struct trace_ring *, const struct trace_head *, const struct event_record *);
void trace_ring_item(struct trace_ring *, const struct trace_item *);

/* Writes the last N records, or as many as there were, as text, and forgets them. Returns how many
 * of them are missing because their items took all the memory that a ring may have. */
u64 trace_ring_write(struct trace_ring *, struct trace_text *);

#endif
