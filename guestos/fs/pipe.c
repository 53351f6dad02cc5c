/*
 * Pipes and FIFOs: pipe(7), fifo(7). The bytes lie in a ring of frames that come as they are
 * needed. What is written in one call of at most PIPE_BUF bytes stays together; the mutex covers
 * each such piece, and the copying to and from user memory.
 *
 * A pipe's files count as readers and writers; a FIFO's pipe lives in its inode while it is open.
 * UNIMPL: O_DIRECT (packets), O_ASYNC.
 */
#include "guestos/fs/pipe.h"
#include "guestos/abi/signal.h"
#include "guestos/abi/termios.h"
#include "guestos/fs/fd.h"
#include "guestos/fs/poll.h"
#include "guestos/kernel/thread.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

#define PIPE_BUF      4096u
#define DEFAULT_PAGES 16u
#define MAX_PAGES     256u /* 1 MiB, as Linux lets users have */

struct pipe {
    struct mutex mutex; /* all below */
    u8 **page;          /* a ring of nr_pages; NULL: not needed yet */
    u32 nr_pages;       /* a power of two */
    u64 head, tail;     /* bytes written and read; 0 again whenever it is empty */
    u32 readers, writers;
    u32 nr_opened_reading, nr_opened_writing; /* ever: a FIFO's opens wait for each other */
    u32 refs;                                 /* files, and opens under way */
    bool unnamed;                             /* no FIFO: opens wait for nobody */
    struct wait_queue changed_for_readers, changed_for_writers;
};

static struct mutex fifos = MUTEX_INIT(fifos); /* inode->pipe of all FIFOs */

