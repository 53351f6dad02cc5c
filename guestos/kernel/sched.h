/* The scheduler's side that only kernel/ sees; the rest is in thread.h. */
#ifndef GUESTOS_KERNEL_SCHED_H
#define GUESTOS_KERNEL_SCHED_H

#include "guestos/kernel/thread.h"

/* Sleeps unless woken since wait_arm(). False: a signal that `kind` lets through is pending. */
bool sched_sleep(enum wait_kind kind);
void sched_add_idle(struct thread *idle); /* what this CPU runs when there is nothing else */
_Noreturn void sched_idle(void);          /* the idle thread's life */
/* On a new thread's stack, the first thing it does. */
void sched_begin(void);
_Noreturn void sched_end(void); /* the current thread never runs again; its memory is freed */

/* switch.S: saves the callee's registers on the stack and RSP there, takes another's. */
void switch_stacks(u64 *save_rsp, u64 load_rsp);

/* thread.c */
void thread_free(struct thread *);

#endif
