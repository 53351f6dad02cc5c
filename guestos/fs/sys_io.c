/*
 * System calls that read and write: read(2), readv(2), lseek(2) and their like. A file with a
 * position (regular, directory, block device) is used by one call at a time; a terminal or a pipe,
 * which may make a call wait for ever, by several.
 */
#include "guestos/fs/fd.h"
#include "guestos/fs/file.h"
#include "guestos/mm/slab.h"
#include "guestos/sys/syscall.h"

#define MAX_BYTES  0x7FFFF000ul /* of one call, as Linux */
#define MAX_PIECES 1024u

enum { SEEK_SET, SEEK_CUR, SEEK_END, SEEK_DATA, SEEK_HOLE };

struct iovec {
    u64 base, len;
};

static bool is_seekable(const struct file *f)
{
    return file_has_pos(f) || (S_ISCHR(f->inode->mode) && f->ops->seek);
}

static int check(const struct file *f, bool write)
{
    if (write ? !file_writable(f) : !file_readable(f)) {
        return -EBADF;
    }
    if (S_ISDIR(f->inode->mode)) {
        return -EISDIR;
    }
    return (write ? f->ops->write : f->ops->read) ? 0 : -EINVAL;
}

static long transfer(struct file *f, bool write, u64 at, u64 len, u64 *pos)
{
    len = MIN(len, MAX_BYTES);
    if (!user_range_ok(at, len)) {
        return -EFAULT;
    }
    if (len == 0 && file_has_pos(f)) {
        return 0;
    }
    return write ? f->ops->write(f, at, len, pos) : f->ops->read(f, at, len, pos);
}

static long transfer_pieces(struct file *f, bool write, const struct iovec *piece, u32 nr, u64 *pos)
{
    u64 done = 0;

    for (u32 i = 0; i < nr; i++) {
        if (piece[i].len == 0) {
            continue;
        }
        long got = transfer(f, write, piece[i].base, MIN(piece[i].len, MAX_BYTES - done), pos);
        if (got < 0) {
            return done ? (long)done : got;
        }
        done += (u64)got;
        if ((u64)got < piece[i].len) {
            break;
        }
    }
    return (long)done;
}

/* At the file's own position, or at *at, which stays. */
static long transfer_at(int fd, bool write, const struct iovec *piece, u32 nr, const i64 *at)
{
    struct file *f = fd_get_io(fd);

    if (!f) {
        return -EBADF;
    }
    long result = at && *at < 0 ? -EINVAL : at && !is_seekable(f) ? -ESPIPE : check(f, write);
    if (!result) {
        bool lock = !at && file_has_pos(f);
        if (lock) {
            mutex_lock(&f->pos_lock);
        }
        u64 pos = at ? (u64)*at : f->pos;
        result = nr == 1 ? transfer(f, write, piece->base, piece->len, &pos)
                         : transfer_pieces(f, write, piece, nr, &pos);
        if (!at) {
            f->pos = pos;
        }
        if (lock) {
            mutex_unlock(&f->pos_lock);
        }
    }
    file_put(f);
    return result;
}

static long transfer_vector(int fd, bool write, u64 user, u64 nr, const i64 *at)
{
    u64 total = 0;
    long result = 0;

    if (nr > MAX_PIECES) {
        return -EINVAL;
    }
    struct iovec *piece = kmalloc(MAX(nr, 1ul) * sizeof *piece);
    if (!piece) {
        return -ENOMEM;
    }
    if (copy_from_user(piece, user, nr * sizeof *piece)) {
        result = -EFAULT;
    }
    for (u64 i = 0; i < nr && !result; i++) {
        if (piece[i].len > (~0ul >> 1) - total) {
            result = -EINVAL;
        }
        total += piece[i].len;
    }
    if (!result) {
        result = transfer_at(fd, write, piece, (u32)nr, at);
    }
    kfree(piece);
    return result;
}

long sys_read(const u64 *arg)
{
    return transfer_at((int)arg[0], false, &(struct iovec){arg[1], arg[2]}, 1, NULL);
}

long sys_write(const u64 *arg)
{
    return transfer_at((int)arg[0], true, &(struct iovec){arg[1], arg[2]}, 1, NULL);
}

long sys_pread64(const u64 *arg)
{
    i64 at = (i64)arg[3];
    return transfer_at((int)arg[0], false, &(struct iovec){arg[1], arg[2]}, 1, &at);
}

long sys_pwrite64(const u64 *arg)
{
    i64 at = (i64)arg[3];
    return transfer_at((int)arg[0], true, &(struct iovec){arg[1], arg[2]}, 1, &at);
}

long sys_readv(const u64 *arg)
{
    return transfer_vector((int)arg[0], false, arg[1], arg[2], NULL);
}

long sys_writev(const u64 *arg)
{
    return transfer_vector((int)arg[0], true, arg[1], arg[2], NULL);
}

long sys_preadv(const u64 *arg)
{
    i64 at = (i64)arg[3];
    return transfer_vector((int)arg[0], false, arg[1], arg[2], &at);
}

long sys_pwritev(const u64 *arg)
{
    i64 at = (i64)arg[3];
    return transfer_vector((int)arg[0], true, arg[1], arg[2], &at);
}

/* With flags, none of which is known here; offset -1 means the file's own position. */
static long transfer_v2(const u64 *arg, bool write)
{
    i64 at = (i64)arg[3];

    if (arg[5]) {
        return -EOPNOTSUPP;
    }
    return transfer_vector((int)arg[0], write, arg[1], arg[2], at == -1 ? NULL : &at);
}

long sys_preadv2(const u64 *arg)
{
    return transfer_v2(arg, false);
}

long sys_pwritev2(const u64 *arg)
{
    return transfer_v2(arg, true);
}

/* ---- lseek */

static i64 seek_regular(struct file *f, i64 offset, int whence)
{
    i64 size = (i64)f->inode->size_bytes, base = 0, to;

    switch (whence) {
    case SEEK_SET: break;
    case SEEK_CUR: base = (i64)f->pos; break;
    case SEEK_END: base = size; break;
    case SEEK_DATA: /* all of a file counts as data, with one hole at its end */
    case SEEK_HOLE:
        if (offset < 0 || offset >= size) {
            return -ENXIO;
        }
        base = whence == SEEK_HOLE ? size - offset : 0;
        break;
    default: return -EINVAL;
    }
    if (__builtin_add_overflow(base, offset, &to)) {
        return -EOVERFLOW;
    }
    if (to < 0 || (S_ISREG(f->inode->mode) && (u64)to > f->inode->super->max_bytes)) {
        return -EINVAL;
    }
    f->pos = (u64)to;
    return to;
}

long sys_lseek(const u64 *arg)
{
    struct file *f = fd_get_io((int)arg[0]);
    i64 offset = (i64)arg[1], result = -ESPIPE;
    int whence = (int)arg[2];

    if (!f) {
        return -EBADF;
    }
    if (f->ops->seek || file_has_pos(f)) {
        mutex_lock(&f->pos_lock);
        result = f->ops->seek ? f->ops->seek(f, offset, whence) : seek_regular(f, offset, whence);
        mutex_unlock(&f->pos_lock);
    }
    file_put(f);
    return result;
}
