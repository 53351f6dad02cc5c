/*
 * Timers of a process that send signals: timer_create(2) and its kin, on the real-time and the
 * monotonic clock. A timer whose signal still waits counts what it missed (timer_getoverrun).
 */
#include "guestos/mm/slab.h"
#include "guestos/proc/fork.h"
#include "guestos/proc/timespec.h"
#include "guestos/sys/syscall.h"

#define MAX_TIMERS    32 /* of a process */
#define TIMER_ABSTIME 1
enum { SIGEV_SIGNAL, SIGEV_NONE, SIGEV_THREAD, SIGEV_THREAD_ID = 4 };
enum { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME = 7 };

struct posix_timer {
    struct ktimer timer;
    struct process *process;
    struct list link; /* process->timers, guarded by process_lock */
    i32 id;
    bool realtime;
    u32 notify, signal, tid;
    u64 value; /* sigev_value */
    u64 interval_ns;
    i32 overrun;
};

struct sigevent { /* 64 bytes */
    u64 value;
    i32 signo, notify, tid, pad[11];
};
_Static_assert(sizeof(struct sigevent) == 64, "struct sigevent");

struct itimerspec {
    struct abi_timespec interval, value;
};

static bool is_pending(struct posix_timer *t)
{
    return t->process->signal_pending & SIGNAL_BIT(t->signal);
}

static void fires(struct ktimer *timer)
{
    struct posix_timer *t = CONTAINER_OF(timer, struct posix_timer, timer);
    struct siginfo info = {.signo = (i32)t->signal, .code = SI_TIMER};

    info.timer.id = t->id;
    info.timer.value = t->value;
    info.timer.overrun = t->overrun;
    spin_lock(&process_lock);
    if (t->interval_ns) {
        timer_arm(timer, timer->when_ns + t->interval_ns);
    } else {
        timer->when_ns = 0;
    }
    if (t->notify == SIGEV_NONE || t->process->state == PROCESS_ZOMBIE) {
        spin_unlock(&process_lock);
        return;
    }
    if (is_pending(t)) {
        t->overrun++;
    } else {
        t->overrun = 0;
        struct thread *thread = t->notify == SIGEV_THREAD_ID ? thread_find(t->tid) : NULL;
        if (thread && thread->process == t->process) {
            signal_thread_locked(thread, t->signal, &info);
        } else {
            signal_process_locked(t->process, t->signal, &info);
        }
    }
    spin_unlock(&process_lock);
}

/* process_lock is held. */
static struct posix_timer *find(i32 id)
{
    for (LIST_EACH(struct posix_timer, t, &this_process()->timers, link)) {
        if (t->id == id) {
            return t;
        }
    }
    return NULL;
}

static i32 free_id(void)
{
    for (i32 id = 0; id < MAX_TIMERS; id++) {
        if (!find(id)) {
            return id;
        }
    }
    return -1;
}

long sys_timer_create(const u64 *arg)
{
    struct sigevent event = {.signo = SIGALRM, .notify = SIGEV_SIGNAL};

    if (arg[0] != CLOCK_REALTIME && arg[0] != CLOCK_MONOTONIC && arg[0] != CLOCK_BOOTTIME) {
        return arg[0] < 12 ? -EOPNOTSUPP : -EINVAL;
    }
    if (arg[1] && GET_USER(event, arg[1])) {
        return -EFAULT;
    }
    if ((event.notify != SIGEV_SIGNAL && event.notify != SIGEV_NONE &&
         event.notify != SIGEV_THREAD_ID) ||
        (event.notify != SIGEV_NONE && (event.signo < 1 || event.signo > NR_SIGNALS))) {
        return -EINVAL;
    }
    struct posix_timer *t = kmalloc(sizeof *t);
    if (!t) {
        return -EAGAIN;
    }
    timer_init(&t->timer, fires);
    t->process = this_process();
    t->realtime = arg[0] == CLOCK_REALTIME;
    t->notify = (u32)event.notify;
    t->signal = (u32)event.signo;
    t->tid = (u32)event.tid;
    spin_lock(&process_lock);
    t->id = free_id();
    t->value = arg[1] ? event.value : (u64)t->id;
    if (t->id >= 0) {
        list_add_last(&t->process->timers, &t->link);
    }
    spin_unlock(&process_lock);
    if (t->id < 0) {
        kfree(t);
        return -EAGAIN;
    }
    return PUT_USER(arg[2], t->id);
}

static struct itimerspec read_timer(const struct posix_timer *t)
{
    u64 now = clock_monotonic(), when = t->timer.when_ns;

    return (struct itimerspec){timespec_of(t->interval_ns), timespec_of(!when        ? 0
                                                                        : when > now ? when - now
                                                                                     : 1)};
}

long sys_timer_settime(const u64 *arg)
{
    struct itimerspec new_value, old;

    if (!arg[2]) {
        return -EINVAL;
    }
    if (GET_USER(new_value, arg[2])) {
        return -EFAULT;
    }
    if (!timespec_is_valid(&new_value.value) || !timespec_is_valid(&new_value.interval)) {
        return -EINVAL;
    }
    spin_lock(&process_lock);
    struct posix_timer *t = find((i32)arg[0]);
    if (t) {
        i64 s = new_value.value.sec, ns = new_value.value.nsec;
        old = read_timer(t);
        timer_cancel(&t->timer);
        t->timer.when_ns = 0;
        t->overrun = 0;
        t->interval_ns = (u64)new_value.interval.sec * NS_PER_S + (u64)new_value.interval.nsec;
        if (s || ns) {
            timer_arm(&t->timer, arg[1] & TIMER_ABSTIME ? clock_deadline(s, ns, t->realtime)
                                                        : clock_after(s, ns));
        }
    }
    spin_unlock(&process_lock);
    return !t ? -EINVAL : arg[3] && PUT_USER(arg[3], old) ? -EFAULT : 0;
}

long sys_timer_gettime(const u64 *arg)
{
    struct itimerspec now = {0};

    spin_lock(&process_lock);
    struct posix_timer *t = find((i32)arg[0]);
    if (t) {
        now = read_timer(t);
    }
    spin_unlock(&process_lock);
    return !t ? -EINVAL : PUT_USER(arg[1], now);
}

long sys_timer_getoverrun(const u64 *arg)
{
    spin_lock(&process_lock);
    struct posix_timer *t = find((i32)arg[0]);
    long overrun = t ? t->overrun : -EINVAL;
    spin_unlock(&process_lock);
    return overrun;
}

long sys_timer_delete(const u64 *arg)
{
    spin_lock(&process_lock);
    struct posix_timer *t = find((i32)arg[0]);
    if (t) {
        timer_cancel(&t->timer);
        list_remove(&t->link);
    }
    spin_unlock(&process_lock);
    kfree(t);
    return t ? 0 : -EINVAL;
}

void timers_delete(struct process *p)
{
    spin_lock(&process_lock);
    for (LIST_EACH_SAFE(struct posix_timer, t, &p->timers, link)) {
        timer_cancel(&t->timer);
        list_remove(&t->link);
        kfree(t);
    }
    spin_unlock(&process_lock);
}
