/*
 * System calls. sys_NAME() lives beside its subject; it gets its six arguments as the program
 * passed them and gives back the result or a negative errno. sys/syscalls.def lists all of them.
 */
#ifndef GUESTOS_SYS_SYSCALL_H
#define GUESTOS_SYS_SYSCALL_H

#include "guestos/abi/errno.h"
#include "guestos/kernel/traps.h"
#include "guestos/mm/user.h"

#define WORKS(number, name, arguments, text) long sys_##name(const u64 *arg);
#define REFUSED(number, name, arguments, error, text)
#define UNKNOWN(number, name, arguments)
#include "guestos/sys/syscalls.def"
#undef WORKS
#undef REFUSED
#undef UNKNOWN

void syscall_dispatch(struct trap_frame *frame); /* the result goes to frame->rax */

#endif
