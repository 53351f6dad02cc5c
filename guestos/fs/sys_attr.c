/*
 * System calls that change what a file is: chmod(2), chown(2), utimensat(2), truncate(2),
 * fallocate(2).
 */
#include "guestos/fs/at.h"
#include "guestos/fs/cache.h"
#include "guestos/fs/fd.h"
#include "guestos/fs/file.h"
#include "guestos/fs/path.h"
#include "guestos/kernel/clock.h"
#include "guestos/mm/layout.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

/* A change of attributes: by path or by descriptor. */
struct change {
    int (*apply)(struct inode *, const struct change *); /* the inode is locked */
    u32 mode, uid, gid;
    u64 atime_ns, mtime_ns;
    u32 times; /* TIMES_ */
};

static int apply(struct inode *inode, const struct change *c)
{
    if (inode->super->readonly) {
        return -EROFS;
    }
    mutex_lock(&inode->lock);
    int error = c->apply(inode, c);
    if (!error) {
        inode_touch(inode, TOUCH_CTIME);
        error = inode->ops && inode->ops->changed ? inode->ops->changed(inode) : 0;
    }
    mutex_unlock(&inode->lock);
    return error;
}

static long change_at(int dirfd, u64 path, u32 flags, const struct change *c)
{
    struct dentry *d;
    u32 lookup = (flags & AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW) |
                 (flags & AT_EMPTY_PATH ? LOOKUP_EMPTY : 0);
    int error = path_lookup_user(dirfd, path, lookup, &d);

    if (!error) {
        error = apply(d->inode, c);
        dentry_put(d);
    }
    return error;
}

static long change_file(int fd, const struct change *c)
{
    struct file *f = fd_get_io(fd);

    if (!f) {
        return -EBADF;
    }
    long error = apply(f->inode, c);
    file_put(f);
    return error;
}

/* ---- chmod */

static int apply_mode(struct inode *inode, const struct change *c)
{
    u32 mode = c->mode & 07777;

    if (!is_owner(inode)) {
        return -EPERM;
    }
    if (S_ISLNK(inode->mode)) {
        return -EOPNOTSUPP;
    }
    if (!is_superuser() && !in_group(inode->gid)) {
        mode &= ~(u32)S_ISGID;
    }
    inode->mode = (inode->mode & S_IFMT) | mode;
    return 0;
}

long sys_chmod(const u64 *arg)
{
    return change_at(AT_FDCWD, arg[0], 0,
                     &(struct change){.apply = apply_mode, .mode = (u32)arg[1]});
}

long sys_fchmod(const u64 *arg)
{
    return change_file((int)arg[0], &(struct change){.apply = apply_mode, .mode = (u32)arg[1]});
}

long sys_fchmodat(const u64 *arg)
{
    return change_at((int)arg[0], arg[1], 0,
                     &(struct change){.apply = apply_mode, .mode = (u32)arg[2]});
}

/* ---- chown; -1 leaves an id */
#define KEEP (~0u)

static int apply_owner(struct inode *inode, const struct change *c)
{
    u32 uid = c->uid == KEEP ? inode->uid : c->uid, gid = c->gid == KEEP ? inode->gid : c->gid;

    if (this_process()->cred.fsuid != 0) {
        bool own_group = gid == inode->gid || in_group(gid);
        if (uid != inode->uid || !is_owner(inode) || !own_group) {
            return c->uid == KEEP && c->gid == KEEP ? 0 : -EPERM;
        }
    }
    inode->uid = uid;
    inode->gid = gid;
    if (!S_ISDIR(inode->mode)) {
        bool executable = inode->mode & 010;
        inode->mode &= ~(u32)(S_ISUID | (executable ? S_ISGID : 0));
    }
    return 0;
}

static long chown_at(int dirfd, u64 path, u64 uid, u64 gid, u32 flags)
{
    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
        return -EINVAL;
    }
    return change_at(dirfd, path, flags,
                     &(struct change){.apply = apply_owner, .uid = (u32)uid, .gid = (u32)gid});
}

long sys_chown(const u64 *arg)
{
    return chown_at(AT_FDCWD, arg[0], arg[1], arg[2], 0);
}

