/*
 * Writing dirty pages back: on request, every few seconds, and when there are too many. The kernel
 * thread here also keeps some frames free and the name cache small.
 */
#include "guestos/fs/block_file.h"
#include "guestos/fs/cache.h"
#include "guestos/fs/cache_page.h"
#include "guestos/fs/fs_context.h"
#include "guestos/fs/page_tree.h"
#include "guestos/fs/path.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/thread.h"
#include "guestos/mm/vm.h"

#define RUN_PAGES   32u
#define PERIOD_NS   (NS_PER_S / 2)
#define PERIODS     10u /* between rounds: pages are written within 5 s */
#define FREE_SHARE  32u /* of all frames, this share is kept free */
#define DIRTY_SHARE 8u  /* of all frames, this share may be dirty */

/* Pages that programs wrote through mappings: the page tables know of them. */
static void collect_mapped(struct inode *inode, u64 first, u64 last)
{
    if (list_empty(&inode->mappings)) {
        return;
    }
    for (u64 index = first; index <= last; index++) {
        spin_lock(&inode->cache_lock);
        struct page *page = page_tree_next(inode, index, last, 0);
        if (page) {
            page_get(page);
        }
        spin_unlock(&inode->cache_lock);
        if (!page) {
            return;
        }
        index = page->index;
        if (vm_clean_mappings(inode, index)) {
            cache_mark_dirty(page);
        }
        page_put(page);
    }
}

/* The next dirty page from index on, busy and held; waits for what is being written. */
static struct page *next_dirty(struct inode *inode, u64 index, u64 last)
{
    for (;;) {
        spin_lock(&inode->cache_lock);
        struct page *page = page_tree_next(inode, index, last, PAGE_DIRTY | PAGE_BUSY);
        if (page) {
            page_get(page);
        }
        spin_unlock(&inode->cache_lock);
        if (!page) {
            return NULL;
        }
        page_make_busy(page);
        if (page->inode == inode) {
            if (page->flags & PAGE_DIRTY) {
                return page;
            }
            index = page->index + 1;
        }
        page_end_busy(page);
        page_put(page);
    }
}

/* The page at index if it is dirty and can be had without waiting. */
static struct page *try_dirty(struct inode *inode, u64 index)
{
    spin_lock(&inode->cache_lock);
    struct page *page = page_tree_find(inode, index);
    if (page && (page->flags & PAGE_DIRTY) && page_try_busy(page)) {
        page_get(page);
    } else {
        page = NULL;
    }
    spin_unlock(&inode->cache_lock);
    return page;
}

int cache_sync(struct inode *inode, u64 first, u64 last)
{
    struct page *run[RUN_PAGES];
    int result = 0;

    if (cache_is_ram(inode)) {
        return 0;
    }
    collect_mapped(inode, first, last);
    while ((run[0] = next_dirty(inode, first, last))) {
        u32 nr = 1;
        while (nr < RUN_PAGES && run[0]->index + nr <= last &&
               (run[nr] = try_dirty(inode, run[0]->index + nr))) {
            nr++;
        }
        for (u32 i = 0; i < nr; i++) {
            (void)page_clear_dirty(run[i]);
        }
        int error = inode->ops->write_pages(inode, run, nr);
        if (error) {
            inode->write_error = result = error;
        }
        first = run[0]->index + nr;
        for (u32 i = 0; i < nr; i++) {
            page_end_busy(run[i]);
            page_put(run[i]);
        }
        if (first == 0) {
            break;
        }
    }
    return result;
}

void cache_balance(struct inode *inode)
{
    if (cache_nr_dirty() > frames_total() / DIRTY_SHARE && inode->nr_dirty) {
        (void)cache_sync(inode, 0, ~0ul);
    }
}

static void write_back(void *unused)
{
    (void)unused;
    for (u32 period = 1;; period++) {
        (void)sleep_until(clock_monotonic() + PERIOD_NS, false);
        bool many = cache_nr_dirty() > frames_total() / (2 * DIRTY_SHARE);
        if (period % PERIODS == 0 || many) {
            fs_sync_all();
        }
        u64 wanted = frames_total() / FREE_SHARE;
        if (frames_free() < wanted) {
            (void)cache_reclaim(wanted - frames_free());
        }
        dentry_trim(frames_free() < wanted / 2 ? 256 : DENTRIES_UNUSED_MAX);
    }
}

void cache_start_writeback(void)
{
    if (!thread_spawn("write-back", write_back, NULL)) {
        print("fs: no memory for the write-back thread; only sync writes\n");
    }
}
