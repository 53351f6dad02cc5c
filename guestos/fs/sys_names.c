/*
 * System calls that make and delete names: mkdir(2), mknod(2), link(2), symlink(2), unlink(2),
 * rmdir(2). rename(2) is in sys_rename.c.
 */
#include "guestos/fs/at.h"
#include "guestos/fs/fd.h"
#include "guestos/fs/fs_context.h"
#include "guestos/fs/path.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

/* ---- new names. A maker is called with the directory locked, and gives the inode, held. */
struct maker {
    int (*make)(struct inode *dir, const char *name, const struct maker *, struct inode **made);
    bool is_directory;
    u32 mode;
    u64 rdev;
    const char *text;
    struct inode *target;
};

static long make_at(int dirfd, u64 path, const struct maker *maker)
{
    struct walk w;
    struct dentry *d;
    struct inode *made;
    int error = walk_begin_user(&w, dirfd, path, 0);

    error = error ? error : walk_to_last(&w);
    if (!error) {
        error = walk_lock_new(&w, maker->is_directory, &d);
        if (!error) {
            error = maker->make(w.at->inode, w.name, maker, &made);
            if (!error) {
                dentry_fill(d, made);
            }
            mutex_unlock(&w.at->inode->lock);
            dentry_put(d);
        }
    }
    walk_end(&w);
    return error;
}

static int make_directory(struct inode *dir, const char *name, const struct maker *m,
                          struct inode **made)
{
    return dir->ops->mkdir ? dir->ops->mkdir(dir, name, m->mode, made) : -EPERM;
}

static long mkdir_at(int dirfd, u64 path, u32 mode)
{
    return make_at(dirfd, path,
                   &(struct maker){.make = make_directory,
                                   .is_directory = true,
                                   .mode = mode & 01777 & ~context_umask()});
}

long sys_mkdir(const u64 *arg)
{
    return mkdir_at(AT_FDCWD, arg[0], (u32)arg[1]);
}

long sys_mkdirat(const u64 *arg)
{
    return mkdir_at((int)arg[0], arg[1], (u32)arg[2]);
}

static int make_node(struct inode *dir, const char *name, const struct maker *m,
                     struct inode **made)
{
    return dir->ops->create ? dir->ops->create(dir, name, m->mode, m->rdev, made) : -EPERM;
}

static long mknod_at(int dirfd, u64 path, u32 mode, u64 rdev)
{
    switch (mode & S_IFMT) {
    case 0: mode |= S_IFREG; break;
    case S_IFREG:
    case S_IFIFO:
    case S_IFSOCK: break;
    case S_IFCHR:
    case S_IFBLK:
        if (!is_superuser()) {
            return -EPERM;
        }
        break;
    case S_IFDIR: return -EPERM;
    default: return -EINVAL;
    }
    bool device = S_ISCHR(mode) || S_ISBLK(mode);
    return make_at(dirfd, path,
                   &(struct maker){.make = make_node,
                                   .mode = mode & (S_IFMT | (07777 & ~context_umask())),
                                   .rdev = device ? (u32)rdev : 0});
}

long sys_mknod(const u64 *arg)
{
    return mknod_at(AT_FDCWD, arg[0], (u32)arg[1], arg[2]);
}

long sys_mknodat(const u64 *arg)
{
    return mknod_at((int)arg[0], arg[1], (u32)arg[2], arg[3]);
}

static int make_symlink(struct inode *dir, const char *name, const struct maker *m,
                        struct inode **made)
{
    return dir->ops->symlink ? dir->ops->symlink(dir, name, m->text, made) : -EPERM;
}

static long symlink_at(u64 target, int dirfd, u64 path)
{
    char *text = kmalloc(PATH_MAX);

    if (!text) {
        return -ENOMEM;
    }
    long result = string_from_user(text, target, PATH_MAX);
    if (result >= 0) {
        result = *text ? make_at(dirfd, path, &(struct maker){.make = make_symlink, .text = text})
                       : -ENOENT;
    }
    kfree(text);
    return result;
}

long sys_symlink(const u64 *arg)
{
    return symlink_at(arg[0], AT_FDCWD, arg[1]);
}

long sys_symlinkat(const u64 *arg)
{
    return symlink_at(arg[0], (int)arg[1], arg[2]);
}

static int make_link(struct inode *dir, const char *name, const struct maker *m,
                     struct inode **made)
{
    if (m->target->super != dir->super) {
        return -EXDEV;
    }
    if (S_ISDIR(m->target->mode) || !dir->ops->link) {
        return -EPERM;
    }
    int error = dir->ops->link(dir, name, m->target);
    if (!error) {
        *made = inode_hold(m->target);
    }
    return error;
}

static long link_at(int old_dirfd, u64 old_path, int new_dirfd, u64 new_path, u32 flags)
{
    struct dentry *old;

    if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) {
        return -EINVAL;
    }
    if ((flags & AT_EMPTY_PATH) && !is_superuser()) {
        return -ENOENT;
    }
    long result = path_lookup_user(old_dirfd, old_path,
                                   (flags & AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0) |
                                       (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
                                   &old);
    if (!result) {
        result =
            make_at(new_dirfd, new_path, &(struct maker){.make = make_link, .target = old->inode});
        dentry_put(old);
    }
    return result;
}

long sys_link(const u64 *arg)
{
    return link_at(AT_FDCWD, arg[0], AT_FDCWD, arg[1], 0);
}

long sys_linkat(const u64 *arg)
{
    return link_at((int)arg[0], arg[1], (int)arg[2], arg[3], (u32)arg[4]);
}

/* ---- names that go */

static int remove_locked(struct inode *dir, const char *name, struct inode *victim, bool directory)
{
    if (!directory) {
        return dir->ops->unlink ? dir->ops->unlink(dir, name, victim) : -EPERM;
    }
    if (!dir->ops->rmdir) {
        return -EPERM;
    }
    mutex_lock(&victim->lock); /* nothing is made in it meanwhile */
    int error = dir->ops->rmdir(dir, name, victim);
    mutex_unlock(&victim->lock);
    return error;
}

static long remove_at(int dirfd, u64 path, bool directory)
{
    struct walk w;
    struct dentry *victim;
    int error = walk_begin_user(&w, dirfd, path, 0);

    error = error ? error : walk_to_last(&w);
    if (!error) {
        error = walk_lock_victim(&w, directory, &victim);
        if (!error) {
            error = remove_locked(w.at->inode, w.name, victim->inode, directory);
            if (!error) {
                dentry_unlink(victim);
            }
            mutex_unlock(&w.at->inode->lock);
            dentry_put(victim);
        }
    }
    walk_end(&w);
    return error;
}

long sys_unlink(const u64 *arg)
{
    return remove_at(AT_FDCWD, arg[0], false);
}

long sys_rmdir(const u64 *arg)
{
    return remove_at(AT_FDCWD, arg[0], true);
}

long sys_unlinkat(const u64 *arg)
{
    if ((u32)arg[2] & ~AT_REMOVEDIR) {
        return -EINVAL;
    }
    return remove_at((int)arg[0], arg[1], arg[2] & AT_REMOVEDIR);
}
