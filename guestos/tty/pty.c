/*
 * Pseudo terminals: pty(7), ptmx(4). The terminal is a tty like any other, whose device is a ring
 * that the holder of the other end, the master, reads; what the master writes is typed.
 *
 * A pair is free again when both ends are closed; its /dev/pts node stays, and belongs to the next
 * one who gets it. UNIMPL: packet mode (TIOCPKT).
 */
#include "guestos/tty/pty.h"
#include "guestos/abi/signal.h"
#include "guestos/fs/poll.h"
#include "guestos/fs/unnamed.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/proc/process.h"
#include "guestos/tty/tty.h"

#define MAX_PTYS    64u
#define RING_BYTES  4096u /* a power of two */
#define CHUNK_BYTES 256u
#define PTS_MAJOR   136u
#define DEV_PTMX    MAKE_DEV(5, 2)

struct pty {
    u32 number;
    char name[8];   /* "pts/63" */
    struct tty tty; /* its lock guards all below */
    char ring[RING_BYTES];
    u32 head, tail; /* written at head, read at tail; both only grow */
    bool master_open, locked, was_opened;
    struct wait_queue readers, writers; /* of the master */
};

static struct mutex ptys_mutex = MUTEX_INIT(ptys_mutex);
static struct pty *ptys[MAX_PTYS]; /* by number; NULL: never used yet */

/* ---- the device of the tty */

static struct pty *pty_of(struct tty *t)
{
    return t->data;
}

static u32 room(struct tty *t)
{
    const struct pty *p = pty_of(t);

    return p->master_open ? RING_BYTES - (p->head - p->tail) : RING_BYTES;
}

static void put(struct tty *t, const char *text, u32 len)
{
    struct pty *p = pty_of(t);

    while (p->master_open && len--) {
        p->ring[p->head++ % RING_BYTES] = *text++;
    }
    wake_all(&p->readers);
}

static void drop(struct tty *t)
{
    struct pty *p = pty_of(t);

    p->tail = p->head;
}

static int may_open(struct tty *t)
{
    struct pty *p = pty_of(t);

    if (!p->master_open || p->locked) {
        return -EIO;
    }
    p->was_opened = true;
    return 0;
}

static void all_closed(struct tty *t)
{
    wake_all(&pty_of(t)->readers);
}

static void input_taken(struct tty *t)
{
    wake_all(&pty_of(t)->writers);
}

static const struct tty_device device = {
    .room = room,
    .put = put,
    .drop = drop,
    .may_open = may_open,
    .all_closed = all_closed,
    .input_taken = input_taken,
};

/* ---- pairs */

#define PATH_BYTES 16u

static void path_of_pty(const struct pty *p, char path[PATH_BYTES])
{
    string_copy(path, "/dev/", PATH_BYTES);
    string_copy(path + 5, p->name, PATH_BYTES - 5);
}

static void name_pty(struct pty *p)
{
    char digits[] = {(char)('0' + p->number / 10), (char)('0' + p->number % 10), 0};

    string_copy(p->name, "pts/", sizeof p->name);
    string_copy(p->name + 4, p->number < 10 ? digits + 1 : digits, sizeof p->name - 4);
}

static struct pty *pty_new(u32 number)
{
    struct pty *p = kmalloc(sizeof *p);

    if (p) {
        p->number = number;
        name_pty(p);
        wait_queue_init(&p->readers);
        wait_queue_init(&p->writers);
        p->tty.name = p->name;
        p->tty.rdev = MAKE_DEV(PTS_MAJOR, number);
        p->tty.device = &device;
        p->tty.data = p;
        tty_register(&p->tty);
    }
    return p;
}

static bool is_free(struct pty *p)
{
    spin_lock(&p->tty.lock);
    bool yes = !p->master_open && p->tty.opened == 0;
    spin_unlock(&p->tty.lock);
    return yes;
}

/* A free pair, now open on its master's side. NULL: there are too many. */
static struct pty *allocate(void)
{
    struct pty *p = NULL;

    mutex_lock(&ptys_mutex);
    for (u32 i = 0; i < MAX_PTYS && !p; i++) {
        if (!ptys[i]) {
            ptys[i] = pty_new(i);
            p = ptys[i];
        } else if (is_free(ptys[i])) {
            p = ptys[i];
        }
        if (!ptys[i]) {
            break; /* no memory */
        }
    }
    if (p) {
        spin_lock(&p->tty.lock);
        tty_reset(&p->tty);
        tty_flush_input(&p->tty);
        p->tty.size = (struct winsize){0};
        p->head = p->tail = 0;
        p->master_open = p->locked = true;
        p->was_opened = false;
        spin_unlock(&p->tty.lock);
    }
    mutex_unlock(&ptys_mutex);
    return p;
}

/* The node is the opener's, as devpts has it. */
static void give_node(const struct pty *p)
{
    struct dentry *d;
    char path[PATH_BYTES];

    path_of_pty(p, path);
    if (path_lookup(AT_FDCWD, path, 0, &d) == 0) {
        if (S_ISCHR(d->inode->mode) && d->inode->rdev == p->tty.rdev) {
            d->inode->uid = this_process()->cred.fsuid;
            d->inode->gid = this_process()->cred.fsgid;
        }
        dentry_put(d);
    }
}

/* ---- the master */

static int master_open(struct inode *inode, struct file *f)
{
    struct pty *p = allocate();

    (void)inode;
    if (!p) {
        return -ENOSPC;
    }
    f->data = p;
    give_node(p);
    return 0;
}

