/*
 * Areas: which parts of an address space may be used how. A list by address; neighbours that agree
 * in everything are joined, so it stays short. Those with a file are in the file's list too, by
 * which truncation and write-back find the page tables.
 */
#include "guestos/mm/area.h"
#include "guestos/abi/errno.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"
#include "guestos/proc/process.h"

#define STACK_ROOM_MIN 0x8000000ul /* as Linux has it: 128 MiB to 5/6 of all */
#define STACK_ROOM_MAX (USER_STACK_TOP / 6 * 5)

static struct slab_cache area_cache;

void areas_init(void)
{
    slab_cache_init(&area_cache, "vm_area", sizeof(struct vm_area));
}

static void file_lock(const struct vm_area *a)
{
    if (a->file) {
        mutex_lock(&a->file->inode->mappings_lock);
    }
}

static void file_unlock(const struct vm_area *a)
{
    if (a->file) {
        mutex_unlock(&a->file->inode->mappings_lock);
    }
}

/* more: modulo 2^64 */
static void count_pages(struct vm *vm, u64 more)
{
    vm->nr_pages += more;
    vm->max_pages = MAX(vm->max_pages, vm->nr_pages);
}

struct vm_area *area_next(struct vm *vm, struct vm_area *a)
{
    return a->link.next == &vm->areas ? NULL : LIST_ENTRY(a->link.next, struct vm_area, link);
}

struct vm_area *area_previous(struct vm *vm, struct vm_area *a)
{
    struct list *before = a ? a->link.prev : vm->areas.prev;

    return before == &vm->areas ? NULL : LIST_ENTRY(before, struct vm_area, link);
}

struct vm_area *area_find(struct vm *vm, u64 lin)
{
    struct vm_area *recent = vm->recent;

    if (recent && recent->begin <= lin && lin < recent->end) {
        return recent;
    }
    for (LIST_EACH(struct vm_area, a, &vm->areas, link)) {
        if (a->end > lin) {
            vm->recent = a;
            return a;
        }
    }
    return NULL;
}

struct vm_area *area_at(struct vm *vm, u64 lin)
{
    struct vm_area *a = area_find(vm, lin);

    return a && a->begin <= lin ? a : NULL;
}

struct vm_area *area_new(struct vm *vm, u64 begin, u64 end, const struct vm_area *like)
{
    struct vm_area *a = slab_alloc(&area_cache);

    if (!a) {
        return NULL;
    }
    *a = *like;
    a->vm = vm;
    a->begin = begin;
    a->end = end;
    /* Most often, and always in fork, it is the last. */
    const struct vm_area *last = area_previous(vm, NULL);
    struct vm_area *after = last && last->end <= begin ? NULL : area_find(vm, begin);
    ASSERT(begin < end && (!after || after->begin >= end));
    list_add_before(after ? &after->link : &vm->areas, &a->link);
    vm->nr_areas++;
    count_pages(vm, (end - begin) / PAGE_BYTES);
    list_init(&a->inode_link);
    file_lock(a);
    if (a->file) {
        list_add_last(&a->file->inode->mappings, &a->inode_link);
    }
    file_unlock(a);
    return a;
}

void area_free(struct vm *vm, struct vm_area *a)
{
    file_lock(a);
    list_remove(&a->inode_link);
    file_unlock(a);
    list_remove(&a->link);
    if (vm->recent == a) {
        vm->recent = NULL;
    }
    vm->nr_areas--;
    vm->nr_pages -= (a->end - a->begin) / PAGE_BYTES;
    if (a->file) {
        file_put(a->file);
    }
    slab_free(&area_cache, a);
}

void area_resize(struct vm_area *a, u64 begin, u64 end)
{
    file_lock(a);
    count_pages(a->vm, (end - begin) / PAGE_BYTES - (a->end - a->begin) / PAGE_BYTES);
    a->offset_pages += (begin - a->begin) / PAGE_BYTES; /* modulo 2^64: it may go down */
    a->begin = begin;
    a->end = end;
    file_unlock(a);
}

/* Two areas instead of one, which meet at `at`. */
static int split(struct vm *vm, struct vm_area *a, u64 at)
{
    u64 end = a->end;
    struct vm_area upper = *a;

    if (vm->nr_areas >= MAX_AREAS) {
        return -ENOMEM;
    }
    upper.offset_pages += (at - a->begin) / PAGE_BYTES;
    area_resize(a, a->begin, at);
    if (upper.file) {
        file_hold(upper.file);
    }
    if (!area_new(vm, at, end, &upper)) {
        if (upper.file) {
            file_put(upper.file);
        }
        area_resize(a, a->begin, end);
        return -ENOMEM;
    }
    return 0;
}

int areas_cut(struct vm *vm, u64 begin, u64 end)
{
    struct vm_area *a = area_at(vm, begin);

    if (a && a->begin < begin && split(vm, a, begin) < 0) {
        return -ENOMEM;
    }
    a = area_at(vm, end);
    return a && a->begin < end ? split(vm, a, end) : 0;
}

