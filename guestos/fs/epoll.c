/*
 * epoll(7). Each watched file is an item; functions linked into the file's wait queues put the item
 * on the ready list at each wake-up. epoll_wait() asks the files on that list what is true: what is
 * not goes off the list; what is, and is level-triggered, stays.
 *
 * An item does not hold its file: the last file_put() calls epoll_forget(). The mutex `epolls`
 * guards all items and is held while files are asked, so a file cannot go away meanwhile; a ready
 * list is guarded by a spinlock, since wake-ups come in interrupts.
 *
 * An epoll may be watched by another one, five of them in a row at most; then asking the outer one
 * asks the inner one, with the mutex held already. UNIMPL: EPOLLWAKEUP has no effect.
 */
#include "guestos/fs/epoll.h"
#include "guestos/fs/fd.h"
#include "guestos/fs/poll.h"
#include "guestos/fs/unnamed.h"
#include "guestos/kernel/clock.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/sys/syscall.h"

enum { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL, EPOLL_CTL_MOD };
#define EPOLLET        (1u << 31)
#define EPOLLONESHOT   (1u << 30)
#define EPOLLEXCLUSIVE (1u << 28)
#define EPOLL_MODES    0xF0000000u /* what is no event */
#define MAX_NESTING    5u
#define MAX_EVENTS     (0x7FFFFFFFu / sizeof(struct epoll_event))
#define EVENTS_AT_ONCE 128u
#define MAX_QUEUES     4u /* that one file's poll() names */

struct epoll_event {
    u32 events;
    u64 data;
} __attribute__((packed));

struct epoll;

struct hook {
    struct waiter waiter;
    struct epoll_item *item;
};

struct epoll_item {
    struct epoll *epoll;
    struct file *file;
    int fd;
    struct epoll_event event;
    struct epoll_item *next_of_file; /* file->watchers */
    struct list item_link;           /* epoll->items */
    struct list ready_link;
    bool is_ready; /* on the ready list; guarded by epoll->lock */
    u32 round;     /* of epoll->round: when it was reported last */
    struct hook hook[MAX_QUEUES];
    u32 nr_hooks;
};

struct epoll {
    struct file *file;
    u32 round;
    struct spinlock lock;
    struct list ready;
    struct list items;
    struct wait_queue waiters;
};

static struct mutex epolls = MUTEX_INIT(epolls);

/* ---- the ready list */

static void put_on_list(struct epoll_item *item, struct list *list)
{
    spin_lock(&item->epoll->lock);
    if (!item->is_ready) {
        item->is_ready = true;
        list_add_last(list, &item->ready_link);
    }
    spin_unlock(&item->epoll->lock);
}

static void make_ready(struct epoll_item *item)
{
    put_on_list(item, &item->epoll->ready);
    wake_all(&item->epoll->waiters);
}

static void unready(struct epoll_item *item)
{
    spin_lock(&item->epoll->lock);
    item->is_ready = false;
    list_remove(&item->ready_link);
    spin_unlock(&item->epoll->lock);
}

static struct epoll_item *take_ready(struct epoll *e)
{
    spin_lock(&e->lock);
    struct epoll_item *item = LIST_FIRST(&e->ready, struct epoll_item, ready_link);
    if (item) {
        item->is_ready = false;
        list_remove(&item->ready_link);
    }
    spin_unlock(&e->lock);
    return item;
}

static bool has_ready(struct epoll *e)
{
    spin_lock(&e->lock);
    bool some = !list_empty(&e->ready);
    spin_unlock(&e->lock);
    return some;
}

static bool woken(struct waiter *w)
{
    struct epoll_item *item = CONTAINER_OF(w, struct hook, waiter)->item;
    bool somebody_waits = !list_empty(&item->epoll->waiters.waiters);

    make_ready(item);
    return somebody_waits;
}

/* ---- items; `epolls` is held */

struct item_table {
    struct poll_table table;
    struct epoll_item *item;
    bool too_many;
};

static void link_item(struct poll_table *table, struct wait_queue *q)
{
    struct item_table *t = CONTAINER_OF(table, struct item_table, table);
    struct epoll_item *item = t->item;

    if (item->nr_hooks == MAX_QUEUES) {
        t->too_many = true;
        return;
    }
    struct hook *h = &item->hook[item->nr_hooks++];
    h->item = item;
    wait_link_function(&h->waiter, q, woken, item->event.events & EPOLLEXCLUSIVE);
}

static u32 events_of(struct epoll_item *item, struct poll_table *table)
{
    u32 wanted = item->event.events;
    u32 found = file_poll(item->file, table);

    return wanted & ~EPOLL_MODES ? found & (wanted | POLLERR | POLLHUP) : 0; /* 0: fired once */
}

static struct epoll_item *find(struct epoll *e, const struct file *f, int fd)
{
    for (LIST_EACH(struct epoll_item, item, &e->items, item_link)) {
        if (item->file == f && item->fd == fd) {
            return item;
        }
    }
    return NULL;
}

