/*
 * Replaying an input log. See machine/replay.h, and machine/record_format.h for the bytes.
 *
 * A log comes from outside: all of it is checked when it is read, so that nothing runs, and no
 * device is handed a value that no recorder writes, before its last byte has been seen.
 */
#include "machine/replay.h"
#include "core/input.h"
#include "core/irq.h"
#include "machine/identity.h"
#include "machine/record_format.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

enum step_kind { STEP_EVENT, STEP_CHECK, STEP_END };

/* What happens at one point. */
struct step {
    enum step_kind kind;
    struct input_event e; /* of STEP_CHECK and STEP_END only the point */
    u64 hash;
};

struct replay {
    u8 *head; /* the text, for comparison with the machine */
    size_t head_len;
    char **args;
    unsigned nr_args;
    bool has_nvram, partial;
    u8 nvram[NVRAM_BYTES];
    u64 date, start_hash;
    int status;

    struct step *steps;
    size_t nr_steps, cap_steps, at;
    u64 nr_events;
    char trouble[256];
};

/* ---- reading ---- */

/* A block's payload, eaten from the front. Behind its end everything reads as 0 and bad is set. */
struct eater {
    const u8 *p, *end;
    bool bad;
};

static u64 eat_number(struct eater *e)
{
    u64 v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        u8 byte;

        if (e->p == e->end)
            break;
        byte = *e->p++;
        if (shift == 63 && byte > 1)
            break;
        v |= (u64)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return v;
    }
    e->bad = true;
    return 0;
}

static const u8 *eat_bytes(struct eater *e, u64 len)
{
    const u8 *p = e->p;

    if (len > (u64)(e->end - e->p)) {
        e->bad = true;
        return NULL;
    }
    e->p += len;
    return p;
}

static u64 eat_u64(struct eater *e)
{
    const u8 *p = eat_bytes(e, 8);

    return p ? load_le(p, 8) : 0;
}

static bool eat_point(struct eater *e, const struct input_event *before, struct input_event *at)
{
    const u64 most = 1ull << 61; /* so that their sum is a tick */
    u64 icount = eat_number(e), sub_tick = eat_number(e);

    if (icount > most - before->icount || sub_tick > most - before->sub_tick)
        e->bad = true;
    at->icount = before->icount + icount;
    at->sub_tick = before->sub_tick + sub_tick;
    return !e->bad;
}

static void add_step(struct replay *r, const struct step *s)
{
    if (r->nr_steps == r->cap_steps) {
        size_t cap = r->cap_steps ? 2 * r->cap_steps : 256;
        struct step *more = realloc(r->steps, cap * sizeof(*more));

        ASSERT(more);
        r->steps = more;
        r->cap_steps = cap;
    }
    r->steps[r->nr_steps++] = *s;
}

/* Whether a recorder writes such events. */
static bool is_event(u64 kind, u64 code, i64 value)
{
    switch (kind) {
    case INPUT_KEY: return code <= 0xffff && (value == 0 || value == 1);
    case INPUT_MOUSE: return code <= 31 && value >= INT32_MIN && value <= UINT32_MAX;
    case INPUT_SERIAL: return code <= 1 && value >= 0 && value <= 0xff;
    case INPUT_POWER: return code == POWER_RESET && value == 0;
    case INPUT_NMI: return code == 0 && value == 0;
    default: return false;
    }
}

static void read_setup(struct replay *r, struct eater *e)
{
    u64 n = eat_number(e);
    const u8 *nvram;

    if (n > ARGS_MOST) {
        e->bad = true;
        return;
    }
    r->args = calloc(n + 1, sizeof(*r->args));
    ASSERT(r->args);
    for (; n && !e->bad; n--) {
        u64 len = eat_number(e);
        const u8 *text = eat_bytes(e, len);

        if (!text || memchr(text, 0, len)) {
            e->bad = true;
            return;
        }
        r->args[r->nr_args] = strndup((const char *)text, len);
        ASSERT(r->args[r->nr_args]);
        r->nr_args++;
    }
    switch (eat_number(e)) {
    case 0: break;
    case 1:
        r->has_nvram = true;
        if ((nvram = eat_bytes(e, NVRAM_BYTES)) != NULL)
            memcpy(r->nvram, nvram, NVRAM_BYTES);
        break;
    default: e->bad = true;
    }
    r->start_hash = eat_u64(e);
}

