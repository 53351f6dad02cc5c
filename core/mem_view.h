/*
 * The physical address space as the processor and DMA see it.
 *
 * All memory of a machine (RAM, ROM images, shadow targets) lies in one arena, the backing;
 * a backing offset names a byte of it for good, whatever address it is seen at. Overlays say
 * what an address range reads from and writes to: backing, or nothing (a ROM drops writes), or
 * the memory bus. The overlay with the highest priority wins, page by page, for reads and writes
 * apart: PAM's "read ROM, write RAM" is one overlay. PAM, A20 and BARs change overlays; every
 * change goes through mem_view_update(), which tells one listener to drop what it cached.
 *
 * Code and dirty maps are kept per backing page, so all aliases of a page share them.
 */
#ifndef CORE_MEM_VIEW_H
#define CORE_MEM_VIEW_H

#include "core/types.h"

struct bus;
struct trace;

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ull

#define MEM_BUS  (~0ull)     /* the memory bus answers */
#define MEM_DROP (~0ull - 1) /* writes are dropped; reads must not use it */
#define MEM_PASS (~0ull - 2) /* this overlay says nothing here: look below */

/* Sorted by priority, high first. Base and length are multiples of the page size. */
struct mem_overlay {
    const char *name;
    u64 pa, len;
    u64 read_off, write_off; /* backing offset of pa, or MEM_BUS, MEM_DROP, MEM_PASS */
    int priority;
    bool on;
};

/* What one page of the physical space is: backing offsets of its first byte, or MEM_BUS/DROP. */
struct mem_page {
    u64 read_off, write_off;
};

enum mem_page_flag {
    MEM_CODE = 1,  /* an engine holds decoded or translated code of this backing page */
    MEM_DIRTY = 2, /* written since the flag was cleared */
};

#define MEM_MAX_OVERLAYS 48
#define MEM_CACHED_PAGES 256

struct mem_view {
    u8 *backing;
    u64 backing_size; /* multiple of the page size */
    u8 *page_flags;   /* per backing page */
    struct mem_overlay overlays[MEM_MAX_OVERLAYS];
    u32 nr_overlays;
    u64 a20_mask; /* ~0, or ~(1 << 20) */
    struct { u64 key; struct mem_page page; } cached[MEM_CACHED_PAGES]; /* key: address | 1 */
    struct bus *bus;
    struct trace *trace;
    void (*changed)(void *sink); /* the map is not what it was: drop all cached translations */
    void (*code_written)(void *sink, u64 off, u64 len); /* a page with MEM_CODE was written */
    void *sink;
    bool hash_writes; /* lock step: write_hash takes in each store to the backing */
    u64 write_hash;
};

/* Allocates the backing (zeroed, lazily committed). -1: the host has no memory. */
int mem_view_init(struct mem_view *, u64 backing_size, struct bus *, struct trace *);
void mem_view_fini(struct mem_view *);

/* Adds an overlay; the pointer stays valid for the machine's life. Change it, then update. */
struct mem_overlay *mem_view_add(struct mem_view *, struct mem_overlay);
void mem_view_update(struct mem_view *);
void mem_view_set_a20(struct mem_view *, bool on);

/* Resolves the page at an address that A20 has been applied to. */
struct mem_page mem_view_resolve(struct mem_view *, u64 page);
/* Resolves the page of pa (A20 applied). PERF: what was asked for lately is at hand. */
static inline struct mem_page mem_view_page(struct mem_view *v, u64 pa)
{
    u64 page = pa & v->a20_mask & ~(PAGE_SIZE - 1);
    unsigned i = (unsigned)(page >> PAGE_SHIFT) % MEM_CACHED_PAGES;

    return LIKELY(v->cached[i].key == (page | 1)) ? v->cached[i].page : mem_view_resolve(v, page);
}

/* Physical accesses with A20 and overlays: RAM, ROM or the bus. size 1, 2, 4, 8; may cross pages. */
u64 mem_read(struct mem_view *, u64 pa, unsigned size);
void mem_write(struct mem_view *, u64 pa, u64 val, unsigned size);

/* Bytes of the backing were changed by anyone but an engine's own store: dirty, and code. */
void mem_view_wrote(struct mem_view *, u64 off, u64 len);

/* Takes a store of len bytes at off, which has been made, into write_hash. */
void mem_view_hash_write(struct mem_view *, u64 off, u64 len);

/* Copies by DMA or a debugger. Unbacked pages read as FFh and drop writes; devices are not
 * reached. Returns the number of bytes that were backed. DMA does not pass the A20 gate. */
u64 mem_view_read_bytes(struct mem_view *, u64 pa, void *dst, u64 len);
u64 mem_view_write_bytes(struct mem_view *, u64 pa, const void *src, u64 len);

/* What bus masters get: bounds-checked, and only to be used inside timer events or bus accesses.
 * Both return 0, or -1 when part of the range is not memory (that part reads as FFh). */
struct dma {
    struct mem_view *view;
};
int dma_read(struct dma *, u64 pa, void *dst, size_t len);
int dma_write(struct dma *, u64 pa, const void *src, size_t len);

#endif
