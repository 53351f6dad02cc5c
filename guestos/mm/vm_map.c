/*
 * What mmap, munmap, mprotect and brk do, for system calls and execve alike: they change areas. Of
 * the page tables they only take away; what is new comes by faults.
 */
#include "guestos/abi/errno.h"
#include "guestos/fs/vfs.h"
#include "guestos/mm/area.h"
#include "guestos/mm/tables.h"

#define PROT_ALL   (PROT_READ | PROT_WRITE | PROT_EXEC)
#define KEPT_FLAGS (MAP_SHARED | MAP_PRIVATE | MAP_GROWSDOWN | MAP_NORESERVE | MAP_LOCKED)

/* ---- taking away */

int vm_unmap_locked(struct vm *vm, u64 begin, u64 end)
{
    if (areas_free_range(vm, begin, end)) {
        return 0;
    }
    if (areas_cut(vm, begin, end) < 0) {
        return -ENOMEM;
    }
    tables_clear(vm, begin, end);
    for (struct vm_area *a = area_find(vm, begin), *next; a && a->begin < end; a = next) {
        next = area_next(vm, a);
        area_free(vm, a);
    }
    struct vm_area *above = area_find(vm, end);
    struct vm_area *below = area_previous(vm, above);
    tables_trim(vm, below ? below->end : 0, above ? above->begin : USER_END + PAGE_BYTES);
    return 0;
}

int vm_unmap(struct vm *vm, u64 at, u64 len)
{
    u64 bytes = ROUND_UP(len, (u64)PAGE_BYTES);

    if (at % PAGE_BYTES || !bytes || bytes < len || at > USER_END || bytes > USER_END - at) {
        return -EINVAL;
    }
    mutex_lock(&vm->lock);
    int result = vm_unmap_locked(vm, at, at + bytes);
    mutex_unlock(&vm->lock);
    return result;
}

/* ---- a new area */

/* Where it goes, with what was there gone if it must be; or an error. vm->lock is held. */
static long choose_place(struct vm *vm, u64 at, u64 len, u32 flags)
{
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);

    if (len > USER_END - USER_BEGIN) {
        return -ENOMEM;
    }
    if (fixed) {
        if (at % PAGE_BYTES) {
            return -EINVAL;
        }
        if (at > USER_END - len) {
            return -ENOMEM;
        }
        if (at < USER_BEGIN) {
            return -EPERM;
        }
        if (flags & MAP_FIXED_NOREPLACE) {
            return areas_free_range(vm, at, at + len) ? (long)at : -EEXIST;
        }
        return (long)at;
    }
    at = ROUND_DOWN(at, (u64)PAGE_BYTES);
    if (at >= USER_BEGIN && at <= USER_END - len && areas_free_range(vm, at, at + len)) {
        return (long)at;
    }
    at = areas_find_room(vm, len);
    return at ? (long)at : -ENOMEM;
}

/* What is mapped: the file, or what it puts in its place, or a new one for shared zeroes. `area` is
 * not linked yet; its file is held on success. */
static int choose_file(struct vm_area *area, struct file *file)
{
    if (!file) {
        if (area->flags & MAP_SHARED) {
            area->offset_pages = 0;
            area->file = tmpfs_unnamed_file(area->end - area->begin);
            return area->file ? 0 : -ENOMEM;
        }
        return 0;
    }
    area->file = file_hold(file);
    int result = 0;
    if (file->ops->mmap) {
        result = file->ops->mmap(file, area);
    } else if (file->ops != &regular_file_ops) { /* what has no page cache */
        result = -ENODEV;
    }
    if (result < 0 && area->file) {
        file_put(area->file);
    }
    return result;
}

int vm_map_zeroes(struct file *file, struct vm_area *area)
{
    file_put(file); /* the area's hold of it */
    area->file = NULL;
    return choose_file(area, NULL);
}

static long map_locked(struct vm *vm, struct vm_area *like, struct file *file, u32 flags)
{
    u64 len = like->end;
    long place = choose_place(vm, like->begin, len, flags);

    if (place < 0) {
        return place;
    }
    like->begin = (u64)place;
    like->end = like->begin + len;
    /* What it replaces does not count against the limits; but it goes only when all else is sure.
     */
    int result = areas_check_limits(vm, flags & MAP_FIXED ? 0 : len, like->prot, like->flags);
    if (result == 0) {
        result = choose_file(like, file);
    }
    if (result < 0) {
        return result;
    }
    if (flags & MAP_FIXED) {
        result = vm_unmap_locked(vm, like->begin, like->end);
        if (result == 0) {
            result = areas_check_limits(vm, len, like->prot, like->flags);
        }
    }
    if (result < 0 || !area_new(vm, like->begin, like->end, like)) {
        if (like->file) {
            file_put(like->file);
        }
        return result < 0 ? result : -ENOMEM;
    }
    areas_join(vm, like->begin, like->end);
    return place;
}

