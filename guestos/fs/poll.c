/*
 * poll(), ppoll(), select(), pselect6(): poll(2), select(2). The first look at the files links the
 * caller into each queue that they name; then it sleeps and looks again until something is true.
 */
#include "guestos/fs/poll.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/thread.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/proc/process.h"
#include "guestos/proc/signal.h"
#include "guestos/proc/timespec.h"
#include "guestos/sys/syscall.h"

#define WAITERS_OF_TABLE 8u
#define WAITERS_OF_CHUNK 32u
#define SIGSET_BYTES     8u

/* Waiters are linked into queues by address: they are never moved, more come in chunks. */
struct waiter_chunk {
    struct waiter_chunk *next;
    u32 nr;
    struct waiter waiter[WAITERS_OF_CHUNK];
};

struct thread_table {
    struct poll_table table;
    struct waiter waiter[WAITERS_OF_TABLE];
    u32 nr;
    struct waiter_chunk *chunks;
    bool no_memory;
};

void poll_wait(struct poll_table *t, struct wait_queue *q)
{
    if (t) {
        t->link(t, q);
    }
}

static void link_thread(struct poll_table *table, struct wait_queue *q)
{
    struct thread_table *t = CONTAINER_OF(table, struct thread_table, table);

    if (t->no_memory) {
        return;
    }
    if (t->nr < WAITERS_OF_TABLE) {
        wait_link(&t->waiter[t->nr++], q);
        return;
    }
    struct waiter_chunk *c = t->chunks;
    if (!c || c->nr == WAITERS_OF_CHUNK) {
        c = kmalloc(sizeof *c);
        if (!c) {
            t->no_memory = true;
            return;
        }
        c->next = t->chunks;
        t->chunks = c;
    }
    wait_link(&c->waiter[c->nr++], q);
}

static void unlink_all(struct thread_table *t)
{
    for (u32 i = 0; i < t->nr; i++) {
        wait_unlink(&t->waiter[i]);
    }
    while (t->chunks) {
        struct waiter_chunk *c = t->chunks;
        for (u32 i = 0; i < c->nr; i++) {
            wait_unlink(&c->waiter[i]);
        }
        t->chunks = c->next;
        kfree(c);
    }
}

