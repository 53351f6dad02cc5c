/*
 * The bus: regions by priority, width splitting, counting, tracing. See core/bus.h.
 */
#include "core/bus.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/trace.h"
#include <stdlib.h>
#include <string.h>

void bus_init(struct bus *b, const char *name, u64 size, u64 charge_ns, struct clock *clk,
              struct log *log, struct trace *trace)
{
    *b = (struct bus){ .name = name, .size = size, .charge_ns = charge_ns, .clk = clk, .log = log,
                       .trace = trace, .watch = -1 };
}

void bus_fini(struct bus *b)
{
    free(b->regions);
    b->regions = NULL;
    b->nr_regions = b->cap_regions = 0;
}

static bool fits(const struct bus *b, u64 base, u64 len)
{
    if (len == 0 || base + len - 1 < base)
        return false;
    return b->size == 0 || base + len - 1 < b->size;
}

static void forget_found(struct bus *b)
{
    memset(b->found, 0, sizeof(b->found));
}

int bus_map(struct bus *b, struct bus_region *r)
{
    u32 i = 0;

    if (!fits(b, r->base, r->len))
        return -1;
    if (b->nr_regions == b->cap_regions) {
        u32 cap = b->cap_regions ? 2 * b->cap_regions : 32;
        struct bus_region **more = realloc(b->regions, cap * sizeof(*more));

        if (!more)
            return -1;
        b->regions = more;
        b->cap_regions = cap;
    }
    /* Highest priority first, the latest first among equals. */
    while (i < b->nr_regions && b->regions[i]->priority > r->priority)
        i++;
    memmove(b->regions + i + 1, b->regions + i, (b->nr_regions - i) * sizeof(*b->regions));
    b->regions[i] = r;
    b->nr_regions++;
    r->on = true;
    forget_found(b);
    return 0;
}

void bus_unmap(struct bus *b, struct bus_region *r)
{
    forget_found(b);
    for (u32 i = 0; i < b->nr_regions; i++)
        if (b->regions[i] == r) {
            b->nr_regions--;
            memmove(b->regions + i, b->regions + i + 1, (b->nr_regions - i) * sizeof(*b->regions));
            return;
        }
}

void bus_move(struct bus *b, struct bus_region *r, u64 new_base, bool on)
{
    r->base = new_base;
    r->on = on && fits(b, new_base, r->len);
    forget_found(b);
}

static struct bus_region *find(struct bus *b, u64 addr)
{
    struct bus_found *f = &b->found[(addr ^ addr >> 6) % ARRAY_LEN(b->found)];

    if (f->region && f->addr == addr)
        return f->region;
    for (u32 i = 0; i < b->nr_regions; i++) {
        struct bus_region *r = b->regions[i];

        if (r->on && addr - r->base < r->len) {
            *f = (struct bus_found){ addr, r };
            return r;
        }
    }
    return NULL;
}

static void unclaimed(struct bus *b, u64 addr, unsigned size)
{
    u8 i = 0;

    b->nr_unclaimed++;
    while (i < b->nr_unclaimed_kept && b->unclaimed[i] != addr)
        i++;
    if (i == b->nr_unclaimed_kept && i < ARRAY_LEN(b->unclaimed))
        b->unclaimed[b->nr_unclaimed_kept++] = addr;
    if (b->trace)
        TRACE(b->trace, bus_unclaimed, b->name, addr, (u64)size);
}

/* The size of the next piece of an access: taken by the region, within it, and aligned as far as
 * it must be; 0 when the region takes only wider ones. */
static unsigned piece(const struct bus_region *r, u64 off, unsigned size)
{
    unsigned n = 1u << (31 - __builtin_clz(size)); /* size is 1 to 8 */

    while (!(r->ops->sizes & n) || off + n > r->len || (off & (n - 1)))
        if ((n /= 2) == 0)
            break;
    return n;
}

/* The narrowest size taken, for accesses that are narrower still. */
static unsigned narrowest(const struct bus_region *r)
{
    return r->ops->sizes & -r->ops->sizes;
}

static void begin(struct bus *b, u64 addr, unsigned size)
{
    b->nr_accesses++;
    if (UNLIKELY(b->watch >= 0 && (u64)b->watch - addr < size))
        b->watch_hit(b->watch_sink);
    if (b->clk && b->charge_ns)
        clock_charge(b->clk, clock_ns_to_ticks(b->clk, b->clk->base_ns + b->charge_ns));
}

u64 bus_read(struct bus *b, u64 addr, unsigned size)
{
    u64 value = 0;

    begin(b, addr, size);
    for (unsigned done = 0; done < size;) {
        u64 at = b->size ? (addr + done) & (b->size - 1) : addr + done, v;
        struct bus_region *r = find(b, at);
        unsigned n;

        if (!r) {
            n = 1;
            v = 0xff;
            if (done == 0)
                unclaimed(b, at, size);
        } else {
            u64 off = at - r->base;

            n = piece(r, off, size - done);
            if (n) {
                v = r->ops->read(r->dev, off, n);
            } else { /* bytes of the aligned wider unit */
                unsigned wide = narrowest(r), shift = (unsigned)(off & (wide - 1));
                n = 1;
                v = r->ops->read(r->dev, off - shift, wide) >> (8 * shift);
            }
            v &= size_mask(n);
            r->nr_reads++;
            if (b->trace)
                TRACE(b->trace, bus_read, r->name, off, v, (u64)n);
        }
        value |= v << (8 * done);
        done += n;
    }
    return value & size_mask(size);
}

void bus_write(struct bus *b, u64 addr, u64 val, unsigned size)
{
    begin(b, addr, size);
    for (unsigned done = 0; done < size;) {
        u64 at = b->size ? (addr + done) & (b->size - 1) : addr + done;
        struct bus_region *r = find(b, at);
        unsigned n = 1;

        if (!r) {
            if (done == 0)
                unclaimed(b, at, size);
        } else {
            u64 off = at - r->base, v;

            n = piece(r, off, size - done);
            if (n) {
                v = (val >> (8 * done)) & size_mask(n);
                r->nr_writes++;
                if (b->trace)
                    TRACE(b->trace, bus_write, r->name, off, v, (u64)n);
                r->ops->write(r->dev, off, v, n);
            } else {
                n = 1;
                if (b->log)
                    guest_error(b->log, "%s: write to %s is too narrow", b->name, r->name);
            }
        }
        done += n;
    }
}
