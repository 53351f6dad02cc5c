/* What each CPU has for itself. In the kernel GS.base points to it; in user mode KERNEL_GS_BASE. */
#ifndef GUESTOS_KERNEL_PERCPU_H
#define GUESTOS_KERNEL_PERCPU_H

#include "guestos/kernel/types.h"

struct thread;
struct vm;

struct cpu_local {
    struct cpu_local *self; /* ORDER: offset 0 */
    struct thread *thread;  /* ORDER: offset 8 */
    u64 user_rsp;           /* ORDER: offset 16; scratch of the SYSCALL entry */
    u64 kernel_rsp;         /* ORDER: offset 24; where the current thread enters from user mode */
    struct thread *idle;
    struct vm *vm;     /* whose tables CR3 holds; NULL: the kernel's */
    u32 irq_off_depth; /* spinlocks held, and irq_off() calls */
    bool irq_were_on;  /* before the first of them */
    bool want_schedule;
    u32 number;
    u64 user_ns; /* of all programs */
    u64 nr_interrupts;
};

static inline struct cpu_local *cpu_local(void)
{
    struct cpu_local *cpu;
    __asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
    return cpu;
}

/* Interrupts off and back, nesting; spinlocks use them. */
void irq_off(void);
void irq_back(void);

#endif
