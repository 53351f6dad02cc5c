/*
 * futex(2): sleep while a word in user memory has a value, and wake who sleeps on a word. A word is
 * known by its address space and address, or, if it may be shared between address spaces, by the
 * page that it lies in; so MAP_SHARED words of two processes are one.
 */
#include "guestos/mm/frames.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/fork.h"
#include "guestos/proc/timespec.h"
#include "guestos/sys/syscall.h"

enum {
    FUTEX_WAIT,
    FUTEX_WAKE,
    FUTEX_FD,
    FUTEX_REQUEUE,
    FUTEX_CMP_REQUEUE,
    FUTEX_WAKE_OP,
    FUTEX_LOCK_PI,
    FUTEX_UNLOCK_PI,
    FUTEX_TRYLOCK_PI,
    FUTEX_WAIT_BITSET,
    FUTEX_WAKE_BITSET,
};
#define FUTEX_PRIVATE        128u
#define FUTEX_CLOCK_REALTIME 256u
#define ALL_BITS             (~0u)
#define NR_BUCKETS           64u

struct key {
    const void *space; /* a struct vm, or a struct page, which is held */
    u64 offset;
};

struct sleeper {
    struct list link;
    struct key key;
    u32 bits;
    bool woken;
    struct thread *thread;
    struct wait_queue queue; /* of nobody else */
};

static struct bucket {
    struct list sleepers;
} buckets[NR_BUCKETS];
static struct spinlock futex_lock = SPINLOCK_INIT("futexes"); /* all buckets */

static struct bucket *bucket_of(const struct key *key)
{
    u64 hash = (u64)key->space / 64 + key->offset / 4;
    struct bucket *b = &buckets[(hash ^ hash >> 7) % NR_BUCKETS];

    if (!b->sleepers.next) {
        list_init(&b->sleepers);
    }
    return b;
}

static bool same(const struct key *a, const struct key *b)
{
    return a->space == b->space && a->offset == b->offset;
}

/* page: to be put back by key_drop(). */
static int key_of(u64 at, bool is_private, struct key *key, struct page **page)
{
    *page = NULL;
    if (at % sizeof(u32)) {
        return -EINVAL;
    }
    if (!user_range_ok(at, sizeof(u32))) {
        return -EFAULT;
    }
    if (is_private) {
        *key = (struct key){this_process()->vm, at};
        return 0;
    }
    int error = vm_page(this_process()->vm, at, VM_WRITE, page);
    if (error) {
        return -EFAULT;
    }
    if (!(*page)->inode) { /* anonymous: nobody else's, and it may move when it is copied */
        page_put(*page);
        *page = NULL;
        *key = (struct key){this_process()->vm, at};
    } else {
        *key = (struct key){*page, at % PAGE_BYTES};
    }
    return 0;
}

static void key_drop(struct page *page)
{
    if (page) {
        page_put(page);
    }
}

/* futex_lock is held. */
static u32 wake(const struct key *key, u32 how_many, u32 bits)
{
    u32 n = 0;

    for (LIST_EACH_SAFE(struct sleeper, s, &bucket_of(key)->sleepers, link)) {
        if (n == how_many) {
            break;
        }
        if (same(&s->key, key) && s->bits & bits) {
            list_remove(&s->link);
            s->woken = true;
            thread_wake(s->thread);
            n++;
        }
    }
    return n;
}

static u32 move(const struct key *from, const struct key *to, u32 how_many)
{
    u32 n = 0;

    for (LIST_EACH_SAFE(struct sleeper, s, &bucket_of(from)->sleepers, link)) {
        if (n == how_many) {
            break;
        }
        if (same(&s->key, from)) {
            list_remove(&s->link);
            s->key = *to;
            list_add_last(&bucket_of(to)->sleepers, &s->link);
            n++;
        }
    }
    return n;
}

static long wait_on(u64 at, bool is_private, u32 value, u64 deadline, u32 bits)
{
    struct sleeper s = {.bits = bits, .thread = current()};
    struct page *page;
    u32 now;

    if (!bits) {
        return -EINVAL;
    }
    int error = key_of(at, is_private, &s.key, &page);
    if (error) {
        return error;
    }
    list_init(&s.link);
    wait_queue_init(&s.queue);
    /* In line before the word is read: who changes it afterwards finds us. */
    spin_lock(&futex_lock);
    list_add_last(&bucket_of(&s.key)->sleepers, &s.link);
    spin_unlock(&futex_lock);
    error = GET_USER(now, at);
    if (!error && now != value) {
        error = -EAGAIN;
    }
    if (!error) {
        error = WAIT(&s.queue, s.woken, WAIT_INTERRUPTIBLE, deadline);
    }
    spin_lock(&futex_lock);
    list_remove(&s.link);
    bool woken = s.woken;
    spin_unlock(&futex_lock);
    key_drop(page);
    if (woken) {
        return 0;
    }
    return error == -EINTR && deadline == NEVER ? -ERESTARTSYS : error;
}

