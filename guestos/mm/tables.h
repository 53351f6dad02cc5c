/*
 * The page tables of a process. An entry that is not zero holds a reference to its page, whether it
 * is present or (PTE_HIDDEN) kept out of reach by PROT_NONE.
 *
 * Entries are guarded by vm->table_lock, a spinlock. They are added, and tables freed, only under
 * vm->lock as well; but truncation and write-back, which come from the file's side, clear entries
 * or take their write bit away with table_lock alone.
 */
#ifndef GUESTOS_MM_TABLES_H
#define GUESTOS_MM_TABLES_H

#include "guestos/mm/frames.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/pte.h"
#include "guestos/mm/vm.h"

/* Bits that the CPU leaves to software. */
#define PTE_HIDDEN (1ul << 9)  /* not present, though a page is here */
#define PTE_FILE   (1ul << 10) /* it is the page cache's */

static inline struct page *pte_page(u64 pte)
{
    return page_of(pte & PTE_ADDR);
}

u64 tables_new(void); /* a PML4 with the kernel's half; NO_FRAME: no memory */
/* The entry for a page; NULL: its table is not there, or, with `make`, there is no memory. */
u64 *tables_entry(struct vm *, u64 lin, bool make);
/* The entries of one table, from the first that exists at or after *lin, at most to `end`; *lin is
 * advanced to it. NULL: no table has any. To walk: *lin += *nr * PAGE_BYTES, and again. */
u64 *tables_run(struct vm *, u64 *lin, u64 end, u32 *nr);
/* Frees the tables of what lies between floor and ceiling, where no entry is in use. */
void tables_trim(struct vm *, u64 floor, u64 ceiling);

/* Counts resident pages: an entry goes from `before` to `after` (0: nothing). table_lock is held.
 */
void tables_count(struct vm *, u64 before, u64 after);

/* Clears all entries of a range and drops the pages; the range may be large. Under vm->lock, or
 * from the file's side. */
void tables_clear(struct vm *, u64 begin, u64 end);
/* Gives the entries of a range the rights of prot; writing only takes away, faults give it. */
void tables_restrict(struct vm *, u64 begin, u64 end, u32 prot);

/* What an entry's rights are for PROT_ bits: user, NX; not present for PROT_NONE; never writable.
 */
u64 pte_rights(u32 prot);

/* Pages that were taken out of tables. They are put when the batch is full or ends, after the TLB
 * has forgotten them. table_lock is not held in either. */
#define TABLE_BATCH 32
struct table_batch {
    struct vm *vm;
    u32 nr;
    u64 lin[TABLE_BATCH];
    struct page *page[TABLE_BATCH];
};
void batch_end(struct table_batch *);

/* The page of zeroes, which reads of untouched memory see; never counted as resident. */
extern struct page *zero_page;
void zero_page_init(void);

#endif
