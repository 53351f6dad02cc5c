/* Signals, on the side of the thread that gets them. Sending is in process.h. */
#ifndef GUESTOS_PROC_SIGNAL_H
#define GUESTOS_PROC_SIGNAL_H

#include "guestos/abi/signal.h"
#include "guestos/kernel/traps.h"

struct thread;

/* An exception of the current thread: delivered even if it is blocked or ignored, which then kills. */
void signal_force(u32 signal, const struct siginfo *info);

/* On the way to user mode: begins a handler, stops or ends the process, or restarts the system call
 * that was broken off. Interrupts are on. */
void signal_deliver(struct trap_frame *frame);

#endif
