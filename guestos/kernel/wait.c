/*
 * Wait queues: who waits for what. The protocol is in lock.h. A wake-up is remembered in the thread
 * (`woken`), so that one that comes between the look at the condition and the sleep is not lost.
 */
#include "guestos/abi/errno.h"
#include "guestos/kernel/clock.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/sched.h"
#include "guestos/kernel/thread.h"

void wait_queue_init(struct wait_queue *q)
{
    spin_init(&q->lock, "wait queue");
    list_init(&q->waiters);
}

static void link(struct waiter *w, struct wait_queue *q)
{
    w->queue = q;
    spin_lock(&q->lock);
    list_add_last(&q->waiters, &w->link);
    spin_unlock(&q->lock);
}

void wait_link(struct waiter *w, struct wait_queue *q)
{
    w->thread = current();
    w->woken = NULL;
    w->exclusive = false;
    link(w, q);
}

void wait_link_function(struct waiter *w, struct wait_queue *q, bool (*woken)(struct waiter *),
                        bool exclusive)
{
    w->thread = NULL;
    w->woken = woken;
    w->exclusive = exclusive;
    link(w, q);
}

void wait_unlink(struct waiter *w)
{
    spin_lock(&w->queue->lock);
    list_remove(&w->link);
    spin_unlock(&w->queue->lock);
}

static void wake(struct wait_queue *q, bool one_thread)
{
    bool taken = false; /* by an exclusive one */

    spin_lock(&q->lock);
    for (LIST_EACH(struct waiter, w, &q->waiters, link)) {
        if (!w->woken) {
            thread_wake(w->thread);
            if (one_thread) {
                break;
            }
        } else if (!w->exclusive || !taken) {
            taken |= w->woken(w) && w->exclusive;
        }
    }
    spin_unlock(&q->lock);
}

void wake_all(struct wait_queue *q)
{
    wake(q, false);
}

void wake_one(struct wait_queue *q)
{
    wake(q, true);
}

void wait_arm(void)
{
    __atomic_store_n(&current()->woken, false, __ATOMIC_SEQ_CST);
}

/* Whoever waits further out (poll around a mutex) looks at its condition again. */
void wait_disarm(void)
{
    __atomic_store_n(&current()->woken, true, __ATOMIC_SEQ_CST);
}

struct alarm {
    struct ktimer timer;
    struct thread *thread;
};

static void alarm_fires(struct ktimer *timer)
{
    thread_wake(CONTAINER_OF(timer, struct alarm, timer)->thread);
}

int wait_sleep(enum wait_kind kind, u64 deadline_ns)
{
    struct alarm alarm = {.thread = current()};

    if (deadline_ns != NEVER) {
        if (clock_monotonic() >= deadline_ns) {
            return -ETIMEDOUT;
        }
        timer_init(&alarm.timer, alarm_fires);
        timer_arm(&alarm.timer, deadline_ns);
    }
    bool broken_off = !sched_sleep(kind);
    if (deadline_ns != NEVER) {
        timer_cancel(&alarm.timer);
    }
    return broken_off ? -EINTR : 0;
}
