/* Exceptions and interrupts. */
#ifndef GUESTOS_KERNEL_TRAPS_H
#define GUESTOS_KERNEL_TRAPS_H

#include "guestos/kernel/types.h"

/* ORDER: traps.S builds it. */
struct trap_frame {
    u64 rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
    u64 vector, error;
    u64 rip, cs, rflags, rsp, ss;
};

#define TRAP_FIRST_IRQ 0x20  /* the vector of interrupt line 0 */
#define TRAP_SYSCALL   0x100 /* in `vector`; `error` is the call's number then */

static inline bool trap_from_user(const struct trap_frame *frame)
{
    return frame->cs & 3;
}

void traps_init(void); /* IDT with exceptions and interrupt lines; the lines stay masked */

/* handler runs with interrupts off; the controller is told afterwards. Unmasks the line. Several
 * handlers may share one line: each looks whether its device wants something. */
void irq_attach(u8 irq, void (*handler)(void *), void *argument);

/* mm/fault.c: true if the fault is dealt with, be it by a signal. Interrupts are off at first. */
bool page_fault(struct trap_frame *frame);

/* traps.S; see there */
int trap_try(void (*f)(void));

/* trap_report.c */
void trap_report(const struct trap_frame *frame);
const char *trap_name(u64 vector);
void print_callers(u64 frame); /* who called, by the frame pointers from this one on */

#endif
