/* eventfd(2): a counter that reading takes and writing adds to. */
#include "guestos/fs/poll.h"
#include "guestos/fs/unnamed.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/sys/syscall.h"

#define COUNT_MAX     (~0ul - 1)
#define EFD_SEMAPHORE 1u

struct eventfd {
    struct spinlock lock;
    u64 count;
    bool is_semaphore;
    struct wait_queue changed;
};

/* False: there is nothing. */
static bool take(struct eventfd *e, u64 *value)
{
    spin_lock(&e->lock);
    bool some = e->count != 0;
    *value = e->is_semaphore ? some : e->count;
    e->count -= *value;
    spin_unlock(&e->lock);
    return some;
}

/* False: it would go beyond COUNT_MAX. */
static bool add(struct eventfd *e, u64 value)
{
    spin_lock(&e->lock);
    bool fits = value <= COUNT_MAX - e->count;
    e->count += fits ? value : 0;
    spin_unlock(&e->lock);
    return fits;
}

static long eventfd_read(struct file *f, u64 to, u64 len, u64 *pos)
{
    struct eventfd *e = f->data;
    u64 value = 0;

    (void)pos;
    if (len < sizeof value) {
        return -EINVAL;
    }
    if (!take(e, &value)) {
        if (f->flags & O_NONBLOCK) {
            return -EAGAIN;
        }
        if (WAIT(&e->changed, take(e, &value), WAIT_INTERRUPTIBLE, NEVER) < 0) {
            return -ERESTARTSYS;
        }
    }
    wake_all(&e->changed);
    return PUT_USER(to, value) < 0 ? -EFAULT : (long)sizeof value;
}

static long eventfd_write(struct file *f, u64 from, u64 len, u64 *pos)
{
    struct eventfd *e = f->data;
    u64 value;

    (void)pos;
    if (len < sizeof value) {
        return -EINVAL;
    }
    if (GET_USER(value, from) < 0) {
        return -EFAULT;
    }
    if (value > COUNT_MAX) {
        return -EINVAL;
    }
    if (!add(e, value)) {
        if (f->flags & O_NONBLOCK) {
            return -EAGAIN;
        }
        if (WAIT(&e->changed, add(e, value), WAIT_INTERRUPTIBLE, NEVER) < 0) {
            return -ERESTARTSYS;
        }
    }
    wake_all(&e->changed);
    return sizeof value;
}

static u32 eventfd_poll(struct file *f, struct poll_table *table)
{
    struct eventfd *e = f->data;

    poll_wait(table, &e->changed);
    spin_lock(&e->lock);
    u64 count = e->count;
    spin_unlock(&e->lock);
    return (count ? POLLIN | POLLRDNORM : 0) | (count < COUNT_MAX ? POLLOUT | POLLWRNORM : 0);
}

static void eventfd_release(struct file *f)
{
    kfree(f->data);
}

static const struct file_ops eventfd_ops = {
    .release = eventfd_release,
    .read = eventfd_read,
    .write = eventfd_write,
    .seek = unnamed_seek,
    .poll = eventfd_poll,
};

static long make(u32 count, u64 flags)
{
    if (flags & ~(u64)(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK)) {
        return -EINVAL;
    }
    struct eventfd *e = kmalloc(sizeof *e);
    struct file *f = e ? unnamed_file(&eventfd_ops, e, O_RDWR | (u32)(flags & O_NONBLOCK)) : NULL;
    if (!f) {
        kfree(e);
        return -ENOMEM;
    }
    spin_init(&e->lock, "eventfd");
    wait_queue_init(&e->changed);
    e->count = count;
    e->is_semaphore = flags & EFD_SEMAPHORE;
    return fd_install(f, 0, flags & O_CLOEXEC);
}

long sys_eventfd(const u64 *arg)
{
    return make((u32)arg[0], 0);
}

long sys_eventfd2(const u64 *arg)
{
    return make((u32)arg[0], arg[1]);
}