static bool reads(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool writes(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_RDONLY;
}

/* ---- the ring */

static struct pipe *pipe_new(void)
{
    struct pipe *p = kmalloc(sizeof *p);

    if (p) {
        p->page = kmalloc(DEFAULT_PAGES * sizeof *p->page);
        if (!p->page) {
            kfree(p);
            return NULL;
        }
        p->nr_pages = DEFAULT_PAGES;
        mutex_init(&p->mutex);
        wait_queue_init(&p->changed_for_readers);
        wait_queue_init(&p->changed_for_writers);
    }
    return p;
}

static void free_frame(u8 *page)
{
    if (page) {
        frame_free((u64)page - DIRECT_MAP);
    }
}

static void pipe_free(struct pipe *p)
{
    for (u32 i = 0; i < p->nr_pages; i++) {
        free_frame(p->page[i]);
    }
    kfree(p->page);
    kfree(p);
}

static u64 nr_bytes(const struct pipe *p)
{
    return p->head - p->tail;
}

static u64 room(const struct pipe *p)
{
    return (u64)p->nr_pages * PAGE_BYTES - nr_bytes(p);
}

/* The byte at a position, up to its page's end; NULL: no memory. */
static u8 *at(struct pipe *p, u64 position)
{
    u8 **page = &p->page[position / PAGE_BYTES % p->nr_pages];

    if (!*page) {
        u64 pa = frame_alloc_dirty();
        *page = pa == NO_FRAME ? NULL : direct(pa);
    }
    return *page ? *page + position % PAGE_BYTES : NULL;
}

/* Both: bytes moved, at most len; or an error if none were. */
static long take(struct pipe *p, u64 to, u64 len)
{
    u64 done = 0;

    len = MIN(len, nr_bytes(p));
    while (done < len) {
        u64 n = MIN(len - done, PAGE_BYTES - p->tail % PAGE_BYTES);
        if (copy_to_user(to + done, at(p, p->tail), n) < 0) {
            return done ? (long)done : -EFAULT;
        }
        p->tail += n;
        done += n;
    }
    if (p->head == p->tail) {
        p->head = p->tail = 0; /* a pipe that is read in time needs one frame */
    }
    return (long)done;
}

static long give(struct pipe *p, u64 from, u64 len)
{
    u64 done = 0;

    len = MIN(len, room(p));
    while (done < len) {
        u64 n = MIN(len - done, PAGE_BYTES - p->head % PAGE_BYTES);
        u8 *to = at(p, p->head);
        int error = !to ? -ENOMEM : copy_from_user(to, from + done, n);
        if (error) {
            return done ? (long)done : error;
        }
        p->head += n;
        done += n;
    }
    return (long)done;
}

/* ---- read, write */

static bool may_read(struct pipe *p)
{
    mutex_lock(&p->mutex);
    bool yes = nr_bytes(p) || p->writers == 0;
    mutex_unlock(&p->mutex);
    return yes;
}

static bool may_write(struct pipe *p, u64 wanted)
{
    mutex_lock(&p->mutex);
    bool yes = room(p) >= wanted || p->readers == 0;
    mutex_unlock(&p->mutex);
    return yes;
}

static long pipe_read(struct file *f, u64 to, u64 len, u64 *pos)
{
    struct pipe *p = f->data;
    long result = 0;

    (void)pos;
    while (len) {
        mutex_lock(&p->mutex);
        bool is_end = p->writers == 0;
        result = nr_bytes(p) ? take(p, to, len) : is_end ? 0 : -EAGAIN;
        mutex_unlock(&p->mutex);
        if (result > 0) {
            wake_all(&p->changed_for_writers);
        }
        if (result != -EAGAIN || (f->flags & O_NONBLOCK)) {
            break;
        }
        if (WAIT(&p->changed_for_readers, may_read(p), WAIT_INTERRUPTIBLE, NEVER) < 0) {
            return -ERESTARTSYS;
        }
    }
    return result;
}

/* What of len bytes must go in at once. */
static u64 piece(u64 len)
{
    return len <= PIPE_BUF ? len : 1;
}

/* One attempt; -EAGAIN: no room. */
static long write_some(struct pipe *p, u64 from, u64 len)
{
    mutex_lock(&p->mutex);
    long n = p->readers == 0 ? -EPIPE : room(p) < piece(len) ? -EAGAIN : give(p, from, len);
    mutex_unlock(&p->mutex);
    if (n > 0) {
        wake_all(&p->changed_for_readers);
    }
    return n;
}

static long pipe_write(struct file *f, u64 from, u64 len, u64 *pos)
{
    struct pipe *p = f->data;
    bool whole = len <= PIPE_BUF; /* if not, it may be cut anywhere */
    u64 done = 0;
    long n = 0;

    (void)pos;
    while (done < len) {
        u64 left = len - done;
        n = write_some(p, from + done, left);
        if (n == -EPIPE) {
            signal_thread(current(), SIGPIPE, NULL);
        }
        if (n >= 0) {
            done += (u64)n;
        } else if (n != -EAGAIN || (f->flags & O_NONBLOCK)) {
            break;
        } else if (WAIT(&p->changed_for_writers, may_write(p, whole ? left : MIN(left, PIPE_BUF)),
                        WAIT_INTERRUPTIBLE, NEVER) < 0) {
            n = -ERESTARTSYS;
            break;
        }
    }
    return done ? (long)done : n;
}

static u32 pipe_poll(struct file *f, struct poll_table *table)
{
    struct pipe *p = f->data;
    u32 events = 0;

    if (reads(f)) {
        poll_wait(table, &p->changed_for_readers);
    }
    if (writes(f)) {
        poll_wait(table, &p->changed_for_writers);
    }
    mutex_lock(&p->mutex);
    if (reads(f)) {
        events |= nr_bytes(p) ? POLLIN | POLLRDNORM : 0;
        /* A FIFO that nobody has opened for writing yet has not been hung up. */
        events |= p->writers == 0 && f->pos != p->nr_opened_writing ? POLLHUP : 0;
    }
    if (writes(f)) {
        events |= room(p) >= PIPE_BUF ? POLLOUT | POLLWRNORM : 0;
        events |= p->readers == 0 ? POLLERR : 0;
    }
    mutex_unlock(&p->mutex);
    return events;
}

static long pipe_ioctl(struct file *f, u32 command, u64 argument)
{
    struct pipe *p = f->data;

    if (command != FIONREAD) {
        return -ENOTTY;
    }
    mutex_lock(&p->mutex);
    u32 n = (u32)nr_bytes(p);
    mutex_unlock(&p->mutex);
    return PUT_USER(argument, n);
}

static i64 pipe_seek(struct file *f, i64 offset, int whence)
{
    (void)f, (void)offset, (void)whence;
    return -ESPIPE;
}

/* ---- open, close */

static void count(struct pipe *p, const struct file *f, u32 difference)
{
    p->readers += reads(f) ? difference : 0;
    p->writers += writes(f) ? difference : 0;
}

static void wake_both(struct pipe *p)
{
    wake_all(&p->changed_for_readers);
    wake_all(&p->changed_for_writers);
}

/* No longer open for f, in whatever stage that is. */
static void leave(struct inode *inode, struct pipe *p, const struct file *f)
{
    mutex_lock(&fifos);
    mutex_lock(&p->mutex);
    count(p, f, -1u);
    bool last = --p->refs == 0;
    if (last && inode->pipe == p) {
        inode->pipe = NULL;
    }
    mutex_unlock(&p->mutex);
    mutex_unlock(&fifos);
    if (last) {
        pipe_free(p);
    } else {
        wake_both(p);
    }
}

static void pipe_release(struct file *f)
{
    leave(f->inode, f->data, f);
}

/* The FIFO's pipe with f counted in it. */
static struct pipe *enter(struct inode *inode, struct file *f)
{
    mutex_lock(&fifos);
    struct pipe *p = inode->pipe ? inode->pipe : pipe_new();
    if (p) {
        inode->pipe = p;
        mutex_lock(&p->mutex);
        p->refs++;
        count(p, f, 1);
        p->nr_opened_reading += reads(f);
        p->nr_opened_writing += writes(f);
        f->pos = p->writers ? ~0u : p->nr_opened_writing;
        mutex_unlock(&p->mutex);
    }
    mutex_unlock(&fifos);
    return p;
}

static bool has_opened(struct pipe *p, const u32 *count, u32 before)
{
    mutex_lock(&p->mutex);
    bool yes = *count != before;
    mutex_unlock(&p->mutex);
    return yes;
}

/* Opening one end waits for the other, unless both are opened at once, or O_NONBLOCK says that
 * reading can go without and writing cannot. */
static int fifo_open(struct inode *inode, struct file *f)
{
    struct pipe *p = enter(inode, f);

    if (!p) {
        return -ENOMEM;
    }
    f->data = p;
    wake_both(p);
    mutex_lock(&p->mutex);
    bool alone = !p->unnamed && (reads(f) ? p->writers == 0 : p->readers == 0);
    const u32 *other = reads(f) ? &p->nr_opened_writing : &p->nr_opened_reading;
    u32 before = *other;
    mutex_unlock(&p->mutex);
    int error = 0;
    if (alone && (f->flags & O_NONBLOCK)) {
        error = reads(f) ? 0 : -ENXIO;
    } else if (alone) {
        struct wait_queue *q = reads(f) ? &p->changed_for_readers : &p->changed_for_writers;
        error =
            WAIT(q, has_opened(p, other, before), WAIT_INTERRUPTIBLE, NEVER) < 0 ? -ERESTARTSYS : 0;
        f->pos = ~0u;
    }
    if (error) {
        leave(inode, p, f);
    }
    return error;
}

static const struct file_ops pipe_file_ops = {
    .release = pipe_release,
    .read = pipe_read,
    .write = pipe_write,
    .seek = pipe_seek,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
};

const struct file_ops fifo_file_ops = {
    .open = fifo_open,
    .release = pipe_release,
    .read = pipe_read,
    .write = pipe_write,
    .seek = pipe_seek,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
};

/* ---- system calls */

/* Both ends, held. -ENOMEM, -ENFILE. */
static int make_pipe(struct file *end[2], u32 flags)
{
    struct inode *inode = inode_unnamed(S_IFIFO | 0600);
    struct pipe *p = pipe_new();

    end[0] = inode && p ? file_new(inode, &pipe_file_ops, O_RDONLY | flags) : NULL;
    end[1] = end[0] ? file_new(inode_hold(inode), &pipe_file_ops, O_WRONLY | flags) : NULL;
    if (end[1]) {
        p->readers = p->writers = p->nr_opened_writing = 1;
        p->refs = 2;
        p->unnamed = true;
        inode->pipe = p; /* /proc/PID/fd/N opens it once more */
        inode->file_ops = &fifo_file_ops;
        end[0]->data = end[1]->data = p;
        return 0;
    }
    if (end[0]) { /* without its pipe nothing of it may be released */
        static const struct file_ops nothing;
        inode_put(inode);
        end[0]->ops = &nothing;
        file_put(end[0]);
    } else if (inode) {
        inode_put(inode);
    }
    if (p) {
        pipe_free(p);
    }
    return -ENFILE;
}

static long pipe_user(u64 to, u64 flags)
{
    struct file *end[2];
    bool close_on_exec = flags & O_CLOEXEC;
    int fd[2];

    if (flags & ~(u64)(O_CLOEXEC | O_NONBLOCK)) {
        return -EINVAL;
    }
    int error = make_pipe(end, (u32)flags & O_NONBLOCK);
    if (error) {
        return error;
    }
    fd[0] = fd_install(end[0], 0, close_on_exec);
    if (fd[0] < 0) {
        file_put(end[1]);
        return fd[0];
    }
    fd[1] = fd_install(end[1], 0, close_on_exec);
    error = fd[1] < 0 ? fd[1] : copy_to_user(to, fd, sizeof fd);
    if (error) {
        fd_close((u32)fd[0]);
        if (fd[1] >= 0) {
            fd_close((u32)fd[1]);
        }
    }
    return error;
}

long sys_pipe(const u64 *arg)
{
    return pipe_user(arg[0], 0);
}

long sys_pipe2(const u64 *arg)
{
    return pipe_user(arg[0], arg[1]);
}

/* ---- F_GETPIPE_SZ, F_SETPIPE_SZ */

static struct pipe *pipe_of(struct file *f)
{
    return f->ops == &pipe_file_ops || f->ops == &fifo_file_ops ? f->data : NULL;
}

long pipe_size(struct file *f)
{
    struct pipe *p = pipe_of(f);

    return p ? (long)p->nr_pages * PAGE_BYTES : -EBADF;
}

/* The pages that hold bytes keep them; the others go. */
static int resize(struct pipe *p, u32 nr_pages, u8 **page)
{
    u64 first = p->tail / PAGE_BYTES, last = p->head / PAGE_BYTES;

    if (last - first >= nr_pages) {
        return -EBUSY;
    }
    for (u32 i = 0; i < p->nr_pages; i++) {
        u64 index = first + (i - first) % p->nr_pages;
        if (index <= last) {
            page[index % nr_pages] = p->page[i];
        } else {
            free_frame(p->page[i]);
        }
    }
    p->nr_pages = nr_pages;
    return 0;
}

long pipe_set_size(struct file *f, u64 bytes)
{
    struct pipe *p = pipe_of(f);
    u32 nr_pages = 1;

    if (!p) {
        return -EBADF;
    }
    if (bytes > 1u << 31) {
        return -EINVAL;
    }
    while ((u64)nr_pages * PAGE_BYTES < bytes) {
        nr_pages *= 2;
    }
    if (nr_pages > MAX_PAGES) {
        return -EPERM;
    }
    u8 **page = kmalloc(nr_pages * sizeof *page);
    if (!page) {
        return -ENOMEM;
    }
    mutex_lock(&p->mutex);
    u8 **old = p->page;
    int error = resize(p, nr_pages, page);
    p->page = error ? old : page;
    mutex_unlock(&p->mutex);
    kfree(error ? page : old);
    wake_all(&p->changed_for_writers);
    return error ? error : (long)nr_pages * PAGE_BYTES;
}
