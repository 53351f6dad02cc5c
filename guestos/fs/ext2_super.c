/*
 * ext2: mounting, the superblock, errors. While it is mounted for writing the state on the disk is
 * "not clean"; unmounting, or becoming read-only, sets it back, unless it was so before or an error
 * was found. Group descriptors are kept in memory, and written at each sync.
 */
#include "guestos/drivers/block.h"
#include "guestos/fs/block_file.h"
#include "guestos/fs/cache.h"
#include "guestos/fs/ext2.h"
#include "guestos/fs/init.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"

#define SUPER_OFFSET 1024u
#define SUPER_SECTOR (SUPER_OFFSET / 512)
#define GROUP_BYTES  sizeof(struct ext2_group)

static int put_super(struct ext2 *fs);

int ext2_error(struct ext2 *fs, const char *what, u64 inode, u64 number)
{
    if (!fs->broken) {
        print("ext2 %s: %s (inode %lu, %lu); read-only from now on; e2fsck is needed\n",
              fs->super->source, what, inode, number);
        fs->broken = true;
        if (!fs->super->readonly) {
            fs->super->readonly = true;
            (void)put_super(fs); /* with the state "errors" */
        }
    }
    return -EIO;
}

/* The superblock in the cache, its page held; NULL: it cannot be read. */
static struct ext2_super_block *get_super(struct ext2 *fs, struct page **page)
{
    if (cache_get(fs->cache, 0, page)) {
        return NULL;
    }
    return (struct ext2_super_block *)((u8 *)page_data(*page) + SUPER_OFFSET);
}

static int put_super(struct ext2 *fs)
{
    struct page *page;
    struct ext2_super_block *sb = get_super(fs, &page);

    if (!sb) {
        return -EIO;
    }
    sb->free_blocks = fs->free_blocks;
    sb->free_inodes = fs->free_inodes;
    sb->wtime = (u32)(clock_realtime() / NS_PER_S);
    if (fs->broken) {
        sb->state |= EXT2_STATE_ERRORS;
    }
    cache_mark_sectors(page, SUPER_SECTOR, 2);
    page_put(page);
    return 0;
}

static int put_groups(struct ext2 *fs)
{
    u32 per_block = fs->block_bytes / GROUP_BYTES;

    for (u32 first = 0; first < fs->nr_groups; first += per_block) {
        u32 nr = MIN(per_block, fs->nr_groups - first);
        u32 block = fs->first_block + 1 + first / per_block;
        struct page *page;
        void *at = ext2_block(fs, block, &page);
        if (!at) {
            return -EIO;
        }
        if (memcmp(at, fs->group + first, nr * GROUP_BYTES) != 0) {
            memcpy(at, fs->group + first, nr * GROUP_BYTES);
            ext2_block_dirty(fs, block, page);
        }
        page_put(page);
    }
    return 0;
}

int ext2_need_large_file(struct ext2 *fs)
{
    struct page *page;
    struct ext2_super_block *sb = get_super(fs, &page);
    int error = sb ? 0 : -EIO;

    if (sb && !(sb->feature_ro_compat & EXT2_RO_LARGE_FILE)) {
        if (sb->rev_level == 0) {
            error = -EFBIG;
        } else {
            sb->feature_ro_compat |= EXT2_RO_LARGE_FILE;
            cache_mark_sectors(page, SUPER_SECTOR, 2);
        }
    }
    if (sb) {
        page_put(page);
    }
    return error;
}

/* Writes the state, at once. begin: it is going to be written to; else it is whole. */
static int set_state(struct ext2 *fs, bool begin)
{
    struct page *page;
    struct ext2_super_block *sb = get_super(fs, &page);

    if (!sb) {
        return -EIO;
    }
    if (begin) {
        fs->was_clean = (sb->state & EXT2_STATE_VALID) && !(sb->state & EXT2_STATE_ERRORS);
        sb->state &= (u16)~EXT2_STATE_VALID;
        sb->mnt_count++;
        sb->mtime = (u32)(clock_realtime() / NS_PER_S);
    } else if (fs->was_clean && !fs->broken) {
        sb->state |= EXT2_STATE_VALID;
    }
    cache_mark_sectors(page, SUPER_SECTOR, 2);
    page_put(page);
    int error = cache_sync(fs->cache, 0, ~0ul);
    return error ? error : block_flush(fs->super->device);
}

static int ext2_sync(struct super *super)
{
    struct ext2 *fs = super->data;
    int error = 0;

    if (!super->readonly) {
        mutex_lock(&fs->lock);
        error = put_groups(fs);
        error = error ? error : put_super(fs);
        mutex_unlock(&fs->lock);
    }
    int late = cache_sync(fs->cache, 0, ~0ul);
    error = error ? error : late;
    return error ? error : block_flush(super->device);
}

/* Files that have no name any more but are still open must not be found by e2fsck. */
static void free_orphans(struct super *super)
{
    for (struct inode *i = inode_next(super, NULL); i; i = inode_next(super, i)) {
        if (i->nlink == 0) {
            cache_truncate(i, 0);
            ext2_delete_inode(i);
        }
    }
}

