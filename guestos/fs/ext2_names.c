/*
 * ext2: what the VFS asks of directories and symbolic links. The order of changes is such that a
 * name never leads to an inode that is not there yet. Link counts are guarded by fs->lock.
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/ext2.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"

static void set_name(struct inode *inode, const struct inode *dir, const char *name)
{
    ext2_inode_of(inode)->parent = (u32)dir->ino;
    ext2_inode_of(inode)->name_hash = ext2_name_hash(name, (u32)strlen(name));
}

static int ext2_lookup(struct inode *dir, const char *name, struct inode **found)
{
    struct ext2 *fs = ext2_of(dir);
    u32 ino = 0;

    mutex_lock(&fs->lock);
    int error = ext2_dir_find(dir, name, &ino);
    mutex_unlock(&fs->lock);
    error = error ? error : ext2_get(dir->super, ino, found);
    if (!error && S_ISDIR((*found)->mode)) {
        /* A directory has one name: circles, which would lock a directory twice, are damage. */
        struct ext2_inode *e = ext2_inode_of(*found);
        if (e->parent &&
            (e->parent != dir->ino || e->name_hash != ext2_name_hash(name, (u32)strlen(name)))) {
            inode_put(*found);
            return ext2_error(fs, "a directory has two names", ino, dir->ino);
        }
        set_name(*found, dir, name);
    }
    return error;
}

/* A new inode gets its name and is ready, unless something has gone wrong or does: then it goes. */
static int enter(struct inode *dir, const char *name, struct inode *made, int error)
{
    error = error ? error : ext2_dir_add(dir, name, (u32)made->ino, made->mode);
    if (error) {
        ext2_inode_give_up(made);
    } else {
        inode_ready(made);
    }
    return error;
}

static int ext2_create(struct inode *dir, const char *name, u32 mode, u64 rdev, struct inode **made)
{
    struct ext2 *fs = ext2_of(dir);

    mutex_lock(&fs->lock);
    int error = ext2_inode_new(dir, mode, rdev, made);
    if (!error) {
        error = enter(dir, name, *made, 0);
    }
    mutex_unlock(&fs->lock);
    return error;
}

static int ext2_link(struct inode *dir, const char *name, struct inode *target)
{
    struct ext2 *fs = ext2_of(dir);
    int error;

    mutex_lock(&fs->lock);
    if (target->nlink == 0) {
        error = -ENOENT;
    } else if (target->nlink >= EXT2_LINK_MAX) {
        error = -EMLINK;
    } else {
        target->nlink++;
        error = ext2_dir_add(dir, name, (u32)target->ino, target->mode);
        if (error) {
            target->nlink--;
        } else {
            inode_touch(target, TOUCH_CTIME);
            error = ext2_inode_store(target);
        }
    }
    mutex_unlock(&fs->lock);
    return error;
}

static int store_link(struct inode *link, const char *text, u32 len)
{
    struct ext2 *fs = ext2_of(link);
    struct page *page;
    u32 block;

    link->size_bytes = len;
    if (len < sizeof ext2_inode_of(link)->block) {
        memcpy(ext2_inode_of(link)->block, text, len);
        return 0;
    }
    int error = ext2_map(link, 0, true, &block);
    if (error) {
        return error;
    }
    u8 *at = ext2_block_new(fs, block, &page);
    if (!at) {
        return -EIO;
    }
    memcpy(at, text, len);
    page_put(page);
    return 0;
}

static int ext2_symlink(struct inode *dir, const char *name, const char *text, struct inode **made)
{
    struct ext2 *fs = ext2_of(dir);
    u32 len = (u32)strlen(text);

    if (len >= fs->block_bytes) {
        return -ENAMETOOLONG;
    }
    mutex_lock(&fs->lock);
    int error = ext2_inode_new(dir, S_IFLNK | 0777, 0, made);
    if (!error) {
        error = store_link(*made, text, len);
        error = error ? error : ext2_inode_store(*made);
        error = enter(dir, name, *made, error);
    }
    mutex_unlock(&fs->lock);
    return error;
}

static int ext2_readlink(struct inode *link, char **text)
{
    struct ext2 *fs = ext2_of(link);
    u32 len = (u32)link->size_bytes, block;
    struct page *page = NULL;
    const void *from = ext2_inode_of(link)->block;
    int error = 0;

    *text = kmalloc(len + 1);
    if (!*text) {
        return -ENOMEM;
    }
    mutex_lock(&fs->lock);
    if (len >= sizeof ext2_inode_of(link)->block) {
        error = ext2_map(link, 0, false, &block);
        if (!error && !block) {
            error = ext2_error(fs, "a symbolic link has no block", link->ino, 0);
        }
        from = error ? NULL : ext2_block(fs, block, &page);
    }
    if (from) {
        memcpy(*text, from, len);
    }
    mutex_unlock(&fs->lock);
    if (page) {
        page_put(page);
    }
    if (!from) {
        kfree(*text);
        return error ? error : -EIO;
    }
    return 0;
}