static void remove(struct epoll_item *item)
{
    struct epoll_item **at = &item->file->watchers;

    for (u32 i = 0; i < item->nr_hooks; i++) {
        wait_unlink(&item->hook[i].waiter);
    }
    unready(item);
    while (*at != item) {
        at = &(*at)->next_of_file;
    }
    *at = item->next_of_file;
    list_remove(&item->item_link);
    kfree(item);
}

void epoll_forget(struct file *f)
{
    mutex_lock(&epolls);
    while (f->watchers) {
        remove(f->watchers);
    }
    mutex_unlock(&epolls);
}

static int add(struct epoll *e, struct file *f, int fd, const struct epoll_event *event)
{
    struct epoll_item *item = kmalloc(sizeof *item);
    struct item_table table = {.table.link = link_item, .item = item};

    if (!item) {
        return -ENOMEM;
    }
    *item = (struct epoll_item){
        .epoll = e, .file = f, .fd = fd, .event = *event, .next_of_file = f->watchers};
    f->watchers = item;
    list_add_last(&e->items, &item->item_link);
    list_init(&item->ready_link);
    if (events_of(item, &table.table)) {
        make_ready(item);
    }
    if (table.too_many) {
        remove(item);
        return -ENOMEM;
    }
    return 0;
}

/* ---- epoll_ctl */

static const struct file_ops epoll_ops;

/* How many epolls there are in a row, from this one to those that it watches, or to those that
 * watch it. Beyond MAX_NESTING it is not looked any further. */
static u32 depth_below(const struct epoll *e, u32 level)
{
    u32 deepest = level;

    for (LIST_EACH(struct epoll_item, item, &e->items, item_link)) {
        if (item->file->ops == &epoll_ops && level <= MAX_NESTING) {
            deepest = MAX(deepest, depth_below(item->file->data, level + 1));
        }
    }
    return deepest;
}

static u32 depth_above(const struct epoll *e, u32 level)
{
    u32 deepest = level;

    for (struct epoll_item *item = e->file->watchers; item; item = item->next_of_file) {
        if (level <= MAX_NESTING) {
            deepest = MAX(deepest, depth_above(item->epoll, level + 1));
        }
    }
    return deepest;
}

static bool is_below(const struct epoll *e, const struct epoll *wanted)
{
    for (LIST_EACH(struct epoll_item, item, &e->items, item_link)) {
        if (item->file->ops == &epoll_ops &&
            (item->file->data == wanted || is_below(item->file->data, wanted))) {
            return true;
        }
    }
    return false;
}

static bool nests_too_deep(const struct epoll *e, const struct file *f)
{
    return f->ops == &epoll_ops &&
           (is_below(f->data, e) || depth_above(e, 1) + depth_below(f->data, 1) > MAX_NESTING);
}

static int control(struct epoll *e, u64 operation, struct file *f, int fd,
                   const struct epoll_event *event)
{
    struct epoll_item *item = find(e, f, fd);

    if (operation == EPOLL_CTL_ADD) {
        return item ? -EEXIST : nests_too_deep(e, f) ? -ELOOP : add(e, f, fd, event);
    }
    if (operation != EPOLL_CTL_DEL && operation != EPOLL_CTL_MOD) {
        return -EINVAL;
    }
    if (!item) {
        return -ENOENT;
    }
    if (operation == EPOLL_CTL_DEL) {
        remove(item);
        return 0;
    }
    item->event = *event;
    if (events_of(item, NULL)) {
        make_ready(item);
    }
    return 0;
}

static int control_files(struct file *epoll, u64 operation, int fd, struct file *f, u64 from)
{
    struct epoll_event event = {0};

    if (operation != EPOLL_CTL_DEL && GET_USER(event, from) < 0) {
        return -EFAULT;
    }
    if (!f->ops->poll) {
        return -EPERM; /* always ready: regular files, directories */
    }
    if (epoll->ops != &epoll_ops || f == epoll) {
        return -EINVAL;
    }
    if ((event.events & EPOLLEXCLUSIVE) &&
        (operation == EPOLL_CTL_MOD || f->ops == &epoll_ops || (event.events & EPOLLONESHOT))) {
        return -EINVAL;
    }
    mutex_lock(&epolls);
    int result = control(epoll->data, operation, f, fd, &event);
    mutex_unlock(&epolls);
    return result;
}

long sys_epoll_ctl(const u64 *arg)
{
    struct file *epoll = fd_get((int)arg[0]);
    struct file *f = epoll ? fd_get_io((int)arg[2]) : NULL;
    int result = f ? control_files(epoll, arg[1], (int)arg[2], f, arg[3]) : -EBADF;

    if (f) {
        file_put(f);
    }
    if (epoll) {
        file_put(epoll);
    }
    return result;
}

/* ---- epoll_wait */