static int ext2_remount(struct super *super, bool readonly)
{
    struct ext2 *fs = super->data;
    int error;

    if (!readonly) {
        if (fs->broken || super->device->readonly) {
            return -EROFS;
        }
        struct page *page;
        struct ext2_super_block *sb = get_super(fs, &page);
        u32 unknown = sb ? sb->feature_ro_compat & ~(u32)(EXT2_RO_SPARSE_SUPER |
                                                          EXT2_RO_LARGE_FILE | EXT2_RO_EXTRA_ISIZE)
                         : 0;
        if (sb) {
            page_put(page);
        }
        return !sb ? -EIO : unknown && sb->rev_level ? -EROFS : set_state(fs, true);
    }
    free_orphans(super);
    error = ext2_sync(super);
    return error ? error : set_state(fs, false);
}

static void ext2_unmount(struct super *super)
{
    struct ext2 *fs = super->data;

    (void)ext2_sync(super);
    if (!super->readonly) {
        (void)set_state(fs, false);
    }
    cache_drop(fs->cache); /* what others do to the device now must be seen */
    kfree(fs->group);
    kfree(fs);
}

static int ext2_statfs(struct super *super, struct abi_statfs *st)
{
    const struct ext2 *fs = super->data;
    u32 overhead = fs->nr_groups * (2 + fs->table_blocks);

    st->type = EXT2_MAGIC;
    st->bsize = st->frsize = fs->block_bytes;
    st->blocks = fs->nr_blocks - MIN(fs->nr_blocks, overhead);
    st->bfree = fs->free_blocks;
    st->bavail = fs->free_blocks - MIN(fs->free_blocks, fs->nr_reserved);
    st->files = fs->nr_inodes;
    st->ffree = fs->free_inodes;
    st->namelen = NAME_MAX;
    return 0;
}

static const struct super_ops ext2_super_ops = {
    .write_inode = ext2_write_inode,
    .free_inode = ext2_free_inode,
    .statfs = ext2_statfs,
    .sync = ext2_sync,
    .remount = ext2_remount,
    .unmount = ext2_unmount,
};

/* ---- mounting */

static int refuse(struct ext2 *fs, const char *why, u64 number)
{
    print("ext2 %s: %s (%lu)\n", fs->super->source, why, number);
    return -EINVAL;
}

static int check_features(struct ext2 *fs, const struct ext2_super_block *sb)
{
    u32 incompat = sb->feature_incompat & ~(u32)EXT2_INCOMPAT_FILETYPE;
    u32 ro = sb->feature_ro_compat &
             ~(u32)(EXT2_RO_SPARSE_SUPER | EXT2_RO_LARGE_FILE | EXT2_RO_EXTRA_ISIZE);

    fs->inode_bytes = 128;
    fs->first_ino = 11;
    if (sb->rev_level > 1) {
        return refuse(fs, "unknown revision", sb->rev_level);
    }
    if (sb->rev_level == 0) {
        return 0;
    }
    fs->inode_bytes = sb->inode_size;
    fs->first_ino = sb->first_ino;
    fs->has_filetype = sb->feature_incompat & EXT2_INCOMPAT_FILETYPE;
    fs->sparse_super = sb->feature_ro_compat & EXT2_RO_SPARSE_SUPER;
    if (incompat) {
        return refuse(fs, "it uses features that are not known here; bits", incompat);
    }
    if (ro && !fs->super->readonly) {
        print("ext2 %s: mounted read-only for features that are not known here (%x)\n",
              fs->super->source, ro);
        fs->super->readonly = true;
    }
    return 0;
}

static int read_geometry(struct ext2 *fs, const struct ext2_super_block *sb)
{
    fs->block_shift = 10 + sb->log_block_size;
    fs->block_bytes = 1u << fs->block_shift;
    fs->nr_blocks = sb->blocks_count;
    fs->first_block = sb->first_data_block;
    fs->blocks_per_group = sb->blocks_per_group;
    fs->nr_inodes = sb->inodes_count;
    fs->inodes_per_group = sb->inodes_per_group;
    fs->nr_reserved = MIN(sb->r_blocks_count, sb->blocks_count);
    fs->reserved_uid = sb->def_resuid;
    fs->reserved_gid = sb->def_resgid;

    u32 bits = fs->block_bytes * 8, size = fs->inode_bytes;
    if (fs->first_block != (sb->log_block_size == 0) || fs->nr_blocks <= fs->first_block + 1) {
        return refuse(fs, "damaged: blocks", fs->nr_blocks);
    }
    if (fs->nr_blocks > fs->super->device->nr_sectors >> (fs->block_shift - 9)) {
        return refuse(fs, "it is larger than its partition: blocks", fs->nr_blocks);
    }
    if (fs->blocks_per_group < 8 || fs->blocks_per_group > bits || fs->blocks_per_group % 8) {
        return refuse(fs, "damaged: blocks in a group", fs->blocks_per_group);
    }
    if (size < 128 || size > fs->block_bytes || (size & (size - 1))) {
        return refuse(fs, "damaged: bytes of an inode", size);
    }
    if (fs->inodes_per_group < 8 || fs->inodes_per_group > bits ||
        fs->inodes_per_group % (fs->block_bytes / size)) {
        return refuse(fs, "damaged: inodes in a group", fs->inodes_per_group);
    }
    fs->nr_groups = (fs->nr_blocks - fs->first_block - 1) / fs->blocks_per_group + 1;
    fs->table_blocks = fs->inodes_per_group / (fs->block_bytes / size);
    fs->desc_blocks = (fs->nr_groups - 1) / (fs->block_bytes / (u32)GROUP_BYTES) + 1;
    if (fs->nr_inodes != (u64)fs->nr_groups * fs->inodes_per_group || fs->first_ino < 11 ||
        fs->first_ino > fs->nr_inodes) {
        return refuse(fs, "damaged: inodes", fs->nr_inodes);
    }
    return 0;
}

