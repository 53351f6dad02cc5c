/*
 * ext2: inodes between the disk's table and memory. Times have nanoseconds, and go beyond 2038,
 * where the inodes have room for it (256 bytes); owners have 32 bits.
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/ext2.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"

#define EA_MAGIC 0xEA020000u

/* The inode in its table, the page held; NULL: it cannot be read. */
static struct ext2_disk_inode *disk_inode(struct ext2 *fs, u32 ino, u32 *block, struct page **page)
{
    u32 per_block = fs->block_bytes / fs->inode_bytes;
    u32 index = (ino - 1) % fs->inodes_per_group;

    *block = fs->group[(ino - 1) / fs->inodes_per_group].inode_table + index / per_block;
    u8 *at = ext2_block(fs, *block, page);
    return at ? (void *)(at + index % per_block * fs->inode_bytes) : NULL;
}

static bool has_extra(const struct ext2 *fs, const struct ext2_disk_inode *d)
{
    return fs->inode_bytes >= 128 + EXT2_EXTRA_ISIZE && d->extra_isize >= EXT2_EXTRA_ISIZE;
}

/* Seconds in 32 bits with sign; the extra word: two more bits of them, then nanoseconds. */
static u64 time_from(u32 seconds, u32 extra)
{
    i64 s = (i64)(i32)seconds + ((i64)(extra & 3) << 32);
    s = MIN(s, (i64)(~0ul >> 1) / (i64)NS_PER_S - 1); /* the year 2262 */
    return (u64)(s * (i64)NS_PER_S) + (extra >> 2) % NS_PER_S;
}

static u32 seconds_of(u64 ns, u32 *extra)
{
    i64 s = (i64)ns / (i64)NS_PER_S, rest = (i64)ns % (i64)NS_PER_S;

    if (rest < 0) {
        rest += (i64)NS_PER_S;
        s--;
    }
    *extra = (u32)rest << 2 | ((u32)((s - (i32)(u32)s) >> 32) & 3);
    return (u32)s;
}

static bool has_device(const struct inode *inode)
{
    return S_ISCHR(inode->mode) || S_ISBLK(inode->mode);
}

/* A short symbolic link's text lies where the block numbers would. */
static bool is_fast_link(const struct inode *inode)
{
    u32 acl = ext2_inode_of(inode)->file_acl ? ext2_of(inode)->block_bytes / 512 : 0;
    return S_ISLNK(inode->mode) && inode->blocks_512 == acl;
}

static bool has_blocks(const struct inode *inode)
{
    return S_ISREG(inode->mode) || S_ISDIR(inode->mode) ||
           (S_ISLNK(inode->mode) && !is_fast_link(inode));
}

static void set_ops(struct inode *inode)
{
    switch (inode->mode & S_IFMT) {
    case S_IFREG:
        inode->ops = &ext2_file_ops;
        inode->file_ops = &regular_file_ops;
        break;
    case S_IFDIR:
        inode->ops = &ext2_dir_ops;
        inode->file_ops = &ext2_dir_file_ops;
        break;
    case S_IFLNK: inode->ops = &ext2_link_ops; break;
    default:
        inode->ops = &ext2_special_ops;
        inode_set_file_ops(inode);
        break;
    }
}

static int check(struct ext2 *fs, const struct inode *inode, const struct ext2_inode *e)
{
    u64 ino = inode->ino;

    if (inode->nlink == 0) {
        return ext2_error(fs, "a name leads to a free inode", ino, 0);
    }
    if (e->flags & EXT2_FOREIGN) {
        return ext2_error(fs, "an inode has extents or inline data", ino, e->flags);
    }
    switch (inode->mode & S_IFMT) {
    case S_IFREG:
        return inode->size_bytes > ext2_max_bytes(fs)
                   ? ext2_error(fs, "a file is too long", ino, inode->size_bytes)
                   : 0;
    case S_IFDIR:
        if (inode->size_bytes == 0 || inode->size_bytes % fs->block_bytes ||
            inode->size_bytes > (1ul << 31)) {
            return ext2_error(fs, "a directory's size is wrong", ino, inode->size_bytes);
        }
        return 0;
    case S_IFLNK:
        if (inode->size_bytes == 0 ||
            inode->size_bytes >= (is_fast_link(inode) ? sizeof e->block : fs->block_bytes)) {
            return ext2_error(fs, "a symbolic link's size is wrong", ino, inode->size_bytes);
        }
        return 0;
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK: return 0;
    default: return ext2_error(fs, "an inode is of no known type", ino, inode->mode);
    }
}

