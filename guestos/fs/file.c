/* Open files: opening by path as open(2) says, references, and who writes to what is executed. */
#include "guestos/fs/cache.h"
#include "guestos/fs/epoll.h"
#include "guestos/fs/file.h"
#include "guestos/fs/file_lock.h"
#include "guestos/fs/fs_context.h"
#include "guestos/fs/path.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"

static struct slab_cache file_slab;
static struct spinlock writers_lock = SPINLOCK_INIT("writers"); /* nr_writers, nr_executing */
static u64 nr_open;

void files_init(void)
{
    slab_cache_init(&file_slab, "file", sizeof(struct file));
}

u64 files_open(void)
{
    return __atomic_load_n(&nr_open, __ATOMIC_RELAXED);
}

/* ---- references */

struct file *file_new(struct inode *inode, const struct file_ops *ops, u32 flags)
{
    struct file *f = slab_alloc(&file_slab);

    if (f) {
        f->refs = 1;
        f->flags = flags;
        f->inode = inode;
        f->ops = ops;
        mutex_init(&f->pos_lock);
        __atomic_add_fetch(&nr_open, 1, __ATOMIC_RELAXED);
    }
    return f;
}

struct file *file_hold(struct file *f)
{
    __atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
    return f;
}

static int begin_write(struct inode *inode)
{
    int error = 0;

    spin_lock(&writers_lock);
    if (inode->nr_executing) {
        error = -ETXTBSY;
    } else {
        inode->nr_writers++;
    }
    spin_unlock(&writers_lock);
    return error;
}

static void end_write(struct inode *inode)
{
    spin_lock(&writers_lock);
    inode->nr_writers--;
    spin_unlock(&writers_lock);
}

int file_deny_write(struct inode *inode)
{
    int error = 0;

    spin_lock(&writers_lock);
    if (inode->nr_writers) {
        error = -ETXTBSY;
    } else {
        inode->nr_executing++;
    }
    spin_unlock(&writers_lock);
    return error;
}

void file_allow_write(struct inode *inode)
{
    spin_lock(&writers_lock);
    inode->nr_executing--;
    spin_unlock(&writers_lock);
}

static bool counts_as_writer(const struct file *f)
{
    return f->dentry && S_ISREG(f->inode->mode) && file_writable(f) && !(f->flags & O_PATH);
}

/* What is left of a file when it is not open (any more). */
static void dispose(struct file *f)
{
    if (f->dentry) {
        dentry_put(f->dentry);
    } else {
        inode_put(f->inode);
    }
    slab_free(&file_slab, f);
    __atomic_sub_fetch(&nr_open, 1, __ATOMIC_RELAXED);
}

void file_put(struct file *f)
{
    if (__atomic_sub_fetch(&f->refs, 1, __ATOMIC_ACQ_REL)) {
        return;
    }
    if (f->watchers) {
        epoll_forget(f);
    }
    if (!(f->flags & O_PATH)) {
        file_locks_released(f);
        if (f->ops->release) {
            f->ops->release(f);
        }
        if (counts_as_writer(f)) {
            end_write(f->inode);
        }
    }
    dispose(f);
}

/* ---- opening */

static int open_permission(struct inode *inode, u32 flags)
{
    u32 wanted = 0;

    switch (flags & O_ACCMODE) {
    case O_RDONLY: wanted = MAY_READ; break;
    case O_WRONLY: wanted = MAY_WRITE; break;
    default: wanted = MAY_READ | MAY_WRITE; break;
    }
    if (flags & O_TRUNC) {
        wanted |= MAY_WRITE;
    }
    return inode_permission(inode, wanted);
}

static int check_type(struct inode *inode, u32 flags)
{
    switch (inode->mode & S_IFMT) {
    case S_IFLNK: return -ELOOP;
    case S_IFSOCK: return -ENXIO;
    case S_IFDIR: return (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) ? -EISDIR : 0;
    case S_IFCHR:
    case S_IFBLK: return (inode->super->flags & MS_NODEV) ? -EACCES : 0;
    default: return 0;
    }
}

static const struct file_ops path_file_ops;