static bool belong_together(const struct vm_area *a, const struct vm_area *b)
{
    return a->end == b->begin && a->prot == b->prot && a->flags == b->flags && a->file == b->file &&
           a->name == b->name &&
           (!a->file || a->offset_pages + (a->end - a->begin) / PAGE_BYTES == b->offset_pages);
}

void areas_join(struct vm *vm, u64 begin, u64 end)
{
    struct vm_area *a = area_find(vm, begin ? begin - 1 : 0);

    while (a && a->begin <= end) {
        struct vm_area *b = area_next(vm, a);
        if (b && belong_together(a, b)) {
            /* For a moment both have b's pages in the file's list: clearing them twice is harmless,
             * never would not be. */
            u64 new_end = b->end;
            file_lock(a);
            a->end = new_end;
            file_unlock(a);
            vm->nr_pages += (b->end - b->begin) / PAGE_BYTES;
            area_free(vm, b);
        } else {
            a = b;
        }
    }
}

bool areas_free_range(struct vm *vm, u64 begin, u64 end)
{
    struct vm_area *a = area_find(vm, begin);

    return !a || a->begin >= end;
}

bool areas_cover(struct vm *vm, u64 begin, u64 end)
{
    for (AREAS_IN(a, vm, begin, end)) {
        if (a->begin > begin) {
            return false;
        }
        begin = a->end;
    }
    return begin >= end;
}

/* Where an area really begins for others: a stack keeps its distance. */
static u64 kept_from(const struct vm_area *a)
{
    return a->flags & MAP_GROWSDOWN ? a->begin - MIN(STACK_GAP_BYTES, a->begin) : a->begin;
}

/* The highest room in [floor, ceiling) of that size. */
static u64 room_below(struct vm *vm, u64 len, u64 floor, u64 ceiling)
{
    u64 top = ceiling;

    for (struct vm_area *a = area_previous(vm, NULL); a; a = area_previous(vm, a)) {
        if (a->end <= top && top - a->end >= len && top - len >= floor) {
            return top - len;
        }
        top = MIN(top, kept_from(a));
    }
    return top >= len && top - len >= floor ? top - len : 0;
}

/* From here downwards things are mapped: below the room that the stack may want. */
static u64 map_top(const struct vm *vm)
{
    u64 stack = MIN(MAX(vm->stack_limit_bytes, STACK_ROOM_MIN), STACK_ROOM_MAX);

    return USER_STACK_TOP - ROUND_UP(stack + STACK_GAP_BYTES, (u64)PAGE_BYTES);
}

u64 areas_find_room(struct vm *vm, u64 len)
{
    u64 at = room_below(vm, len, USER_BEGIN, map_top(vm));

    return at ? at : room_below(vm, len, map_top(vm), USER_END);
}

/* ---- limits */

u64 vm_limit(u32 which)
{
    const struct process *p = this_process();

    return p ? p->limit[which].soft : RLIM_INFINITY;
}

static bool is_data(u32 prot, u32 flags)
{
    return prot & PROT_WRITE && !(flags & (MAP_SHARED | MAP_GROWSDOWN));
}

int areas_check_limits(struct vm *vm, u64 more, u32 prot, u32 flags)
{
    u64 room = vm_limit(RLIMIT_AS);

    if (vm->nr_areas >= MAX_AREAS) {
        return -ENOMEM;
    }
    if (room != RLIM_INFINITY && vm->nr_pages * PAGE_BYTES + more > room) {
        return -ENOMEM;
    }
    if (flags & MAP_LOCKED && more) {
        int result = areas_check_lock_limit(areas_locked(vm, 0, USER_END) + more);
        if (result < 0) {
            return result == -ENOMEM ? -EAGAIN : result;
        }
    }
    room = vm_limit(RLIMIT_DATA);
    if (is_data(prot, flags) && room != RLIM_INFINITY) {
        for (LIST_EACH(struct vm_area, a, &vm->areas, link)) {
            more += is_data(a->prot, a->flags) ? a->end - a->begin : 0;
        }
        return more > room ? -ENOMEM : 0;
    }
    return 0;
}

u64 areas_locked(struct vm *vm, u64 begin, u64 end)
{
    u64 bytes = 0;

    for (AREAS_IN(a, vm, begin, end)) {
        bytes += a->flags & MAP_LOCKED ? MIN(end, a->end) - MAX(begin, a->begin) : 0;
    }
    return bytes;
}

int areas_check_lock_limit(u64 bytes)
{
    u64 limit = vm_limit(RLIMIT_MEMLOCK);

    if (!this_process() || is_superuser() || bytes <= limit) {
        return 0;
    }
    return limit == 0 ? -EPERM : -ENOMEM;
}
