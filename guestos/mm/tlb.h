/*
 * The TLB: what must be forgotten when an entry of a page table loses rights or its frame. One CPU:
 * it forgets at once. With more, these are the places that tell the others and wait for them; so
 * a frame is only freed, and a table only reused, after the call.
 */
#ifndef GUESTOS_MM_TLB_H
#define GUESTOS_MM_TLB_H

#include "guestos/kernel/percpu.h"
#include "guestos/kernel/x86.h"

static inline void tlb_invlpg(u64 lin)
{
    __asm__ volatile("invlpg (%0)" : : "r"(lin) : "memory");
}

static inline void tlb_drop_kernel(u64 lin)
{
    tlb_invlpg(lin);
}

/* One page of an address space. Switching to another one loads CR3, which forgets all of it. */
static inline void tlb_drop_page(const struct vm *vm, u64 lin)
{
    if (cpu_local()->vm == vm) {
        tlb_invlpg(lin);
    }
}

static inline void tlb_drop_all(const struct vm *vm)
{
    if (cpu_local()->vm == vm) {
        write_cr3(read_cr3());
    }
}

#endif