static int load(struct inode *inode, struct ext2_inode *e)
{
    struct ext2 *fs = ext2_of(inode);
    struct page *page;
    u32 block;
    const struct ext2_disk_inode *d = disk_inode(fs, (u32)inode->ino, &block, &page);

    if (!d) {
        return -EIO;
    }
    bool extra = has_extra(fs, d);
    inode->mode = d->mode;
    inode->uid = d->uid | (u32)d->uid_high << 16;
    inode->gid = d->gid | (u32)d->gid_high << 16;
    inode->nlink = d->links_count;
    inode->size_bytes = d->size | (S_ISREG(d->mode) ? (u64)d->size_high << 32 : 0);
    inode->blocks_512 = d->blocks;
    inode->generation = d->generation;
    inode->atime_ns = time_from(d->atime, extra ? d->atime_extra : 0);
    inode->mtime_ns = time_from(d->mtime, extra ? d->mtime_extra : 0);
    inode->ctime_ns = time_from(d->ctime, extra ? d->ctime_extra : 0);
    e->flags = d->flags;
    e->file_acl = d->file_acl;
    memcpy(e->block, d->block, sizeof e->block);
    page_put(page);

    inode->data = e;
    if (has_device(inode)) { /* 8 and 8 bits, or as in struct stat */
        inode->rdev =
            e->block[0] ? MAKE_DEV(e->block[0] >> 8 & 0xFF, e->block[0] & 0xFF) : e->block[1];
    }
    return check(fs, inode, e);
}

int ext2_get(struct super *super, u32 ino, struct inode **found)
{
    struct ext2 *fs = super->data;
    bool fresh;

    if (ino == 0 || ino > fs->nr_inodes || (ino < fs->first_ino && ino != EXT2_ROOT_INO)) {
        return ext2_error(fs, "a name leads to an inode that cannot be", ino, 0);
    }
    struct inode *inode = inode_get(super, ino, &fresh);
    if (!inode) {
        return -ENOMEM;
    }
    if (fresh) {
        struct ext2_inode *e = kmalloc(sizeof *e);
        int error = -ENOMEM;
        if (e) {
            mutex_lock(&fs->lock);
            error = load(inode, e);
            mutex_unlock(&fs->lock);
        }
        if (error) {
            inode_forget(inode);
            kfree(e);
            return error;
        }
        set_ops(inode);
        inode_ready(inode);
    }
    *found = inode;
    return 0;
}

static void store_times(const struct inode *inode, struct ext2_disk_inode *d, bool extra)
{
    u32 a, m, c;

    d->atime = seconds_of(inode->atime_ns, &a);
    d->mtime = seconds_of(inode->mtime_ns, &m);
    d->ctime = seconds_of(inode->ctime_ns, &c);
    if (extra) {
        d->atime_extra = a;
        d->mtime_extra = m;
        d->ctime_extra = c;
    }
}

static void store_fields(const struct inode *inode, struct ext2_disk_inode *d)
{
    const struct ext2_inode *e = ext2_inode_of(inode);

    d->mode = (u16)inode->mode;
    d->uid = (u16)inode->uid;
    d->uid_high = (u16)(inode->uid >> 16);
    d->gid = (u16)inode->gid;
    d->gid_high = (u16)(inode->gid >> 16);
    d->links_count = (u16)inode->nlink;
    d->size = (u32)inode->size_bytes;
    if (S_ISREG(inode->mode)) {
        d->size_high = (u32)(inode->size_bytes >> 32);
    }
    d->blocks = (u32)inode->blocks_512;
    d->generation = inode->generation;
    d->flags = e->flags;
    d->file_acl = e->file_acl;
    d->dtime = inode->nlink ? 0 : (u32)(clock_realtime() / NS_PER_S);
    memcpy(d->block, e->block, sizeof d->block);
}

int ext2_inode_store(struct inode *inode)
{
    struct ext2 *fs = ext2_of(inode);
    struct page *page;
    u32 block;
    struct ext2_disk_inode *d = disk_inode(fs, (u32)inode->ino, &block, &page);

    if (!d) {
        return -EIO;
    }
    inode->metadata_dirty = false;
    store_fields(inode, d);
    store_times(inode, d, has_extra(fs, d));
    ext2_block_dirty(fs, block, page);
    page_put(page);
    return S_ISREG(inode->mode) && inode->size_bytes > 0x7FFFFFFF ? ext2_need_large_file(fs) : 0;
}

int ext2_write_inode(struct inode *inode)
{
    struct ext2 *fs = ext2_of(inode);

    mutex_lock(&fs->lock);
    int error = ext2_inode_store(inode);
    mutex_unlock(&fs->lock);
    return error;
}

/* ---- new ones */

static int clear_on_disk(struct inode *inode)
{
    struct ext2 *fs = ext2_of(inode);
    struct page *page;
    u32 block, extra;
    struct ext2_disk_inode *d = disk_inode(fs, (u32)inode->ino, &block, &page);

    if (!d) {
        return -EIO;
    }
    memset(d, 0, fs->inode_bytes);
    if (fs->inode_bytes >= 128 + EXT2_EXTRA_ISIZE) {
        d->extra_isize = fs->inode_bytes >= 160 ? 32 : EXT2_EXTRA_ISIZE;
        d->crtime = seconds_of(inode->ctime_ns, &extra);
        d->crtime_extra = extra;
    }
    page_put(page);
    return 0;
}

