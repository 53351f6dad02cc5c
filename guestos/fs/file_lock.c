/*
 * Locks on files. An inode has a list of them, sorted by owner and begin; those of one owner do not
 * overlap, and neighbours of one kind are joined. Who must wait is in a list, too, so that a circle
 * of waiting owners of record locks is found (EDEADLK). fcntl_locking(2), flock(2).
 */
#include "guestos/fs/file_lock.h"
#include "guestos/fs/fd.h"
#include "guestos/fs/file.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

#define LOCK_END (~0ul >> 1) /* the last byte that can be */

enum { F_RDLCK, F_WRLCK, F_UNLCK };
enum { F_GETLK = 5, F_SETLK, F_SETLKW, F_OFD_GETLK = 36, F_OFD_SETLK, F_OFD_SETLKW };
enum { LOCK_SH = 1, LOCK_EX = 2, LOCK_NB = 4, LOCK_UN = 8 };
enum lock_kind { KIND_RECORD, KIND_WHOLE }; /* fcntl's, and flock's: they do not see each other */

struct user_flock {
    i16 type, whence;
    i32 pad;
    i64 start, len;
    i32 pid, pad2;
};

struct file_lock {
    struct list link;
    const void *owner; /* a table of descriptors, or a struct file */
    enum lock_kind kind;
    bool exclusive;
    u64 begin, end; /* both inside */
    u32 pid;        /* for F_GETLK; 0: of an open file description */
};

/* A thread that waits, for the search for circles. */
struct lock_waiter {
    struct list link;
    const void *owner, *blocker;
};

static struct spinlock locks_lock = SPINLOCK_INIT("file locks");
static struct wait_queue lock_wait = WAIT_QUEUE_INIT(lock_wait); /* something was unlocked */
static struct list waiting = LIST_INIT(waiting);

static bool conflicts(const struct file_lock *a, const struct file_lock *b)
{
    return a->kind == b->kind && a->owner != b->owner && a->begin <= b->end && b->begin <= a->end &&
           (a->exclusive || b->exclusive);
}

static const struct file_lock *find_conflict(struct inode *inode, const struct file_lock *wanted)
{
    for (LIST_EACH(struct file_lock, l, &inode->file_locks, link)) {
        if (conflicts(l, wanted)) {
            return l;
        }
    }
    return NULL;
}

/* Would `owner`, waiting for blocker, wait for itself? An owner may wait with several threads. */
static bool closes_circle(const void *owner, const void *blocker, u32 depth)
{
    if (blocker == owner) {
        return true;
    }
    for (LIST_EACH(struct lock_waiter, w, &waiting, link)) {
        if (w->owner == blocker && depth && closes_circle(owner, w->blocker, depth - 1)) {
            return true;
        }
    }
    return false;
}

/* Takes [begin, end] off the owner's locks. *spare is for the second half of one that is cut in
 * two. True: something was unlocked. */
static bool cut(struct inode *inode, const struct file_lock *range, struct file_lock **spare,
                struct list *freed)
{
    bool any = false;

    for (LIST_EACH_SAFE(struct file_lock, l, &inode->file_locks, link)) {
        if (l->owner != range->owner || l->kind != range->kind || l->end < range->begin ||
            l->begin > range->end) {
            continue;
        }
        any = true;
        if (l->begin < range->begin && l->end > range->end) {
            struct file_lock *half = *spare;
            *spare = NULL;
            *half = *l;
            half->begin = range->end + 1;
            list_add_first(&l->link, &half->link);
            l->end = range->begin - 1;
        } else if (l->begin < range->begin) {
            l->end = range->begin - 1;
        } else if (l->end > range->end) {
            l->begin = range->end + 1;
        } else {
            list_remove(&l->link);
            list_add_last(freed, &l->link);
        }
    }
    return any;
}

