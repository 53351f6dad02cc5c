/*
 * ext2: blocks of metadata in the device's page cache, and the two bitmaps of each group.
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/cache_page.h"
#include "guestos/fs/ext2.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/proc/process.h"

/* ---- blocks in the cache */

static u32 offset_in_page(const struct ext2 *fs, u32 block)
{
    return (block << fs->block_shift) % PAGE_BYTES;
}

static u64 page_index(const struct ext2 *fs, u32 block)
{
    return ((u64)block << fs->block_shift) / PAGE_BYTES;
}

void *ext2_block(struct ext2 *fs, u32 block, struct page **page)
{
    if (block < fs->first_block || block >= fs->nr_blocks) {
        (void)ext2_error(fs, "a block lies outside of the file system", 0, block);
        return NULL;
    }
    if (cache_get(fs->cache, page_index(fs, block), page)) {
        return NULL;
    }
    return (u8 *)page_data(*page) + offset_in_page(fs, block);
}

void ext2_block_dirty(struct ext2 *fs, u32 block, struct page *page)
{
    cache_mark_sectors(page, offset_in_page(fs, block) / 512, fs->block_bytes / 512);
}

void *ext2_block_new(struct ext2 *fs, u32 block, struct page **page)
{
    u64 index = page_index(fs, block);
    int error = fs->block_bytes == PAGE_BYTES ? cache_get_for_write(fs->cache, index, page)
                                              : cache_get(fs->cache, index, page);

    if (error) {
        return NULL;
    }
    void *at = (u8 *)page_data(*page) + offset_in_page(fs, block);
    memset(at, 0, fs->block_bytes);
    ext2_block_dirty(fs, block, *page);
    return at;
}

void ext2_block_forget(struct ext2 *fs, u32 block)
{
    struct page *page = cache_find(fs->cache, page_index(fs, block));

    if (page) {
        u32 first = offset_in_page(fs, block) / 512;
        u32 sectors = ((1u << fs->block_bytes / 512) - 1) << first << PAGE_SECTOR_SHIFT;
        page_make_busy(page); /* a write that is under way ends first */
        __atomic_fetch_and(&page->flags, ~sectors, __ATOMIC_RELAXED);
        page_end_busy(page);
        page_put(page);
    }
}

/* ---- where what lies */

static u32 group_of(const struct ext2 *fs, u32 block)
{
    return (block - fs->first_block) / fs->blocks_per_group;
}

static u32 first_of(const struct ext2 *fs, u32 group)
{
    return fs->first_block + group * fs->blocks_per_group;
}

static u32 blocks_in(const struct ext2 *fs, u32 group)
{
    return MIN(fs->blocks_per_group, fs->nr_blocks - first_of(fs, group));
}

static bool is_power_of(u32 n, u32 base)
{
    while (n % base == 0) {
        n /= base;
    }
    return n == 1;
}

/* With sparse_super, groups 0, 1 and powers of 3, 5 and 7 have copies of the superblock. */
static bool has_super(const struct ext2 *fs, u32 group)
{
    return !fs->sparse_super || group <= 1 || is_power_of(group, 3) || is_power_of(group, 5) ||
           is_power_of(group, 7);
}

bool ext2_block_is_data(const struct ext2 *fs, u32 block)
{
    if (block <= fs->first_block || block >= fs->nr_blocks) {
        return false;
    }
    u32 group = group_of(fs, block);
    const struct ext2_group *g = &fs->group[group];
    if (has_super(fs, group) && block - first_of(fs, group) <= fs->desc_blocks) {
        return false;
    }
    return block != g->block_bitmap && block != g->inode_bitmap &&
           block - g->inode_table >= fs->table_blocks;
}

/* ---- bitmaps */

/* The first clear bit in [from, nr), or nr. */
static u32 find_clear(const u8 *bitmap, u32 from, u32 nr)
{
    while (from < nr) {
        if (from % 8 == 0 && bitmap[from / 8] == 0xFF) {
            from += 8;
        } else if (bitmap[from / 8] >> from % 8 & 1) {
            from++;
        } else {
            return from;
        }
    }
    return nr;
}

/* A run of eight clear bits makes a good place for a file that grows. */
static u32 find_clear_byte(const u8 *bitmap, u32 from, u32 nr)
{
    for (u32 i = (from + 7) / 8; i < nr / 8; i++) {
        if (bitmap[i] == 0) {
            return i * 8;
        }
    }
    return nr;
}

/* Takes a clear bit of the bitmap in `block`, near `goal`. nr: there is none. */
static int take_bit(struct ext2 *fs, u32 block, u32 goal, u32 nr, bool spacious, u32 *bit)
{
    struct page *page;
    u8 *bitmap = ext2_block(fs, block, &page);

    if (!bitmap) {
        return -EIO;
    }
    u32 at = goal < nr && !(bitmap[goal / 8] >> goal % 8 & 1) ? goal : nr;
    if (at == nr && spacious) {
        at = find_clear_byte(bitmap, goal, nr);
    }
    if (at == nr) {
        at = find_clear(bitmap, goal, nr);
    }
    if (at == nr) {
        at = find_clear(bitmap, 0, nr);
    }
    if (at < nr) {
        bitmap[at / 8] |= (u8)(1u << at % 8);
        ext2_block_dirty(fs, block, page);
    }
    page_put(page);
    *bit = at;
    return 0;
}

