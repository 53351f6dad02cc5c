/*
 * Files in RAM. Contents are the page cache's, which never gives up a dirty page that has no disk;
 * names are lists of entries in memory, each of which holds its inode. A file system may use half
 * of all frames.
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/init.h"
#include "guestos/fs/tmpfs.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"

#define TMPFS_MAGIC 0x01021994
#define LINK_MAX    65000u

struct tmpfs {
    struct spinlock lock; /* all counts, and nlink of its inodes */
    u64 last_ino, nr_inodes;
    u64 used_pages, max_pages;
    struct list doomed; /* entries of directories that are gone with the file system */
};

struct tmpfs_entry {
    struct list link;    /* by position */
    u64 position;        /* for readdir; never used twice in a directory */
    struct inode *inode; /* held */
    char name[];
};

/* inode->data */
struct tmpfs_inode {
    struct list entries;
    u64 last_position, parent_ino;
    u64 charged_pages;
    char *text; /* of a symbolic link */
};

static const struct inode_ops dir_ops, file_ops, link_ops, special_ops;
static const struct file_ops dir_file_ops;
static const struct super_ops tmpfs_super_ops;

static struct tmpfs *tmpfs_of(const struct inode *inode)
{
    return inode->super->data;
}

static struct tmpfs_inode *data_of(const struct inode *inode)
{
    return inode->data;
}

/* ---- inodes */

static void set_ops(struct inode *inode)
{
    switch (inode->mode & S_IFMT) {
    case S_IFREG:
        inode->ops = &file_ops;
        inode->file_ops = &regular_file_ops;
        break;
    case S_IFDIR:
        inode->ops = &dir_ops;
        inode->file_ops = &dir_file_ops;
        break;
    case S_IFLNK: inode->ops = &link_ops; break;
    default: inode->ops = &special_ops; break; /* inode_init_new() gave it its file_ops */
    }
}

static struct inode *new_inode(struct super *super, const struct inode *dir, u32 mode, u64 rdev)
{
    struct tmpfs *fs = super->data;
    struct tmpfs_inode *data = kmalloc(sizeof *data);
    bool fresh;

    if (!data) {
        return NULL;
    }
    spin_lock(&fs->lock);
    u64 ino = ++fs->last_ino;
    fs->nr_inodes++;
    spin_unlock(&fs->lock);
    struct inode *inode = inode_get(super, ino, &fresh);
    if (!inode) {
        kfree(data);
        return NULL;
    }
    list_init(&data->entries);
    data->parent_ino = dir ? dir->ino : ino;
    inode->data = data;
    inode_init_new(inode, dir, mode, rdev);
    inode->nlink = S_ISDIR(mode) ? 2 : 1;
    set_ops(inode);
    inode_ready(inode);
    return inode;
}

/* The file system's count of pages follows the inode's. */
static int charge(struct inode *inode)
{
    struct tmpfs *fs = tmpfs_of(inode);
    struct tmpfs_inode *data = data_of(inode);

    spin_lock(&fs->lock);
    fs->used_pages += inode->nr_cached - data->charged_pages;
    data->charged_pages = inode->nr_cached;
    bool full = fs->used_pages > fs->max_pages;
    spin_unlock(&fs->lock);
    inode->blocks_512 = data->charged_pages * (PAGE_BYTES / 512);
    return full ? -ENOSPC : 0;
}

static void tmpfs_free_inode(struct inode *inode)
{
    struct tmpfs *fs = tmpfs_of(inode);
    struct tmpfs_inode *data = data_of(inode);

    (void)charge(inode); /* its pages have been dropped */
    spin_lock(&fs->lock);
    fs->nr_inodes--;
    while (!list_empty(&data->entries)) { /* freed one after the other, not one in the other */
        struct list *link = data->entries.next;
        list_remove(link);
        list_add_last(&fs->doomed, link);
    }
    spin_unlock(&fs->lock);
    kfree(data->text);
    kfree(data);
}

/* ---- names; the directories are locked */

