/*
 * State tables: one per struct, and everything that must know a struct's saved fields reads it:
 * save, load, dump, diff, hash, and the device conformance test.
 *
 *     static const struct state_field pit_fields[] = {
 *         STATE(struct pit, mode), STATE_ARRAY(struct pit, latch), STATE_TIMER(struct pit, edge),
 *         STATE_STRUCTS(struct pit, ch, channel_fields), STATE_END,
 *     };
 *     const struct state_desc pit_state = { "i8254", 1, pit_fields };
 *
 * A saved field has a fixed width and holds no pointer. Wiring is not state. On disk every
 * element is little-endian, fields follow in table order, behind a header of name and version.
 */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include "core/clock.h"
#include "core/types.h"
#include <stdio.h>

enum state_kind {
    STATE_KIND_END,
    STATE_KIND_INT,    /* elem_size 1, 2, 4 or 8; count elements */
    STATE_KIND_BYTES,  /* count bytes, dumped in hexadecimal */
    STATE_KIND_STRUCT, /* count elements of sub */
    STATE_KIND_TIMER,  /* deadline, or idle; loading re-arms it */
    STATE_KIND_INDIRECT, /* a pointer to count bytes that init allocated */
};

struct state_field {
    const char *name;
    u32 offset, elem_size, count;
    u8 kind, since; /* since: the version that brought it; absent fields load as zero */
    const struct state_field *sub;
    u64 max;        /* of an integer: a load refuses what is greater; 0: any value will do */
};

struct state_desc {
    const char *name;
    u32 version;
    const struct state_field *fields;
};

#define STATE_FIELD_SIZE(s, f) sizeof(((s *)0)->f)
#define STATE(s, f) { #f, offsetof(s, f), STATE_FIELD_SIZE(s, f), 1, STATE_KIND_INT, 1, NULL, 0 }
#define STATE_UPTO(s, f, max)                                                                      \
    { #f, offsetof(s, f), STATE_FIELD_SIZE(s, f), 1, STATE_KIND_INT, 1, NULL, max }
#define STATE_ARRAY_UPTO(s, f, max)                                                                \
    {                                                                                              \
        #f, offsetof(s, f), STATE_FIELD_SIZE(s, f[0]),                                             \
            STATE_FIELD_SIZE(s, f) / STATE_FIELD_SIZE(s, f[0]), STATE_KIND_INT, 1, NULL, max       \
    }
#define STATE_ARRAY(s, f) STATE_ARRAY_UPTO(s, f, 0)
#define STATE_BYTES(s, f)                                                                          \
    { #f, offsetof(s, f), 1, STATE_FIELD_SIZE(s, f), STATE_KIND_BYTES, 1, NULL, 0 }
#define STATE_STRUCT(s, f, fields)                                                                 \
    { #f, offsetof(s, f), STATE_FIELD_SIZE(s, f), 1, STATE_KIND_STRUCT, 1, fields, 0 }
#define STATE_STRUCTS(s, f, fields)                                                                \
    {                                                                                              \
        #f, offsetof(s, f), STATE_FIELD_SIZE(s, f[0]),                                             \
            STATE_FIELD_SIZE(s, f) / STATE_FIELD_SIZE(s, f[0]), STATE_KIND_STRUCT, 1, fields, 0    \
    }
#define STATE_INDIRECT(s, f, bytes)                                                                \
    { #f, offsetof(s, f), 1, bytes, STATE_KIND_INDIRECT, 1, NULL, 0 }
#define STATE_TIMER(s, f)                                                                          \
    { #f, offsetof(s, f), STATE_FIELD_SIZE(s, f), 1, STATE_KIND_TIMER, 1, NULL, 0 }
#define STATE_END { NULL, 0, 0, 0, STATE_KIND_END, 0, NULL, 0 }

/* A growing byte buffer, and a reader of one. Free data with free(). */
struct state_buf {
    u8 *data;
    size_t len, cap;
};
struct state_reader {
    const u8 *data;
    size_t len, pos;
    char error[160]; /* set when a load failed */
};

void state_put(struct state_buf *, const void *bytes, size_t len);
void state_save(struct state_buf *, const struct state_desc *, const void *obj);

/* 0, or -1 with r->error set; obj is then partly loaded and must be reset. */
int state_load(struct state_reader *r, const struct state_desc *, void *obj);

/* "prefix.field[i] = value" lines. */
void state_dump(FILE *, const char *prefix, const struct state_desc *, const void *obj);

/* Lines for the fields that differ. Returns their number. */
unsigned state_diff(FILE *, const char *prefix, const struct state_desc *, const void *a,
                    const void *b);

/* Chains a 64-bit hash (XXH64) over the saved form. */
u64 state_hash(u64 seed, const struct state_desc *, const void *obj);
u64 state_hash_bytes(u64 seed, const void *bytes, size_t len);

#endif