long sys_lchown(const u64 *arg)
{
    return chown_at(AT_FDCWD, arg[0], arg[1], arg[2], AT_SYMLINK_NOFOLLOW);
}

long sys_fchown(const u64 *arg)
{
    return change_file(
        (int)arg[0],
        &(struct change){.apply = apply_owner, .uid = (u32)arg[1], .gid = (u32)arg[2]});
}

long sys_fchownat(const u64 *arg)
{
    return chown_at((int)arg[0], arg[1], arg[2], arg[3], (u32)arg[4]);
}

/* ---- times */
#define UTIME_NOW  0x3FFFFFFFl
#define UTIME_OMIT 0x3FFFFFFEl
enum { TIMES_ATIME = 1, TIMES_MTIME = 2, TIMES_NOW = 4 }; /* NOW: both are the present */

static int apply_times(struct inode *inode, const struct change *c)
{
    if (c->times & TIMES_NOW) {
        if (!is_owner(inode) && inode_permission(inode, MAY_WRITE)) {
            return -EACCES;
        }
    } else if (!is_owner(inode)) {
        return -EPERM;
    }
    if (c->times & TIMES_ATIME) {
        inode->atime_ns = c->atime_ns;
    }
    if (c->times & TIMES_MTIME) {
        inode->mtime_ns = c->mtime_ns;
    }
    inode->metadata_dirty = true;
    return 0;
}

static int time_from(const struct abi_timespec *t, u64 *ns, u32 bit, u32 *times)
{
    if (t->nsec == UTIME_OMIT) {
        return 0;
    }
    *times |= bit;
    if (t->nsec == UTIME_NOW) {
        *ns = clock_realtime();
        return 0;
    }
    if (t->nsec < 0 || t->nsec >= (i64)NS_PER_S) {
        return -EINVAL;
    }
    i64 s = MAX(MIN(t->sec, (i64)9000000000l), -(i64)2147483648l); /* what 64 bits of ns hold */
    *ns = (u64)(s * (i64)NS_PER_S + t->nsec);
    return 0;
}

/* times: two, or NULL for the present. path 0: the descriptor itself. */
static long set_times(int dirfd, u64 path, bool by_path, const struct abi_timespec *t, u32 flags)
{
    struct change c = {.apply = apply_times};
    int error = 0;

    if (!t || (t[0].nsec == UTIME_NOW && t[1].nsec == UTIME_NOW)) {
        c.atime_ns = c.mtime_ns = clock_realtime();
        c.times = TIMES_ATIME | TIMES_MTIME | TIMES_NOW;
    } else {
        error = time_from(&t[0], &c.atime_ns, TIMES_ATIME, &c.times);
        error = error ? error : time_from(&t[1], &c.mtime_ns, TIMES_MTIME, &c.times);
        if (!error && !c.times) {
            return 0;
        }
    }
    return error ? error : by_path ? change_at(dirfd, path, flags, &c) : change_file(dirfd, &c);
}

long sys_utimensat(const u64 *arg)
{
    struct abi_timespec t[2];
    u32 flags = (u32)arg[3];

    if (flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) {
        return -EINVAL;
    }
    if (arg[2] && GET_USER(t, arg[2])) {
        return -EFAULT;
    }
    if (!arg[1] && (int)arg[0] == AT_FDCWD) {
        return -EFAULT;
    }
    return set_times((int)arg[0], arg[1], arg[1] != 0, arg[2] ? t : NULL, flags);
}

/* With microseconds. */
static long set_timevals(int dirfd, u64 path, bool by_path, u64 user)
{
    struct abi_timespec t[2]; /* struct timeval looks the same */

    if (user && GET_USER(t, user)) {
        return -EFAULT;
    }
    for (u32 i = 0; user && i < 2; i++) {
        if (t[i].nsec < 0 || t[i].nsec >= 1000000) {
            return -EINVAL;
        }
        t[i].nsec *= 1000;
    }
    return set_times(dirfd, path, by_path, user ? t : NULL, 0);
}

long sys_utimes(const u64 *arg)
{
    return set_timevals(AT_FDCWD, arg[0], true, arg[1]);
}

