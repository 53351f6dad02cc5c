/* What of an area is there, and with whom it is shared: for /proc/PID/smaps. */
#include "guestos/mm/tables.h"

static void count(struct vm_use *use, u64 pte)
{
    const struct page *p = pte_page(pte);
    u32 cache_holds = pte & PTE_FILE ? 1 : 0;
    u32 mappings = page_refs(p) - cache_holds; /* and who works on it just now */
    bool dirty = pte & PTE_FILE ? p->flags & PAGE_DIRTY : pte & PTE_DIRTY;

    if (p == zero_page) {
        return;
    }
    use->resident++;
    use->anonymous += cache_holds == 0;
    use->referenced += (pte & PTE_ACCESSED) != 0;
    use->share_bytes += PAGE_BYTES / MAX(mappings, 1u);
    if (mappings > 1) {
        use->shared_clean += !dirty;
        use->shared_dirty += dirty;
    } else {
        use->private_clean += !dirty;
        use->private_dirty += dirty;
    }
}

void vm_measure(struct vm *vm, const struct vm_area *a, struct vm_use *use)
{
    u32 nr;
    const u64 *pte;

    *use = (struct vm_use){0};
    for (u64 lin = a->begin; (pte = tables_run(vm, &lin, a->end, &nr));
         lin += nr * (u64)PAGE_BYTES) {
        spin_lock(&vm->table_lock);
        for (u32 i = 0; i < nr; i++) {
            if (pte[i]) {
                count(use, pte[i]);
            }
        }
        spin_unlock(&vm->table_lock);
    }
}
