/*
 * Writing an input log. See machine/record.h, and machine/record_format.h for the bytes.
 */
#include "machine/record.h"
#include "core/input.h"
#include "machine/identity.h"
#include "machine/record_format.h"
#include <stdlib.h>

enum { CUT_AT = 60 << 10 }; /* a block is ended by itself when it is so long */

struct record {
    struct machine *m;
    struct state_buf block, out;
    u64 sum;              /* of the block before */
    u64 icount, sub_tick; /* the last point that was written */
    u64 nr_events;
    bool ended;
};

static void put_number(struct record *r, u64 v)
{
    u8 bytes[10];
    unsigned n = 0;

    for (; v >= 0x80; v >>= 7)
        bytes[n++] = (u8)(v | 0x80);
    bytes[n++] = (u8)v;
    state_put(&r->block, bytes, n);
}

static void put_u64(struct record *r, u64 v)
{
    u8 bytes[8];

    store_le(bytes, v, 8);
    state_put(&r->block, bytes, 8);
}

static void put_point(struct record *r, u64 icount, u64 sub_tick)
{
    put_number(r, icount - r->icount);
    put_number(r, sub_tick - r->sub_tick);
    r->icount = icount;
    r->sub_tick = sub_tick;
}

static void put_now(struct record *r)
{
    u64 icount = machine_icount(r->m);

    put_point(r, icount, machine_ticks(r->m) - icount);
}

static void end_block(struct record *r, enum record_block kind)
{
    u8 head[BLOCK_HEADER];
    u32 len = (u32)r->block.len;

    r->sum = block_sum(r->sum, kind, r->block.data, len);
    store_le(head, BLOCK_MAGIC | (u32)kind << 16, 4);
    store_le(head + 4, len, 4);
    store_le(head + 8, r->sum, 8);
    state_put(&r->out, head, sizeof(head));
    state_put(&r->out, r->block.data, len);
    r->block.len = 0;
}

static void heard(void *h, const struct input_event *e)
{
    struct record *r = h;

    put_number(r, e->kind + 1u);
    put_point(r, e->icount, e->sub_tick);
    put_number(r, e->code);
    put_number(r, zigzag(e->value));
    put_number(r, zigzag(e->extra));
    r->nr_events++;
    if (r->block.len >= CUT_AT)
        record_cut(r);
}

void record_cut(struct record *r)
{
    if (r->ended)
        return;
    put_number(r, 0);
    put_now(r);
    put_u64(r, machine_cpu_hash(r->m));
    end_block(r, BLOCK_EVENTS);
}

struct record *record_begin(struct machine *m, const struct record_setup *s,
                            char err[MACHINE_ERR_LEN])
{
    struct record *r = calloc(1, sizeof(*r));
    struct input_log *in = machine_input(m);

    if (!r)
        abort();
    r->m = m;
    if (identity_write(&r->out, IDENTITY_LOG, m, err)) {
        record_free(r);
        return NULL;
    }
    r->sum = state_hash_bytes(0, r->out.data, r->out.len);
    put_number(r, s->nr_args);
    for (unsigned i = 0; i < s->nr_args; i++) {
        put_number(r, strlen(s->args[i]));
        state_put(&r->block, s->args[i], strlen(s->args[i]));
    }
    put_number(r, s->nvram != NULL);
    if (s->nvram)
        state_put(&r->block, s->nvram, NVRAM_BYTES);
    put_u64(r, machine_state_hash(m));
    end_block(r, BLOCK_SETUP);
    in->recorder = heard;
    in->recorder_h = r;
    return r;
}

void record_end(struct record *r, int status)
{
    record_cut(r);
    put_now(r);
    put_number(r, (u64)status);
    put_u64(r, machine_state_hash(r->m));
    end_block(r, BLOCK_END);
    r->ended = true;
}

void record_free(struct record *r)
{
    struct input_log *in;

    if (!r)
        return;
    in = machine_input(r->m);
    if (in->recorder_h == r)
        in->recorder = NULL;
    free(r->block.data);
    free(r->out.data);
    free(r);
}

struct state_buf *record_bytes(struct record *r)
{
    return &r->out;
}

u64 record_nr_events(const struct record *r)
{
    return r->nr_events;
}
