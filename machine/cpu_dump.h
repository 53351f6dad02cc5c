/* The registers as text, laid out as QEMU's `info registers` and -d cpu do, since scripts read
 * that layout: EAX to EFER outside of 64-bit code, RAX to EFER in it; then those of x87 and SSE. */
#ifndef MACHINE_CPU_DUMP_H
#define MACHINE_CPU_DUMP_H

#include "cpu/cpu.h"
#include <stdio.h>

enum cpu_dump_parts {
    DUMP_CC = 1, /* the line of flags kept lazily, which logs have and `info registers` has not */
    DUMP_FLOATING = 2, /* x87 and SSE, which are brought to memory for it */
};

void cpu_dump(FILE *, struct cpu *, unsigned parts);

#endif
