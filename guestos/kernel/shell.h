/* The prompt: a line editor and the table of commands. */
#ifndef GUESTOS_KERNEL_SHELL_H
#define GUESTOS_KERNEL_SHELL_H

#include "guestos/kernel/boot_info.h"

_Noreturn void shell_run(const struct boot_info *boot);
void boot_describe(const struct boot_info *boot);
void memory_describe(const struct boot_info *boot);

/* shell_line.c: reads a line, with echo and editing; without its end. */
void shell_read_line(const char *prompt, char *line, u32 size);

/* shell_fault.c: provokes what its argument names. */
void shell_fault(const char *kind);
void shell_fault_help(void);

#endif
