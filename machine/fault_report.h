/* The explanation of a triple fault. */
#ifndef MACHINE_FAULT_REPORT_H
#define MACHINE_FAULT_REPORT_H

#include "cpu/cpu.h"
#include "machine/disasm.h"
#include "machine/symbols.h"
#include <stdio.h>

/* From the processor's ring of events, and its state, which the shutdown has left alone: the
 * chain of exceptions, the cause where it can be derived, the registers. */
void fault_report(FILE *, struct cpu *, struct disasm *, const struct symbols *);

#endif
