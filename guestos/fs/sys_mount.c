/*
 * System calls on whole file systems, and on what is written when: mount(2), umount(2), statfs(2),
 * sync(2), fsync(2), sync_file_range(2), posix_fadvise(2), readahead(2).
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/fd.h"
#include "guestos/fs/file.h"
#include "guestos/fs/init.h"
#include "guestos/fs/path.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

/* ---- mount */
#define MS_MAGIC_MASK 0xFFFF0000u
#define MS_MAGIC      0xC0ED0000u
#define MS_KNOWN      0xFFFFu
#define MS_BIND       4096u
#define MS_MOVE       8192u
#define MS_PROPAGATE  (0xFu << 17) /* UNBINDABLE, PRIVATE, SLAVE, SHARED: there is one name space  \
                                    */

/* A string of the caller's; "" for a null pointer. */
static int get_string(u64 user, char **text)
{
    *text = kmalloc(PATH_MAX);
    if (!*text) {
        return -ENOMEM;
    }
    long len = user ? string_from_user(*text, user, PATH_MAX) : 0;
    return len < 0 ? (int)len : 0;
}

long sys_mount(const u64 *arg)
{
    char *source = NULL, *at = NULL, *type = NULL, *options = NULL;
    u32 flags = (u32)arg[3];

    if ((flags & MS_MAGIC_MASK) == MS_MAGIC) {
        flags &= ~MS_MAGIC_MASK;
    }
    int error = get_string(arg[0], &source);
    error = error ? error : get_string(arg[1], &at);
    error = error ? error : get_string(arg[2], &type);
    error = error ? error : get_string(arg[4], &options);
    if (!error && !is_superuser()) {
        error = -EPERM;
    }
    if (!error && (flags & (MS_BIND | MS_MOVE))) {
        error = -EINVAL;
    }
    if (!error && !(flags & MS_PROPAGATE)) {
        error = fs_mount(type, source, at, flags & MS_KNOWN, options);
    }
    kfree(source);
    kfree(at);
    kfree(type);
    kfree(options);
    return error;
}

enum { MNT_FORCE = 1, MNT_DETACH = 2, MNT_EXPIRE = 4, UMOUNT_NOFOLLOW = 8 };

long sys_umount2(const u64 *arg)
{
    char *at;

    if (arg[1] & ~(u64)(MNT_FORCE | UMOUNT_NOFOLLOW)) {
        return -EINVAL; /* DETACH and EXPIRE are not done */
    }
    if (!is_superuser()) {
        return -EPERM;
    }
    int error = get_string(arg[0], &at);
    error = error ? error : fs_unmount(at);
    kfree(at);
    return error;
}

/* ---- statfs */
#define ST_VALID 0x20

static long put_statfs(struct super *super, u64 user)
{
    struct abi_statfs st = {.bsize = super->block_bytes,
                            .frsize = super->block_bytes,
                            .namelen = NAME_MAX,
                            .fsid = {(i32)super->dev, 0},
                            .flags = ST_VALID | (super->readonly ? 1 : 0) |
                                     (super->flags & (MS_NOSUID | MS_NODEV | MS_NOEXEC))};
    int error = super->ops && super->ops->statfs ? super->ops->statfs(super, &st) : 0;

    return error ? error : PUT_USER(user, st);
}

long sys_statfs(const u64 *arg)
{
    struct dentry *d;
    long error = path_lookup_user(AT_FDCWD, arg[0], LOOKUP_FOLLOW, &d);

    if (!error) {
        error = put_statfs(d->inode->super, arg[1]);
        dentry_put(d);
    }
    return error;
}

long sys_fstatfs(const u64 *arg)
{
    struct file *f = fd_get((int)arg[0]);

    if (!f) {
        return -EBADF;
    }
    long error = put_statfs(f->inode->super, arg[1]);
    file_put(f);
    return error;
}

/* ---- writing back */

long sys_sync(const u64 *arg)
{
    (void)arg;
    fs_sync_all();
    return 0;
}

long sys_syncfs(const u64 *arg)
{
    struct file *f = fd_get_io((int)arg[0]);

    if (!f) {
        return -EBADF;
    }
    mutex_lock(&mounts_lock);
    fs_sync(f->inode->super);
    mutex_unlock(&mounts_lock);
    file_put(f);
    return 0;
}

long sys_fsync(const u64 *arg)
{
    struct file *f = fd_get_io((int)arg[0]);

    if (!f) {
        return -EBADF;
    }
    long error = file_fsync(f);
    file_put(f);
    return error;
}

long sys_fdatasync(const u64 *arg)
{
    return sys_fsync(arg);
}

#define SYNC_FILE_FLAGS 7u

long sys_sync_file_range(const u64 *arg)
{
    struct file *f = fd_get_io((int)arg[0]);
    i64 from = (i64)arg[1], len = (i64)arg[2];
    long error = 0;

    if (!f) {
        return -EBADF;
    }
    if (arg[3] & ~(u64)SYNC_FILE_FLAGS || from < 0 || len < 0 || from + len < from) {
        error = -EINVAL;
    } else if (!S_ISREG(f->inode->mode) && !S_ISDIR(f->inode->mode)) {
        error = -ESPIPE;
    } else if (S_ISREG(f->inode->mode)) {
        u64 last = len ? (u64)(from + len - 1) / PAGE_BYTES : ~0ul;
        error = cache_sync(f->inode, (u64)from / PAGE_BYTES, last);
    }
    file_put(f);
    return error;
}

/* ---- advice */
#define ADVICE_LAST     5u
#define ADVICE_WILLNEED 3u
#define READAHEAD_PAGES 512u

static void read_ahead(struct inode *inode, u64 from, u64 len)
{
    u64 end = MIN(inode->size_bytes, len ? from + len : ~0ul);

    for (u64 i = from / PAGE_BYTES, n = 0; i * PAGE_BYTES < end && n < READAHEAD_PAGES; i++, n++) {
        struct page *page;
        if (cache_get(inode, i, &page)) {
            break;
        }
        page_put(page);
    }
}

long sys_fadvise64(const u64 *arg)
{
    struct file *f = fd_get_io((int)arg[0]);
    long error = 0;

    if (!f) {
        return -EBADF;
    }
    if (S_ISFIFO(f->inode->mode)) {
        error = -ESPIPE;
    } else if (arg[3] > ADVICE_LAST || (i64)arg[2] < 0) {
        error = -EINVAL;
    } else if (arg[3] == ADVICE_WILLNEED && S_ISREG(f->inode->mode)) {
        read_ahead(f->inode, arg[1], arg[2]);
    }
    file_put(f);
    return error;
}

long sys_readahead(const u64 *arg)
{
    struct file *f = fd_get_io((int)arg[0]);
    long error = 0;

    if (!f) {
        return -EBADF;
    }
    if (!file_readable(f)) {
        error = -EBADF;
    } else if (!S_ISREG(f->inode->mode)) {
        error = -EINVAL;
    } else if (arg[2]) {
        read_ahead(f->inode, arg[1], arg[2]);
    }
    file_put(f);
    return error;
}