static int clear_bit(struct ext2 *fs, u32 block, u32 bit, bool *was_set)
{
    struct page *page;
    u8 *bitmap = ext2_block(fs, block, &page);

    if (!bitmap) {
        return -EIO;
    }
    *was_set = bitmap[bit / 8] >> bit % 8 & 1;
    if (*was_set) {
        bitmap[bit / 8] &= (u8) ~(1u << bit % 8);
        ext2_block_dirty(fs, block, page);
    }
    page_put(page);
    return 0;
}

/* ---- blocks */

static bool may_use_reserve(const struct ext2 *fs)
{
    const struct process *p = this_process();

    return !p || p->cred.fsuid == 0 || p->cred.fsuid == fs->reserved_uid ||
           (fs->reserved_gid && in_group(fs->reserved_gid));
}

int ext2_block_alloc(struct ext2 *fs, u32 goal, u32 *block)
{
    if (fs->super->readonly) {
        return -EROFS;
    }
    if (fs->free_blocks == 0 || (fs->free_blocks <= fs->nr_reserved && !may_use_reserve(fs))) {
        return -ENOSPC;
    }
    if (goal < fs->first_block || goal >= fs->nr_blocks) {
        goal = fs->first_block;
    }
    u32 group = group_of(fs, goal);
    u32 bit = goal - first_of(fs, group);
    for (u32 i = 0; i < fs->nr_groups; i++, group = (group + 1) % fs->nr_groups, bit = 0) {
        struct ext2_group *g = &fs->group[group];
        u32 nr = blocks_in(fs, group);
        if (g->free_blocks == 0) {
            continue;
        }
        int error = take_bit(fs, g->block_bitmap, bit, nr, true, &bit);
        if (error) {
            return error;
        }
        if (bit == nr) {
            return ext2_error(fs, "a group has fewer free blocks than it says", 0, group);
        }
        *block = first_of(fs, group) + bit;
        if (!ext2_block_is_data(fs, *block)) {
            return ext2_error(fs, "the bitmap says that metadata is free", 0, *block);
        }
        g->free_blocks--;
        fs->free_blocks--;
        return 0;
    }
    return ext2_error(fs, "there are fewer free blocks than the groups say", 0, fs->free_blocks);
}

int ext2_block_free(struct ext2 *fs, u32 block)
{
    bool was_set;

    if (!ext2_block_is_data(fs, block)) {
        return ext2_error(fs, "a file has a block of metadata, or outside", 0, block);
    }
    u32 group = group_of(fs, block);
    struct ext2_group *g = &fs->group[group];
    int error = clear_bit(fs, g->block_bitmap, block - first_of(fs, group), &was_set);
    if (error) {
        return error;
    }
    if (!was_set || g->free_blocks >= blocks_in(fs, group)) {
        return ext2_error(fs, "a block was freed that was free already", 0, block);
    }
    g->free_blocks++;
    fs->free_blocks++;
    return 0;
}

/* ---- inode numbers */

/* Directories go where many inodes are free, so that each has room for its files near it. */
static u32 group_for_directory(const struct ext2 *fs)
{
    u32 average = fs->free_inodes / fs->nr_groups, best = 0;
    i64 best_blocks = -1;

    for (u32 i = 0; i < fs->nr_groups; i++) {
        const struct ext2_group *g = &fs->group[i];
        if (g->free_inodes && g->free_inodes >= average && g->free_blocks > best_blocks) {
            best = i;
            best_blocks = g->free_blocks;
        }
    }
    return best;
}

int ext2_number_alloc(struct ext2 *fs, u32 dir_ino, bool is_directory, u32 *ino)
{
    if (fs->super->readonly) {
        return -EROFS;
    }
    if (fs->free_inodes == 0) {
        return -ENOSPC;
    }
    u32 group = is_directory ? group_for_directory(fs) : (dir_ino - 1) / fs->inodes_per_group;
    for (u32 i = 0; i < fs->nr_groups; i++, group = (group + 1) % fs->nr_groups) {
        struct ext2_group *g = &fs->group[group];
        u32 bit;
        if (g->free_inodes == 0) {
            continue;
        }
        int error = take_bit(fs, g->inode_bitmap, 0, fs->inodes_per_group, false, &bit);
        if (error) {
            return error;
        }
        *ino = group * fs->inodes_per_group + bit + 1;
        if (bit == fs->inodes_per_group || *ino < fs->first_ino) {
            return ext2_error(fs, "a group's bitmap of inodes is wrong", 0, group);
        }
        g->free_inodes--;
        fs->free_inodes--;
        g->used_dirs += is_directory;
        return 0;
    }
    return ext2_error(fs, "there are fewer free inodes than the groups say", 0, fs->free_inodes);
}

int ext2_number_free(struct ext2 *fs, u32 ino, bool is_directory)
{
    u32 group = (ino - 1) / fs->inodes_per_group;
    struct ext2_group *g = &fs->group[group];
    bool was_set;
    int error = clear_bit(fs, g->inode_bitmap, (ino - 1) % fs->inodes_per_group, &was_set);

    if (error) {
        return error;
    }
    if (!was_set || g->free_inodes >= fs->inodes_per_group || (is_directory && !g->used_dirs)) {
        return ext2_error(fs, "an inode was freed that was free already", ino, group);
    }
    g->free_inodes++;
    fs->free_inodes++;
    g->used_dirs -= is_directory;
    return 0;
}