/* Joins the new lock with its owner's neighbours of the same kind. */
static void join(struct inode *inode, struct file_lock *new, struct list *freed)
{
    for (LIST_EACH_SAFE(struct file_lock, l, &inode->file_locks, link)) {
        if (l != new && l->owner == new->owner && l->kind == new->kind &&
            l->exclusive == new->exclusive &&
            (l->end + 1 == new->begin || new->end + 1 == l->begin)) {
            new->begin = MIN(new->begin, l->begin);
            new->end = MAX(new->end, l->end);
            list_remove(&l->link);
            list_add_last(freed, &l->link);
        }
    }
}

static void free_all(struct list *freed)
{
    for (LIST_EACH_SAFE(struct file_lock, l, freed, link)) {
        list_remove(&l->link);
        kfree(l);
    }
}

static void unlock(struct inode *inode, const struct file_lock *range, struct file_lock **spare)
{
    struct list freed = LIST_INIT(freed);

    spin_lock(&locks_lock);
    bool any = cut(inode, range, spare, &freed);
    spin_unlock(&locks_lock);
    free_all(&freed);
    if (any) {
        wake_all(&lock_wait);
    }
}

/* 0: got it; -EAGAIN: *blocker has a conflicting one. */
static int try_lock(struct inode *inode, struct file_lock *new, struct file_lock **spare,
                    const void **blocker)
{
    struct list freed = LIST_INIT(freed);
    bool any = false;

    spin_lock(&locks_lock);
    const struct file_lock *other = find_conflict(inode, new);
    if (other) {
        *blocker = other->owner;
    } else {
        any = cut(inode, new, spare, &freed); /* an exclusive one may have become a shared one */
        list_add_last(&inode->file_locks, &new->link);
        join(inode, new, &freed);
    }
    spin_unlock(&locks_lock);
    free_all(&freed);
    if (any) {
        wake_all(&lock_wait);
    }
    return other ? -EAGAIN : 0;
}

/* Waits until it may look again. -EDEADLK, -ERESTARTSYS. */
static int wait_for(struct inode *inode, const struct file_lock *new, const void *blocker)
{
    struct lock_waiter me = {.owner = new->owner, .blocker = blocker};
    bool circle = false;

    spin_lock(&locks_lock);
    if (new->kind == KIND_RECORD &&new->pid) {
        circle = closes_circle(new->owner, blocker, 16);
    }
    list_add_last(&waiting, &me.link);
    spin_unlock(&locks_lock);
    int error = circle ? -EDEADLK : 0;
    if (!error && WAIT(&lock_wait, ({
            spin_lock(&locks_lock);
            const struct file_lock *other = find_conflict(inode, new);
            bool go = !other || other->owner != blocker;
            spin_unlock(&locks_lock);
            go;
        }),
                       WAIT_INTERRUPTIBLE, NEVER)) {
        error = -ERESTARTSYS;
    }
    spin_lock(&locks_lock);
    list_remove(&me.link);
    spin_unlock(&locks_lock);
    return error;
}

/* Sets or, with `unlocks`, takes a lock off. */
static int set_lock(struct inode *inode, const struct file_lock *wanted, bool unlocks, bool waits)
{
    struct file_lock *new = kmalloc(sizeof *new), *spare = kmalloc(sizeof *spare);
    const void *blocker = NULL;
    int error = new &&spare ? 0 : -ENOLCK;

    if (!error) {
        *new = *wanted;
        list_init(&new->link);
        if (unlocks) {
            unlock(inode, new, &spare);
        } else {
            while ((error = try_lock(inode, new, &spare, &blocker)) && waits) {
                error = wait_for(inode, new, blocker);
                if (error) {
                    break;
                }
            }
            if (!error) {
                new = NULL; /* it is the inode's now */
            }
        }
    }
    kfree(new);
    kfree(spare);
    return error;
}

/* ---- the end of owners */

static void release(struct inode *inode, const void *owner, enum lock_kind kind)
{
    struct file_lock all = {.owner = owner, .kind = kind, .begin = 0, .end = ~0ul};
    struct file_lock *none = NULL;

    if (!list_empty(&inode->file_locks)) {
        unlock(inode, &all, &none); /* all of each lock: none is cut in two */
    }
}

