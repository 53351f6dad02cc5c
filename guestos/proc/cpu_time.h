/* Timers and limits of processor time. */
#ifndef GUESTOS_PROC_CPU_TIME_H
#define GUESTOS_PROC_CPU_TIME_H

#include "guestos/proc/process.h"

void cpu_time_tick(void); /* by the clock's interrupt */
/* Of the current process; 0: off. */
u64 cpu_timer_left(enum cpu_timer which);
void cpu_timer_set(enum cpu_timer which, u64 after_ns, u64 interval_ns);

#endif
