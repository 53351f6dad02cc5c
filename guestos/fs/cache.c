/*
 * The page cache: finding, reading, dirtying, dropping and reclaiming pages. Writing back is in
 * write_back.c, read() and write() in cache_io.c.
 *
 * A page is in its inode's tree (guarded by inode->cache_lock) and in the list of all cached pages
 * (guarded by lru_lock, which is the outer one); both together hold it once. PAGE_BUSY is its lock,
 * waited for by sleeping: who reads it, writes it or takes it out has it. A page is busy from
 * before it can be found until it holds what the file holds. page->inode becomes NULL when it is
 * taken out.
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/cache_page.h"
#include "guestos/fs/init.h"
#include "guestos/fs/page_tree.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/reclaim.h"
#include "guestos/mm/vm.h"

#define NR_BUSY_QUEUES 16u
#define FIRST_WINDOW   4u
#define LAST_WINDOW    32u

static struct spinlock lru_lock = SPINLOCK_INIT("cached pages");
static struct list lru = LIST_INIT(lru); /* the least recently used first */
static struct wait_queue busy_queues[NR_BUSY_QUEUES];
static u64 nr_pages, nr_dirty;

void cache_init(void)
{
    page_tree_init();
    for (u32 i = 0; i < NR_BUSY_QUEUES; i++) {
        wait_queue_init(&busy_queues[i]);
    }
}

u64 cache_nr_pages(void)
{
    return __atomic_load_n(&nr_pages, __ATOMIC_RELAXED);
}

u64 cache_nr_dirty(void)
{
    return __atomic_load_n(&nr_dirty, __ATOMIC_RELAXED);
}

/* ---- the lock of a page */

static struct wait_queue *busy_queue(const struct page *page)
{
    return &busy_queues[(u64)page / sizeof *page % NR_BUSY_QUEUES];
}

bool page_try_busy(struct page *page)
{
    return !(__atomic_fetch_or(&page->flags, PAGE_BUSY, __ATOMIC_ACQUIRE) & PAGE_BUSY);
}

void page_make_busy(struct page *page)
{
    if (!page_try_busy(page)) {
        (void)WAIT(busy_queue(page), page_try_busy(page), WAIT_FIRM, NEVER);
    }
}

void page_end_busy(struct page *page)
{
    __atomic_fetch_and(&page->flags, ~(u32)PAGE_BUSY, __ATOMIC_RELEASE);
    wake_all(busy_queue(page));
}

void page_set(struct page *page, u32 flags)
{
    __atomic_fetch_or(&page->flags, flags, __ATOMIC_RELEASE);
}

/* ---- dirty */

bool cache_is_ram(const struct inode *inode)
{
    return !inode->ops || !inode->ops->write_pages;
}

static void mark(struct page *page, u32 flags)
{
    struct inode *inode = page->inode;

    if (!inode) {
        return; /* it was cut off the file: nobody wants it */
    }
    spin_lock(&inode->cache_lock);
    if (page->inode == inode) {
        u32 old = __atomic_fetch_or(&page->flags, flags | PAGE_DIRTY, __ATOMIC_RELEASE);
        if (!(old & PAGE_DIRTY) && !cache_is_ram(inode)) {
            inode->nr_dirty++;
            __atomic_add_fetch(&nr_dirty, 1, __ATOMIC_RELAXED);
        }
    }
    spin_unlock(&inode->cache_lock);
}

void cache_mark_dirty(struct page *page)
{
    struct inode *inode = page->inode;

    mark(page, inode && S_ISBLK(inode->mode) ? PAGE_SECTORS : 0);
}

void cache_mark_sectors(struct page *page, u32 first, u32 nr)
{
    mark(page, ((1u << nr) - 1) << first << PAGE_SECTOR_SHIFT);
}

bool page_clear_dirty(struct page *page) /* busy: so that it stays in its inode */
{
    struct inode *inode = page->inode;

    spin_lock(&inode->cache_lock);
    u32 old = __atomic_fetch_and(&page->flags, ~(u32)PAGE_DIRTY, __ATOMIC_ACQ_REL);
    if ((old & PAGE_DIRTY) && !cache_is_ram(inode)) {
        inode->nr_dirty--;
        __atomic_sub_fetch(&nr_dirty, 1, __ATOMIC_RELAXED);
    }
    spin_unlock(&inode->cache_lock);
    return old & PAGE_DIRTY;
}

/* ---- in and out of the cache */

static struct page *new_page(struct inode *inode, u64 index, bool zeroed)
{
    bool metadata = S_ISBLK(inode->mode); /* as dear as the kernel's own memory */
    struct page *page = page_alloc(zeroed, metadata);

    if (!page && cache_reclaim(LAST_WINDOW)) {
        page = page_alloc(zeroed, metadata);
    }
    if (page) {
        page->flags = PAGE_BUSY;
        page->inode = inode;
        page->index = index;
        list_init(&page->lru);
    }
    return page;
}