/* What is true now, into to[max]; how many. */
static u32 collect(struct epoll *e, struct epoll_event *to, u32 max)
{
    struct list again = LIST_INIT(again); /* items that count as being on the ready list */
    struct epoll_item *item;
    u32 n = 0;

    mutex_lock(&epolls);
    e->round++;
    while (n < max && (item = take_ready(e))) {
        if (item->round == e->round) {
            put_on_list(item, &again); /* woken meanwhile: next time */
            continue;
        }
        u32 events = events_of(item, NULL);
        if (!events) {
            continue;
        }
        item->round = e->round;
        to[n++] = (struct epoll_event){events, item->event.data};
        if (item->event.events & EPOLLONESHOT) {
            item->event.events &= EPOLL_MODES; /* until EPOLL_CTL_MOD */
        } else if (!(item->event.events & EPOLLET)) {
            put_on_list(item, &again);
        }
    }
    spin_lock(&e->lock);
    while (!list_empty(&again)) {
        struct list *link = again.next;
        list_remove(link);
        list_add_last(&e->ready, link);
    }
    spin_unlock(&e->lock);
    mutex_unlock(&epolls);
    return n;
}

static long wait_events(struct epoll *e, u64 to, u32 max, u64 deadline)
{
    u32 size = MIN(max, EVENTS_AT_ONCE);
    struct epoll_event *events = kmalloc(size * sizeof *events);
    int error = 0;
    u32 n;

    if (!events) {
        return -ENOMEM;
    }
    while (!(n = collect(e, events, size)) && !error) {
        error = WAIT(&e->waiters, has_ready(e), WAIT_INTERRUPTIBLE, deadline);
    }
    long result = n ? (long)n : error == -ETIMEDOUT ? 0 : error;
    if (n && copy_to_user(to, events, n * sizeof *events) < 0) {
        result = -EFAULT;
    }
    kfree(events);
    return result;
}

static long epoll_wait_user(const u64 *arg, u64 deadline, u64 mask)
{
    i32 max = (i32)arg[2];
    struct file *f = fd_get((int)arg[0]);
    long result = 0;

    if (!f) {
        return -EBADF;
    }
    if (max <= 0 || (u32)max > MAX_EVENTS || f->ops != &epoll_ops) {
        result = -EINVAL;
    } else if (!user_range_ok(arg[1], (u64)max * sizeof(struct epoll_event))) {
        result = -EFAULT;
    } else {
        result = mask_begin(mask, mask ? arg[5] : 0);
    }
    if (result == 0) {
        result = wait_events(f->data, arg[1], (u32)max, deadline);
        mask_end(result == -EINTR);
    }
    file_put(f);
    return result;
}

static u64 deadline_of_ms(u64 argument)
{
    i32 ms = (i32)argument;

    return ms < 0 ? NEVER : clock_after(ms / 1000, ms % 1000 * (i64)NS_PER_MS);
}

long sys_epoll_wait(const u64 *arg)
{
    return epoll_wait_user(arg, deadline_of_ms(arg[3]), 0);
}

long sys_epoll_pwait(const u64 *arg)
{
    return epoll_wait_user(arg, deadline_of_ms(arg[3]), arg[4]);
}

long sys_epoll_pwait2(const u64 *arg)
{
    u64 deadline;
    int error = deadline_from_user(arg[3], &deadline);

    return error ? error : epoll_wait_user(arg, deadline, arg[4]);
}

/* ---- the file */

/* Items whose event has passed are taken off while looking. An outer epoll holds the mutex. */
static u32 epoll_poll(struct file *f, struct poll_table *table)
{
    bool is_nested = mutex_held(&epolls);
    struct epoll *e = f->data;
    struct epoll_item *item;
    u32 found = 0;

    poll_wait(table, &e->waiters);
    if (!is_nested) {
        mutex_lock(&epolls);
    }
    while (!found && (item = take_ready(e))) {
        found = events_of(item, NULL);
        if (found) {
            put_on_list(item, &e->ready);
        }
    }
    if (!is_nested) {
        mutex_unlock(&epolls);
    }
    return found ? POLLIN | POLLRDNORM : 0;
}

static void epoll_release(struct file *f)
{
    struct epoll *e = f->data;

    mutex_lock(&epolls);
    while (!list_empty(&e->items)) {
        remove(LIST_FIRST(&e->items, struct epoll_item, item_link));
    }
    mutex_unlock(&epolls);
    kfree(e);
}

static const struct file_ops epoll_ops = {
    .release = epoll_release,
    .seek = unnamed_seek,
    .poll = epoll_poll,
};

static long make(u64 flags)
{
    if (flags & ~(u64)O_CLOEXEC) {
        return -EINVAL;
    }
    struct epoll *e = kmalloc(sizeof *e);
    struct file *f = e ? unnamed_file(&epoll_ops, e, O_RDWR) : NULL;
    if (!f) {
        kfree(e);
        return -ENOMEM;
    }
    spin_init(&e->lock, "epoll");
    list_init(&e->ready);
    list_init(&e->items);
    wait_queue_init(&e->waiters);
    e->file = f;
    return fd_install(f, 0, flags & O_CLOEXEC);
}

long sys_epoll_create(const u64 *arg)
{
    return (i32)arg[0] <= 0 ? -EINVAL : make(0);
}

long sys_epoll_create1(const u64 *arg)
{
    return make(arg[0]);
}
