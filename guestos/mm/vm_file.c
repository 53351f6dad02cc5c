/*
 * The file's side of mappings: truncation and write-back reach into the page tables of all
 * who map a file. They come with inode->lock or less, never with a vm->lock, so they walk the
 * file's list of areas (mappings_lock) and change entries under table_lock alone. A table that an
 * area in the list needs is not freed before the area has left the list.
 */
#include "guestos/fs/vfs.h"
#include "guestos/mm/tables.h"
#include "guestos/mm/tlb.h"

/* What an area shows of pages [first, last] of its file, as addresses. False: nothing. */
static bool shows(const struct vm_area *a, u64 first, u64 last, u64 *begin, u64 *end)
{
    u64 nr = (a->end - a->begin) / PAGE_BYTES;
    u64 from = MAX(first, a->offset_pages);
    u64 to = MIN(last, a->offset_pages + nr - 1);

    if (from > to) {
        return false;
    }
    *begin = a->begin + (from - a->offset_pages) * PAGE_BYTES;
    *end = a->begin + (to - a->offset_pages + 1) * PAGE_BYTES;
    return true;
}

void vm_drop_mappings(struct inode *inode, u64 first_index, u64 last_index)
{
    u64 begin, end;

    mutex_lock(&inode->mappings_lock);
    for (LIST_EACH(struct vm_area, a, &inode->mappings, inode_link)) {
        if (shows(a, first_index, last_index, &begin, &end)) {
            tables_clear(a->vm, begin, end);
        }
    }
    mutex_unlock(&inode->mappings_lock);
}

bool vm_clean_mappings(struct inode *inode, u64 index)
{
    bool was_dirty = false;
    u64 begin, end;

    mutex_lock(&inode->mappings_lock);
    for (LIST_EACH(struct vm_area, a, &inode->mappings, inode_link)) {
        if (!(a->flags & MAP_SHARED) || !shows(a, index, index, &begin, &end)) {
            continue;
        }
        spin_lock(&a->vm->table_lock);
        u64 *pte = tables_entry(a->vm, begin, false);
        if (pte && *pte & PTE_WRITE) {
            *pte &= ~(PTE_WRITE | PTE_DIRTY);
            was_dirty = true;
        }
        tlb_drop_page(a->vm, begin);
        spin_unlock(&a->vm->table_lock);
    }
    mutex_unlock(&inode->mappings_lock);
    return was_dirty;
}
