/*
 * ext2: the contents of regular files, page by page between the page cache and the disk. Blocks
 * that follow each other on the disk go in one transfer. Holes are read as zeroes; written ones got
 * their blocks in prepare_write, or, if they were written through a mapping, get them here.
 */
#include "guestos/drivers/block.h"
#include "guestos/fs/cache.h"
#include "guestos/fs/ext2.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"

#define MAX_PAGES        32u
#define MAX_BLOCKS       (MAX_PAGES * 4)
#define SECTOR_SHIFT(fs) ((fs)->block_shift - 9)

/* Blocks that are gathered to be transferred at once. */
struct transfer {
    struct ext2 *fs;
    bool write;
    int error; /* the first */
    u64 begin, end;
    u32 nr;
    struct block_piece piece[MAX_PAGES];
};

static void finish(struct transfer *t)
{
    if (t->nr) {
        int error = block_transfer(t->fs->super->device, t->write, t->begin, t->piece, t->nr);
        t->error = t->error ? t->error : error;
        t->nr = 0;
    }
}

static void add(struct transfer *t, u32 block, u64 pa)
{
    u32 bytes = t->fs->block_bytes;
    u64 sector = (u64)block << SECTOR_SHIFT(t->fs);
    struct block_piece *last = t->nr ? &t->piece[t->nr - 1] : NULL;
    bool joins = last && last->pa + last->len_bytes == pa && pa % PAGE_BYTES;

    if (t->nr && (sector != t->end || (!joins && t->nr == MAX_PAGES))) {
        finish(t);
        joins = false;
    }
    if (joins) {
        last->len_bytes += bytes;
    } else {
        if (t->nr == 0) {
            t->begin = sector;
        }
        t->piece[t->nr++] = (struct block_piece){pa, bytes};
    }
    t->end = sector + bytes / SECTOR_BYTES;
}

static bool is_zero(const void *data, u32 bytes)
{
    const u64 *word = data;

    for (u32 i = 0; i < bytes / 8; i++) {
        if (word[i]) {
            return false;
        }
    }
    return true;
}

/* The blocks of a page: their numbers, 0 for holes and what lies beyond the end. For writing, holes
 * that are not empty any more are filled. */
static int map_page(struct inode *inode, struct page *page, bool write, u32 *block)
{
    struct ext2 *fs = ext2_of(inode);
    u32 per_page = PAGE_BYTES / fs->block_bytes;
    int result = 0;

    for (u32 i = 0; i < per_page; i++) {
        u64 index = page->index * per_page + i;
        block[i] = 0;
        if (index << fs->block_shift < inode->size_bytes) {
            int error = ext2_map(inode, index, false, &block[i]);
            if (!error && write && !block[i] &&
                !is_zero((u8 *)page_data(page) + i * fs->block_bytes, fs->block_bytes)) {
                error = ext2_map(inode, index, true, &block[i]);
            }
            if (error) {
                block[i] = 0;
                result = result ? result : error;
            }
        }
    }
    return result;
}

static int transfer_pages(struct inode *inode, struct page *const *pages, u32 nr, bool write)
{
    struct ext2 *fs = ext2_of(inode);
    struct transfer t = {.fs = fs, .write = write};
    u32 per_page = PAGE_BYTES / fs->block_bytes;
    u32 block[MAX_BLOCKS];

    mutex_lock(&fs->lock);
    for (u32 i = 0; i < nr; i++) {
        int error = map_page(inode, pages[i], write, &block[i * per_page]);
        t.error = t.error ? t.error : error;
    }
    mutex_unlock(&fs->lock);
    if (t.error && !write) {
        return t.error;
    }
    for (u32 i = 0; i < nr * per_page; i++) {
        struct page *page = pages[i / per_page];
        u32 offset = i % per_page * fs->block_bytes;
        if (block[i]) {
            add(&t, block[i], page_pa(page) + offset);
        } else if (!write) {
            memset((u8 *)page_data(page) + offset, 0, fs->block_bytes);
        }
    }
    finish(&t);
    return t.error;
}

int ext2_read_pages(struct inode *inode, struct page *const *pages, u32 nr)
{
    return transfer_pages(inode, pages, nr, false);
}

int ext2_write_pages(struct inode *inode, struct page *const *pages, u32 nr)
{
    return transfer_pages(inode, pages, nr, true);
}

int ext2_prepare_write(struct inode *inode, u64 from, u64 to)
{
    struct ext2 *fs = ext2_of(inode);
    int error = inode->super->readonly ? -EROFS : 0;
    u32 block;

    mutex_lock(&fs->lock);
    for (u64 i = from >> fs->block_shift; i <= (to - 1) >> fs->block_shift && !error; i++) {
        error = ext2_map(inode, i, true, &block);
    }
    mutex_unlock(&fs->lock);
    return error;
}

int ext2_truncate(struct inode *inode, u64 size)
{
    struct ext2 *fs = ext2_of(inode);

    if (inode->super->readonly) {
        return -EROFS;
    }
    mutex_lock(&fs->lock);
    int error = ext2_cut(inode, (size + fs->block_bytes - 1) >> fs->block_shift);
    int late = ext2_inode_store(inode);
    mutex_unlock(&fs->lock);
    return error ? error : late;
}
