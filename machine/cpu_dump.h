/* The registers as text, laid out as QEMU's `info registers` and -d cpu do, since scripts read
 * that layout: EAX to EFER outside of 64-bit code, RAX to EFER in it. */
#ifndef MACHINE_CPU_DUMP_H
#define MACHINE_CPU_DUMP_H

#include "cpu/cpu.h"
#include <stdio.h>

void cpu_dump(FILE *, const struct cpu *);

#endif
