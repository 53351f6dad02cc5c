/*
 * madvise, mincore, and locking. Nothing is ever swapped out, so a locked page is one that was made
 * present; only clean pages of files could go, and come back. What an advice would merely speed up
 * is accepted and has no effect.
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/vfs.h"
#include "guestos/mm/area.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/tables.h"
#include "guestos/proc/process.h"
#include "guestos/sys/syscall.h"

enum {
    MADV_NORMAL = 0,
    MADV_RANDOM = 1,
    MADV_SEQUENTIAL = 2,
    MADV_WILLNEED = 3,
    MADV_DONTNEED = 4,
    MADV_FREE = 8,
    MADV_REMOVE = 9,
    MADV_DONTFORK = 10,
    MADV_DOFORK = 11,
    MADV_HUGEPAGE = 14,
    MADV_NOHUGEPAGE = 15,
    MADV_DONTDUMP = 16,
    MADV_DODUMP = 17,
    MADV_WIPEONFORK = 18,
    MADV_KEEPONFORK = 19,
    MADV_COLD = 20,
    MADV_PAGEOUT = 21,
    MADV_POPULATE_READ = 22,
    MADV_POPULATE_WRITE = 23,
};

/* ---- madvise */

/* What an advice does to an area: flags that come and go; pages that go. */
static const struct advice {
    bool accepted, drops, only_private_anonymous;
    u32 set, clear;
} advices[] = {
    [MADV_NORMAL] = {.accepted = true},
    [MADV_RANDOM] = {.accepted = true},
    [MADV_SEQUENTIAL] = {.accepted = true},
    [MADV_WILLNEED] = {.accepted = true},
    [MADV_DONTNEED] = {.accepted = true, .drops = true},
    [MADV_FREE] = {.accepted = true, .drops = true, .only_private_anonymous = true},
    [MADV_DONTFORK] = {.accepted = true, .set = AREA_DONT_FORK},
    [MADV_DOFORK] = {.accepted = true, .clear = AREA_DONT_FORK},
    [MADV_HUGEPAGE] = {.accepted = true},
    [MADV_NOHUGEPAGE] = {.accepted = true},
    [MADV_DONTDUMP] = {.accepted = true},
    [MADV_DODUMP] = {.accepted = true},
    [MADV_WIPEONFORK] = {.accepted = true,
                         .set = AREA_WIPE_ON_FORK,
                         .only_private_anonymous = true},
    [MADV_KEEPONFORK] = {.accepted = true, .clear = AREA_WIPE_ON_FORK},
    [MADV_COLD] = {.accepted = true},
    [MADV_PAGEOUT] = {.accepted = true},
};

static int check_advice(const struct vm_area *area, const struct advice *advice)
{
    if (advice->drops && area->flags & MAP_LOCKED) {
        return -EINVAL;
    }
    if (advice->only_private_anonymous && (area->file || area->flags & MAP_SHARED)) {
        return -EINVAL;
    }
    return 0;
}

/* Holes are skipped, and reported at the end. */
static int advise(struct vm *vm, u64 begin, u64 end, const struct advice *advice)
{
    int result = areas_cover(vm, begin, end) ? 0 : -ENOMEM;

    if ((advice->set || advice->clear) && areas_cut(vm, begin, end) < 0) {
        return -ENOMEM;
    }
    for (AREAS_IN(a, vm, begin, end)) {
        int refused = check_advice(a, advice);
        if (refused < 0) {
            result = refused;
            break;
        }
        a->flags = (a->flags & ~advice->clear) | advice->set;
        if (advice->drops) {
            tables_clear(vm, MAX(begin, a->begin), MIN(end, a->end));
        }
    }
    areas_join(vm, begin, end);
    return result;
}

static long populate(struct vm *vm, u64 begin, u64 end, enum vm_access access)
{
    for (u64 lin = begin; lin < end; lin += PAGE_BYTES) {
        int result = vm_fault(vm, lin, access);
        if (result < 0) {
            return result == -EACCES ? -EINVAL : result == -EFAULT ? -ENOMEM : -EFAULT;
        }
    }
    return 0;
}

long sys_madvise(const u64 *arg)
{
    struct vm *vm = this_process()->vm;
    u64 begin = arg[0], end = arg[0] + ROUND_UP(arg[1], (u64)PAGE_BYTES);
    u64 what = arg[2];
    bool known = what < ARRAY_LEN(advices) && advices[what].accepted;

    if (begin % PAGE_BYTES || end < begin || (end == begin && arg[1])) {
        return -EINVAL;
    }
    if (what == MADV_POPULATE_READ || what == MADV_POPULATE_WRITE) {
        return populate(vm, begin, end, what == MADV_POPULATE_READ ? VM_READ : VM_WRITE);
    }
    if (what == MADV_REMOVE) {
        return -EOPNOTSUPP;
    }
    if (!known) {
        return -EINVAL;
    }
    mutex_lock(&vm->lock);
    int result = end > begin ? advise(vm, begin, end, &advices[what]) : 0;
    mutex_unlock(&vm->lock);
    return result;
}

/* ---- mincore */

