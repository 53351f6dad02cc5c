/*
 * The physical address space: backing, overlays, accesses, DMA. See core/mem_view.h.
 */
#define _GNU_SOURCE
#include "core/mem_view.h"
#include "core/bus.h"
#include "core/trace.h"
#include <stdlib.h>
#include <sys/mman.h>

int mem_view_init(struct mem_view *v, u64 backing_size, struct bus *bus, struct trace *trace)
{
    void *p = mmap(NULL, backing_size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    *v = (struct mem_view){ .a20_mask = ~0ull, .bus = bus, .trace = trace };
    if (p == MAP_FAILED)
        return -1;
    v->page_flags = calloc(backing_size >> PAGE_SHIFT, 1);
    if (!v->page_flags) {
        munmap(p, backing_size);
        return -1;
    }
    v->backing = p;
    v->backing_size = backing_size;
    return 0;
}

void mem_view_fini(struct mem_view *v)
{
    if (v->backing)
        munmap(v->backing, v->backing_size);
    free(v->page_flags);
    v->backing = NULL;
    v->page_flags = NULL;
}

struct mem_overlay *mem_view_add(struct mem_view *v, struct mem_overlay o)
{
    ASSERT(v->nr_overlays < MEM_MAX_OVERLAYS);
    ASSERT(((o.pa | o.len) & (PAGE_SIZE - 1)) == 0);
    v->overlays[v->nr_overlays] = o;
    memset(v->cached, 0, sizeof(v->cached));
    return &v->overlays[v->nr_overlays++];
}

void mem_view_update(struct mem_view *v)
{
    memset(v->cached, 0, sizeof(v->cached));
    if (v->changed)
        v->changed(v->sink);
}

void mem_view_set_a20(struct mem_view *v, bool on)
{
    u64 mask = on ? ~0ull : ~(1ull << 20);

    if (mask == v->a20_mask)
        return;
    v->a20_mask = mask;
    if (v->trace)
        TRACE(v->trace, a20, (u64)on);
    mem_view_update(v);
}

/* One target of a page: the answer of the highest overlay that has one. Among equals the later
 * added wins. */
static u64 target(const struct mem_view *v, u64 pa, bool write)
{
    u64 best = MEM_BUS;
    int priority = INT32_MIN;

    for (u32 i = 0; i < v->nr_overlays; i++) {
        const struct mem_overlay *o = &v->overlays[i];
        u64 off = write ? o->write_off : o->read_off;

        if (!o->on || pa - o->pa >= o->len || off == MEM_PASS || o->priority < priority)
            continue;
        priority = o->priority;
        best = off >= MEM_PASS ? off : off + (pa - o->pa);
    }
    return best;
}

struct mem_page mem_view_resolve(struct mem_view *v, u64 pa)
{
    unsigned i = (unsigned)(pa >> PAGE_SHIFT) % MEM_CACHED_PAGES;

    if (v->cached[i].key != (pa | 1)) {
        v->cached[i].key = pa | 1;
        v->cached[i].page = (struct mem_page){ target(v, pa, false), target(v, pa, true) };
    }
    return v->cached[i].page;
}

/* Not commutative, and whatever the sizes are that stores are split into. */
void mem_view_hash_write(struct mem_view *v, u64 off, u64 len)
{
    for (u64 i = off; i < off + len; i++)
        v->write_hash = (v->write_hash ^ (i << 8 | v->backing[i])) * 0x9e3779b97f4a7c15ull;
}

void mem_view_wrote(struct mem_view *v, u64 off, u64 len)
{
    if (UNLIKELY(v->hash_writes))
        mem_view_hash_write(v, off, len);
    for (u64 p = off >> PAGE_SHIFT; p <= (off + len - 1) >> PAGE_SHIFT; p++) {
        v->page_flags[p] |= MEM_DIRTY;
        if ((v->page_flags[p] & MEM_CODE) && v->code_written) {
            u64 first = p << PAGE_SHIFT, last = first + PAGE_SIZE;
            u64 from = off > first ? off : first, to = off + len < last ? off + len : last;

            v->code_written(v->sink, from, to - from);
        }
    }
}

u64 mem_read(struct mem_view *v, u64 pa, unsigned size)
{
    u64 in_page = pa & (PAGE_SIZE - 1), off;

    if (in_page + size > PAGE_SIZE) {
        u64 r = 0;
        for (unsigned i = 0; i < size; i++)
            r |= mem_read(v, pa + i, 1) << (8 * i);
        return r;
    }
    off = mem_view_page(v, pa).read_off;
    if (off == MEM_BUS)
        return bus_read(v->bus, pa & v->a20_mask, size);
    if (off >= MEM_PASS)
        return size_mask(size);
    return load_le(v->backing + off + in_page, size);
}

void mem_write(struct mem_view *v, u64 pa, u64 val, unsigned size)
{
    u64 in_page = pa & (PAGE_SIZE - 1), off;

    if (in_page + size > PAGE_SIZE) {
        for (unsigned i = 0; i < size; i++)
            mem_write(v, pa + i, (val >> (8 * i)) & 0xff, 1);
        return;
    }
    off = mem_view_page(v, pa).write_off;
    if (off == MEM_BUS) {
        bus_write(v->bus, pa & v->a20_mask, val, size);
    } else if (off < MEM_PASS) {
        store_le(v->backing + off + in_page, val, size);
        mem_view_wrote(v, off + in_page, size);
    }
}

static u64 copy(struct mem_view *v, u64 pa, void *host, u64 len, bool write)
{
    u8 *p = host;
    u64 backed = 0;

    while (len) {
        u64 in_page = pa & (PAGE_SIZE - 1), n = PAGE_SIZE - in_page;
        struct mem_page page = mem_view_resolve(v, pa - in_page);
        u64 off = write ? page.write_off : page.read_off;

        if (n > len)
            n = len;
        if (off < MEM_PASS) {
            if (write) {
                memcpy(v->backing + off + in_page, p, n);
                mem_view_wrote(v, off + in_page, n);
            } else {
                memcpy(p, v->backing + off + in_page, n);
            }
            backed += n;
        } else if (!write) {
            memset(p, 0xff, n);
        }
        p += n;
        pa += n;
        len -= n;
    }
    return backed;
}

u64 mem_view_read_bytes(struct mem_view *v, u64 pa, void *dst, u64 len)
{
    return copy(v, pa, dst, len, false);
}

u64 mem_view_write_bytes(struct mem_view *v, u64 pa, const void *src, u64 len)
{
    return copy(v, pa, (void *)(uintptr_t)src, len, true);
}

int dma_read(struct dma *d, u64 pa, void *dst, size_t len)
{
    return mem_view_read_bytes(d->view, pa, dst, len) == len ? 0 : -1;
}

int dma_write(struct dma *d, u64 pa, const void *src, size_t len)
{
    return mem_view_write_bytes(d->view, pa, src, len) == len ? 0 : -1;
}
