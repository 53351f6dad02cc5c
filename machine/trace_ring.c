/*
 * The ring of --last: a list of pieces, oldest first, filled one after the other. Heads and items
 * follow each other in a piece as they came, each with its kind in its first byte; the items of a
 * record may go on in the next piece.
 *
 * The guest decides how many items a record has (a REP STOS under --mem has millions), so memory
 * is bounded twice: items of a record beyond MAX_ITEMS are only counted, and the pieces together
 * hold at most PIECES_MIN, or BYTES_PER_RECORD for each record asked for.
 */
#include "machine/trace_ring.h"
#include <stdlib.h>

enum {
    PIECE_BYTES = 64 * 1024,
    PIECES_MIN = 1024, /* 64 MiB */
    BYTES_PER_RECORD = 512,
    MAX_ITEMS = 1 << 20, /* 24 MiB: fits into PIECES_MIN */
};

struct piece {
    struct piece *next;
    u64 nr_records; /* heads in it */
    u32 used;
    u8 bytes[PIECE_BYTES];
};

struct trace_ring {
    struct piece *oldest, *newest;
    u64 nr_pieces, max_pieces;
    u64 nr_records;     /* heads in all pieces */
    u64 wanted, seen;   /* N; records since the last write */
    u64 nr_items, more; /* of the newest record: kept, and left out */
};

struct trace_ring *trace_ring_create(u64 nr_records)
{
    struct trace_ring *r = calloc(1, sizeof(*r));
    u64 max;

    if (!r)
        return NULL;
    r->oldest = r->newest = calloc(1, sizeof(struct piece));
    if (!r->oldest) {
        free(r);
        return NULL;
    }
    max = nr_records > UINT64_MAX / BYTES_PER_RECORD ? UINT64_MAX : nr_records * BYTES_PER_RECORD;
    max /= PIECE_BYTES;
    r->wanted = nr_records;
    r->nr_pieces = 1;
    r->max_pieces = max > PIECES_MIN ? max : PIECES_MIN;
    return r;
}

void trace_ring_destroy(struct trace_ring *r)
{
    if (!r)
        return;
    for (struct piece *p = r->oldest, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    free(r);
}

/* Makes room behind the newest piece: the oldest one where it is not wanted any more, or where the
 * memory is used up. */
static void next_piece(struct trace_ring *r)
{
    struct piece *p = NULL;

    if (r->nr_records - r->oldest->nr_records < r->wanted && r->nr_pieces < r->max_pieces)
        p = malloc(sizeof(*p));
    if (p) {
        r->nr_pieces++;
    } else {
        p = r->oldest;
        r->nr_records -= p->nr_records;
        if (p->next)
            r->oldest = p->next;
        else
            r->oldest = r->newest = NULL;
    }
    p->next = NULL;
    p->nr_records = p->used = 0;
    if (r->newest)
        r->newest->next = p;
    else
        r->oldest = p;
    r->newest = p;
}

static u8 *room(struct trace_ring *r, u32 len)
{
    u8 *at;

    if (UNLIKELY(PIECE_BYTES - r->newest->used < len))
        next_piece(r);
    at = r->newest->bytes + r->newest->used;
    r->newest->used += len;
    return at;
}

static void put_item(struct trace_ring *r, const struct trace_item *item)
{
    memcpy(room(r, sizeof(*item)), item, sizeof(*item));
}

/* Items that were left out are the last one of their record. */
static void end_record(struct trace_ring *r)
{
    struct trace_item more = {.kind = TRACE_MORE, .value = r->more};

    if (r->more)
        put_item(r, &more);
    r->nr_items = r->more = 0;
}

void trace_ring_head(struct trace_ring *r, const struct trace_head *h, const struct event_record *e)
{
    u8 *at;

    if (UNLIKELY(r->more))
        end_record(r);
    r->nr_items = 0;
    at = room(r, sizeof(*h) + (e ? sizeof(*e) : 0));
    memcpy(at, h, sizeof(*h));
    if (e)
        memcpy(at + sizeof(*h), e, sizeof(*e));
    r->newest->nr_records++;
    r->nr_records++;
    r->seen++;
}

void trace_ring_item(struct trace_ring *r, const struct trace_item *item)
{
    if (UNLIKELY(r->nr_items == MAX_ITEMS)) {
        r->more++;
        return;
    }
    r->nr_items++;
    put_item(r, item);
}

/* Writes what stands at bytes, if skip records have gone by. Returns its length. */
static u32 write_one(const u8 *bytes, u64 *skip, bool *open, struct trace_text *t)
{
    struct trace_item item;
    struct trace_head head;
    struct event_record event;
    bool is_event = bytes[0] == TRACE_EVENT;

    if (bytes[0] >= TRACE_READ) {
        memcpy(&item, bytes, sizeof(item));
        if (*open)
            trace_text_item(t, &item);
        return sizeof(item);
    }
    memcpy(&head, bytes, sizeof(head));
    if (is_event)
        memcpy(&event, bytes + sizeof(head), sizeof(event));
    if (*open)
        trace_text_end(t);
    *open = *skip == 0;
    if (*open)
        trace_text_head(t, &head, is_event ? &event : NULL);
    else
        --*skip;
    return (u32)(sizeof(head) + (is_event ? sizeof(event) : 0));
}

u64 trace_ring_write(struct trace_ring *r, struct trace_text *t)
{
    u64 skip = r->nr_records > r->wanted ? r->nr_records - r->wanted : 0;
    u64 written = r->nr_records - skip, wanted = r->seen < r->wanted ? r->seen : r->wanted;
    bool open = false; /* items at the start may belong to a head that is gone */

    end_record(r);
    for (struct piece *p = r->oldest, *next; p; p = next) {
        next = p->next;
        for (u32 at = 0; at < p->used;)
            at += write_one(p->bytes + at, &skip, &open, t);
        if (next)
            free(p);
        else
            r->oldest = r->newest = p;
    }
    if (open)
        trace_text_end(t);
    r->newest->used = 0;
    r->newest->nr_records = 0;
    r->nr_pieces = 1;
    r->nr_records = r->seen = 0;
    return wanted - written;
}
