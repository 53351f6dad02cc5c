/*
 * ext2: where names lie in large directories, in memory. A table of (hash of the name, block of the
 * directory) with open addressing, made by reading the whole directory once; from then on a name is
 * looked for in the few blocks that its hash gives, and one that is not there in none. What deleted
 * names leave in the table costs a look at most; when it is half full it is made anew. Without
 * memory for it a directory is read in a row.
 */
#include "guestos/fs/ext2.h"
#include "guestos/mm/slab.h"

#define SMALL_BLOCKS 4u       /* directories up to this size need none */
#define MAX_SLOTS    0x10000u /* 512 KiB */

struct ext2_index {
    u32 used, mask; /* mask: number of slots - 1 */
    struct {
        u32 hash, block; /* block + 1; 0: free */
    } slot[];
};

static struct ext2_index *index_new(u32 nr_names)
{
    u32 slots = 256;

    while (slots < nr_names * 4 && slots < MAX_SLOTS) {
        slots *= 2;
    }
    struct ext2_index *x = NULL;
    if (nr_names < slots / 2) {
        x = kmalloc(sizeof *x + slots * sizeof x->slot[0]);
    }
    if (x) {
        x->mask = slots - 1;
    }
    return x;
}

static void put(struct ext2_index *x, u32 hash, u32 block)
{
    u32 i = hash & x->mask;

    for (; x->slot[i].block; i = (i + 1) & x->mask) {
        if (x->slot[i].hash == hash && x->slot[i].block == block + 1) {
            return;
        }
    }
    x->slot[i].hash = hash;
    x->slot[i].block = block + 1;
    x->used++;
}

static bool count_name(const struct ext2_dir_entry *e, u32 block, void *counter)
{
    (void)e;
    (void)block;
    ++*(u32 *)counter;
    return true;
}

static bool put_name(const struct ext2_dir_entry *e, u32 block, void *index)
{
    put(index, ext2_name_hash(e->name, e->name_len), block);
    return true;
}

void ext2_index_drop(struct inode *dir)
{
    kfree(ext2_inode_of(dir)->index);
    ext2_inode_of(dir)->index = NULL;
}

int ext2_index_prepare(struct inode *dir)
{
    struct ext2_inode *e = ext2_inode_of(dir);
    u32 nr_names = 0;

    if (e->index || dir->size_bytes >> ext2_of(dir)->block_shift <= SMALL_BLOCKS) {
        return 0;
    }
    int error = ext2_dir_each(dir, count_name, &nr_names);
    if (!error && (e->index = index_new(nr_names))) {
        error = ext2_dir_each(dir, put_name, e->index);
        if (error) {
            ext2_index_drop(dir);
        }
    }
    return error;
}

void ext2_index_add(struct inode *dir, u32 hash, u32 block)
{
    struct ext2_index *x = ext2_inode_of(dir)->index;

    if (x) {
        put(x, hash, block);
        if (x->used > x->mask / 2) {
            ext2_index_drop(dir);
        }
    }
}

bool ext2_index_next(const struct inode *dir, u32 hash, u32 *cursor, u32 *block)
{
    const struct ext2_index *x = ext2_inode_of(dir)->index;

    for (; *cursor <= x->mask; ++*cursor) {
        u32 i = (hash + *cursor) & x->mask;
        if (!x->slot[i].block) {
            return false;
        }
        if (x->slot[i].hash == hash) {
            *block = x->slot[i].block - 1;
            ++*cursor;
            return true;
        }
    }
    return false;
}