static bool is_in_memory(struct vm *vm, const struct vm_area *a, u64 lin)
{
    const u64 *pte = tables_entry(vm, lin, false);

    if (pte && *pte) {
        return true;
    }
    struct page *p =
        a->file ? cache_find(a->file->inode, a->offset_pages + (lin - a->begin) / PAGE_BYTES)
                : NULL;
    if (p) {
        page_put(p);
    }
    return p;
}

#define MINCORE_BATCH 256u

long sys_mincore(const u64 *arg)
{
    struct vm *vm = this_process()->vm;
    u64 lin = arg[0], to = arg[2];
    u64 nr = arg[1] / PAGE_BYTES + (arg[1] % PAGE_BYTES != 0);
    u8 answer[MINCORE_BATCH];

    if (lin % PAGE_BYTES) {
        return -EINVAL;
    }
    if (!user_range_ok(lin, arg[1])) {
        return -ENOMEM;
    }
    if (!user_range_ok(to, nr)) {
        return -EFAULT;
    }
    while (nr > 0) {
        u32 part = (u32)MIN(nr, (u64)MINCORE_BATCH);
        bool hole = false;
        mutex_lock(&vm->lock);
        for (u32 i = 0; i < part && !hole; i++) {
            const struct vm_area *a = area_at(vm, lin + i * (u64)PAGE_BYTES);
            hole = !a;
            answer[i] = a && is_in_memory(vm, a, lin + i * (u64)PAGE_BYTES);
        }
        mutex_unlock(&vm->lock);
        if (hole) {
            return -ENOMEM;
        }
        if (copy_to_user(to, answer, part) < 0) {
            return -EFAULT;
        }
        lin += part * (u64)PAGE_BYTES;
        to += part;
        nr -= part;
    }
    return 0;
}

/* ---- locking */

enum { MCL_CURRENT = 1, MCL_FUTURE = 2, MCL_ONFAULT = 4, MLOCK_ONFAULT = 1 };

/* With vm->lock held. */
static int set_locked(struct vm *vm, u64 begin, u64 end, bool lock)
{
    if (areas_cut(vm, begin, end) < 0) {
        return -ENOMEM;
    }
    for (AREAS_IN(a, vm, begin, end)) {
        a->flags = lock ? a->flags | MAP_LOCKED : a->flags & ~MAP_LOCKED;
    }
    areas_join(vm, begin, end);
    return 0;
}

static long lock_range(u64 at, u64 len, bool lock, bool fill)
{
    struct vm *vm = this_process()->vm;
    u64 begin = ROUND_DOWN(at, (u64)PAGE_BYTES);
    u64 end = ROUND_UP(at + len, (u64)PAGE_BYTES);
    int result = 0;

    if (at + len < at || end < begin) {
        return -EINVAL;
    }
    if (!len) {
        return 0;
    }
    mutex_lock(&vm->lock);
    if (lock) {
        u64 others = areas_locked(vm, 0, USER_END) - areas_locked(vm, begin, end);
        result = areas_check_lock_limit(others + end - begin);
    }
    if (result == 0 && !areas_cover(vm, begin, end)) {
        result = -ENOMEM;
    }
    if (result == 0) {
        result = set_locked(vm, begin, end, lock);
    }
    mutex_unlock(&vm->lock);
    if (result == 0 && lock && fill) {
        vm_populate(vm, begin, end);
    }
    return result;
}

long sys_mlock(const u64 *arg)
{
    return lock_range(arg[0], arg[1], true, true);
}

long sys_mlock2(const u64 *arg)
{
    if (arg[2] & ~(u64)MLOCK_ONFAULT) {
        return -EINVAL;
    }
    return lock_range(arg[0], arg[1], true, !(arg[2] & MLOCK_ONFAULT));
}

long sys_munlock(const u64 *arg)
{
    return lock_range(arg[0], arg[1], false, false);
}

/* Makes all that is there present, area by area, since faults need the lock. */
static void populate_all(struct vm *vm)
{
    u64 from = 0, begin, end;
    bool more;

    do {
        mutex_lock(&vm->lock);
        const struct vm_area *a = area_find(vm, from);
        more = a;
        begin = a ? a->begin : 0;
        end = a ? a->end : 0;
        mutex_unlock(&vm->lock);
        vm_populate(vm, begin, end);
        from = end;
    } while (more);
}

long sys_mlockall(const u64 *arg)
{
    struct vm *vm = this_process()->vm;
    u64 flags = arg[0];
    int result = 0;

    if (!flags || flags == MCL_ONFAULT || flags & ~(u64)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) {
        return -EINVAL;
    }
    mutex_lock(&vm->lock);
    result = areas_check_lock_limit(flags & MCL_CURRENT ? vm->nr_pages * PAGE_BYTES : 1);
    if (result == 0) {
        vm->lock_future = flags & MCL_FUTURE;
    }
    if (result == 0 && flags & MCL_CURRENT) {
        result = set_locked(vm, 0, USER_END, true);
    }
    mutex_unlock(&vm->lock);
    if (result == 0 && flags & MCL_CURRENT && !(flags & MCL_ONFAULT)) {
        populate_all(vm);
    }
    return result;
}

long sys_munlockall(const u64 *arg)
{
    struct vm *vm = this_process()->vm;

    (void)arg;
    mutex_lock(&vm->lock);
    vm->lock_future = false;
    int result = set_locked(vm, 0, USER_END, false);
    mutex_unlock(&vm->lock);
    return result;
}