/* A new page at index, busy and held besides the cache's hold. NULL with *error: -EEXIST, -ENOMEM.
 */
static struct page *add_page(struct inode *inode, u64 index, bool zeroed, int *error)
{
    struct page *page = new_page(inode, index, zeroed);

    *error = page ? 0 : -ENOMEM;
    if (!page) {
        return NULL;
    }
    spin_lock(&inode->cache_lock);
    *error = page_tree_insert(inode, page);
    if (!*error) {
        page_get(page);
    }
    spin_unlock(&inode->cache_lock);
    if (*error) {
        page->inode = NULL;
        page->flags = 0;
        page_put(page);
        return NULL;
    }
    spin_lock(&lru_lock);
    list_add_last(&lru, &page->lru);
    spin_unlock(&lru_lock);
    __atomic_add_fetch(&nr_pages, 1, __ATOMIC_RELAXED);
    return page;
}

/* Takes a busy, held page out of the cache; the caller's hold remains. */
static void remove_page(struct page *page)
{
    struct inode *inode = page->inode;

    (void)page_clear_dirty(page);
    spin_lock(&lru_lock);
    list_remove(&page->lru);
    spin_lock(&inode->cache_lock);
    page_tree_remove(inode, page->index);
    page->inode = NULL;
    spin_unlock(&inode->cache_lock);
    spin_unlock(&lru_lock);
    __atomic_fetch_and(&page->flags, ~(u32)(PAGE_UPTODATE | PAGE_SECTORS | PAGE_DIRTY),
                       __ATOMIC_RELAXED);
    __atomic_sub_fetch(&nr_pages, 1, __ATOMIC_RELAXED);
    page_put(page);
}

static struct page *find_any(struct inode *inode, u64 index) /* held */
{
    spin_lock(&inode->cache_lock);
    struct page *page = page_tree_find(inode, index);
    if (page) {
        page_get(page);
    }
    spin_unlock(&inode->cache_lock);
    return page;
}

struct page *cache_find(struct inode *inode, u64 index)
{
    struct page *page = find_any(inode, index);

    if (page && !(page->flags & PAGE_UPTODATE)) {
        page_put(page);
        return NULL;
    }
    if (page && !(page->flags & PAGE_RECENT)) {
        page_set(page, PAGE_RECENT);
    }
    return page;
}

/* ---- reading */