/* Opens a dentry, whose reference it takes over. */
static int open_dentry(struct dentry *d, u32 flags, bool created, struct file **opened)
{
    struct inode *inode = d->inode;
    int error = 0;

    if (!(flags & O_PATH)) {
        error = check_type(inode, flags);
        if (!error && !created) {
            error = open_permission(inode, flags);
        }
        if (!error && (flags & O_NOATIME) && !is_owner(inode)) {
            error = -EPERM;
        }
    }
    struct file *f =
        error ? NULL
              : file_new(inode, inode->file_ops,
                         flags & ~(u32)(O_CREAT | O_EXCL | O_TRUNC | O_NOCTTY | O_CLOEXEC));
    if (!f) {
        dentry_put(d);
        return error ? error : -ENFILE;
    }
    f->dentry = d;
    if (flags & O_PATH) {
        f->ops = &path_file_ops;
        *opened = f;
        return 0;
    }
    f->flags |= O_LARGEFILE;
    if (counts_as_writer(f)) {
        error = begin_write(inode);
        if (error) {
            dispose(f);
            return error;
        }
    }
    if (!f->ops) {
        error = -ENXIO;
    } else if (f->ops->open) {
        f->flags |= flags & O_NOCTTY; /* terminals ask for it */
        error = f->ops->open(inode, f);
        f->flags &= ~(u32)O_NOCTTY;
    }
    if (!error && (flags & O_TRUNC) && S_ISREG(inode->mode) && !created) {
        error = inode_truncate(inode, 0);
        if (error && f->ops->release) {
            f->ops->release(f);
        }
    }
    if (error) {
        if (counts_as_writer(f)) {
            end_write(inode);
        }
        dispose(f);
        return error;
    }
    *opened = f;
    return 0;
}

/* The last name with O_CREAT: what there is, or a new file. */
static int find_or_create(struct walk *w, u32 flags, u32 mode, struct dentry **found, bool *created)
{
    struct inode *dir = w->at->inode, *inode;
    struct dentry *d;

    if (w->last != LAST_NAME || w->slash) {
        return (flags & O_EXCL) && !w->slash ? -EEXIST : -EISDIR;
    }
    int error = walk_last(w, &d);
    if (error) {
        return error;
    }
    if (!d->inode) {
        dentry_put(d);
        mutex_lock(&dir->lock);
        error = dentry_lookup_locked(w->at, w->name, &d);
        if (!error && !d->inode) {
            error = may_create(dir);
            if (!error) {
                error =
                    dir->ops->create
                        ? dir->ops->create(dir, w->name,
                                           S_IFREG | (mode & 07777 & ~context_umask()), 0, &inode)
                        : -EACCES;
            }
            if (error) {
                dentry_put(d);
            } else {
                dentry_fill(d, inode);
                *created = true;
            }
        }
        mutex_unlock(&dir->lock);
    }
    if (!error && !*created && (flags & O_EXCL)) {
        dentry_put(d);
        error = -EEXIST;
    }
    *found = d;
    return error;
}

static int open_walk(struct walk *w, u32 flags, u32 mode, struct file **opened)
{
    struct dentry *d, *jumped;
    bool created = false;
    int error = walk_to_last(w);

    while (!error) {
        bool slash = w->slash;
        error = (flags & O_CREAT) ? find_or_create(w, flags, mode, &d, &created) : walk_last(w, &d);
        if (error) {
            break;
        }
        if (!d->inode) {
            error = -ENOENT;
        } else if (S_ISLNK(d->inode->mode) && (slash || !(flags & O_NOFOLLOW))) {
            error = walk_follow(w, d, &jumped);
            if (!error) {
                dentry_put(d);
                if (!jumped) {
                    continue;
                }
                d = jumped;
            }
        }
        if (!error && (slash || (flags & O_DIRECTORY)) && !S_ISDIR(d->inode->mode)) {
            error = -ENOTDIR;
        }
        if (error) {
            dentry_put(d);
            break;
        }
        return open_dentry(d, flags, created, opened);
    }
    return error;
}