static void master_release(struct file *f)
{
    struct pty *p = f->data;

    tty_hangup(&p->tty);
    spin_lock(&p->tty.lock);
    p->master_open = false;
    spin_unlock(&p->tty.lock);
    tty_room(&p->tty);
}

/* Bytes; -EAGAIN: none yet; -EIO: nobody has the terminal open any more. */
static long take(struct pty *p, char *to, u32 len)
{
    u32 n = 0;

    spin_lock(&p->tty.lock);
    while (n < len && p->tail != p->head) {
        to[n++] = p->ring[p->tail++ % RING_BYTES];
    }
    bool is_end = p->was_opened && p->tty.opened == 0;
    spin_unlock(&p->tty.lock);
    if (n) {
        tty_room(&p->tty);
    }
    return n ? (long)n : is_end ? -EIO : -EAGAIN;
}

static bool readable(struct pty *p)
{
    spin_lock(&p->tty.lock);
    bool yes = p->head != p->tail || (p->was_opened && p->tty.opened == 0);
    spin_unlock(&p->tty.lock);
    return yes;
}

static bool writable(struct pty *p)
{
    spin_lock(&p->tty.lock);
    bool yes = tty_takes_input(&p->tty);
    spin_unlock(&p->tty.lock);
    return yes;
}

static long master_read(struct file *f, u64 to, u64 len, u64 *pos)
{
    struct pty *p = f->data;
    char chunk[CHUNK_BYTES];
    u64 done = 0;
    long n = 0;

    (void)pos;
    while (done < len) {
        n = take(p, chunk, (u32)MIN(len - done, sizeof chunk));
        if (n > 0) {
            if (copy_to_user(to + done, chunk, (u64)n) < 0) {
                n = -EFAULT;
                break;
            }
            done += (u64)n;
        } else if (done || n != -EAGAIN || (f->flags & O_NONBLOCK)) {
            break;
        } else if (WAIT(&p->readers, readable(p), WAIT_INTERRUPTIBLE, NEVER) < 0) {
            return -ERESTARTSYS;
        }
    }
    return done ? (long)done : n;
}

static long master_write(struct file *f, u64 from, u64 len, u64 *pos)
{
    struct pty *p = f->data;
    u64 done = 0;
    int error = 0;
    char c;

    (void)pos;
    while (done < len && !error) {
        if (!writable(p)) {
            if (f->flags & O_NONBLOCK) {
                error = -EAGAIN;
            } else if (WAIT(&p->writers, writable(p), WAIT_INTERRUPTIBLE, NEVER) < 0) {
                error = -ERESTARTSYS;
            }
        } else if (GET_USER(c, from + done) < 0) {
            error = -EFAULT;
        } else {
            tty_input(&p->tty, c);
            done++;
        }
    }
    return done ? (long)done : error;
}

static u32 master_poll(struct file *f, struct poll_table *table)
{
    struct pty *p = f->data;
    u32 events = 0;

    poll_wait(table, &p->readers);
    poll_wait(table, &p->writers);
    spin_lock(&p->tty.lock);
    events |= p->head != p->tail ? POLLIN | POLLRDNORM : 0;
    events |= p->was_opened && p->tty.opened == 0 ? POLLHUP : 0;
    events |= tty_takes_input(&p->tty) ? POLLOUT | POLLWRNORM : 0;
    spin_unlock(&p->tty.lock);
    return events;
}

static long open_peer(struct pty *p, u64 flags)
{
    struct file *f;
    char path[PATH_BYTES];

    path_of_pty(p, path);
    int error = file_open(AT_FDCWD, path, (u32)flags & (O_ACCMODE | O_NOCTTY | O_NONBLOCK), 0, &f);
    return error ? error : fd_install(f, 0, flags & O_CLOEXEC);
}

static long set_lock(struct pty *p, u64 from)
{
    i32 locked;

    if (GET_USER(locked, from) < 0) {
        return -EFAULT;
    }
    p->locked = locked;
    return 0;
}

static long master_ioctl(struct file *f, u32 command, u64 argument)
{
    struct pty *p = f->data;
    u32 value;

    switch (command) {
    case TIOCGPTN: value = p->number; return PUT_USER(argument, value);
    case TIOCSPTLCK: return set_lock(p, argument);
    case TIOCGPTLCK: value = p->locked; return PUT_USER(argument, value);
    case TIOCGPTPEER: return open_peer(p, argument);
    case FIONREAD: value = p->head - p->tail; return PUT_USER(argument, value);
    case TIOCGPGRP: value = p->tty.foreground; return PUT_USER(argument, value);
    case TIOCGSID: value = p->tty.session; return PUT_USER(argument, value);
    case TIOCSIG:
        if (argument < 1 || argument > NR_SIGNALS) {
            return -EINVAL;
        }
        tty_signal_foreground(&p->tty, (u32)argument);
        return 0;
    case TIOCSCTTY:
    case TIOCNOTTY:
    case TIOCSTI: return -ENOTTY;
    default: return tty_ioctl(f, &p->tty, command, argument);
    }
}

void pty_init(void)
{
    static const struct file_ops ops = {
        .open = master_open,
        .release = master_release,
        .read = master_read,
        .write = master_write,
        .seek = unnamed_seek,
        .ioctl = master_ioctl,
        .poll = master_poll,
    };

    device_register("ptmx", S_IFCHR | 0666, DEV_PTMX, &ops);
}
