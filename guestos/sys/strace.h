/* The built-in strace: every system call as a line of kernel messages. Kernel option `strace`, or
 * prctl(PR_EMBER_STRACE, 1) for a process and its children (our extension). */
#ifndef GUESTOS_SYS_STRACE_H
#define GUESTOS_SYS_STRACE_H

#include "guestos/kernel/types.h"

bool strace_on(void); /* for the current process */
void strace_all(bool on);
void strace_enter(const char *name, const char *arguments, u64 number, const u64 *arg);
void strace_leave(const char *name, long result);

#endif