static long wake_up(u64 at, bool is_private, u32 how_many, u32 bits)
{
    struct key key;
    struct page *page;

    if (!bits) {
        return -EINVAL;
    }
    int error = key_of(at, is_private, &key, &page);
    if (error) {
        return error;
    }
    spin_lock(&futex_lock);
    long n = wake(&key, how_many, bits);
    spin_unlock(&futex_lock);
    key_drop(page);
    return n;
}

void futex_wake_address(u64 address, u32 how_many)
{
    wake_up(address, true, how_many, ALL_BITS);
    wake_up(address, false, how_many, ALL_BITS);
}

static long requeue(const u64 *arg, bool is_private, bool compare)
{
    struct key from, to;
    struct page *from_page, *to_page;
    u32 now;
    long n;

    if ((i32)arg[2] < 0 || (i32)arg[3] < 0) {
        return -EINVAL;
    }
    int error = key_of(arg[0], is_private, &from, &from_page);
    if (error) {
        return error;
    }
    error = key_of(arg[4], is_private, &to, &to_page);
    if (!error) {
        error = compare && GET_USER(now, arg[0]) ? -EFAULT : 0;
        n = compare && !error && now != (u32)arg[5] ? -EAGAIN : 0;
        if (!error && !n) {
            spin_lock(&futex_lock);
            n = wake(&from, (u32)arg[2], ALL_BITS);
            n += move(&from, &to, (u32)arg[3]);
            spin_unlock(&futex_lock);
        }
        key_drop(to_page);
    }
    key_drop(from_page);
    return error ? error : n;
}

/* futex(2), FUTEX_WAKE_OP: changes the second word, then wakes on both as its old value says. */
static long wake_op(const u64 *arg, bool is_private)
{
    u32 code = (u32)arg[5];
    u32 op = code >> 28 & 7, compare = code >> 24 & 15;
    i32 op_arg = (i32)(code << 8) >> 20, compare_arg = (i32)(code << 20) >> 20;
    u32 old, seen;

    if (code >> 31) {
        op_arg = (i32)(1u << (op_arg & 31));
    }
    if (GET_USER(old, arg[4])) {
        return -EFAULT;
    }
    for (;; old = seen) {
        u32 values[] = {(u32)op_arg, old + (u32)op_arg, old | (u32)op_arg, old & ~(u32)op_arg,
                        old ^ (u32)op_arg};
        if (op >= ARRAY_LEN(values)) {
            return -ENOSYS;
        }
        if (user_compare_exchange(arg[4], old, values[op], &seen)) {
            return -EFAULT;
        }
        if (seen == old) {
            break;
        }
    }
    i32 was = (i32)old;
    const bool holds[] = {was == compare_arg, was != compare_arg,
                          was<compare_arg, was <= compare_arg, was> compare_arg,
                          was >= compare_arg};
    if (compare >= ARRAY_LEN(holds)) {
        return -ENOSYS;
    }
    long n = wake_up(arg[0], is_private, (u32)arg[2], ALL_BITS);
    if (n >= 0 && holds[compare]) {
        long more = wake_up(arg[4], is_private, (u32)arg[3], ALL_BITS);
        n = more < 0 ? more : n + more;
    }
    return n;
}

/*
 * Locks whose word holds its owner's number: futex(2), "Priority-inheritance futexes". All threads
 * have one priority here, so there is none to inherit; what is left is that the kernel takes the
 * lock for a thread that waited for it, and finds dead owners.
 */
#define FUTEX_WAITERS    0x80000000u
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_TID_MASK   0x3FFFFFFFu

static long lock_word(u64 at, bool wait, bool is_private, u64 deadline)
{
    u32 tid = current()->tid, word, seen;

    for (;;) {
        if (at % sizeof word) {
            return -EINVAL;
        }
        if (GET_USER(word, at)) {
            return -EFAULT;
        }
        u32 owner = word & FUTEX_TID_MASK;
        if (!owner) {
            u32 taken = tid | (word & (FUTEX_OWNER_DIED | FUTEX_WAITERS));
            if (user_compare_exchange(at, word, taken, &seen)) {
                return -EFAULT;
            }
            if (seen == word) {
                return 0;
            }
            continue;
        }
        if (owner == tid) {
            return -EDEADLK;
        }
        spin_lock(&process_lock);
        bool alive = thread_find(owner);
        spin_unlock(&process_lock);
        if (!alive) {
            return -ESRCH;
        }
        if (!wait) {
            return -EAGAIN;
        }
        u32 marked = word | FUTEX_WAITERS;
        if (user_compare_exchange(at, word, marked, &seen)) {
            return -EFAULT;
        }
        if (seen == word) {
            long result = wait_on(at, is_private, marked, deadline, ALL_BITS);
            if (result && result != -EAGAIN) {
                return result;
            }
        }
    }
}