/* A number with its inode. One whose last inode is just going, which may wait for fs->lock, is kept
 * aside until another has been found. */
static int take_number(struct inode *dir, bool is_directory, struct inode **made)
{
    struct ext2 *fs = ext2_of(dir);
    u32 aside[8], nr_aside = 0, ino;
    int error;

    for (;;) {
        error = ext2_number_alloc(fs, (u32)dir->ino, is_directory, &ino);
        if (error) {
            break;
        }
        *made = inode_new(dir->super, ino, &error);
        if (error == -EEXIST) {
            error = ext2_error(fs, "the bitmap says that an inode in use is free", ino, 0);
        } else if (error) {
            aside[nr_aside++] = ino;
        }
        if (error != -EBUSY || nr_aside == ARRAY_LEN(aside)) {
            break;
        }
    }
    while (nr_aside) {
        (void)ext2_number_free(fs, aside[--nr_aside], is_directory);
    }
    return error;
}

int ext2_inode_new(struct inode *dir, u32 mode, u64 rdev, struct inode **made)
{
    struct ext2 *fs = ext2_of(dir);
    struct ext2_inode *e = kmalloc(sizeof *e);
    struct inode *inode = NULL;
    int error = e ? take_number(dir, S_ISDIR(mode), &inode) : -ENOMEM;

    if (error) {
        kfree(e);
        return error;
    }
    inode->data = e;
    inode->generation = fs->next_generation++;
    e->flags = ext2_inode_of(dir)->flags & EXT2_INHERITED;
    inode_init_new(inode, dir, mode, rdev);
    if (has_device(inode)) {
        bool old = DEV_MAJOR(rdev) < 256 && DEV_MINOR(rdev) < 256;
        e->block[!old] = (u32)(old ? DEV_MAJOR(rdev) << 8 | DEV_MINOR(rdev) : rdev);
    }
    set_ops(inode);
    error = clear_on_disk(inode);
    error = error ? error : ext2_inode_store(inode);
    if (error) {
        ext2_inode_give_up(inode);
        return error;
    }
    *made = inode;
    return 0;
}

void ext2_inode_give_up(struct inode *inode)
{
    struct ext2_inode *e = ext2_inode_of(inode);

    if (has_blocks(inode)) {
        (void)ext2_cut(inode, 0);
    }
    inode->nlink = 0;
    (void)ext2_inode_store(inode);
    (void)ext2_number_free(ext2_of(inode), (u32)inode->ino, S_ISDIR(inode->mode));
    ext2_index_drop(inode);
    inode_forget(inode);
    kfree(e);
}

/* ---- and old ones */

/* Extended attributes lie in a block that inodes share, and which counts them. */
static int drop_attributes(struct inode *inode)
{
    struct ext2 *fs = ext2_of(inode);
    u32 block = ext2_inode_of(inode)->file_acl;
    struct page *page;

    if (!block) {
        return 0;
    }
    ext2_inode_of(inode)->file_acl = 0;
    inode->blocks_512 -= MIN(inode->blocks_512, (u64)fs->block_bytes / 512);
    if (!ext2_block_is_data(fs, block)) {
        return ext2_error(fs, "an attribute block is metadata, or outside", inode->ino, block);
    }
    u32 *head = ext2_block(fs, block, &page); /* magic, count of users, ... */
    if (!head) {
        return -EIO;
    }
    bool last = head[0] == EA_MAGIC && head[1] <= 1;
    int error =
        head[0] == EA_MAGIC ? 0 : ext2_error(fs, "an attribute block is none", inode->ino, block);
    if (!error && !last) {
        head[1]--;
        ext2_block_dirty(fs, block, page);
    }
    page_put(page);
    if (last) {
        ext2_block_forget(fs, block);
        error = ext2_block_free(fs, block);
    }
    return error;
}

void ext2_delete_inode(struct inode *inode)
{
    struct ext2 *fs = ext2_of(inode);
    struct ext2_inode *e = ext2_inode_of(inode);

    if (inode->nlink || inode->super->readonly || e->deleted) {
        return;
    }
    e->deleted = true;
    mutex_lock(&fs->lock);
    int error = has_blocks(inode) ? ext2_cut(inode, 0) : 0;
    error = error ? error : drop_attributes(inode);
    if (!error) {
        inode->size_bytes = S_ISREG(inode->mode) ? 0 : inode->size_bytes;
        error = ext2_inode_store(inode);
    }
    if (!error) {
        (void)ext2_number_free(fs, (u32)inode->ino, S_ISDIR(inode->mode));
    }
    mutex_unlock(&fs->lock);
}

void ext2_free_inode(struct inode *inode)
{
    ext2_delete_inode(inode);
    if (inode->data) {
        ext2_index_drop(inode);
    }
    kfree(inode->data);
    inode->data = NULL;
}
