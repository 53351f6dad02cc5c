/* System calls that look at files: stat(2), statx(2), access(2), readlink(2), getdents(2). */
#include "guestos/fs/at.h"
#include "guestos/fs/fd.h"
#include "guestos/fs/path.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

static i64 seconds_of(u64 ns)
{
    i64 t = (i64)ns;
    return t / (i64)NS_PER_S - (t % (i64)NS_PER_S < 0);
}

static struct abi_timespec timespec_of(u64 ns)
{
    i64 s = seconds_of(ns);
    return (struct abi_timespec){s, (i64)ns - s * (i64)NS_PER_S};
}

static struct abi_statx_time statx_time_of(u64 ns)
{
    struct abi_timespec t = timespec_of(ns);
    return (struct abi_statx_time){t.sec, (u32)t.nsec, 0};
}

/* ---- stat */

static int put_stat(const struct inode *i, u64 user)
{
    struct abi_stat st = {
        .dev = i->super->dev,
        .ino = i->ino,
        .nlink = i->nlink,
        .mode = i->mode,
        .uid = i->uid,
        .gid = i->gid,
        .rdev = i->rdev,
        .size = S_ISBLK(i->mode) ? 0 : (i64)i->size_bytes,
        .blksize = i->super->block_bytes,
        .blocks = (i64)i->blocks_512,
        .atime = timespec_of(i->atime_ns),
        .mtime = timespec_of(i->mtime_ns),
        .ctime = timespec_of(i->ctime_ns),
    };
    return PUT_USER(user, st);
}

static int put_statx(const struct inode *i, u64 user)
{
    struct abi_statx st = {
        .mask = 0x7FF, /* STATX_BASIC_STATS: no time of birth */
        .blksize = i->super->block_bytes,
        .nlink = i->nlink,
        .uid = i->uid,
        .gid = i->gid,
        .mode = (u16)i->mode,
        .ino = i->ino,
        .size = S_ISBLK(i->mode) ? 0 : i->size_bytes,
        .blocks = i->blocks_512,
        .atime = statx_time_of(i->atime_ns),
        .mtime = statx_time_of(i->mtime_ns),
        .ctime = statx_time_of(i->ctime_ns),
        .rdev_major = DEV_MAJOR(i->rdev),
        .rdev_minor = DEV_MINOR(i->rdev),
        .dev_major = DEV_MAJOR(i->super->dev),
        .dev_minor = DEV_MINOR(i->super->dev),
    };
    return PUT_USER(user, st);
}

typedef int put_function(const struct inode *, u64 user);

/* By path; or by the descriptor alone if the path is "" and the flags say so: it may be a pipe. */
static long stat_at(int dirfd, u64 path, u32 flags, u64 user, put_function *put)
{
    char first = 1;
    struct dentry *d;
    long error;

    if ((flags & AT_EMPTY_PATH) && dirfd != AT_FDCWD) {
        if (path && GET_USER(first, path)) {
            return -EFAULT;
        }
        if (!path || !first) {
            struct file *f = fd_get(dirfd);
            if (!f) {
                return -EBADF;
            }
            error = put(f->inode, user);
            file_put(f);
            return error;
        }
    }
    u32 lookup = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                 (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    error = path_lookup_user(dirfd, path, lookup, &d);
    if (!error) {
        error = put(d->inode, user);
        dentry_put(d);
    }
    return error;
}

long sys_stat(const u64 *arg)
{
    return stat_at(AT_FDCWD, arg[0], 0, arg[1], put_stat);
}

long sys_lstat(const u64 *arg)
{
    return stat_at(AT_FDCWD, arg[0], AT_SYMLINK_NOFOLLOW, arg[1], put_stat);
}

long sys_fstat(const u64 *arg)
{
    struct file *f = fd_get((int)arg[0]);

    if (!f) {
        return -EBADF;
    }
    long result = put_stat(f->inode, arg[1]);
    file_put(f);
    return result;
}

long sys_newfstatat(const u64 *arg)
{
    if ((u32)arg[3] & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT)) {
        return -EINVAL;
    }
    return stat_at((int)arg[0], arg[1], (u32)arg[3], arg[2], put_stat);
}

#define STATX_SYNC_TYPE 0x6000u
#define STATX_RESERVED  0x80000000u

long sys_statx(const u64 *arg)
{
    u32 flags = (u32)arg[2];

    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT | STATX_SYNC_TYPE) ||
        (flags & STATX_SYNC_TYPE) == STATX_SYNC_TYPE || (u32)arg[3] & STATX_RESERVED) {
        return -EINVAL;
    }
    return stat_at((int)arg[0], arg[1], flags, arg[4], put_statx);
}

/* ---- access: with the real ids, which the process has as its fsuid for the time of the call */

