/*
 * sendfile(2) and copy_file_range(2): from file to file, through kernel memory. Both must be files
 * with a page cache; for others sendfile says EINVAL, and programs read and write themselves.
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/cache_io.h"
#include "guestos/fs/fd.h"
#include "guestos/fs/file.h"
#include "guestos/mm/slab.h"
#include "guestos/sys/syscall.h"

#define PIECE_BYTES 65536ul
#define MAX_BYTES   0x7FFFF000ul

struct copying {
    struct file *in, *out; /* held; NULL: no such descriptor */
    u64 user_in, user_out; /* where the caller has the positions; 0: the files' own */
    u64 in_pos, out_pos;
};

static long copy(struct copying *c, u64 len)
{
    u8 *piece = kmalloc(PIECE_BYTES);
    u64 done = 0;
    long result = piece ? 0 : -ENOMEM;

    while (piece && done < len) {
        u64 now = MIN(len - done, PIECE_BYTES);
        result = file_read_kernel(c->in, piece, now, c->in_pos);
        if (result > 0) {
            result = cache_write_kernel(c->out, piece, (u64)result, &c->out_pos);
        }
        if (result <= 0) {
            break;
        }
        c->in_pos += (u64)result;
        done += (u64)result;
    }
    kfree(piece);
    cache_balance(c->out->inode);
    return done ? (long)done : result;
}

static int get_position(u64 user, const struct file *f, u64 *pos)
{
    i64 at = (i64)f->pos;

    if (user && GET_USER(at, user)) {
        return -EFAULT;
    }
    *pos = (u64)at;
    return at < 0 ? -EINVAL : 0;
}

static int put_position(u64 user, struct file *f, u64 pos)
{
    if (user) {
        return PUT_USER(user, pos);
    }
    f->pos = pos;
    return 0;
}

/* Locks the positions of both files, in the order of their addresses. */
static void lock_both(struct copying *c, void (*lock)(struct mutex *))
{
    struct file *first = c->in < c->out ? c->in : c->out;
    struct file *second = c->in < c->out ? c->out : c->in;

    lock(&first->pos_lock);
    if (second != first) {
        lock(&second->pos_lock);
    }
}

static bool is_cached(const struct file *f)
{
    return S_ISREG(f->inode->mode) && f->ops->read == cache_read;
}

static bool overlaps(const struct copying *c, u64 len)
{
    return c->in->inode == c->out->inode && c->in_pos < c->out_pos + len &&
           c->out_pos < c->in_pos + len;
}

/* The checks that both calls share are done. */
static long copy_checked(struct copying *c, u64 len, bool may_overlap)
{
    len = MIN(len, MAX_BYTES);
    lock_both(c, mutex_lock);
    long result = get_position(c->user_in, c->in, &c->in_pos);
    result = result ? result : get_position(c->user_out, c->out, &c->out_pos);
    if (!result && !may_overlap && overlaps(c, len)) {
        result = -EINVAL;
    }
    if (!result) {
        result = copy(c, len);
        int error = result < 0 ? 0 : put_position(c->user_in, c->in, c->in_pos);
        error = error || result < 0 ? error : put_position(c->user_out, c->out, c->out_pos);
        result = error ? error : result;
    }
    lock_both(c, mutex_unlock);
    return result;
}

static void put_both(struct copying *c)
{
    if (c->in) {
        file_put(c->in);
    }
    if (c->out) {
        file_put(c->out);
    }
}

static bool is_usable(const struct copying *c)
{
    return c->in && c->out && file_readable(c->in) && file_writable(c->out);
}

long sys_sendfile(const u64 *arg)
{
    struct copying c = {
        .in = fd_get_io((int)arg[1]), .out = fd_get_io((int)arg[0]), .user_in = arg[2]};
    long result = -EBADF;

    if (is_usable(&c)) {
        bool fit = is_cached(c.in) && is_cached(c.out) && !(c.out->flags & O_APPEND);
        result = fit && (i64)arg[3] >= 0 ? copy_checked(&c, arg[3], true) : -EINVAL;
    }
    put_both(&c);
    return result;
}

long sys_copy_file_range(const u64 *arg)
{
    struct copying c = {.in = fd_get_io((int)arg[0]),
                        .out = fd_get_io((int)arg[2]),
                        .user_in = arg[1],
                        .user_out = arg[3]};
    long result = -EBADF;

    if (is_usable(&c) && !(c.out->flags & O_APPEND)) {
        if (S_ISDIR(c.in->inode->mode) || S_ISDIR(c.out->inode->mode)) {
            result = -EISDIR;
        } else {
            bool fit = is_cached(c.in) && is_cached(c.out) && arg[5] == 0;
            result = fit ? copy_checked(&c, arg[4], false) : -EINVAL;
        }
    }
    put_both(&c);
    return result;
}
