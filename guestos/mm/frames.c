/*
 * The frame allocator: a buddy system. Free memory lies in blocks of 2^order frames, aligned to
 * their size, in a list for each order. To allocate splits the smallest block that is large enough;
 * to free joins a block with its buddy (the block that it was split from, whose address differs in
 * one bit) as long as that one is free too.
 *
 * Each range of memory has its struct pages in its own first frames. Those of a block of the
 * largest order are not touched until the block is first taken (PAGE_FRESH on its head), so
 * start-up costs no time however large memory is. Such a block has no buddy that could look.
 */
#include "guestos/kernel/lock.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/ranges.h"

#define MAX_ORDER FRAMES_MAX_ORDER

static struct spinlock lock = SPINLOCK_INIT("frames");
static struct list free_blocks[MAX_ORDER + 1];
static struct frame_range *ranges;
static u32 nr_ranges;
static u64 nr_total, nr_free;
static bool have_pages;

static u64 block_bytes(u32 order)
{
    return (u64)PAGE_BYTES << order;
}

/* ---- between frames and their struct pages */

struct page *page_of(u64 pa)
{
    for (u32 i = 0; i < nr_ranges; i++) {
        if (pa >= ranges[i].first && pa < ranges[i].end) {
            return ranges[i].pages + (pa - ranges[i].first) / PAGE_BYTES;
        }
    }
    return NULL;
}

static struct frame_range *range_of(const struct page *p)
{
    for (u32 i = 0; i < nr_ranges; i++) {
        struct frame_range *r = &ranges[i];
        if (p >= r->pages && p < r->pages + (r->end - r->first) / PAGE_BYTES) {
            return r;
        }
    }
    panic("%016lx is no struct page", (u64)p);
}

u64 page_pa(const struct page *p)
{
    const struct frame_range *r = range_of(p);

    return r->first + (u64)(p - r->pages) * PAGE_BYTES;
}

void *page_data(const struct page *p)
{
    return direct(page_pa(p));
}

/* ---- start-up */

void frames_init(const struct boot_info *boot)
{
    ranges_init(boot);
    ranges = ranges_all(&nr_ranges);
    for (u32 i = 0; i < nr_ranges; i++) {
        nr_total += (ranges[i].end - ranges[i].begin) / PAGE_BYTES;
    }
    nr_free = nr_total;
}

static void put_block(struct page *head, u32 order, u32 more_flags)
{
    head->flags = PAGE_FREE | more_flags;
    head->index = order;
    list_add_first(&free_blocks[order], &head->lru);
}

static void add_range(struct frame_range *r)
{
    u64 table = r->first;
    u64 table_bytes = (r->end - r->first) / PAGE_BYTES * sizeof(struct page);

    r->first = ROUND_UP(r->first + table_bytes, (u64)PAGE_BYTES);
    if (r->first >= r->end) {
        r->first = r->end;
        return;
    }
    r->pages = direct(table);
    nr_free += (r->end - r->first) / PAGE_BYTES;
    /* From the top, so that the lists begin with the lowest. */
    for (u64 end = r->end; end > r->first;) {
        u32 order = MAX_ORDER;
        while (end % block_bytes(order) || end - block_bytes(order) < r->first) {
            order--;
        }
        end -= block_bytes(order);
        struct page *head = page_of(end);
        memset(head, 0, sizeof *head * (order == MAX_ORDER ? 1 : 1u << order));
        put_block(head, order, order == MAX_ORDER ? PAGE_FRESH : 0);
    }
}

void frames_init_pages(void)
{
    for (u32 order = 0; order <= MAX_ORDER; order++) {
        list_init(&free_blocks[order]);
    }
    nr_free = 0;
    for (u32 i = nr_ranges; i-- > 0;) {
        add_range(&ranges[i]);
    }
    have_pages = true;
}

/* ---- blocks; the lock is held */

static struct page *take(u32 order)
{
    u32 o = order;

    while (o <= MAX_ORDER && list_empty(&free_blocks[o])) {
        o++;
    }
    if (o > MAX_ORDER) {
        return NULL;
    }
    struct page *p = LIST_FIRST(&free_blocks[o], struct page, lru);
    list_remove(&p->lru);
    if (p->flags & PAGE_FRESH) {
        memset(p, 0, sizeof *p << MAX_ORDER);
    }
    while (o > order) {
        o--;
        put_block(p + (1u << o), o, 0);
    }
    nr_free -= 1u << order;
    p->refs = 1;
    p->flags = order ? PAGE_BLOCK : 0;
    p->index = order;
    p->inode = NULL;
    list_init(&p->lru);
    return p;
}

static void give_back(struct page *p, u32 order)
{
    struct frame_range *r = range_of(p);
    u64 pa = page_pa(p);

    nr_free += 1u << order;
    for (; order < MAX_ORDER; order++) {
        u64 buddy_pa = pa ^ block_bytes(order);
        if (buddy_pa < r->first || buddy_pa + block_bytes(order) > r->end) {
            break;
        }
        struct page *buddy = page_of(buddy_pa);
        if (!(buddy->flags & PAGE_FREE) || buddy->index != order) {
            break;
        }
        list_remove(&buddy->lru);
        buddy->flags = 0;
        pa &= ~block_bytes(order);
    }
    put_block(page_of(pa), order, 0);
}

/* ---- what the kernel calls */

struct page *frames_alloc_block(u32 order)
{
    ASSERT(order <= MAX_ORDER);
    spin_lock(&lock);
    struct page *p = take(order);
    spin_unlock(&lock);
    return p;
}

u64 frame_alloc_dirty(void)
{
    if (!have_pages) {
        nr_free--;
        return ranges_take_early();
    }
    struct page *p = frames_alloc_block(0);
    return p ? page_pa(p) : NO_FRAME;
}

u64 frame_alloc(void)
{
    u64 pa = frame_alloc_dirty();

    if (pa != NO_FRAME) {
        memset(direct(pa), 0, PAGE_BYTES);
    }
    return pa;
}

void page_get(struct page *p)
{
    u32 before = __atomic_fetch_add(&p->refs, 1, __ATOMIC_RELAXED);

    ASSERT(before > 0);
}

void page_put(struct page *p)
{
    u32 before = __atomic_fetch_sub(&p->refs, 1, __ATOMIC_ACQ_REL);

    ASSERT(before > 0);
    if (before == 1) {
        u32 order = p->flags & PAGE_BLOCK ? (u32)p->index : 0;
        spin_lock(&lock);
        give_back(p, order);
        spin_unlock(&lock);
    }
}

void frame_free(u64 pa)
{
    struct page *p = page_of(pa);

    ASSERT(p && pa % PAGE_BYTES == 0);
    page_put(p);
}

u64 frames_total(void)
{
    return nr_total;
}

u64 frames_free(void)
{
    return nr_free;
}

const struct frame_range *frames_ranges(u32 *nr)
{
    *nr = nr_ranges;
    return ranges;
}