static int check_flags(u32 *flags)
{
    if (*flags & O_PATH) {
        *flags &= (u32)(O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if ((*flags & O_TMPFILE) == O_TMPFILE) {
        return -EOPNOTSUPP;
    }
    return (*flags & O_CREAT) && (*flags & O_DIRECTORY) ? -EINVAL : 0;
}

int file_open(int dirfd, const char *path, u32 flags, u32 mode, struct file **opened)
{
    struct walk w;
    int error = check_flags(&flags);

    if (!error) {
        error = walk_begin(&w, dirfd, path, 0);
        error = error ? error : open_walk(&w, flags, mode, opened);
        walk_end(&w);
    }
    return error;
}

int file_open_user(int dirfd, u64 path, u32 flags, u32 mode, u32 lookup_flags, struct file **opened)
{
    struct walk w;
    int error = check_flags(&flags);

    if (!error) {
        error = walk_begin_user(&w, dirfd, path, lookup_flags);
        error = error ? error : open_walk(&w, flags, mode, opened);
        walk_end(&w);
    }
    return error;
}

/* ---- of characters and regular files */

static int char_open(struct inode *inode, struct file *f)
{
    f->ops = device_ops(inode->rdev);
    if (!f->ops) {
        f->ops = &char_file_ops;
        return -ENXIO;
    }
    return f->ops->open ? f->ops->open(inode, f) : 0;
}

const struct file_ops char_file_ops = {.open = char_open};

static int regular_fsync(struct file *f)
{
    struct inode *inode = f->inode;
    struct super *super = inode->super;
    int error = inode_write(inode, true);
    int late = __atomic_exchange_n(&inode->write_error, 0, __ATOMIC_RELAXED);

    if (super->ops && super->ops->sync) {
        int other = super->ops->sync(super);
        error = error ? error : other;
    }
    return error ? error : late;
}

const struct file_ops regular_file_ops = {
    .read = cache_read,
    .write = cache_write,
    .fsync = regular_fsync,
};

int file_fsync(struct file *f)
{
    if (S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode)) {
        return regular_fsync(f);
    }
    return f->ops->fsync ? f->ops->fsync(f) : -EINVAL;
}

long file_read_kernel(struct file *f, void *to, u64 len, u64 pos)
{
    u64 done = 0, size = f->inode->size_bytes;

    if (!S_ISREG(f->inode->mode)) {
        return -EACCES;
    }
    len = pos < size ? MIN(len, size - pos) : 0;
    while (done < len) {
        struct page *page;
        u64 skip = (pos + done) % PAGE_BYTES, now = MIN(PAGE_BYTES - skip, len - done);
        int error = cache_get(f->inode, (pos + done) / PAGE_BYTES, &page);
        if (error) {
            return done ? (long)done : error;
        }
        memcpy((u8 *)to + done, (u8 *)page_data(page) + skip, now);
        page_put(page);
        done += now;
    }
    return (long)done;
}

/* ---- sizes */

long file_size_limit(const struct inode *inode, u64 pos, u64 len)
{
    const struct process *p = this_process();
    u64 limit = p && S_ISREG(inode->mode) ? p->limit[RLIMIT_FSIZE].soft : RLIM_INFINITY;

    if (len && pos >= limit) {
        signal_thread(current(), SIGXFSZ, NULL);
        return -EFBIG;
    }
    limit = MIN(limit, inode->super->max_bytes);
    if (len && pos >= limit) {
        return -EFBIG;
    }
    return (long)MIN(len, limit - pos);
}

void inode_drop_privileges(struct inode *inode)
{
    u32 drop = inode->mode & S_ISUID;

    if ((inode->mode & (S_ISGID | 010)) == (S_ISGID | 010)) {
        drop |= S_ISGID;
    }
    if (drop && S_ISREG(inode->mode) && this_process() && this_process()->cred.fsuid) {
        inode->mode &= ~drop;
    }
}

int inode_truncate(struct inode *inode, u64 size)
{
    int error = 0;

    if (size > inode->size_bytes && file_size_limit(inode, size - 1, 1) < 0) {
        return -EFBIG;
    }
    mutex_lock(&inode->lock);
    u64 old = inode->size_bytes;
    inode->size_bytes = size;
    cache_truncate(inode, MIN(old, size));
    if (inode->ops->truncate) {
        error = inode->ops->truncate(inode, size);
    }
    inode_drop_privileges(inode);
    inode_touch(inode, TOUCH_MTIME | TOUCH_CTIME);
    mutex_unlock(&inode->lock);
    return error;
}
