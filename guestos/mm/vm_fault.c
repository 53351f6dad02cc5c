/*
 * Pages come when they are touched. What a fault does:
 *
 *   nothing is there, anonymous    read: the page of zeroes; write: a new page of zeroes
 *   nothing is there, of a file    read: the page cache's page, read-only; write: the same, made
 *                                  writable and dirty (shared), or a copy (private)
 *   read-only, shared, written to  made writable, the page dirty
 *   read-only, private, written to a copy; or, if nobody else holds the page, it is made writable
 *
 * The work is done under vm->lock; an entry is set under table_lock after a look at what it holds
 * by then, since truncation and write-back come in between. If it changed, the fault just happens
 * again.
 */
#include "guestos/abi/errno.h"
#include "guestos/fs/cache.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/area.h"
#include "guestos/mm/reclaim.h"
#include "guestos/mm/tables.h"
#include "guestos/mm/tlb.h"
#include "guestos/proc/process.h"

#define AROUND_PAGES 16u /* a read fault of a file maps what is cached of so many, aligned */

static void count(u64 *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

/* ---- setting entries */

static u64 new_pte(const struct vm_area *a, const struct page *p, bool writable)
{
    return page_pa(p) | pte_rights(a->prot) | PTE_ACCESSED | (writable ? PTE_WRITE | PTE_DIRTY : 0);
}

/* *pte, if it is still `old` but for A and D, becomes `value`. The reference goes with it. */
static bool replace(struct vm *vm, u64 *pte, u64 old, u64 value)
{
    u64 now = *pte & ~(PTE_ACCESSED | PTE_DIRTY);

    if (now != (old & ~(PTE_ACCESSED | PTE_DIRTY))) {
        return false;
    }
    *pte = value;
    tables_count(vm, old, value);
    return true;
}

static void install(struct vm *vm, u64 *pte, u64 lin, u64 old, struct page *p, u64 value)
{
    spin_lock(&vm->table_lock);
    bool done = replace(vm, pte, old, value);
    spin_unlock(&vm->table_lock);
    if (!done) {
        page_put(p);
    } else if (old) {
        tlb_drop_page(vm, lin);
        page_put(pte_page(old));
    }
}

/* ---- anonymous memory */

static int fault_anonymous(struct vm_area *a, u64 *pte, u64 lin, enum vm_access access)
{
    struct page *p = zero_page;

    if (access == VM_WRITE) {
        p = page_alloc(true, false);
        if (!p) {
            return -ENOMEM;
        }
        count(&vm_counters.zero_fills);
    } else {
        page_get(p);
    }
    install(a->vm, pte, lin, 0, p, new_pte(a, p, access == VM_WRITE));
    return 0;
}

/* ---- files */

static u64 index_of(const struct vm_area *a, u64 lin)
{
    return a->offset_pages + (lin - a->begin) / PAGE_BYTES;
}

static bool in_file(const struct inode *inode, u64 index)
{
    return index < (inode->size_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

/* The page cache's page, held. */
static int get_file_page(struct vm *vm, struct inode *inode, u64 index, struct page **page)
{
    if (!in_file(inode, index)) {
        return -ENXIO;
    }
    *page = cache_find(inode, index);
    if (*page) {
        return 0;
    }
    vm->faults_major++;
    count(&vm_counters.faults_major);
    return cache_get(inode, index, page);
}

/* Room on the disk for a page that a shared mapping is about to write to. */
static int prepare_write(struct inode *inode, u64 index)
{
    u64 from = index * PAGE_BYTES;
    int result = 0;

    mutex_lock(&inode->lock);
    if (!in_file(inode, index)) {
        result = -ENXIO;
    } else if (inode->ops->prepare_write) {
        result = inode->ops->prepare_write(inode, from, MIN(from + PAGE_BYTES, inode->size_bytes));
    }
    if (result == 0) {
        inode_touch(inode, TOUCH_MTIME | TOUCH_CTIME);
    }
    mutex_unlock(&inode->lock);
    return result;
}

/* Sets a file's page at an empty or read-only entry, unless the file was cut in between. */
static int install_file_page(struct vm_area *a, u64 *pte, u64 lin, u64 old, struct page *p,
                             bool writable)
{
    struct vm *vm = a->vm;
    int result = 0;

    spin_lock(&vm->table_lock);
    if (!in_file(a->file->inode, index_of(a, lin))) {
        result = -ENXIO;
    } else if (replace(vm, pte, old, new_pte(a, p, writable) | PTE_FILE)) {
        result = 1;
    }
    spin_unlock(&vm->table_lock);
    return result;
}

/* Of what is cached around lin and not there yet, too: most of it will be touched soon. */
static void map_around(struct vm_area *a, u64 lin)
{
    u64 window = ROUND_DOWN(lin, (u64)AROUND_PAGES * PAGE_BYTES);
    u64 end = MIN(window + AROUND_PAGES * PAGE_BYTES, a->end);

    for (u64 at = MAX(window, a->begin); at < end; at += PAGE_BYTES) {
        u64 *pte = tables_entry(a->vm, at, false);
        if (at == lin || !pte || *pte) {
            continue;
        }
        struct page *p = cache_find(a->file->inode, index_of(a, at));
        if (p && install_file_page(a, pte, at, 0, p, false) != 1) {
            page_put(p);
        }
    }
}

/* A private page of our own with the bytes of p, in place of `old`. */
static int copy_page(struct vm_area *a, u64 *pte, u64 lin, u64 old, const struct page *p)
{
    struct page *copy = page_alloc(p == zero_page, false);

    if (!copy) {
        return -ENOMEM;
    }
    if (p == zero_page) {
        count(&vm_counters.zero_fills);
    } else {
        memcpy(page_data(copy), page_data(p), PAGE_BYTES);
        a->vm->cow_copies++;
        count(&vm_counters.cow_copies);
    }
    install(a->vm, pte, lin, old, copy, new_pte(a, copy, true));
    return 0;
}

static int fault_file(struct vm_area *a, u64 *pte, u64 lin, enum vm_access access)
{
    struct inode *inode = a->file->inode;
    bool share_write = access == VM_WRITE && a->flags & MAP_SHARED;
    struct page *p;
    int result = share_write ? prepare_write(inode, index_of(a, lin)) : 0;

    if (result == 0) {
        result = get_file_page(a->vm, inode, index_of(a, lin), &p);
    }
    if (result < 0) {
        return result;
    }
    if (access == VM_WRITE && !share_write) {
        result = copy_page(a, pte, lin, 0, p);
        page_put(p);
        return result;
    }
    result = install_file_page(a, pte, lin, 0, p, share_write);
    if (result == 1 && share_write) {
        cache_mark_dirty(p); /* after the entry: write-back looks at entries when it cleans */
    }
    if (result != 1) {
        page_put(p);
    } else if (!share_write) {
        map_around(a, lin);
    }
    return MIN(result, 0);
}

/* ---- writes to pages that are there, read-only */

static int share_write(struct vm_area *a, u64 *pte, u64 lin)
{
    struct vm *vm = a->vm;
    int result = prepare_write(a->file->inode, index_of(a, lin));
    struct page *p = NULL;

    if (result < 0) {
        return result;
    }
    spin_lock(&vm->table_lock);
    if (*pte & PTE_PRESENT) {
        p = pte_page(*pte);
        page_get(p);
        *pte |= PTE_WRITE | PTE_DIRTY;
    }
    spin_unlock(&vm->table_lock);
    if (p) {
        tlb_drop_page(vm, lin);
        cache_mark_dirty(p);
        page_put(p);
    }
    return 0;
}

static int copy_on_write(struct vm_area *a, u64 *pte, u64 lin)
{
    struct vm *vm = a->vm;
    struct page *p = NULL;

    spin_lock(&vm->table_lock);
    u64 old = *pte;
    if (old & PTE_PRESENT) {
        p = pte_page(old);
        if (page_refs(p) == 1 && !p->inode && p != zero_page) {
            *pte |= PTE_WRITE | PTE_DIRTY; /* the others are gone */
            p = NULL;
            vm->cow_reuses++;
            count(&vm_counters.cow_reuses);
        } else {
            page_get(p); /* truncation may drop it meanwhile */
        }
    }
    spin_unlock(&vm->table_lock);
    if (!p) {
        tlb_drop_page(vm, lin);
        return 0;
    }
    int result = copy_page(a, pte, lin, old, p);
    page_put(p);
    return result;
}

/* ---- which of these it is */

static bool allowed(const struct vm_area *a, enum vm_access access)
{
    static const u32 needs[] = {[VM_READ] = PROT_READ | PROT_WRITE | PROT_EXEC,
                                [VM_WRITE] = PROT_WRITE,
                                [VM_EXEC] = PROT_EXEC};

    return a->prot & needs[access];
}

static u64 stack_limit(const struct vm *vm)
{
    const struct process *p = this_process();

    return p && p->vm == vm ? vm_limit(RLIMIT_STACK) : vm->stack_limit_bytes;
}

/* The stack, if lin lies in its way down: it grows to there. NULL: it may not. */
static struct vm_area *grow_stack(struct vm *vm, struct vm_area *a, u64 lin)
{
    u64 begin = ROUND_DOWN(lin, (u64)PAGE_BYTES);

    if (!(a->flags & MAP_GROWSDOWN) || begin < USER_BEGIN || a->end - begin > stack_limit(vm)) {
        return NULL;
    }
    const struct vm_area *below = area_previous(vm, a);
    if (below && !(below->flags & MAP_GROWSDOWN) && begin - below->end < STACK_GAP_BYTES) {
        return NULL;
    }
    if (areas_check_limits(vm, a->begin - begin, a->prot, a->flags) < 0) {
        return NULL;
    }
    area_resize(a, begin, a->end);
    return a;
}

/* 0: the page is there, or it is worth another try. */
int vm_fault_locked(struct vm *vm, u64 lin, enum vm_access access)
{
    struct vm_area *a = area_find(vm, lin);

    if (a && lin < a->begin) {
        a = grow_stack(vm, a, lin);
    }
    if (!a) {
        return -EFAULT;
    }
    if (!allowed(a, access)) {
        return -EACCES;
    }
    u64 page_lin = ROUND_DOWN(lin, (u64)PAGE_BYTES);
    u64 *pte = tables_entry(vm, page_lin, true);
    if (!pte) {
        return -ENOMEM;
    }
    u64 old = *pte;
    if (!old) {
        return a->file ? fault_file(a, pte, page_lin, access)
                       : fault_anonymous(a, pte, page_lin, access);
    }
    if (access == VM_WRITE && !(old & PTE_WRITE)) {
        return a->flags & MAP_SHARED ? share_write(a, pte, page_lin)
                                     : copy_on_write(a, pte, page_lin);
    }
    tlb_drop_page(vm, page_lin); /* somebody else was faster */
    return 0;
}

/* The page at lin, if the access would go through as it stands. */
static struct page *present(struct vm *vm, u64 lin, enum vm_access access)
{
    struct page *p = NULL;

    spin_lock(&vm->table_lock);
    const u64 *pte = tables_entry(vm, lin, false);
    if (pte && *pte & PTE_PRESENT && (access != VM_WRITE || *pte & PTE_WRITE)) {
        p = pte_page(*pte);
        page_get(p);
    }
    spin_unlock(&vm->table_lock);
    return p;
}

/* Faults until it is done; `page`: until the page is there and held. */
static int fault(struct vm *vm, u64 lin, enum vm_access access, struct page **page)
{
    for (;;) {
        mutex_lock(&vm->lock);
        if (page && (*page = present(vm, lin, access))) {
            mutex_unlock(&vm->lock);
            return 0;
        }
        int result = vm_fault_locked(vm, lin, access);
        mutex_unlock(&vm->lock);
        if (result == -ENOMEM) {
            result = memory_wait();
        } else if (result == 0 && !page) {
            return 0;
        }
        if (result < 0) {
            return result;
        }
    }
}

int vm_fault(struct vm *vm, u64 lin, enum vm_access access)
{
    vm->faults_minor++; /* faults_major counts those of them that read from a disk */
    count(&vm_counters.faults);
    return fault(vm, lin, access, NULL);
}

int vm_page(struct vm *vm, u64 lin, enum vm_access access, struct page **page)
{
    return lin < USER_END ? fault(vm, lin, access, page) : -EFAULT;
}

int vm_read(struct vm *vm, u64 lin, void *to, size_t len)
{
    size_t done = 0;

    while (done < len) {
        struct page *p;
        u64 offset = (lin + done) % PAGE_BYTES;
        size_t part = MIN(len - done, PAGE_BYTES - offset);
        if (vm_page(vm, lin + done, VM_READ, &p) < 0) {
            break;
        }
        memcpy((u8 *)to + done, (const u8 *)page_data(p) + offset, part);
        page_put(p);
        done += part;
    }
    return done || !len ? (int)done : -EFAULT;
}

/* For MAP_POPULATE and mlock(); as far as it goes. */
void vm_populate(struct vm *vm, u64 begin, u64 end)
{
    for (u64 lin = begin; lin < end; lin += PAGE_BYTES) {
        mutex_lock(&vm->lock);
        struct vm_area *a = area_at(vm, lin);
        enum vm_access access =
            a && a->prot & PROT_WRITE && !(a->flags & MAP_SHARED) ? VM_WRITE : VM_READ;
        mutex_unlock(&vm->lock);
        if (!a || fault(vm, lin, access, NULL) < 0) {
            break;
        }
    }
}