static struct tmpfs_entry *find(struct inode *dir, const char *name)
{
    for (LIST_EACH(struct tmpfs_entry, e, &data_of(dir)->entries, link)) {
        if (strcmp(e->name, name) == 0) {
            return e;
        }
    }
    return NULL;
}

static struct tmpfs_entry *entry_new(const char *name, struct inode *inode)
{
    size_t bytes = strlen(name) + 1;
    struct tmpfs_entry *e = kmalloc(sizeof *e + bytes);

    if (e) {
        memcpy(e->name, name, bytes);
        e->inode = inode;
    }
    return e;
}

static void entry_add(struct inode *dir, struct tmpfs_entry *e)
{
    e->position = ++data_of(dir)->last_position;
    list_add_last(&data_of(dir)->entries, &e->link);
    dir->size_bytes += 20; /* as other systems' RAM file systems count */
    inode_touch(dir, TOUCH_MTIME | TOUCH_CTIME);
}

static void entry_remove(struct inode *dir, struct tmpfs_entry *e)
{
    list_remove(&e->link);
    inode_put(e->inode); /* not the last: the caller holds it, too */
    kfree(e);
    dir->size_bytes -= 20;
    inode_touch(dir, TOUCH_MTIME | TOUCH_CTIME);
}

static void count_link(struct inode *inode, i32 by)
{
    struct tmpfs *fs = tmpfs_of(inode);

    spin_lock(&fs->lock);
    inode->nlink += (u32)by;
    spin_unlock(&fs->lock);
}

int tmpfs_find(struct inode *dir, const char *name, struct inode **found)
{
    struct tmpfs_entry *e = find(dir, name);

    if (!e) {
        return -ENOENT;
    }
    *found = inode_hold(e->inode);
    return 0;
}

int tmpfs_make(struct inode *dir, const char *name, u32 mode, u64 rdev, struct inode **made)
{
    struct inode *inode = new_inode(dir->super, dir, mode, rdev);
    struct tmpfs_entry *e = inode ? entry_new(name, inode) : NULL;

    if (!e) {
        if (inode) {
            inode->nlink = 0;
            inode_put(inode);
        }
        return -ENOSPC;
    }
    entry_add(dir, e);
    if (S_ISDIR(mode)) {
        count_link(dir, 1);
    }
    *made = inode_hold(inode);
    return 0;
}

static int tmpfs_mkdir(struct inode *dir, const char *name, u32 mode, struct inode **made)
{
    return tmpfs_make(dir, name, S_IFDIR | mode, 0, made);
}

static int tmpfs_symlink(struct inode *dir, const char *name, const char *text, struct inode **made)
{
    char *copy = kstrdup(text);
    int error = copy ? tmpfs_make(dir, name, S_IFLNK | 0777, 0, made) : -ENOSPC;

    if (error) {
        kfree(copy);
        return error;
    }
    data_of(*made)->text = copy;
    (*made)->size_bytes = strlen(text);
    return 0;
}

static int tmpfs_readlink(struct inode *link, char **text)
{
    *text = kstrdup(data_of(link)->text);
    return *text ? 0 : -ENOMEM;
}

static int tmpfs_link(struct inode *dir, const char *name, struct inode *target)
{
    struct tmpfs *fs = tmpfs_of(dir);
    struct tmpfs_entry *e = entry_new(name, target);
    int error = e ? 0 : -ENOSPC;

    spin_lock(&fs->lock);
    if (!error) {
        error = target->nlink == 0 ? -ENOENT : target->nlink >= LINK_MAX ? -EMLINK : 0;
        target->nlink += !error;
    }
    spin_unlock(&fs->lock);
    if (error) {
        kfree(e);
        return error;
    }
    (void)inode_hold(target);
    entry_add(dir, e);
    inode_touch(target, TOUCH_CTIME);
    return 0;
}

static int tmpfs_unlink(struct inode *dir, const char *name, struct inode *target)
{
    entry_remove(dir, find(dir, name));
    count_link(target, -1);
    inode_touch(target, TOUCH_CTIME);
    return 0;
}