static int ext2_unlink(struct inode *dir, const char *name, struct inode *target)
{
    struct ext2 *fs = ext2_of(dir);

    mutex_lock(&fs->lock);
    int error = ext2_dir_remove(dir, name, (u32)target->ino);
    if (!error) {
        target->nlink -= target->nlink > 0;
        inode_touch(target, TOUCH_CTIME);
        error = ext2_inode_store(target);
    }
    mutex_unlock(&fs->lock);
    return error;
}

static int ext2_mkdir(struct inode *dir, const char *name, u32 mode, struct inode **made)
{
    struct ext2 *fs = ext2_of(dir);

    if (dir->nlink >= EXT2_LINK_MAX) {
        return -EMLINK;
    }
    mutex_lock(&fs->lock);
    int error = ext2_inode_new(dir, S_IFDIR | mode, 0, made);
    if (!error) {
        (*made)->nlink = 2;
        set_name(*made, dir, name);
        error = ext2_dir_make(*made, (u32)dir->ino);
        error = error ? error : ext2_inode_store(*made);
        error = error ? error : ext2_dir_add(dir, name, (u32)(*made)->ino, S_IFDIR);
        if (error) {
            ext2_inode_give_up(*made);
        } else {
            dir->nlink++;
            error = ext2_inode_store(dir);
            inode_ready(*made);
        }
    }
    mutex_unlock(&fs->lock);
    return error;
}

/* A directory has lost its last name. */
static int bury_directory(struct inode *dir, struct inode *target)
{
    target->nlink = 0;
    target->size_bytes = 0;
    int error = ext2_cut(target, 0);
    dir->nlink -= dir->nlink > 2;
    inode_touch(target, TOUCH_CTIME);
    int late = ext2_inode_store(target);
    error = error ? error : late;
    return error ? error : ext2_inode_store(dir);
}

static int ext2_rmdir(struct inode *dir, const char *name, struct inode *target)
{
    struct ext2 *fs = ext2_of(dir);

    mutex_lock(&fs->lock);
    int error = ext2_dir_is_empty(target);
    error = error ? error : ext2_dir_remove(dir, name, (u32)target->ino);
    error = error ? error : bury_directory(dir, target);
    mutex_unlock(&fs->lock);
    return error;
}

/* The moved directory's ".." and the parents' counts. */
static int change_parent(struct inode *old_dir, struct inode *target, struct inode *new_dir)
{
    int error = ext2_dir_change(target, "..", (u32)new_dir->ino, S_IFDIR);

    if (!error) {
        old_dir->nlink -= old_dir->nlink > 2;
        new_dir->nlink++;
        error = ext2_inode_store(old_dir);
    }
    return error ? error : ext2_inode_store(new_dir);
}

static int rename_locked(struct inode *old_dir, const char *old_name, struct inode *target,
                         struct inode *new_dir, const char *new_name, struct inode *replaced)
{
    bool is_dir = S_ISDIR(target->mode);
    int error = replaced && is_dir ? ext2_dir_is_empty(replaced) : 0;

    if (error) {
        return error;
    }
    if (is_dir && new_dir != old_dir && !replaced && new_dir->nlink >= EXT2_LINK_MAX) {
        return -EMLINK;
    }
    error = replaced ? ext2_dir_change(new_dir, new_name, (u32)target->ino, target->mode)
                     : ext2_dir_add(new_dir, new_name, (u32)target->ino, target->mode);
    error = error ? error : ext2_dir_remove(old_dir, old_name, (u32)target->ino);
    if (!error && replaced && is_dir) {
        error = bury_directory(new_dir, replaced);
    } else if (!error && replaced) {
        replaced->nlink -= replaced->nlink > 0;
        inode_touch(replaced, TOUCH_CTIME);
        error = ext2_inode_store(replaced);
    }
    if (!error && is_dir && new_dir != old_dir) {
        error = change_parent(old_dir, target, new_dir);
    }
    if (!error) {
        set_name(target, new_dir, new_name);
    }
    inode_touch(target, TOUCH_CTIME);
    int late = ext2_inode_store(target);
    return error ? error : late;
}

static int ext2_rename(struct inode *old_dir, const char *old_name, struct inode *target,
                       struct inode *new_dir, const char *new_name, struct inode *replaced)
{
    struct ext2 *fs = ext2_of(old_dir);

    mutex_lock(&fs->lock);
    int error = rename_locked(old_dir, old_name, target, new_dir, new_name, replaced);
    mutex_unlock(&fs->lock);
    return error;
}

const struct inode_ops ext2_dir_ops = {
    .lookup = ext2_lookup,
    .create = ext2_create,
    .link = ext2_link,
    .symlink = ext2_symlink,
    .unlink = ext2_unlink,
    .mkdir = ext2_mkdir,
    .rmdir = ext2_rmdir,
    .rename = ext2_rename,
};

const struct inode_ops ext2_file_ops = {
    .truncate = ext2_truncate,
    .read_pages = ext2_read_pages,
    .write_pages = ext2_write_pages,
    .prepare_write = ext2_prepare_write,
};

const struct inode_ops ext2_link_ops = {.readlink = ext2_readlink};
const struct inode_ops ext2_special_ops = {0};