/* Pages of the file itself, not beyond its end. */
static u64 pages_of(const struct inode *inode)
{
    return (inode->size_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

static void clear_behind_end(const struct inode *inode, struct page *page)
{
    u64 begin = page->index * PAGE_BYTES, size = inode->size_bytes;

    if (size < begin + PAGE_BYTES && !S_ISBLK(inode->mode)) {
        u64 keep = size > begin ? size - begin : 0;
        memset((u8 *)page_data(page) + keep, 0, PAGE_BYTES - keep);
    }
}

/* Fills busy pages with consecutive indices. */
static int fill(struct inode *inode, struct page *const *pages, u32 nr)
{
    int error = 0;

    if (inode->ops && inode->ops->read_pages && pages[0]->index < pages_of(inode)) {
        error = inode->ops->read_pages(inode, pages, nr);
    } else {
        for (u32 i = 0; i < nr; i++) {
            memset(page_data(pages[i]), 0, PAGE_BYTES);
        }
    }
    for (u32 i = 0; i < nr && !error; i++) {
        clear_behind_end(inode, pages[i]);
        page_set(pages[i], PAGE_UPTODATE | PAGE_RECENT);
    }
    return error;
}

/* How many pages to read at index: more and more as long as they are asked for in a row. */
static u32 window(struct inode *inode, u64 index)
{
    u64 end = pages_of(inode);
    u32 n = 1;

    if (index >= end || cache_is_ram(inode)) {
        return 1;
    }
    if (index == inode->read_next || index == 0) {
        n = index ? MIN(inode->read_window * 2, LAST_WINDOW) : FIRST_WINDOW;
    }
    n = (u32)MIN((u64)MAX(n, 1u), end - index);
    inode->read_window = n;
    inode->read_next = index + n;
    return n;
}

/* The page at index is not there: reads it and those behind it. */
static int read_in(struct inode *inode, u64 index, struct page **first)
{
    struct page *pages[LAST_WINDOW];
    u32 nr = 0, wanted = window(inode, index);
    int error = 0;

    for (; nr < wanted; nr++) {
        pages[nr] = add_page(inode, index + nr, false, &error);
        if (!pages[nr]) {
            break;
        }
    }
    if (nr == 0) {
        return error;
    }
    error = fill(inode, pages, nr);
    if (error && nr > 1) {
        error = fill(inode, pages, 1);
    }
    for (u32 i = 0; i < nr; i++) {
        page_end_busy(pages[i]);
        if (i || error) {
            page_put(pages[i]);
        }
    }
    *first = pages[0];
    return error;
}

int cache_get(struct inode *inode, u64 index, struct page **found)
{
    for (;;) {
        struct page *page = cache_find(inode, index);
        int error = 0;
        if (page) {
            *found = page;
            return 0;
        }
        page = find_any(inode, index);
        if (!page) {
            error = read_in(inode, index, found);
            if (error != -EEXIST) {
                return error;
            }
            continue;
        }
        page_make_busy(page);
        bool ours = page->inode == inode;
        if (ours && !(page->flags & PAGE_UPTODATE)) {
            error = fill(inode, &page, 1);
        }
        page_end_busy(page);
        if (ours && !error) {
            *found = page;
            return 0;
        }
        page_put(page);
        if (error) {
            return error;
        }
    }
}

int cache_get_busy(struct inode *inode, u64 index, struct page **found)
{
    for (;;) {
        int error = 0;
        struct page *page = find_any(inode, index);
        if (!page) {
            page = add_page(inode, index, true, &error);
            if (!page && error != -EEXIST) {
                return error;
            }
        } else {
            page_make_busy(page);
            if (page->inode != inode) {
                page_end_busy(page);
                page_put(page);
                page = NULL;
            }
        }
        if (page) {
            *found = page;
            return 0;
        }
    }
}

int cache_get_for_write(struct inode *inode, u64 index, struct page **found)
{
    int error = cache_get_busy(inode, index, found);

    if (!error) {
        if (!((*found)->flags & PAGE_UPTODATE)) {
            memset(page_data(*found), 0, PAGE_BYTES);
            page_set(*found, PAGE_UPTODATE);
        }
        page_set(*found, PAGE_RECENT);
        page_end_busy(*found);
    }
    return error;
}

/* ---- dropping */

static void drop_from(struct inode *inode, u64 index)
{
    for (;;) {
        spin_lock(&inode->cache_lock);
        struct page *page = page_tree_next(inode, index, ~0ul, 0);
        if (page) {
            page_get(page);
        }
        spin_unlock(&inode->cache_lock);
        if (!page) {
            return;
        }
        page_make_busy(page);
        if (page->inode == inode) {
            index = page->index;
            remove_page(page);
        }
        page_end_busy(page);
        page_put(page);
    }
}

void cache_truncate(struct inode *inode, u64 size)
{
    u64 first_gone = (size + PAGE_BYTES - 1) / PAGE_BYTES;
    struct page *last;

    vm_drop_mappings(inode, first_gone, ~0ul);
    drop_from(inode, first_gone);
    vm_drop_mappings(inode, first_gone, ~0ul); /* faults that were under way */
    /* On the disk, too: what is there must not appear when the file grows again. */
    if (size % PAGE_BYTES && cache_get(inode, size / PAGE_BYTES, &last) == 0) {
        memset((u8 *)page_data(last) + size % PAGE_BYTES, 0, PAGE_BYTES - size % PAGE_BYTES);
        cache_mark_dirty(last);
        page_put(last);
    }
}

void cache_drop(struct inode *inode)
{
    drop_from(inode, 0);
    ASSERT(inode->nr_cached == 0);
}

/* ---- reclaiming */

/* lru_lock is held. Nobody but the cache holds it, and it is as the disk is: out it goes. */
static bool try_to_free(struct page *page)
{
    struct inode *inode = page->inode;
    bool freed = false;

    if (page->flags & PAGE_RECENT) {
        __atomic_fetch_and(&page->flags, ~(u32)PAGE_RECENT, __ATOMIC_RELAXED);
        return false;
    }
    spin_lock(&inode->cache_lock);
    if (page_refs(page) == 1 && !(page->flags & (PAGE_BUSY | PAGE_DIRTY | PAGE_SECTORS)) &&
        page_tree_find(inode, page->index) == page) {
        page_tree_remove(inode, page->index);
        page->inode = NULL;
        page->flags = 0;
        freed = true;
    }
    spin_unlock(&inode->cache_lock);
    return freed;
}

u64 cache_reclaim(u64 nr_wanted)
{
    u64 freed = 0;

    /* Twice round at most: the first round only forgets who was used. */
    for (u64 left = 2 * cache_nr_pages(); left && freed < nr_wanted; left--) {
        spin_lock(&lru_lock);
        struct page *page = LIST_FIRST(&lru, struct page, lru);
        bool gone = page && try_to_free(page);
        if (page) {
            list_remove(&page->lru);
            if (!gone) {
                list_add_last(&lru, &page->lru);
            }
        }
        spin_unlock(&lru_lock);
        if (gone) {
            __atomic_sub_fetch(&nr_pages, 1, __ATOMIC_RELAXED);
            page_put(page);
            freed++;
        }
    }
    return freed;
}
