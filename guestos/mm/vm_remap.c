/* mremap(2): an area grows or shrinks where it is, or its pages move to another place by their
 * entries alone. */
#include "guestos/abi/errno.h"
#include "guestos/fs/vfs.h"
#include "guestos/mm/area.h"
#include "guestos/mm/tables.h"
#include "guestos/mm/tlb.h"

/* Makes the tables that the entries of [from, from + len) will need at `to`. */
static bool prepare_tables(struct vm *vm, u64 from, u64 to, u64 len)
{
    u32 nr;
    const u64 *pte;

    for (u64 lin = from; (pte = tables_run(vm, &lin, from + len, &nr));
         lin += nr * (u64)PAGE_BYTES) {
        for (u32 i = 0; i < nr; i++) {
            if (pte[i] && !tables_entry(vm, lin - from + to + i * (u64)PAGE_BYTES, true)) {
                return false;
            }
        }
    }
    return true;
}

static void move_entries(struct vm *vm, u64 from, u64 to, u64 len)
{
    u32 nr;
    u64 *pte;

    for (u64 lin = from; (pte = tables_run(vm, &lin, from + len, &nr));
         lin += nr * (u64)PAGE_BYTES) {
        spin_lock(&vm->table_lock);
        for (u32 i = 0; i < nr; i++) {
            u64 *there =
                pte[i] ? tables_entry(vm, lin - from + to + i * (u64)PAGE_BYTES, false) : NULL;
            if (there) {
                *there = pte[i];
                pte[i] = 0;
            }
        }
        spin_unlock(&vm->table_lock);
    }
    tlb_drop_all(vm);
}

/* [from, from + old_len), within one area, becomes [to, to + new_len), which is free. */
static long move(struct vm *vm, u64 from, u64 old_len, u64 to, u64 new_len, bool keep_source)
{
    if (areas_cut(vm, from, from + old_len) < 0) {
        return -ENOMEM;
    }
    struct vm_area *old = area_at(vm, from);
    struct vm_area like = *old;
    struct inode *inode = old->file ? old->file->inode : NULL;

    if (!prepare_tables(vm, from, to, MIN(old_len, new_len))) {
        return -ENOMEM;
    }
    if (like.file) {
        file_hold(like.file);
    }
    if (!area_new(vm, to, to + new_len, &like)) {
        if (like.file) {
            file_put(like.file);
        }
        return -ENOMEM;
    }
    /* Truncation must find each entry in one of the two areas. */
    if (inode) {
        mutex_lock(&inode->mappings_lock);
    }
    move_entries(vm, from, to, MIN(old_len, new_len));
    if (inode) {
        mutex_unlock(&inode->mappings_lock);
    }
    int result = keep_source ? 0 : vm_unmap_locked(vm, from, from + old_len);
    areas_join(vm, to, to + new_len);
    areas_join(vm, from, from + old_len);
    return result < 0 ? result : (long)to;
}

/* old_len of 0: another view of the same shared pages. */
static long duplicate(struct vm *vm, const struct vm_area *a, u64 from, u64 to, u64 len)
{
    struct vm_area like = *a;

    if (!(a->flags & MAP_SHARED)) {
        return -EINVAL;
    }
    like.offset_pages += (from - a->begin) / PAGE_BYTES;
    file_hold(like.file);
    if (!area_new(vm, to, to + len, &like)) {
        file_put(like.file);
        return -ENOMEM;
    }
    return (long)to;
}

static bool can_grow_here(struct vm *vm, const struct vm_area *a, u64 at, u64 old_len, u64 new_len)
{
    const struct vm_area *above = area_find(vm, a->end);
    u64 end = at + new_len;

    return at + old_len == a->end && end > at && end <= USER_END &&
           (!above || above->begin >= end + (above->flags & MAP_GROWSDOWN ? STACK_GAP_BYTES : 0));
}

static long remap_locked(struct vm *vm, u64 at, u64 old_len, u64 new_len, u32 flags, u64 to)
{
    bool fixed = flags & MREMAP_FIXED;
    bool keep = flags & MREMAP_DONTUNMAP;
    struct vm_area *a = area_at(vm, at);

    if (!a || old_len > a->end - at) {
        return -EFAULT;
    }
    if (!old_len && !(a->flags & MAP_SHARED)) {
        return -EINVAL;
    }
    if (keep && (a->file || a->flags & MAP_SHARED)) {
        return -EINVAL;
    }
    if (!fixed && !keep && old_len && new_len <= old_len) {
        int cut = new_len < old_len ? vm_unmap_locked(vm, at + new_len, at + old_len) : 0;
        return cut < 0 ? cut : (long)at;
    }
    u64 more = keep ? new_len : new_len > old_len ? new_len - old_len : 0;
    int result = areas_check_limits(vm, more, a->prot, a->flags);
    if (result < 0) {
        return result;
    }
    if (!fixed && !keep && old_len && can_grow_here(vm, a, at, old_len, new_len)) {
        area_resize(a, a->begin, at + new_len);
        areas_join(vm, at, at + new_len);
        return (long)at;
    }
    if (!(flags & MREMAP_MAYMOVE)) {
        return -ENOMEM;
    }
    if (fixed) {
        result = vm_unmap_locked(vm, to, to + new_len);
        if (result < 0) {
            return result;
        }
    } else {
        to = areas_find_room(vm, new_len);
        if (!to) {
            return -ENOMEM;
        }
    }
    a = area_at(vm, at); /* unmapping may have cut it */
    return old_len ? move(vm, at, old_len, to, new_len, keep) : duplicate(vm, a, at, to, new_len);
}

long vm_remap(struct vm *vm, u64 at, u64 old_bytes, u64 new_bytes, u32 flags, u64 to)
{
    u64 old_len = ROUND_UP(old_bytes, (u64)PAGE_BYTES);
    u64 new_len = ROUND_UP(new_bytes, (u64)PAGE_BYTES);
    const u32 known = MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP;

    if (flags & ~known || at % PAGE_BYTES || !new_len || old_len < old_bytes ||
        new_len > USER_END - USER_BEGIN ||
        (flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) && !(flags & MREMAP_MAYMOVE)) ||
        (flags & MREMAP_DONTUNMAP && old_len != new_len)) {
        return -EINVAL;
    }
    if (flags & MREMAP_FIXED) {
        bool overlap = to < at + old_len && at < to + new_len;
        if (to % PAGE_BYTES || to < USER_BEGIN || to > USER_END - new_len || overlap) {
            return -EINVAL;
        }
    }
    mutex_lock(&vm->lock);
    long place = remap_locked(vm, at, old_len, new_len, flags, to);
    const struct vm_area *a = place > 0 ? area_at(vm, (u64)place) : NULL;
    bool locked = a && a->flags & MAP_LOCKED;
    mutex_unlock(&vm->lock);
    if (locked) {
        vm_populate(vm, (u64)place, (u64)place + new_len);
    }
    return place;
}