static long access_at(int dirfd, u64 path, u32 mode, u32 flags)
{
    struct credentials *cred = &this_process()->cred;
    u32 fsuid = cred->fsuid, fsgid = cred->fsgid;
    struct dentry *d;

    if (mode & ~(u32)(MAY_READ | MAY_WRITE | MAY_EXEC) ||
        flags & ~(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
        return -EINVAL;
    }
    if (!(flags & AT_EACCESS)) {
        cred->fsuid = cred->uid;
        cred->fsgid = cred->gid;
    }
    int error = path_lookup_user(dirfd, path,
                                 (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                                     (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0),
                                 &d);
    if (!error) {
        error = mode ? inode_permission(d->inode, mode) : 0;
        dentry_put(d);
    }
    cred->fsuid = fsuid;
    cred->fsgid = fsgid;
    return error;
}

long sys_access(const u64 *arg)
{
    return access_at(AT_FDCWD, arg[0], (u32)arg[1], 0);
}

long sys_faccessat(const u64 *arg)
{
    return access_at((int)arg[0], arg[1], (u32)arg[2], 0);
}

long sys_faccessat2(const u64 *arg)
{
    return access_at((int)arg[0], arg[1], (u32)arg[2], (u32)arg[3]);
}

/* ---- readlink */

static int text_of(struct dentry *d, char **text)
{
    struct inode *i = d->inode;

    if (!S_ISLNK(i->mode) || !i->ops->readlink) {
        return -EINVAL;
    }
    inode_touch(i, TOUCH_ATIME);
    return i->ops->readlink(i, text);
}

static long readlink_at(int dirfd, u64 path, u64 to, i32 size)
{
    struct dentry *d;
    char *text;

    if (size <= 0) {
        return -EINVAL;
    }
    int error = path_lookup_user(dirfd, path, LOOKUP_EMPTY, &d);
    if (error) {
        return error;
    }
    error = text_of(d, &text);
    dentry_put(d);
    if (error) {
        char first;
        return error == -EINVAL && !GET_USER(first, path) && !first ? -ENOENT : error;
    }
    size_t len = MIN(strlen(text), (size_t)size);
    error = copy_to_user(to, text, len);
    kfree(text);
    return error ? error : (long)len;
}

long sys_readlink(const u64 *arg)
{
    return readlink_at(AT_FDCWD, arg[0], arg[1], (i32)arg[2]);
}

long sys_readlinkat(const u64 *arg)
{
    return readlink_at((int)arg[0], arg[1], arg[2], (i32)arg[3]);
}

/* ---- getdents: into a kernel buffer first, since the directory is locked */

#define DIRENTS_MAX 32768ul
#define HEAD_64     19u /* ino, off, reclen, type; then the name */
#define HEAD_OLD    18u /* ino, off, reclen; then the name, and the type in the last byte */

struct dirents {
    struct dir_sink sink;
    u8 *buffer;
    u32 size, used;
    bool old, overflow;
};

static bool put_dirent(struct dir_sink *sink, const char *name, u32 len, u64 ino, u32 type,
                       u64 next_pos)
{
    struct dirents *d = CONTAINER_OF(sink, struct dirents, sink);
    u32 bytes = ROUND_UP(d->old ? HEAD_OLD + len + 2 : HEAD_64 + len + 1, 8u);
    u8 *at = d->buffer + d->used;

    if (bytes > d->size - d->used) {
        d->overflow = true;
        return false;
    }
    memset(at, 0, bytes);
    memcpy(at, &ino, 8);
    memcpy(at + 8, &next_pos, 8);
    memcpy(at + 16, &(u16){(u16)bytes}, 2);
    if (d->old) {
        memcpy(at + HEAD_OLD, name, len);
        at[bytes - 1] = (u8)type;
    } else {
        at[18] = (u8)type;
        memcpy(at + HEAD_64, name, len);
    }
    d->used += bytes;
    return true;
}

static long read_dirents(struct file *f, struct dirents *d, u64 to)
{
    mutex_lock(&f->pos_lock);
    mutex_lock(&f->inode->lock);
    long error = f->inode->nlink ? f->ops->readdir(f, &f->pos, &d->sink) : -ENOENT;
    inode_touch(f->inode, TOUCH_ATIME);
    mutex_unlock(&f->inode->lock);
    mutex_unlock(&f->pos_lock);
    if (!error && !d->used && d->overflow) {
        error = -EINVAL;
    }
    if (d->used) {
        error = copy_to_user(to, d->buffer, d->used);
    }
    return error ? error : (long)d->used;
}

static long dirents(const u64 *arg, bool old)
{
    struct file *f = fd_get_io((int)arg[0]);
    u32 size = (u32)MIN((u64)(u32)arg[2], DIRENTS_MAX);
    struct dirents d = {.sink.emit = put_dirent, .size = size, .old = old};
    long result = -ENOTDIR;

    if (!f) {
        return -EBADF;
    }
    if (f->ops->readdir && S_ISDIR(f->inode->mode)) {
        d.buffer = kmalloc(MAX(size, 1u));
        result = d.buffer ? read_dirents(f, &d, arg[1]) : -ENOMEM;
        kfree(d.buffer);
    }
    file_put(f);
    return result;
}

long sys_getdents(const u64 *arg)
{
    return dirents(arg, true);
}

long sys_getdents64(const u64 *arg)
{
    return dirents(arg, false);
}
