/*
 * fork: the child gets the same areas and, for private ones, entries for the same pages. Both sides
 * lose the right to write to them, so the first write of either copies that page (vm_fault.c).
 * Pages of shared mappings are in the page cache and come back by faults.
 */
#include "guestos/fs/vfs.h"
#include "guestos/mm/area.h"
#include "guestos/mm/tables.h"
#include "guestos/mm/tlb.h"

/* The entries of one page table. */
static void share_entries(struct vm *to, struct vm *from, u64 *to_pte, u64 *from_pte, u32 nr)
{
    spin_lock(&from->table_lock);
    spin_lock(&to->table_lock);
    for (u32 i = 0; i < nr; i++) {
        if (from_pte[i]) {
            from_pte[i] &= ~PTE_WRITE;
            to_pte[i] = from_pte[i];
            page_get(pte_page(from_pte[i]));
            tables_count(to, 0, to_pte[i]);
        }
    }
    spin_unlock(&to->table_lock);
    spin_unlock(&from->table_lock);
}

static bool share_area(struct vm *to, struct vm *from, const struct vm_area *a)
{
    u32 nr;
    u64 *from_pte;

    for (u64 lin = a->begin; (from_pte = tables_run(from, &lin, a->end, &nr));
         lin += nr * (u64)PAGE_BYTES) {
        u64 *to_pte = tables_entry(to, lin, true);
        if (!to_pte) {
            return false;
        }
        share_entries(to, from, to_pte, from_pte, nr);
    }
    return true;
}

static bool fork_area(struct vm *to, struct vm *from, const struct vm_area *a)
{
    struct vm_area like = *a;

    if (a->flags & AREA_DONT_FORK) {
        return true;
    }
    like.flags &= ~MAP_LOCKED; /* mlock(2): not inherited */
    if (like.file) {
        file_hold(like.file);
    }
    if (!area_new(to, a->begin, a->end, &like)) {
        if (like.file) {
            file_put(like.file);
        }
        return false;
    }
    return a->flags & (MAP_SHARED | AREA_WIPE_ON_FORK) || share_area(to, from, a);
}

struct vm *vm_fork(struct vm *from)
{
    struct vm *to = vm_create();
    bool done = true;

    if (!to) {
        return NULL;
    }
    mutex_lock(&from->lock);
    to->brk_begin = from->brk_begin;
    to->brk_end = from->brk_end;
    to->stack_limit_bytes = from->stack_limit_bytes;
    to->args_begin = from->args_begin;
    to->args_end = from->args_end;
    to->env_begin = from->env_begin;
    to->env_end = from->env_end;
    to->stack_begin = from->stack_begin;
    if (from->exe && file_deny_write(from->exe->inode) == 0) { /* as it is denied already */
        to->exe = file_hold(from->exe);
    }
    for (LIST_EACH(struct vm_area, a, &from->areas, link)) {
        done = done && fork_area(to, from, a);
    }
    tlb_drop_all(from);
    mutex_unlock(&from->lock);
    if (!done) {
        vm_put(to);
        return NULL;
    }
    __atomic_fetch_add(&vm_counters.forks, 1, __ATOMIC_RELAXED);
    return to;
}