void file_locks_closed(struct file *f, struct fd_table *owner)
{
    release(f->inode, owner, KIND_RECORD);
}

void file_locks_released(struct file *f)
{
    release(f->inode, f, KIND_RECORD);
    release(f->inode, f, KIND_WHOLE);
}

/* ---- fcntl */

static int read_range(struct file *f, const struct user_flock *u, struct file_lock *l)
{
    i64 base = u->whence == 0   ? 0
               : u->whence == 1 ? (i64)f->pos
               : u->whence == 2 ? (i64)f->inode->size_bytes
                                : -1;
    i64 begin, end;

    if (base < 0 || u->type < F_RDLCK || u->type > F_UNLCK) {
        return -EINVAL;
    }
    if (__builtin_add_overflow(base, u->start, &begin)) {
        return -EOVERFLOW;
    }
    if (u->len == 0) {
        end = (i64)LOCK_END;
    } else if (u->len > 0) {
        if (__builtin_add_overflow(begin, u->len - 1, &end)) {
            return -EOVERFLOW;
        }
    } else {
        end = begin - 1;
        begin += u->len;
    }
    if (begin < 0) {
        return -EINVAL;
    }
    l->begin = (u64)begin;
    l->end = (u64)end;
    l->kind = KIND_RECORD;
    l->exclusive = u->type == F_WRLCK;
    return 0;
}

static long get_lock(struct file *f, const struct file_lock *wanted, struct user_flock *u, u64 user)
{
    spin_lock(&locks_lock);
    const struct file_lock *other = find_conflict(f->inode, wanted);
    if (other) {
        u->type = other->exclusive ? F_WRLCK : F_RDLCK;
        u->whence = 0;
        u->start = (i64)other->begin;
        u->len = other->end == LOCK_END ? 0 : (i64)(other->end - other->begin + 1);
        u->pid = other->pid ? (i32)other->pid : -1;
    } else {
        u->type = F_UNLCK;
    }
    spin_unlock(&locks_lock);
    return PUT_USER(user, *u);
}

long file_lock_control(struct file *f, u32 command, u64 user)
{
    bool of_description = command >= F_OFD_GETLK;
    struct user_flock u;
    struct file_lock wanted = {0};

    if (GET_USER(u, user)) {
        return -EFAULT;
    }
    int error = read_range(f, &u, &wanted);
    if (error) {
        return error;
    }
    if (of_description && u.pid) {
        return -EINVAL;
    }
    wanted.owner = of_description ? (const void *)f : this_process()->files;
    wanted.pid = of_description ? 0 : this_process()->pid;
    if (command == F_GETLK || command == F_OFD_GETLK) {
        return u.type == F_UNLCK ? -EINVAL : get_lock(f, &wanted, &u, user);
    }
    if ((u.type == F_RDLCK && !file_readable(f)) || (u.type == F_WRLCK && !file_writable(f))) {
        return -EBADF;
    }
    bool waits = command == F_SETLKW || command == F_OFD_SETLKW;
    return set_lock(f->inode, &wanted, u.type == F_UNLCK, waits);
}

long sys_flock(const u64 *arg)
{
    struct file *f = fd_get_io((int)arg[0]);
    u32 operation = (u32)arg[1] & ~(u32)LOCK_NB;
    struct file_lock wanted = {
        .owner = f, .kind = KIND_WHOLE, .exclusive = operation == LOCK_EX, .end = LOCK_END};
    long result = -EINVAL;

    if (!f) {
        return -EBADF;
    }
    if (operation == LOCK_SH || operation == LOCK_EX || operation == LOCK_UN) {
        /* Changing its kind gives a lock up first: flock(2) says that this is not atomic. */
        if (operation != LOCK_UN) {
            (void)set_lock(f->inode, &wanted, true, false);
        }
        result = set_lock(f->inode, &wanted, operation == LOCK_UN, !(arg[1] & LOCK_NB));
    }
    file_put(f);
    return result;
}
