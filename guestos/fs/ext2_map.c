/*
 * ext2: from a block of a file to a block of the disk. An inode has 12 block numbers, then one of a
 * block full of numbers, one of a block full of those, and one more level.
 *
 *   index   0..11          12..            12+n..              12+n+n*n..       n = block_bytes / 4
 *           direct         indirect        double              triple
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/ext2.h"

static u64 per_level(const struct ext2 *fs, u32 level) /* blocks below a tree of this height */
{
    return 1ul << (fs->block_shift - 2) * level;
}

u64 ext2_max_bytes(const struct ext2 *fs)
{
    u64 blocks = EXT2_NR_DIRECT + per_level(fs, 1) + per_level(fs, 2) + per_level(fs, 3);
    /* The inode counts sectors of 512 bytes, those of indirect blocks too, in 32 bits. */
    u64 counted = (1ul << 32) >> (fs->block_shift - 9);
    u64 indirect = 1 + 1 + per_level(fs, 1) + 1 + per_level(fs, 1) + per_level(fs, 2);

    return MIN(blocks, counted - indirect - 1) << fs->block_shift;
}

/* Which slot of the inode, how many levels below it, and which index there. False: beyond. */
static bool find_slot(const struct ext2 *fs, u64 index, u32 *slot, u32 *level, u64 *below)
{
    if (index < EXT2_NR_DIRECT) {
        *slot = (u32)index;
        *level = 0;
        *below = 0;
        return true;
    }
    index -= EXT2_NR_DIRECT;
    for (*level = 1; *level <= 3; ++*level) {
        if (index < per_level(fs, *level)) {
            *slot = EXT2_NR_DIRECT + *level - 1;
            *below = index;
            return true;
        }
        index -= per_level(fs, *level);
    }
    return false;
}

static u32 goal_of(const struct inode *inode)
{
    const struct ext2 *fs = ext2_of(inode);
    u32 last = ext2_inode_of(inode)->last_block;

    return last ? last + 1
                : fs->first_block +
                      (u32)(inode->ino - 1) / fs->inodes_per_group * fs->blocks_per_group;
}

/* A block for the inode; indirect ones are made empty. */
static int new_block(struct inode *inode, bool indirect, u32 *block)
{
    struct ext2 *fs = ext2_of(inode);
    struct page *page;
    int error = ext2_block_alloc(fs, goal_of(inode), block);

    if (error) {
        return error;
    }
    if (indirect) {
        if (!ext2_block_new(fs, *block, &page)) {
            (void)ext2_block_free(fs, *block);
            return -EIO;
        }
        page_put(page);
    }
    ext2_inode_of(inode)->last_block = *block;
    inode->blocks_512 += fs->block_bytes / 512;
    inode->metadata_dirty = true;
    return 0;
}

/* What a slot holds; a new block if it is empty and one is wanted. */
static int look(struct inode *inode, u32 *slot, bool create, bool indirect, u32 *block,
                bool *changed)
{
    int error = 0;

    *changed = false;
    *block = *slot;
    if (!*block && create) {
        error = new_block(inode, indirect, block);
        if (!error) {
            *slot = *block;
            *changed = true;
        }
    }
    if (!error && *block && !ext2_block_is_data(ext2_of(inode), *block)) {
        error = ext2_error(ext2_of(inode), "a file has a block of metadata, or outside", inode->ino,
                           *block);
    }
    return error;
}

int ext2_map(struct inode *inode, u64 index, bool create, u32 *block)
{
    struct ext2 *fs = ext2_of(inode);
    u32 slot, level;
    u64 below;
    bool changed;

    if (!find_slot(fs, index, &slot, &level, &below)) {
        *block = 0;
        return -EFBIG;
    }
    int error = look(inode, &ext2_inode_of(inode)->block[slot], create, level > 0, block, &changed);
    while (!error && *block && level > 0) {
        u32 table_block = *block;
        struct page *page;
        u32 *table = ext2_block(fs, table_block, &page);
        if (!table) {
            return -EIO;
        }
        level--;
        error =
            look(inode, &table[below / per_level(fs, level)], create, level > 0, block, &changed);
        below %= per_level(fs, level);
        if (changed) {
            ext2_block_dirty(fs, table_block, page);
        }
        page_put(page);
    }
    return error;
}

static int free_one(struct inode *inode, u32 block, bool is_metadata)
{
    struct ext2 *fs = ext2_of(inode);

    if (is_metadata && ext2_block_is_data(fs, block)) {
        ext2_block_forget(fs, block);
    }
    int error = ext2_block_free(fs, block);
    if (!error) {
        inode->blocks_512 -= MIN(inode->blocks_512, (u64)fs->block_bytes / 512);
    }
    return error;
}

/* Frees what the slot holds from `first` on, of the blocks below a tree of this height; the slot
 * becomes 0 if nothing remains. */
static int cut_tree(struct inode *inode, u32 *slot, u32 level, u64 first)
{
    struct ext2 *fs = ext2_of(inode);
    u32 block = *slot;

    if (!block) {
        return 0;
    }
    if (level == 0) {
        *slot = 0;
        return free_one(inode, block, !S_ISREG(inode->mode));
    }
    if (!ext2_block_is_data(fs, block)) {
        *slot = 0;
        return ext2_error(fs, "an indirect block is metadata, or outside", inode->ino, block);
    }
    struct page *page;
    u32 *table = ext2_block(fs, block, &page);
    if (!table) {
        return -EIO;
    }
    u64 each = per_level(fs, level - 1);
    int error = 0;
    for (u64 i = first / each; i < fs->block_bytes / 4 && !error; i++) {
        if (table[i]) {
            error = cut_tree(inode, &table[i], level - 1, i * each < first ? first - i * each : 0);
        }
    }
    ext2_block_dirty(fs, block, page);
    page_put(page);
    if (first == 0 && !error) {
        *slot = 0;
        error = free_one(inode, block, true);
    }
    return error;
}

int ext2_cut(struct inode *inode, u64 first)
{
    struct ext2 *fs = ext2_of(inode);
    struct ext2_inode *e = ext2_inode_of(inode);
    u64 begin = EXT2_NR_DIRECT;
    int error = 0;

    for (u64 i = first; i < EXT2_NR_DIRECT && !error; i++) {
        error = cut_tree(inode, &e->block[i], 0, 0);
    }
    for (u32 level = 1; level <= 3 && !error; level++) {
        u64 end = begin + per_level(fs, level);
        if (first < end) {
            error = cut_tree(inode, &e->block[EXT2_NR_DIRECT + level - 1], level,
                             first > begin ? first - begin : 0);
        }
        begin = end;
    }
    e->last_block = 0;
    inode->metadata_dirty = true;
    return error;
}
