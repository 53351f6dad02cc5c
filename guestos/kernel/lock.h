/*
 * Locks, and waiting.
 *
 * A spinlock guards what interrupt handlers or other CPUs touch too: interrupts are off while one
 * is held, so its holder is never preempted, must not sleep and must not touch user memory. A mutex
 * guards what may take long: its holder may sleep, and may fault on user memory. Both know their
 * holder; taking one that oneself holds, and giving back one that is another's, panics.
 *
 * Order, outer before inner: a process' mutexes, vm->lock, inode->lock (parents before children,
 * by address between unrelated ones), a file's busy page, a file system's own mutex, a block
 * device's busy page, then spinlocks.
 * User memory is not touched under an inode->lock unless its pages were made present before
 * (a fault may need that very lock): the page cache copies through pinned pages.
 *
 * Waiting: the waiter links itself, then looks at its condition, then sleeps; the waker makes the
 * condition true, then wakes. So no wake-up is lost, whatever guards the condition.
 */
#ifndef GUESTOS_KERNEL_LOCK_H
#define GUESTOS_KERNEL_LOCK_H

#include "guestos/kernel/list.h"

struct thread;

struct spinlock {
    u32 taken;
    struct cpu_local *holder;
    const char *name;
};

struct wait_queue {
    struct spinlock lock;
    struct list waiters;
};

struct mutex {
    struct thread *holder; /* taken by who finds it NULL; given up under waiters.lock */
    bool hand_over;        /* the next unlock makes the first waiter the holder */
    struct wait_queue waiters;
};

#define SPINLOCK_INIT(text)                                                                        \
    {                                                                                              \
        .name = (text)                                                                             \
    }
#define WAIT_QUEUE_INIT(q)                                                                         \
    {                                                                                              \
        .lock = SPINLOCK_INIT(#q), .waiters = LIST_INIT((q).waiters)                               \
    }
#define MUTEX_INIT(m)                                                                              \
    {                                                                                              \
        .waiters = WAIT_QUEUE_INIT((m).waiters)                                                    \
    }

void spin_init(struct spinlock *, const char *name);
void spin_lock(struct spinlock *);       /* interrupts go off; they nest */
void spin_unlock(struct spinlock *);     /* and come back with the last one, if they were on */
bool spin_held(const struct spinlock *); /* by this CPU */

void mutex_init(struct mutex *);
void mutex_lock(struct mutex *); /* sleeps, not to be interrupted */
void mutex_unlock(struct mutex *);
bool mutex_try(struct mutex *);
bool mutex_held(const struct mutex *); /* by the current thread */

/* ---- waiting */
#define NEVER (~0ul) /* a deadline that does not come; others: clock_monotonic() nanoseconds */

enum wait_kind {
    WAIT_FIRM,          /* until woken */
    WAIT_INTERRUPTIBLE, /* or until a signal is pending */
    WAIT_KILLABLE,      /* or until SIGKILL is pending */
};

/* One thread's place in a queue; on its stack. Several may be linked at once (poll). Or, if `woken`
 * is there, a function that each wake-up calls (epoll), with the queue's lock held; it says whether
 * somebody woke by that. Of the exclusive ones a wake-up ends with the first that says so. */
struct waiter {
    struct thread *thread;
    bool (*woken)(struct waiter *);
    bool exclusive;
    struct wait_queue *queue;
    struct list link;
};

void wait_queue_init(struct wait_queue *);
void wake_all(struct wait_queue *); /* may be called in interrupts */
void wake_one(struct wait_queue *); /* the first thread; all functions before it */

/* The steps of WAIT. wait_sleep returns at once if a wake-up came since wait_arm. 0, or -EINTR or
 * -ETIMEDOUT, after which the condition should be looked at once more. */
void wait_link(struct waiter *, struct wait_queue *);
void wait_link_function(struct waiter *, struct wait_queue *, bool (*woken)(struct waiter *),
                        bool exclusive);
void wait_unlink(struct waiter *);
void wait_arm(void); /* before each look at the condition */
int wait_sleep(enum wait_kind, u64 deadline_ns);
void wait_disarm(void); /* when it will not be slept after all */

/*
 * Waits in a queue until the condition, an expression, is true. 0; -EINTR; -ETIMEDOUT. The
 * condition is evaluated with no lock of ours held; it may take and drop spinlocks itself.
 */
#define WAIT(queue_, condition, kind, deadline_ns)                                                 \
    ({                                                                                             \
        struct waiter waiter_;                                                                     \
        int result_ = 0;                                                                           \
        wait_link(&waiter_, (queue_));                                                             \
        for (;;) {                                                                                 \
            wait_arm();                                                                            \
            if (condition) {                                                                       \
                result_ = 0;                                                                       \
                break;                                                                             \
            }                                                                                      \
            if (result_) {                                                                         \
                break;                                                                             \
            }                                                                                      \
            result_ = wait_sleep((kind), (deadline_ns));                                           \
        }                                                                                          \
        wait_disarm();                                                                             \
        wait_unlink(&waiter_);                                                                     \
        result_;                                                                                   \
    })

#endif