static int tmpfs_rmdir(struct inode *dir, const char *name, struct inode *target)
{
    if (!list_empty(&data_of(target)->entries)) {
        return -ENOTEMPTY;
    }
    entry_remove(dir, find(dir, name));
    count_link(target, -2);
    count_link(dir, -1);
    return 0;
}

static int tmpfs_rename(struct inode *old_dir, const char *old_name, struct inode *target,
                        struct inode *new_dir, const char *new_name, struct inode *replaced)
{
    struct tmpfs_entry *e = entry_new(new_name, target);
    int error = e ? 0 : -ENOSPC;

    if (!error && replaced) {
        error = S_ISDIR(replaced->mode) ? tmpfs_rmdir(new_dir, new_name, replaced)
                                        : tmpfs_unlink(new_dir, new_name, replaced);
    }
    if (error) {
        kfree(e);
        return error;
    }
    (void)inode_hold(target);
    entry_remove(old_dir, find(old_dir, old_name));
    entry_add(new_dir, e);
    if (S_ISDIR(target->mode) && old_dir != new_dir) {
        count_link(old_dir, -1);
        count_link(new_dir, 1);
        data_of(target)->parent_ino = new_dir->ino;
    }
    inode_touch(target, TOUCH_CTIME);
    return 0;
}

/* Positions: 0 ".", 1 "..", then an entry's own + 1. */
static int tmpfs_readdir(struct file *f, u64 *pos, struct dir_sink *sink)
{
    struct inode *dir = f->inode;

    if (*pos == 0) {
        if (!sink->emit(sink, ".", 1, dir->ino, DT_DIR, 1)) {
            return 0;
        }
        *pos = 1;
    }
    if (*pos == 1) {
        if (!sink->emit(sink, "..", 2, data_of(dir)->parent_ino, DT_DIR, 2)) {
            return 0;
        }
        *pos = 2;
    }
    for (LIST_EACH(struct tmpfs_entry, e, &data_of(dir)->entries, link)) {
        if (e->position + 1 >= *pos) {
            if (!sink->emit(sink, e->name, (u32)strlen(e->name), e->inode->ino,
                            DT_OF_MODE(e->inode->mode), e->position + 2)) {
                return 0;
            }
            *pos = e->position + 2;
        }
    }
    return 0;
}

/* ---- contents */

static int tmpfs_prepare_write(struct inode *inode, u64 from, u64 to)
{
    (void)from;
    (void)to;
    return charge(inode); /* the page is there already */
}

static int tmpfs_truncate(struct inode *inode, u64 size)
{
    (void)size;
    (void)charge(inode);
    return 0;
}

/* ---- the file system */

static int tmpfs_statfs(struct super *super, struct abi_statfs *st)
{
    const struct tmpfs *fs = super->data;

    st->type = TMPFS_MAGIC;
    st->bsize = st->frsize = PAGE_BYTES;
    st->blocks = fs->max_pages;
    st->bfree = st->bavail = fs->max_pages - MIN(fs->max_pages, fs->used_pages);
    st->files = frames_total();
    st->ffree = st->files - MIN(st->files, fs->nr_inodes);
    st->namelen = NAME_MAX;
    return 0;
}

static int tmpfs_remount(struct super *super, bool readonly)
{
    (void)super;
    (void)readonly;
    return 0;
}

static void tmpfs_unmount(struct super *super)
{
    struct tmpfs *fs = super->data;

    for (;;) {
        spin_lock(&fs->lock);
        struct tmpfs_entry *e = LIST_FIRST(&fs->doomed, struct tmpfs_entry, link);
        if (e) {
            list_remove(&e->link);
        }
        spin_unlock(&fs->lock);
        if (!e) {
            break;
        }
        inode_put(e->inode);
        kfree(e);
    }
    kfree(fs);
}