static long unlock_word(u64 at, bool is_private)
{
    u32 word, seen;

    do {
        if (GET_USER(word, at)) {
            return -EFAULT;
        }
        if ((word & FUTEX_TID_MASK) != current()->tid) {
            return -EPERM;
        }
        /* WAITERS goes too: who is woken and does not get it sets it again. */
        if (user_compare_exchange(at, word, 0, &seen)) {
            return -EFAULT;
        }
    } while (seen != word);
    long n = wake_up(at, is_private, ~0u, ALL_BITS);
    return n < 0 ? n : 0;
}

static int read_deadline(u64 from, bool absolute, bool realtime, u64 *deadline)
{
    struct abi_timespec t;

    *deadline = NEVER;
    if (!from) {
        return 0;
    }
    if (GET_USER(t, from)) {
        return -EFAULT;
    }
    if (!timespec_is_valid(&t)) {
        return -EINVAL;
    }
    *deadline = absolute ? clock_deadline(t.sec, t.nsec, realtime) : clock_after(t.sec, t.nsec);
    return 0;
}

long sys_futex(const u64 *arg)
{
    u32 op = (u32)arg[1] & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
    bool is_private = arg[1] & FUTEX_PRIVATE;
    u64 deadline;
    int error;

    switch (op) {
    case FUTEX_WAIT:
    case FUTEX_WAIT_BITSET:
        error = read_deadline(arg[3], op == FUTEX_WAIT_BITSET, arg[1] & FUTEX_CLOCK_REALTIME,
                              &deadline);
        return error ? error
                     : wait_on(arg[0], is_private, (u32)arg[2], deadline,
                               op == FUTEX_WAIT ? ALL_BITS : (u32)arg[5]);
    case FUTEX_LOCK_PI: /* its time is absolute, of the real-time clock */
        error = read_deadline(arg[3], true, true, &deadline);
        return error ? error : lock_word(arg[0], true, is_private, deadline);
    case FUTEX_TRYLOCK_PI: return lock_word(arg[0], false, is_private, NEVER);
    case FUTEX_UNLOCK_PI: return unlock_word(arg[0], is_private);
    case FUTEX_WAKE: return wake_up(arg[0], is_private, (u32)arg[2], ALL_BITS);
    case FUTEX_WAKE_BITSET: return wake_up(arg[0], is_private, (u32)arg[2], (u32)arg[5]);
    case FUTEX_REQUEUE: return requeue(arg, is_private, false);
    case FUTEX_CMP_REQUEUE: return requeue(arg, is_private, true);
    case FUTEX_WAKE_OP: return wake_op(arg, is_private);
    default: return -ENOSYS; /* UNIMPL: WAIT_REQUEUE_PI and CMP_REQUEUE_PI */
    }
}

/* ---- robust lists: get_robust_list(2). Mutexes that a thread holds when it ends are marked. */

#define MAX_ROBUST 2048u

struct robust_head {
    u64 first;
    i64 futex_offset;
    u64 pending;
};

static void owner_died(u64 at, u32 tid)
{
    u32 value, seen;

    if (at % sizeof value || GET_USER(value, at)) {
        return;
    }
    while ((value & FUTEX_TID_MASK) == tid) {
        if (user_compare_exchange(at, value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen)) {
            return;
        }
        if (seen == value) {
            if (value & FUTEX_WAITERS) {
                futex_wake_address(at, 1);
            }
            return;
        }
        value = seen;
    }
}

void futex_exit_robust(struct thread *t)
{
    struct robust_head head;
    u64 at = t->robust_list;

    t->robust_list = 0;
    if (!at || GET_USER(head, at)) {
        return;
    }
    u64 entry = head.first;
    for (u32 i = 0; i < MAX_ROBUST && (entry & ~1ul) != at; i++) {
        u64 next;
        bool more = !GET_USER(next, entry & ~1ul);
        if (entry != head.pending) {
            owner_died((entry & ~1ul) + (u64)head.futex_offset, t->tid);
        }
        if (!more) {
            break;
        }
        entry = next;
    }
    if (head.pending) {
        owner_died((head.pending & ~1ul) + (u64)head.futex_offset, t->tid);
    }
}

long sys_set_robust_list(const u64 *arg)
{
    if (arg[1] != sizeof(struct robust_head)) {
        return -EINVAL;
    }
    current()->robust_list = arg[0];
    return 0;
}

long sys_get_robust_list(const u64 *arg)
{
    u64 list = 0, len = sizeof(struct robust_head);
    long result = 0;

    spin_lock(&process_lock);
    struct thread *t = arg[0] ? thread_find((u32)arg[0]) : current();
    if (!t) {
        result = -ESRCH;
    } else if (!may_signal(t->process)) {
        result = -EPERM;
    } else {
        list = t->robust_list;
    }
    spin_unlock(&process_lock);
    return result ? result : PUT_USER(arg[1], list) || PUT_USER(arg[2], len) ? -EFAULT : 0;
}
