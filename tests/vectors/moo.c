/*
 * Reading MOO streams: see moo.h. The format is described by its author (D. Balsom, the MOO
 * repository). Every length is checked against what is left of the chunk around it.
 */
#include "tests/vectors/moo.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_CHUNK = 16 << 20 };

/* A part of a chunk that has not been read yet. */
struct span {
    const u8 *p;
    size_t len;
};

static bool take(struct span *s, void *out, size_t n)
{
    if (s->len < n)
        return false;
    memcpy(out, s->p, n);
    s->p += n;
    s->len -= n;
    return true;
}

static bool take_number(struct span *s, u32 *v, unsigned size)
{
    u8 b[4];

    if (!take(s, b, size))
        return false;
    *v = (u32)load_le(b, size);
    return true;
}

static bool take_chunk(struct span *s, char tag[5], struct span *body)
{
    u32 len;

    tag[4] = 0;
    if (!take(s, tag, 4) || !take_number(s, &len, 4) || s->len < len)
        return false;
    *body = (struct span){ s->p, len };
    s->p += len;
    s->len -= len;
    return true;
}

static bool read_registers(struct span s, struct moo_state *st)
{
    u32 v;

    if (!take_number(&s, &st->present, 2) || st->present >> NR_MOO_REGS)
        return false;
    for (int i = 0; i < NR_MOO_REGS; i++)
        if (st->present >> i & 1) {
            if (!take_number(&s, &v, 2))
                return false;
            st->reg[i] = (u16)v;
        }
    return true;
}

static bool read_ram(struct span s, struct moo_state *st)
{
    if (!take_number(&s, &st->nr_ram, 4) || st->nr_ram > MOO_MAX_RAM)
        return false;
    for (u32 i = 0; i < st->nr_ram; i++)
        if (!take_number(&s, &st->ram[i].addr, 4) || !take(&s, &st->ram[i].value, 1))
            return false;
    return true;
}

static bool read_state(struct span s, struct moo_state *st)
{
    char tag[5];
    struct span body;

    while (s.len) {
        if (!take_chunk(&s, tag, &body))
            return false;
        if (!strcmp(tag, "REGS") && !read_registers(body, st))
            return false;
        if (!strcmp(tag, "RAM ") && !read_ram(body, st))
            return false;
    }
    return true;
}

/* A count, then so many bytes; out gets at most cap of them. */
static bool read_counted(struct span s, void *out, u32 cap, u32 *n)
{
    if (!take_number(&s, n, 4) || s.len < *n)
        return false;
    *n = *n < cap ? *n : cap;
    return take(&s, out, *n);
}

static bool read_test(struct span s, struct moo_test *t)
{
    char tag[5];
    struct span body;
    u32 n;

    t->name[0] = 0;
    t->nr_bytes = 0;
    t->exception = false;
    t->initial.present = t->final.present = 0;
    t->initial.nr_ram = t->final.nr_ram = 0;
    if (!take_number(&s, &t->index, 4))
        return false;
    while (s.len) {
        bool ok = true;

        if (!take_chunk(&s, tag, &body))
            return false;
        if (!strcmp(tag, "NAME")) {
            ok = read_counted(body, t->name, sizeof(t->name) - 1, &n);
            t->name[ok ? n : 0] = 0;
        } else if (!strcmp(tag, "BYTS")) {
            ok = read_counted(body, t->bytes, sizeof(t->bytes), &t->nr_bytes);
        } else if (!strcmp(tag, "INIT")) {
            ok = read_state(body, &t->initial);
        } else if (!strcmp(tag, "FINA")) {
            ok = read_state(body, &t->final);
        } else if (!strcmp(tag, "EXCP")) {
            t->exception = true;
            ok = take(&body, &t->vector, 1) && take_number(&body, &t->flags_at, 4);
        } else if (!strcmp(tag, "HASH")) {
            ok = take(&body, t->hash, MOO_HASH_BYTES);
        }
        if (!ok)
            return false;
    }
    return t->nr_bytes && t->initial.present == (1u << NR_MOO_REGS) - 1;
}

/* Reads one chunk of the stream into r->chunk. False: the end, or r->error. */
static bool next_chunk(struct moo_reader *r, char tag[5], struct span *body)
{
    u8 head[8];
    size_t got = fread(head, 1, sizeof(head), r->in), len;

    if (got != sizeof(head)) {
        if (got || ferror(r->in))
            r->error = "ends inside a chunk's head";
        return false;
    }
    memcpy(tag, head, 4);
    tag[4] = 0;
    len = (size_t)load_le(head + 4, 4);
    if (len > MAX_CHUNK) {
        r->error = "a chunk of more than 16 MiB: not a MOO file, or a damaged one";
        return false;
    }
    if (len > r->cap) {
        u8 *p = realloc(r->chunk, len);

        if (!p) {
            r->error = "no memory for a chunk";
            return false;
        }
        r->chunk = p;
        r->cap = len;
    }
    if (fread(r->chunk, 1, len, r->in) != len) {
        r->error = "ends inside a chunk";
        return false;
    }
    *body = (struct span){ r->chunk, len };
    return true;
}

/* MOO: version, 3 reserved bytes, number of tests, CPU. META: 3 bytes, opcode, more. */
static bool read_head(struct moo_reader *r, const char *tag, struct span s)
{
    u8 skip[4];
    u32 n;

    if (!strcmp(tag, "MOO ")) {
        if (!take(&s, skip, 4) || !take_number(&s, &n, 4) || !take(&s, r->cpu, 4))
            return false;
        r->cpu[4] = 0;
        r->announced += n;
        r->nr_files++;
    } else if (!strcmp(tag, "META")) {
        return take(&s, skip, 3) && take_number(&s, &r->opcode, 4);
    }
    return true;
}

void moo_init(struct moo_reader *r, FILE *in)
{
    *r = (struct moo_reader){ .in = in };
}

void moo_fini(struct moo_reader *r)
{
    free(r->chunk);
}

bool moo_next(struct moo_reader *r, struct moo_test *t)
{
    char tag[5];
    struct span body;

    while (next_chunk(r, tag, &body)) {
        if (!r->nr_files && strcmp(tag, "MOO ")) {
            r->error = "does not begin with a MOO chunk";
            return false;
        }
        if (!strcmp(tag, "TEST")) {
            if (!read_test(body, t)) {
                r->error = "a TEST chunk is damaged";
                return false;
            }
            r->nr_tests++;
            return true;
        }
        if (!read_head(r, tag, body)) {
            r->error = "a MOO or META chunk is too short";
            return false;
        }
    }
    if (!r->error && r->nr_tests != r->announced)
        r->error = "holds fewer tests than its heads say";
    return false;
}