static void read_events(struct replay *r, struct eater *e, struct input_event *at)
{
    struct step s = { 0 };
    u64 kind;

    while ((kind = eat_number(e)) != 0 && !e->bad) {
        u64 code, extra;

        s = (struct step){ .kind = STEP_EVENT };
        if (!eat_point(e, at, &s.e))
            return;
        code = eat_number(e);
        s.e.value = unzigzag(eat_number(e));
        extra = eat_number(e);
        if (e->bad || !is_event(kind - 1, code, s.e.value) || extra > UINT32_MAX) {
            e->bad = true;
            return;
        }
        s.e.kind = (u16)(kind - 1);
        s.e.code = (u16)code;
        s.e.extra = (i32)unzigzag(extra);
        *at = s.e;
        add_step(r, &s);
        r->nr_events++;
    }
    s = (struct step){ .kind = STEP_CHECK };
    if (!eat_point(e, at, &s.e))
        return;
    s.hash = eat_u64(e);
    *at = s.e;
    add_step(r, &s);
}

static void read_end(struct replay *r, struct eater *e, const struct input_event *at)
{
    struct step s = { .kind = STEP_END };
    u64 status;

    if (!eat_point(e, at, &s.e))
        return;
    status = eat_number(e);
    e->bad |= status > 255;
    r->status = (int)status;
    s.hash = eat_u64(e);
    add_step(r, &s);
}

static int refuse(char *err, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(err, MACHINE_ERR_LEN, format, ap);
    va_end(ap);
    return -1;
}

static int truncated(struct replay *r, bool partial, char *err)
{
    r->partial = true;
    if (r->nr_steps == 0)
        return refuse(err, "the input log is truncated: nothing of the run is in it");
    if (!partial) {
        const struct input_event *e = &r->steps[r->nr_steps - 1].e;

        return refuse(err, "the input log is truncated: it ends at %.3f s of virtual time, without "
                           "its end; was the recorder killed? --partial replays what is there",
                      (double)(e->icount + e->sub_tick) / 1e9);
    }
    return 0;
}

static int read_blocks(struct replay *r, const u8 *data, size_t len, bool partial, char *err)
{
    u64 sum = state_hash_bytes(0, r->head, r->head_len);
    struct input_event at = { 0 };
    u32 kind = 0;

    for (unsigned n = 1; kind != BLOCK_END; n++) {
        struct eater e;
        u64 size;

        if (len < BLOCK_HEADER)
            return truncated(r, partial, err);
        kind = (u32)load_le(data, 4);
        size = load_le(data + 4, 4);
        if ((kind & 0xffff) != BLOCK_MAGIC || size > BLOCK_MOST)
            return refuse(err, "the input log was altered: block %u does not begin as one does", n);
        if (size > len - BLOCK_HEADER)
            return truncated(r, partial, err);
        kind >>= 16;
        e = (struct eater){ data + BLOCK_HEADER, data + BLOCK_HEADER + size, false };
        sum = block_sum(sum, kind, e.p, (u32)size);
        if (sum != load_le(data + 8, 8))
            return refuse(err, "the input log was altered: the sum of block %u is wrong", n);
        if ((kind == BLOCK_SETUP) != (n == 1))
            e.bad = true;
        else if (kind == BLOCK_SETUP)
            read_setup(r, &e);
        else if (kind == BLOCK_EVENTS)
            read_events(r, &e, &at);
        else if (kind == BLOCK_END)
            read_end(r, &e, &at);
        else
            e.bad = true;
        if (e.bad || e.p != e.end)
            return refuse(err, "block %u of the input log makes no sense", n);
        data += BLOCK_HEADER + size;
        len -= BLOCK_HEADER + size;
    }
    if (len)
        return refuse(err, "the input log was altered: %zu bytes follow its end", len);
    return 0;
}

struct replay *replay_read(const u8 *bytes, size_t len, bool partial, char err[MACHINE_ERR_LEN])
{
    struct state_reader in = { .data = bytes, .len = len };
    struct replay *r;
    char date[32];

