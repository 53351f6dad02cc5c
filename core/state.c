/*
 * State tables at work: save, load, dump, diff, hash. See core/state.h.
 *
 * Saved form of a struct: its name (length byte, bytes), its version (4), then the fields in
 * table order, little-endian. A timer is 8 bytes of deadline, UINT64_MAX when idle.
 */
#include "core/state.h"
#define XXH_INLINE_ALL
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <xxhash.h>

void state_put(struct state_buf *b, const void *bytes, size_t len)
{
    if (!len)
        return;
    if (b->len + len > b->cap) {
        size_t cap = 2 * (b->len + len) + 256;
        u8 *more = realloc(b->data, cap);

        ASSERT(more);
        b->data = more;
        b->cap = cap;
    }
    memcpy(b->data + b->len, bytes, len);
    b->len += len;
}

static u64 timer_value(const struct timer *t)
{
    return timer_armed(t) ? t->when_ns : UINT64_MAX;
}

/* Element i of a field; bytes behind a pointer are reached through it. */
static const u8 *element(const struct state_field *f, const u8 *obj, u32 i)
{
    const u8 *p = obj + f->offset;

    if (f->kind == STATE_KIND_INDIRECT) {
        const void *behind;

        memcpy(&behind, p, sizeof(behind));
        p = behind;
    }
    return p + (size_t)i * f->elem_size;
}

static void save_fields(struct state_buf *b, const struct state_field *f, const u8 *obj)
{
    for (; f->kind != STATE_KIND_END; f++)
        for (u32 i = 0; i < f->count; i++) {
            const u8 *p = element(f, obj, i);

            switch (f->kind) {
            case STATE_KIND_STRUCT: save_fields(b, f->sub, p); break;
            case STATE_KIND_TIMER: {
                u64 v = timer_value((const struct timer *)p);
                state_put(b, &v, sizeof(v));
                break;
            }
            case STATE_KIND_BYTES: case STATE_KIND_INDIRECT:
                state_put(b, p, f->count);
                i = f->count;
                break;
            default: state_put(b, p, f->elem_size); break;
            }
        }
}

void state_save(struct state_buf *b, const struct state_desc *d, const void *obj)
{
    u8 n = (u8)strlen(d->name);

    state_put(b, &n, 1);
    state_put(b, d->name, n);
    state_put(b, &d->version, sizeof(d->version));
    save_fields(b, d->fields, obj);
}

static int load_error(struct state_reader *r, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(r->error, sizeof(r->error), format, ap);
    va_end(ap);
    return -1;
}

static int get(struct state_reader *r, void *out, size_t n, const char *what)
{
    if (r->len - r->pos < n)
        return load_error(r, "the saved state ends within %s", what);
    memcpy(out, r->data + r->pos, n);
    r->pos += n;
    return 0;
}

static u64 int_value(const u8 *p, u32 size)
{
    return load_le(p, size);
}

static int load_fields(struct state_reader *r, const struct state_field *f, u8 *obj, u32 version)
{
    for (; f->kind != STATE_KIND_END; f++)
        for (u32 i = 0; i < f->count; i++) {
            u8 *p = (u8 *)(uintptr_t)element(f, obj, i);
            bool absent = f->since > version;

            switch (f->kind) {
            case STATE_KIND_STRUCT:
                if (load_fields(r, f->sub, p, absent ? 0 : version))
                    return -1;
                break;
            case STATE_KIND_TIMER: {
                u64 v = UINT64_MAX;
                struct timer *t = (struct timer *)p;

                if (!absent && get(r, &v, sizeof(v), f->name))
                    return -1;
                if (v != UINT64_MAX && v > CLOCK_END)
                    return load_error(r, "the timer %s is set for the end of time", f->name);
                timer_cancel(t);
                if (v != UINT64_MAX)
                    timer_arm(t, v);
                break;
            }
            case STATE_KIND_BYTES: case STATE_KIND_INDIRECT:
                if (absent)
                    memset(p, 0, f->count);
                else if (get(r, p, f->count, f->name))
                    return -1;
                i = f->count;
                break;
            default:
                if (absent)
                    memset(p, 0, f->elem_size);
                else if (get(r, p, f->elem_size, f->name))
                    return -1;
                if (f->max && int_value(p, f->elem_size) > f->max)
                    return load_error(r, "%s is %" PRIu64 " in the saved state, at most %" PRIu64
                                      " makes sense", f->name, int_value(p, f->elem_size), f->max);
                break;
            }
        }
    return 0;
}

int state_load(struct state_reader *r, const struct state_desc *d, void *obj)
{
    u8 n = 0;
    u32 version = 0;
    char name[256];

    r->error[0] = 0;
    if (get(r, &n, 1, d->name) || get(r, name, n, d->name))
        return -1;
    name[n] = 0;
    if (strcmp(name, d->name))
        return load_error(r, "the saved state has %.60s where %s belongs", name, d->name);
    if (get(r, &version, sizeof(version), d->name))
        return -1;
    if (version == 0 || version > d->version)
        return load_error(r, "%s: saved as version %u, this program knows up to %u", d->name,
                          version, d->version);
    return load_fields(r, d->fields, obj, version);
}

/* Calls print for every leaf of a (and b, when given): its path and values. */
static unsigned visit(FILE *out, const char *prefix, const struct state_field *f, const u8 *a,
                      const u8 *b)
{
    unsigned n = 0;

    for (; f->kind != STATE_KIND_END; f++)
        for (u32 i = 0; i < f->count; i++) {
            const u8 *pa = element(f, a, i), *pb = b ? element(f, b, i) : NULL;
            char path[256];
            u64 va, vb = 0;

            if (f->count > 1)
                snprintf(path, sizeof(path), "%s.%s[%u]", prefix, f->name, i);
            else
                snprintf(path, sizeof(path), "%s.%s", prefix, f->name);
            if (f->kind == STATE_KIND_STRUCT) {
                n += visit(out, path, f->sub, pa, pb);
                continue;
            }
            if (f->kind == STATE_KIND_TIMER) {
                va = timer_value((const struct timer *)pa);
                if (b)
                    vb = timer_value((const struct timer *)pb);
            } else {
                va = int_value(pa, f->elem_size);
                if (b)
                    vb = int_value(pb, f->elem_size);
            }
            if (!b)
                fprintf(out, "%s = %#" PRIx64 "\n", path, va);
            else if (va != vb)
                fprintf(out, "%s: %#" PRIx64 " %#" PRIx64 "\n", path, va, vb);
            n += !b || va != vb;
        }
    return n;
}

void state_dump(FILE *out, const char *prefix, const struct state_desc *d, const void *obj)
{
    visit(out, prefix, d->fields, obj, NULL);
}

unsigned state_diff(FILE *out, const char *prefix, const struct state_desc *d, const void *a,
                    const void *b)
{
    return visit(out, prefix, d->fields, a, b);
}

u64 state_hash_bytes(u64 seed, const void *bytes, size_t len)
{
    return XXH64(bytes, len, seed);
}

u64 state_hash(u64 seed, const struct state_desc *d, const void *obj)
{
    struct state_buf b = { 0 };
    u64 h;

    state_save(&b, d, obj);
    h = state_hash_bytes(seed, b.data, b.len);
    free(b.data);
    return h;
}