u32 file_poll(struct file *f, struct poll_table *t)
{
    return f->ops->poll ? f->ops->poll(f, t) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

/* ---- the common part: a set of files and what is wanted of each */

struct polled {
    struct file *file; /* held; NULL: not open */
    u32 wanted;        /* POLLERR and POLLHUP always are */
    u32 found;
};

static u32 look(struct polled *set, u32 nr, struct poll_table *table)
{
    u32 count = 0;

    for (u32 i = 0; i < nr; i++) {
        struct polled *p = &set[i];
        if (p->file) {
            p->found = file_poll(p->file, table) & (p->wanted | POLLERR | POLLHUP);
        }
        count += p->found != 0;
    }
    return count;
}

/* How many have something; 0 at the deadline; -EINTR, -ENOMEM. */
static long poll_files(struct polled *set, u32 nr, u64 deadline)
{
    struct thread_table table = {.table.link = link_thread};
    long result = 0;

    for (u32 round = 0;; round++) {
        wait_arm();
        u32 count = look(set, nr, round == 0 ? &table.table : NULL);
        if (count || table.no_memory) {
            result = count ? (long)count : -ENOMEM;
            break;
        }
        if (result) {
            result = result == -ETIMEDOUT ? 0 : result;
            break;
        }
        result = wait_sleep(WAIT_INTERRUPTIBLE, deadline);
    }
    wait_disarm();
    unlink_all(&table);
    return result;
}

static void put_files(struct polled *set, u32 nr)
{
    for (u32 i = 0; i < nr; i++) {
        if (set[i].file) {
            file_put(set[i].file);
        }
    }
}

/* ---- time-outs and signal masks */

int deadline_from_user(u64 from, u64 *deadline)
{
    struct abi_timespec t;

    *deadline = NEVER;
    if (!from) {
        return 0;
    }
    if (GET_USER(t, from) < 0) {
        return -EFAULT;
    }
    if (!timespec_is_valid(&t)) {
        return -EINVAL;
    }
    *deadline = clock_after(t.sec, t.nsec);
    return 0;
}

static struct abi_timespec time_left(u64 deadline)
{
    u64 now = clock_monotonic();
    u64 left = deadline > now ? deadline - now : 0;

    return (struct abi_timespec){(i64)(left / NS_PER_S), (i64)(left % NS_PER_S)};
}

static void put_time_left(u64 to, u64 deadline)
{
    if (to && deadline != NEVER) {
        struct abi_timespec left = time_left(deadline);
        (void)PUT_USER(to, left); /* as Linux: not worth an error */
    }
}

int mask_begin(u64 from, u64 size)
{
    struct thread *t = current();
    u64 mask;

    if (!from) {
        return 0;
    }
    if (size != SIGSET_BYTES) {
        return -EINVAL;
    }
    if (GET_USER(mask, from) < 0) {
        return -EFAULT;
    }
    t->signal_saved_mask = t->signal_mask;
    t->restore_mask = true;
    signal_set_mask(mask);
    return 0;
}

void mask_end(bool interrupted)
{
    struct thread *t = current();

    if (t->restore_mask && !interrupted) {
        t->restore_mask = false;
        signal_set_mask(t->signal_saved_mask);
    }
}

/* ---- poll, ppoll */

struct abi_pollfd {
    i32 fd;
    u16 events, revents;
};

static int poll_from_user(u64 fds, u32 nr, struct abi_pollfd *fd, struct polled *set)
{
    if (copy_from_user(fd, fds, nr * sizeof *fd) < 0) {
        return -EFAULT;
    }
    for (u32 i = 0; i < nr; i++) {
        set[i].wanted = fd[i].events;
        set[i].file = fd_get(fd[i].fd);
        set[i].found = !set[i].file && fd[i].fd >= 0 ? POLLNVAL : 0;
    }
    return 0;
}

static long poll_user(u64 fds, u64 nr, u64 deadline)
{
    if (nr > this_process()->limit[RLIMIT_NOFILE].soft || nr > 65536) {
        return -EINVAL;
    }
    struct polled *set = kmalloc(MAX(nr, 1ul) * sizeof *set);
    struct abi_pollfd *fd = kmalloc(MAX(nr, 1ul) * sizeof *fd);
    long result = set && fd ? poll_from_user(fds, (u32)nr, fd, set) : -ENOMEM;
    if (result == 0) {
        result = poll_files(set, (u32)nr, deadline);
        put_files(set, (u32)nr);
    }
    for (u32 i = 0; i < nr && result >= 0; i++) {
        u16 found = (u16)set[i].found;
        if (PUT_USER(fds + i * sizeof *fd + offsetof(struct abi_pollfd, revents), found) < 0) {
            result = -EFAULT;
        }
    }
    kfree(fd);
    kfree(set);
    return result;
}

static long poll_restartable(u64 fds, u64 nr, u64 deadline);

static long restart_poll(const u64 *saved)
{
    return poll_restartable(saved[0], saved[1], saved[2]);
}

static long poll_restartable(u64 fds, u64 nr, u64 deadline)
{
    struct thread *t = current();
    long result = poll_user(fds, nr, deadline);

    if (result != -EINTR) {
        return result;
    }
    t->restart = restart_poll;
    t->restart_arg[0] = fds;
    t->restart_arg[1] = nr;
    t->restart_arg[2] = deadline;
    return -ERESTART_RESTARTBLOCK;
}

long sys_poll(const u64 *arg)
{
    i32 ms = (i32)arg[2];

    return poll_restartable(arg[0], (u32)arg[1],
                            ms < 0 ? NEVER : clock_after(ms / 1000, ms % 1000 * (i64)NS_PER_MS));
}

long sys_ppoll(const u64 *arg)
{
    u64 deadline;
    int error = deadline_from_user(arg[2], &deadline);

    if (!error) {
        error = mask_begin(arg[3], arg[4]);
    }
    if (error) {
        return error;
    }
    long result = poll_user(arg[0], (u32)arg[1], deadline);
    mask_end(result == -EINTR);
    put_time_left(arg[2], deadline);
    return result == -EINTR ? -ERESTARTNOHAND : result;
}

/* ---- select, pselect6: three sets of bits */

#define SETS          3u
#define FD_WORD_BITS  64u
#define SELECT_MAX_FD 65536u

static const u32 select_wanted[SETS] = {POLLIN | POLLRDNORM | POLLRDBAND,
                                        POLLOUT | POLLWRNORM | POLLWRBAND, POLLPRI};
static const u32 select_found[SETS] = {POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
                                       POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR, POLLPRI};

struct selection {
    u32 nr_fds, nr_words; /* words of one set */
    u64 *bits;            /* three sets, one after the other */
    u64 user[SETS];       /* where they came from, or 0 */
};

static bool is_set(const struct selection *s, u32 set, u32 fd)
{
    return s->bits[set * s->nr_words + fd / FD_WORD_BITS] >> fd % FD_WORD_BITS & 1;
}

static u32 wanted_of(const struct selection *s, u32 fd)
{
    u32 wanted = 0;

    for (u32 set = 0; set < SETS; set++) {
        wanted |= is_set(s, set, fd) ? select_wanted[set] : 0;
    }
    return wanted;
}

/* The files of the bits, into polled[], by descriptor number. Count, or -EBADF. */
static long collect(const struct selection *s, struct polled *polled)
{
    u32 nr = 0;

    for (u32 fd = 0; fd < s->nr_fds; fd++) {
        u32 wanted = wanted_of(s, fd);
        if (wanted) {
            polled[nr] = (struct polled){.file = fd_get((int)fd), .wanted = wanted};
            if (!polled[nr].file) {
                put_files(polled, nr);
                return -EBADF;
            }
            nr++;
        }
    }
    return nr;
}

/* Leaves the bits of what was found; how many. */
static long mark(struct selection *s, const struct polled *polled)
{
    long count = 0;

    for (u32 fd = 0; fd < s->nr_fds; fd++) {
        if (!wanted_of(s, fd)) {
            continue;
        }
        for (u32 set = 0; set < SETS; set++) {
            if (!is_set(s, set, fd)) {
                continue;
            }
            if (polled->found & select_found[set]) {
                count++;
            } else {
                s->bits[set * s->nr_words + fd / FD_WORD_BITS] &= ~(1ul << fd % FD_WORD_BITS);
            }
        }
        polled++;
    }
    return count;
}

static int copy_sets(struct selection *s, bool to_user)
{
    size_t bytes = s->nr_words * sizeof *s->bits;

    for (u32 set = 0; set < SETS; set++) {
        u64 *words = s->bits + set * s->nr_words;
        if (s->user[set] && (to_user ? copy_to_user(s->user[set], words, bytes)
                                     : copy_from_user(words, s->user[set], bytes)) < 0) {
            return -EFAULT;
        }
    }
    return 0;
}

/* Bits of the last word beyond nr_fds are the program's own business: they are cleared. */
static void cut(struct selection *s)
{
    u32 rest = s->nr_fds % FD_WORD_BITS;

    for (u32 set = 0; rest && set < SETS; set++) {
        s->bits[(set + 1) * s->nr_words - 1] &= (1ul << rest) - 1;
    }
}

static u32 count_files(const struct selection *s)
{
    u32 nr = 0;

    for (u32 fd = 0; fd < s->nr_fds; fd++) {
        nr += wanted_of(s, fd) != 0;
    }
    return nr;
}

static long select_files(struct selection *s, u64 deadline)
{
    struct polled *polled = kmalloc(MAX(count_files(s), 1u) * sizeof *polled);
    long result = polled ? collect(s, polled) : -ENOMEM;

    if (result >= 0) {
        u32 nr = (u32)result;
        result = poll_files(polled, nr, deadline);
        put_files(polled, nr);
    }
    if (result >= 0) {
        result = mark(s, polled);
    }
    kfree(polled);
    return result;
}

static long select_user(const u64 *arg, u64 deadline)
{
    i32 n = (i32)arg[0];
    struct selection s = {.user = {arg[1], arg[2], arg[3]}};

    if (n < 0) {
        return -EINVAL;
    }
    s.nr_fds = MIN((u32)n, SELECT_MAX_FD);
    s.nr_words = (s.nr_fds + FD_WORD_BITS - 1) / FD_WORD_BITS;
    s.bits = kmalloc(MAX(SETS * s.nr_words, 1u) * sizeof *s.bits);
    if (!s.bits) {
        return -ENOMEM;
    }
    long result = copy_sets(&s, false);
    if (result == 0) {
        cut(&s);
        result = select_files(&s, deadline);
    }
    if (result >= 0 && copy_sets(&s, true) < 0) {
        result = -EFAULT;
    }
    kfree(s.bits);
    return result;
}

struct abi_timeval {
    i64 sec, usec;
};

long sys_select(const u64 *arg)
{
    struct abi_timeval t;
    u64 deadline = NEVER;

    if (arg[4]) {
        if (GET_USER(t, arg[4]) < 0) {
            return -EFAULT;
        }
        if (t.sec < 0 || t.usec < 0) {
            return -EINVAL;
        }
        deadline = clock_after(t.sec + t.usec / 1000000, t.usec % 1000000 * 1000);
    }
    long result = select_user(arg, deadline);
    if (arg[4]) {
        struct abi_timespec left = time_left(deadline);
        t = (struct abi_timeval){left.sec, left.nsec / 1000};
        (void)PUT_USER(arg[4], t);
    }
    return result == -EINTR ? -ERESTARTNOHAND : result;
}

long sys_pselect6(const u64 *arg)
{
    u64 mask[2] = {0, SIGSET_BYTES}; /* where it is, and its size */
    u64 deadline;

    if (arg[5] && GET_USER(mask, arg[5]) < 0) {
        return -EFAULT;
    }
    int error = deadline_from_user(arg[4], &deadline);
    if (!error) {
        error = mask_begin(mask[0], mask[1]);
    }
    if (error) {
        return error;
    }
    long result = select_user(arg, deadline);
    mask_end(result == -EINTR);
    put_time_left(arg[4], deadline);
    return result == -EINTR ? -ERESTARTNOHAND : result;
}