static int check_group(struct ext2 *fs, u32 number)
{
    const struct ext2_group *g = &fs->group[number];
    u32 first = fs->first_block + number * fs->blocks_per_group;
    u32 nr = MIN(fs->blocks_per_group, fs->nr_blocks - first);

    if (g->block_bitmap - first >= nr || g->inode_bitmap - first >= nr ||
        g->inode_table - first >= nr || nr - (g->inode_table - first) < fs->table_blocks) {
        return refuse(fs, "damaged: the bitmaps or inodes lie outside of group", number);
    }
    if (g->free_blocks > nr || g->free_inodes > fs->inodes_per_group ||
        g->used_dirs > fs->inodes_per_group) {
        return refuse(fs, "damaged: the counts of group", number);
    }
    fs->free_blocks += g->free_blocks;
    fs->free_inodes += g->free_inodes;
    return 0;
}

static int read_groups(struct ext2 *fs)
{
    u32 per_block = fs->block_bytes / GROUP_BYTES;

    fs->group = kmalloc(fs->nr_groups * GROUP_BYTES);
    if (!fs->group) {
        return -ENOMEM;
    }
    for (u32 i = 0; i < fs->nr_groups; i++) {
        struct page *page;
        u8 *at = ext2_block(fs, fs->first_block + 1 + i / per_block, &page);
        if (!at) {
            return -EIO;
        }
        memcpy(&fs->group[i], at + i % per_block * GROUP_BYTES, GROUP_BYTES);
        page_put(page);
        int error = check_group(fs, i);
        if (error) {
            return error;
        }
    }
    return 0;
}

static int read_super(struct ext2 *fs)
{
    struct page *page;
    const struct ext2_super_block *sb = get_super(fs, &page);
    int error;

    if (!sb) {
        return -EIO;
    }
    if (sb->magic != EXT2_MAGIC) {
        error = -EINVAL; /* nothing is said: the root is looked for this way */
    } else if (sb->log_block_size > 2) {
        error = refuse(fs, "blocks are neither 1, 2 nor 4 KiB: 2 to the power", sb->log_block_size);
    } else {
        error = check_features(fs, sb);
        error = error ? error : read_geometry(fs, sb);
    }
    if (!error && (!(sb->state & EXT2_STATE_VALID) || (sb->state & EXT2_STATE_ERRORS))) {
        print("ext2 %s: it was not unmounted cleanly, or has errors; run e2fsck\n",
              fs->super->source);
    }
    page_put(page);
    return error;
}

static int ext2_mount(struct super *super, const char *options, struct inode **root)
{
    struct ext2 *fs = kmalloc(sizeof *fs);
    int error;

    (void)options; /* "errors=" and its like change nothing here */
    if (!fs) {
        return -ENOMEM;
    }
    fs->super = super;
    fs->cache = block_inode(super->device);
    mutex_init(&fs->lock);
    super->data = fs;
    super->ops = &ext2_super_ops;
    error = fs->cache ? cache_sync(fs->cache, 0, ~0ul) : -ENOMEM;
    error = error ? error : read_super(fs);
    error = error ? error : read_groups(fs);
    if (!error) {
        super->block_bytes = fs->block_bytes;
        super->max_bytes = ext2_max_bytes(fs);
        fs->next_generation = (u32)clock_realtime();
        error = ext2_get(super, EXT2_ROOT_INO, root);
    }
    if (!error && !S_ISDIR((*root)->mode)) {
        error = refuse(fs, "damaged: the root is no directory; mode", (*root)->mode);
        inode_put(*root);
    }
    if (!error) {
        ext2_inode_of(*root)->parent = EXT2_ROOT_INO;
    }
    if (!error && !super->readonly) {
        error = set_state(fs, true);
        if (error) {
            inode_put(*root);
        }
    }
    if (error) {
        kfree(fs->group);
        kfree(fs);
        super->data = NULL;
    }
    return error;
}

struct fs_type ext2_type = {.name = "ext2", .needs_device = true, .mount = ext2_mount};
