/* Page tables of processes: tables.h says what is in them. Levels: 4 is the PML4, 1 a page table.
 */
#include "guestos/mm/tables.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/paging.h"
#include "guestos/mm/reclaim.h"
#include "guestos/mm/tlb.h"

#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER) /* the last level restricts */

struct page *zero_page;

void zero_page_init(void)
{
    u64 pa = frame_alloc();

    ASSERT(pa != NO_FRAME);
    zero_page = page_of(pa);
}

/* Bytes that one entry of a level covers. */
static u64 span(unsigned level)
{
    return 1ul << (3 + 9 * level);
}

static u32 index_at(u64 lin, unsigned level)
{
    return lin >> (3 + 9 * level) & (PTES_PER_TABLE - 1);
}

u64 tables_new(void)
{
    u64 pa = frame_alloc();

    if (pa != NO_FRAME) {
        const u64 *kernel = direct(paging_root());
        u64 *table = direct(pa);
        memcpy(table + PTES_PER_TABLE / 2, kernel + PTES_PER_TABLE / 2, PAGE_BYTES / 2);
    }
    return pa;
}

u64 *tables_entry(struct vm *vm, u64 lin, bool make)
{
    u64 *table = direct(vm->root);

    for (unsigned level = 4; level > 1; level--) {
        u64 *entry = &table[index_at(lin, level)];
        if (!*entry) {
            const struct page *p = make ? page_alloc(true, false) : NULL;
            if (!p) {
                return NULL;
            }
            vm->nr_tables++;
            __atomic_store_n(entry, page_pa(p) | TABLE_FLAGS, __ATOMIC_RELEASE);
        }
        table = direct(*entry & PTE_ADDR);
    }
    return &table[index_at(lin, 1)];
}

u64 *tables_run(struct vm *vm, u64 *lin, u64 end, u32 *nr)
{
    while (*lin < end) {
        u64 *table = direct(vm->root);
        unsigned level = 4;
        while (level > 1 && table[index_at(*lin, level)]) {
            table = direct(table[index_at(*lin, level)] & PTE_ADDR);
            level--;
        }
        if (level == 1) {
            u64 table_end = MIN(ROUND_DOWN(*lin, span(2)) + span(2), end);
            *nr = (u32)((table_end - *lin) / PAGE_BYTES);
            return &table[index_at(*lin, 1)];
        }
        *lin = ROUND_DOWN(*lin, span(level)) + span(level);
    }
    return NULL;
}

/* ---- freeing tables */

/* Takes the table below an entry, and those below it, out of use: onto `freed`, by their pages. */
static void collect(struct vm *vm, u64 *entry, unsigned level, struct list *freed)
{
    struct page *page = pte_page(*entry);

    if (level > 2) {
        u64 *table = page_data(page);
        for (u32 i = 0; i < PTES_PER_TABLE; i++) {
            if (table[i]) {
                collect(vm, &table[i], level - 1, freed);
            }
        }
    }
    *entry = 0;
    vm->nr_tables--;
    list_add_last(freed, &page->lru);
}

static void trim(struct vm *vm, u64 *table, unsigned level, u64 base, u64 floor, u64 ceiling,
                 struct list *freed)
{
    u32 first = floor > base ? index_at(floor, level) : 0;
    u64 begin = base + first * span(level);

    for (u32 i = first; i < PTES_PER_TABLE && begin < ceiling; i++, begin += span(level)) {
        if (!table[i]) {
            continue;
        }
        if (begin >= floor && begin + span(level) <= ceiling) {
            collect(vm, &table[i], level, freed);
        } else if (level > 2) {
            trim(vm, direct(table[i] & PTE_ADDR), level - 1, begin, floor, ceiling, freed);
        }
    }
}

void tables_trim(struct vm *vm, u64 floor, u64 ceiling)
{
    struct list freed = LIST_INIT(freed);

    spin_lock(&vm->table_lock);
    trim(vm, direct(vm->root), 4, 0, floor, ceiling, &freed);
    if (!list_empty(&freed)) {
        tlb_drop_all(vm);
    }
    spin_unlock(&vm->table_lock);
    for (LIST_EACH_SAFE(struct page, p, &freed, lru)) {
        list_remove(&p->lru);
        page_put(p);
    }
}

/* ---- the entries of a range */

static i64 is_resident(u64 pte)
{
    return pte && pte_page(pte) != zero_page;
}

static i64 is_file(u64 pte)
{
    return (pte & PTE_FILE) != 0;
}

void tables_count(struct vm *vm, u64 before, u64 after)
{
    i64 file = is_file(after) - is_file(before);

    vm->nr_resident += (u64)(is_resident(after) - is_resident(before));
    vm->nr_file += (u64)file;
    __atomic_fetch_add(&vm_counters.file_mappings, (u64)file, __ATOMIC_RELAXED);
    vm->max_resident = MAX(vm->max_resident, vm->nr_resident);
}

void batch_end(struct table_batch *b)
{
    if (b->nr == TABLE_BATCH) {
        tlb_drop_all(b->vm);
    } else {
        for (u32 i = 0; i < b->nr; i++) {
            tlb_drop_page(b->vm, b->lin[i]);
        }
    }
    for (u32 i = 0; i < b->nr; i++) {
        page_put(b->page[i]);
    }
    b->nr = 0;
}

void tables_clear(struct vm *vm, u64 begin, u64 end)
{
    struct table_batch batch = {.vm = vm};
    u32 nr;
    u64 *pte;

    for (u64 lin = begin; (pte = tables_run(vm, &lin, end, &nr));) {
        spin_lock(&vm->table_lock);
        for (; nr > 0 && batch.nr < TABLE_BATCH; nr--, pte++, lin += PAGE_BYTES) {
            if (*pte) {
                u64 old = __atomic_exchange_n(pte, 0, __ATOMIC_RELAXED);
                tables_count(vm, old, 0);
                batch.lin[batch.nr] = lin;
                batch.page[batch.nr++] = pte_page(old);
            }
        }
        spin_unlock(&vm->table_lock);
        if (batch.nr == TABLE_BATCH) {
            batch_end(&batch);
        }
    }
    batch_end(&batch);
}

u64 pte_rights(u32 prot)
{
    if (!(prot & (PROT_READ | PROT_WRITE | PROT_EXEC))) {
        return PTE_HIDDEN;
    }
    return PTE_PRESENT | PTE_USER | (prot & PROT_EXEC ? 0 : paging_nx());
}

void tables_restrict(struct vm *vm, u64 begin, u64 end, u32 prot)
{
    u64 rights = pte_rights(prot) | (prot & PROT_WRITE ? PTE_WRITE : 0);
    u64 mask = PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_HIDDEN | PTE_NX;
    u32 nr;
    u64 *pte;

    for (u64 lin = begin; (pte = tables_run(vm, &lin, end, &nr)); lin += nr * PAGE_BYTES) {
        spin_lock(&vm->table_lock);
        for (u32 i = 0; i < nr; i++) {
            if (pte[i]) {
                pte[i] = (pte[i] & ~mask) | (rights & (pte[i] | ~PTE_WRITE));
            }
        }
        spin_unlock(&vm->table_lock);
    }
    tlb_drop_all(vm);
}
