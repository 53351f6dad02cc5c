/* Hardware task switches. SDM 3A chapter 7. */
#ifndef CPU_TASK_H
#define CPU_TASK_H

#include "cpu/cpu.h"

enum task_reason { TASK_JMP, TASK_CALL, TASK_INT, TASK_IRET };

/* What the outgoing task is to find when it comes back, and who switches. */
struct task_from {
    enum task_reason why;
    u64 rip;
    u32 eflags;
    unsigned ext; /* of error codes: 1 where an event that no instruction asked for switches */
};

/* Switches to the task whose TSS sel names; privileges have been checked. Raises #GP, #NP or #TS
 * with nothing changed, or, once the new task's state is loaded, what its segments deserve, as a
 * fault at its first instruction. */
void task_switch(struct cpu *, u16 sel, const struct task_from *);

/* IRET with NT: to the task in the back link. */
void task_return(struct cpu *);

#endif
