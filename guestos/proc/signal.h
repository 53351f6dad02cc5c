/* Signals, on the side of the thread that gets them. Sending is in process.h. */
#ifndef GUESTOS_PROC_SIGNAL_H
#define GUESTOS_PROC_SIGNAL_H

#include "guestos/abi/signal.h"
#include "guestos/kernel/list.h"
#include "guestos/kernel/traps.h"

struct process;
struct thread;

struct queued_signal {
    struct list link;
    struct siginfo info;
};

#define SIGNALS_NOT_MASKED (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

/* An exception of the current thread: delivered even if it is blocked or ignored, which then kills.
 */
void signal_force(u32 signal, const struct siginfo *info);

/* Whether the way to user mode leads through signal_deliver(). */
bool signal_has_work(const struct trap_frame *frame);
/* Begins a handler, stops or ends the process, or restarts the system call that was broken off.
 * Interrupts are on. */
void signal_deliver(struct trap_frame *frame);

/* The next signal that the current thread's mask lets through, of those in `set`; taken out of the
 * queue. 0: none. */
u32 signal_take(u64 set, struct siginfo *info);
void signal_set_mask(u64 mask); /* the current thread's */
/* The action is new: what waits goes if it is ignored now. signal_lock is held. */
void signal_forget_ignored(struct process *, u32 signal);
void signal_drop_queue(struct list *queue);

/* proc/signal_frame.c: the frame on the program's stack, and back. False: the stack is not there.
 */
bool signal_push_frame(struct trap_frame *frame, u32 signal, const struct siginfo *info,
                       const struct abi_sigaction *action, u64 old_mask);

/* proc/job.c: process_lock is not held. */
void process_stop(u32 signal);

#endif
