/*
 * Pages of files that processes map cannot leave the page cache while they are mapped. When memory
 * is short, this takes them out of page tables: a hand goes through all address spaces, clears the
 * accessed bit of each entry for a clean page of a file, and where it finds the bit clear, the
 * entry itself (the clock algorithm). Who needs the page faults and finds it in the cache, if it
 * still is there. Pages of programs' own have nowhere to go: there is no swap.
 */
#include "guestos/mm/area.h"
#include "guestos/mm/tables.h"
#include "guestos/mm/tlb.h"
#include "guestos/proc/process.h"

static u32 hand_pid; /* whose turn it is; a hint, so no lock guards it */

/* An area's entries; how many went. vm->lock is held. */
static u64 age_area(struct vm_area *a, u64 nr_wanted)
{
    struct vm *vm = a->vm;
    struct table_batch batch = {.vm = vm};
    u64 gone = 0;
    u32 nr;
    u64 *pte;

    for (u64 lin = a->begin; gone < nr_wanted && (pte = tables_run(vm, &lin, a->end, &nr));) {
        spin_lock(&vm->table_lock);
        for (; nr > 0 && batch.nr < TABLE_BATCH; nr--, pte++, lin += PAGE_BYTES) {
            if (!(*pte & PTE_FILE) || *pte & PTE_WRITE) {
                continue;
            }
            if (*pte & PTE_ACCESSED) {
                *pte &= ~PTE_ACCESSED; /* the TLB may hide the next access: then it was not soon */
                continue;
            }
            tables_count(vm, *pte, 0);
            batch.lin[batch.nr] = lin;
            batch.page[batch.nr++] = pte_page(*pte);
            *pte = 0;
            gone++;
        }
        spin_unlock(&vm->table_lock);
        if (batch.nr == TABLE_BATCH) {
            batch_end(&batch);
        }
    }
    batch_end(&batch);
    return gone;
}

static u64 age_vm(struct vm *vm, u64 nr_wanted)
{
    u64 gone = 0;

    mutex_lock(&vm->lock);
    for (LIST_EACH(struct vm_area, a, &vm->areas, link)) {
        if (gone < nr_wanted && a->file && !(a->flags & MAP_LOCKED)) {
            gone += age_area(a, nr_wanted - gone);
        }
    }
    mutex_unlock(&vm->lock);
    return gone;
}

/* The next process that has memory, held, in a circle by number; NULL: there is none. */
static struct vm *next_vm(u32 *pid)
{
    struct process *next = NULL, *first = NULL;

    spin_lock(&process_lock);
    for (LIST_EACH(struct process, p, &processes, table_link)) {
        if (!p->vm) {
            continue;
        }
        first = !first || p->pid < first->pid ? p : first;
        next = p->pid > *pid && (!next || p->pid < next->pid) ? p : next;
    }
    next = next ? next : first;
    struct vm *vm = next ? next->vm : NULL;
    if (vm) {
        *pid = next->pid;
        vm_get(vm);
    }
    spin_unlock(&process_lock);
    return vm;
}

u64 vm_age(u64 nr_wanted)
{
    u32 pid = hand_pid, rounds = 0, last;
    u64 gone = 0;
    struct vm *vm;

    /* Twice round: the first may only find bits to clear. */
    while (gone < nr_wanted && rounds < 2) {
        last = pid;
        vm = next_vm(&pid);
        if (!vm) {
            break;
        }
        rounds += pid <= last;
        gone += age_vm(vm, nr_wanted - gone);
        vm_put(vm);
    }
    hand_pid = pid;
    return gone;
}