long vm_map(struct vm *vm, u64 at, u64 len, u32 prot, u32 flags, struct file *file, u64 offset,
            const char *name)
{
    u64 bytes = ROUND_UP(len, (u64)PAGE_BYTES);
    struct vm_area like = {.begin = at,
                           .end = bytes,
                           .prot = prot & PROT_ALL,
                           .flags = flags & KEPT_FLAGS,
                           .offset_pages = offset / PAGE_BYTES,
                           .name = name};

    if (!len || offset % PAGE_BYTES) {
        return -EINVAL;
    }
    if (bytes < len) {
        return -ENOMEM;
    }
    if (file && bytes <= USER_END && (offset + bytes < offset || offset + bytes > (u64)INT64_MAX)) {
        return -EOVERFLOW;
    }
    /* As Linux' heuristic: what can never be there is not promised. */
    if (!file && !(flags & MAP_NORESERVE) && prot & PROT_WRITE &&
        bytes / PAGE_BYTES > frames_total()) {
        return -ENOMEM;
    }
    mutex_lock(&vm->lock);
    if (vm->lock_future) {
        like.flags |= MAP_LOCKED;
    }
    like.vm = vm;
    long place = map_locked(vm, &like, file, flags);
    mutex_unlock(&vm->lock);
    if (place > 0 && (flags & MAP_POPULATE || like.flags & MAP_LOCKED)) {
        vm_populate(vm, (u64)place, (u64)place + bytes);
    }
    return place;
}

/* ---- rights */

static int check_protect(struct vm *vm, const struct vm_area *a, u32 prot)
{
    if (prot & PROT_WRITE && !(a->prot & PROT_WRITE)) {
        if (a->file && a->flags & MAP_SHARED && (a->file->flags & O_ACCMODE) != O_RDWR) {
            return -EACCES;
        }
        return areas_check_limits(vm, 0, prot, a->flags);
    }
    return 0;
}

int vm_protect(struct vm *vm, u64 at, u64 len, u32 prot)
{
    u64 end = at + ROUND_UP(len, (u64)PAGE_BYTES);
    int result = 0;

    if (at % PAGE_BYTES || prot & ~PROT_ALL) {
        return -EINVAL;
    }
    if (end < at || end > USER_END) {
        return -ENOMEM;
    }
    if (end == at) {
        return 0;
    }
    mutex_lock(&vm->lock);
    if (!areas_cover(vm, at, end)) {
        result = -ENOMEM;
    }
    for (AREAS_IN(a, vm, at, end)) {
        if (result == 0) {
            result = check_protect(vm, a, prot);
        }
    }
    if (result == 0) {
        result = areas_cut(vm, at, end);
    }
    if (result == 0) {
        for (AREAS_IN(a, vm, at, end)) {
            a->prot = prot;
        }
        tables_restrict(vm, at, end, prot);
    }
    areas_join(vm, at, end);
    mutex_unlock(&vm->lock);
    return result;
}

/* ---- brk */

static bool grow_heap(struct vm *vm, u64 from, u64 to)
{
    const struct vm_area heap = {.prot = PROT_READ | PROT_WRITE,
                                 .flags = MAP_PRIVATE | (vm->lock_future ? MAP_LOCKED : 0),
                                 .name = "[heap]"};
    const struct vm_area *above = area_find(vm, from);
    u64 gap = above && above->flags & MAP_GROWSDOWN ? STACK_GAP_BYTES : 0;

    if (to > USER_END || (above && above->begin < to + gap) ||
        areas_check_limits(vm, to - from, heap.prot, heap.flags) < 0 ||
        (to - from) / PAGE_BYTES > frames_total() || !area_new(vm, from, to, &heap)) {
        return false;
    }
    areas_join(vm, from, to);
    return true;
}

u64 vm_brk(struct vm *vm, u64 to)
{
    mutex_lock(&vm->lock);
    u64 old_top = ROUND_UP(vm->brk_end, (u64)PAGE_BYTES);
    u64 new_top = ROUND_UP(to, (u64)PAGE_BYTES);
    bool grown = false;

    if (to >= vm->brk_begin && new_top >= to) {
        grown = new_top > old_top;
        bool done = grown               ? grow_heap(vm, old_top, new_top)
                    : new_top < old_top ? vm_unmap_locked(vm, new_top, old_top) == 0
                                        : true;
        if (done) {
            vm->brk_end = to;
        }
        grown = grown && done && vm->lock_future;
    }
    u64 end = vm->brk_end;
    mutex_unlock(&vm->lock);
    if (grown) {
        vm_populate(vm, old_top, new_top);
    }
    return end;
}
