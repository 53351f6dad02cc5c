/*
 * Physical memory in frames of 4 KiB: the usable ranges of the loader's map, without the first MiB
 * and the kernel's image.
 *
 * Each frame has a struct page: how many hold it, and its place in the page cache if it has one.
 * A frame is named by its physical address (pa) or by its page; page_pa() and page_of() go
 * between them. All functions may be called with spinlocks held.
 */
#ifndef GUESTOS_MM_FRAMES_H
#define GUESTOS_MM_FRAMES_H

#include "guestos/kernel/boot_info.h"
#include "guestos/kernel/list.h"

#define NO_FRAME 0ul

struct slab_cache;

struct frame_range {
    u64 begin, end;     /* physical, page-aligned */
    u64 first;          /* the frames before it are the kernel's for ever */
    struct page *pages; /* of the frames from `first` on */
};

enum page_flags {
    PAGE_UPTODATE = 1 << 0, /* of the page cache: it holds what the file holds */
    PAGE_DIRTY = 1 << 1,    /* it is newer than the disk */
    PAGE_BUSY = 1 << 2,     /* being read or written; guarded by the cache */
    PAGE_ERROR = 1 << 3,
    PAGE_SLAB = 1 << 4,
    PAGE_RECENT = 1 << 5, /* used since the reclaimer looked last */
    /* The allocator's: */
    PAGE_FREE = 1 << 6,  /* the head of a free block; index: its order */
    PAGE_FRESH = 1 << 7, /* the other pages of this free block were never touched */
    PAGE_BLOCK = 1 << 8, /* the head of several frames that were allocated as one; index: order */
};

struct page {
    u32 refs; /* atomic: mappings, the cache, and who works on it; 0: free */
    u32 flags;
    union {
        struct inode *inode;     /* of the page cache; NULL: anonymous or the kernel's */
        struct slab_cache *slab; /* PAGE_SLAB */
    };
    union {
        u64 index; /* in the page cache: its offset in pages */
        struct {
            u16 slab_used;  /* objects */
            u16 slab_first; /* offset of the first free one; they hold the next one's */
        };
    };
    struct list lru; /* the page cache's; free blocks; slabs with room */
};

void frames_init(const struct boot_info *boot);
void frames_init_pages(void); /* the struct pages; the direct map must be there */

u64 frame_alloc(void);       /* a zeroed frame, held once; NO_FRAME when there is none */
u64 frame_alloc_dirty(void); /* the same, its bytes undefined */
/* 2^order contiguous frames, aligned to their size, bytes undefined, held as one by the page of the
 * first; NULL: none. */
#define FRAMES_MAX_ORDER 10
struct page *frames_alloc_block(u32 order);
void frame_free(u64 pa);      /* = page_put(page_of(pa)) */
struct page *page_of(u64 pa); /* NULL: no RAM of ours */
u64 page_pa(const struct page *);
void *page_data(const struct page *); /* through the direct map */
void page_get(struct page *);
void page_put(struct page *); /* the last holder frees it */
static inline u32 page_refs(const struct page *p)
{
    return __atomic_load_n(&p->refs, __ATOMIC_ACQUIRE);
}

u64 frames_total(void);
u64 frames_free(void);
const struct frame_range *frames_ranges(u32 *nr_ranges); /* sorted, disjoint */

#endif