long sys_futimesat(const u64 *arg)
{
    return set_timevals((int)arg[0], arg[1], arg[1] != 0, arg[2]);
}

long sys_utime(const u64 *arg)
{
    i64 seconds[2];

    if (arg[1] && GET_USER(seconds, arg[1])) {
        return -EFAULT;
    }
    struct abi_timespec t[2] = {{arg[1] ? seconds[0] : 0, 0}, {arg[1] ? seconds[1] : 0, 0}};
    return set_times(AT_FDCWD, arg[0], true, arg[1] ? t : NULL, 0);
}

/* ---- sizes */

static long truncate_dentry(struct dentry *d, u64 size)
{
    struct inode *inode = d->inode;

    if (!S_ISREG(inode->mode)) {
        return S_ISDIR(inode->mode) ? -EISDIR : -EINVAL;
    }
    int error = inode_permission(inode, MAY_WRITE);
    if (!error && inode->nr_executing) {
        error = -ETXTBSY;
    }
    return error ? error : inode_truncate(inode, size);
}

long sys_truncate(const u64 *arg)
{
    struct dentry *d;

    if ((i64)arg[1] < 0) {
        return -EINVAL;
    }
    long error = path_lookup_user(AT_FDCWD, arg[0], LOOKUP_FOLLOW, &d);
    if (!error) {
        error = truncate_dentry(d, arg[1]);
        dentry_put(d);
    }
    return error;
}

long sys_ftruncate(const u64 *arg)
{
    struct file *f = fd_get_io((int)arg[0]);

    if (!f) {
        return -EBADF;
    }
    long error = (i64)arg[1] < 0 || !S_ISREG(f->inode->mode) || !file_writable(f)
                     ? -EINVAL
                     : inode_truncate(f->inode, arg[1]);
    file_put(f);
    return error;
}

/* Blocks for holes: as zeroes that are written. The inode is locked. */
static int fill_holes(struct inode *inode, u64 from, u64 to)
{
    for (u64 at = from; at < to;) {
        u64 end = MIN(to, (at / PAGE_BYTES + 1) * PAGE_BYTES);
        struct page *page;
        int error = cache_get(inode, at / PAGE_BYTES, &page);
        if (error) {
            return error;
        }
        error = inode->ops->prepare_write ? inode->ops->prepare_write(inode, at, end) : 0;
        if (!error) {
            cache_mark_dirty(page);
        }
        page_put(page);
        if (error) {
            return error;
        }
        at = end;
        inode->size_bytes = MAX(inode->size_bytes, end);
    }
    return 0;
}

#define FALLOC_KEEP_SIZE 1u

static long allocate(struct file *f, u32 mode, u64 from, u64 len)
{
    struct inode *inode = f->inode;

    if (mode & ~FALLOC_KEEP_SIZE) {
        return -EOPNOTSUPP;
    }
    if (!file_writable(f)) {
        return -EBADF;
    }
    if (!S_ISREG(inode->mode)) {
        return S_ISDIR(inode->mode) ? -EISDIR : S_ISFIFO(inode->mode) ? -ESPIPE : -ENODEV;
    }
    if (file_size_limit(inode, from + len - 1, 1) < 0) {
        return -EFBIG;
    }
    if ((mode & FALLOC_KEEP_SIZE) && from + len > inode->size_bytes) {
        return -EOPNOTSUPP; /* no blocks beyond the end: their bytes would be old ones */
    }
    mutex_lock(&inode->lock);
    int error = fill_holes(inode, from, from + len);
    inode_touch(inode, TOUCH_MTIME | TOUCH_CTIME);
    mutex_unlock(&inode->lock);
    cache_balance(inode);
    return error;
}

long sys_fallocate(const u64 *arg)
{
    i64 from = (i64)arg[2], len = (i64)arg[3], end;
    struct file *f = fd_get_io((int)arg[0]);
    long error;

    if (!f) {
        return -EBADF;
    }
    if (from < 0 || len <= 0) {
        error = -EINVAL;
    } else if (__builtin_add_overflow(from, len, &end)) {
        error = -EFBIG;
    } else {
        error = allocate(f, (u32)arg[1], (u64)from, (u64)len);
    }
    file_put(f);
    return error;
}