static void tmpfs_init(struct tmpfs *fs)
{
    spin_init(&fs->lock, "tmpfs");
    list_init(&fs->doomed);
    fs->max_pages = frames_total() / 2;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* mode=OCTAL and size=BYTES, with k, m or g; others change nothing. */
static void read_options(struct tmpfs *fs, struct inode *root, const char *options)
{
    for (const char *o = options; *o;) {
        if (strncmp(o, "mode=", 5) == 0) {
            u32 mode = 0;
            for (o += 5; is_digit(*o); o++) {
                mode = mode * 8 + (u32)(*o - '0');
            }
            root->mode = S_IFDIR | (mode & 07777);
        } else if (strncmp(o, "size=", 5) == 0 && is_digit(o[5])) {
            u64 bytes = 0;
            for (o += 5; is_digit(*o); o++) {
                bytes = bytes * 10 + (u64)(*o - '0');
            }
            u32 shift = (*o | 0x20) == 'k'   ? 10
                        : (*o | 0x20) == 'm' ? 20
                        : (*o | 0x20) == 'g' ? 30
                                             : 0;
            fs->max_pages = MIN(frames_total(), (bytes << shift) / PAGE_BYTES);
        }
        while (*o && *o++ != ',') {
        }
    }
}

int tmpfs_mount(struct super *super, const char *options, struct inode **root)
{
    struct tmpfs *fs = kmalloc(sizeof *fs);

    if (!fs) {
        return -ENOMEM;
    }
    tmpfs_init(fs);
    super->data = fs;
    super->ops = &tmpfs_super_ops;
    *root = new_inode(super, NULL, S_IFDIR | 01777, 0);
    if (!*root) {
        kfree(fs);
        return -ENOMEM;
    }
    (*root)->uid = (*root)->gid = 0;
    read_options(fs, *root, options);
    return 0;
}

/* ---- files without a name: shared anonymous memory, memfd */

static struct tmpfs unnamed;
static struct super unnamed_super = {
    .type = &tmpfs_type,
    .ops = &tmpfs_super_ops,
    .dev = (u32)MAKE_DEV(0, 3),
    .block_bytes = PAGE_BYTES,
    .max_bytes = ~0ul >> 1,
    .rename_lock = MUTEX_INIT(unnamed_super.rename_lock),
    .inodes = LIST_INIT(unnamed_super.inodes),
    .link = LIST_INIT(unnamed_super.link),
    .data = &unnamed,
};

void tmpfs_init_unnamed(void)
{
    tmpfs_init(&unnamed);
}

struct file *tmpfs_unnamed_file(u64 size_bytes)
{
    struct inode *inode = new_inode(&unnamed_super, NULL, S_IFREG | 0777, 0);
    struct file *f = NULL;

    if (inode) {
        inode->nlink = 0;
        inode->size_bytes = size_bytes;
        f = file_new(inode, &regular_file_ops, O_RDWR);
        if (!f) {
            inode_put(inode);
        }
    }
    return f;
}

static const struct inode_ops dir_ops = {
    .lookup = tmpfs_find,
    .create = tmpfs_make,
    .link = tmpfs_link,
    .symlink = tmpfs_symlink,
    .unlink = tmpfs_unlink,
    .mkdir = tmpfs_mkdir,
    .rmdir = tmpfs_rmdir,
    .rename = tmpfs_rename,
};
static const struct inode_ops file_ops = {
    .truncate = tmpfs_truncate,
    .prepare_write = tmpfs_prepare_write,
};
static const struct inode_ops link_ops = {.readlink = tmpfs_readlink};
static const struct inode_ops special_ops = {0};
static const struct file_ops dir_file_ops = {.readdir = tmpfs_readdir};
static const struct super_ops tmpfs_super_ops = {
    .free_inode = tmpfs_free_inode,
    .statfs = tmpfs_statfs,
    .remount = tmpfs_remount,
    .unmount = tmpfs_unmount,
};
struct fs_type tmpfs_type = {.name = "tmpfs", .mount = tmpfs_mount};