    if (identity_check(&in, IDENTITY_LOG, err))
        return NULL;
    r = calloc(1, sizeof(*r));
    ASSERT(r);
    r->head_len = in.pos;
    r->head = malloc(in.pos);
    ASSERT(r->head);
    memcpy(r->head, bytes, in.pos);
    if (identity_find(bytes, in.pos, "date", date, sizeof(date)))
        r->date = strtoull(date, NULL, 10);
    if (read_blocks(r, bytes + in.pos, len - in.pos, partial, err)) {
        replay_free(r);
        return NULL;
    }
    return r;
}

void replay_free(struct replay *r)
{
    if (!r)
        return;
    for (unsigned i = 0; i < r->nr_args; i++)
        free(r->args[i]);
    free(r->args);
    free(r->head);
    free(r->steps);
    free(r);
}

/* ---- asking ---- */

const char *const *replay_args(const struct replay *r, unsigned *nr)
{
    *nr = r->nr_args;
    return (const char *const *)r->args;
}

const u8 *replay_nvram(const struct replay *r) { return r->has_nvram ? r->nvram : NULL; }
u64 replay_date(const struct replay *r) { return r->date; }
bool replay_is_partial(const struct replay *r) { return r->partial; }
u64 replay_nr_events(const struct replay *r) { return r->nr_events; }
int replay_status(const struct replay *r) { return r->status; }
const char *replay_trouble(const struct replay *r) { return r->trouble; }

/* ---- running ---- */

int replay_begin(struct replay *r, struct machine *m, char err[MACHINE_ERR_LEN])
{
    struct state_reader in = { .data = r->head, .len = r->head_len };

    if (identity_read(&in, IDENTITY_LOG, m, err))
        return -1;
    if (machine_state_hash(m) != r->start_hash)
        return refuse(err, "the machine is not the recorded one at power-on: its state differs");
    machine_input(m)->replaying = true;
    return 0;
}

static u64 tick_of(const struct step *s)
{
    return s->e.icount + s->e.sub_tick;
}

u64 replay_next_tick(const struct replay *r)
{
    return r->at < r->nr_steps ? tick_of(&r->steps[r->at]) : 0;
}

static enum replay_state diverged(struct replay *r, struct machine *m, const char *format, ...)
{
    va_list ap;
    int n = snprintf(r->trouble, sizeof(r->trouble),
                     "after %" PRIu64 " instructions, at %.6f s of virtual time: ",
                     machine_icount(m), (double)machine_now_ns(m) / 1e9);

    va_start(ap, format);
    vsnprintf(r->trouble + n, sizeof(r->trouble) - (size_t)n, format, ap);
    va_end(ap);
    return REPLAY_DIVERGED;
}

/* What ends a guest, unless the next event is a reset by the user. */
static const char *ended_by(enum machine_stop stop)
{
    switch (stop) {
    case MACHINE_POWER_OFF: return "has powered off";
    case MACHINE_EXIT: return "has ended the run through its exit port";
    case MACHINE_TRIPLE_FAULT: return "has met a triple fault";
    case MACHINE_HALTED: return "has halted for good";
    case MACHINE_ERROR: return "cannot go on";
    default: return NULL;
    }
}

enum replay_state replay_step(struct replay *r, struct machine *m, enum machine_stop stop)
{
    const char *over = ended_by(stop);

    for (; r->at < r->nr_steps; r->at++) {
        const struct step *s = &r->steps[r->at];
        u64 now = machine_ticks(m);

        if (now < tick_of(s)) {
            if (over)
                return diverged(r, m, "the guest %s, the recorded one went on", over);
            return REPLAY_GOES_ON;
        }
        if (now != tick_of(s) || machine_icount(m) != s->e.icount)
            return diverged(r, m, "the recorded run had a stop between two instructions, after %"
                            PRIu64 ", that this one does not have", s->e.icount);
        switch (s->kind) {
        case STEP_EVENT:
            input_replay(machine_input(m), &s->e);
            over = NULL;
            break;
        case STEP_CHECK:
            if (machine_cpu_hash(m) != s->hash)
                return diverged(r, m, "the processor's registers differ from the recorded ones");
            break;
        case STEP_END:
            if (machine_state_hash(m) != s->hash)
                return diverged(r, m, "the state at the end differs from the recorded one");
            break;
        }
    }
    return REPLAY_DONE;
}
