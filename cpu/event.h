/*
 * Delivery of exceptions and interrupts through the IVT or IDT. SDM 3A chapter 6.
 */
#ifndef CPU_EVENT_H
#define CPU_EVENT_H

#include "cpu/cpu.h"

/* Delivers vector now. Software interrupts and traps return to next_rip, everything else to rip.
 * Changes next_rip; may raise, and then nothing but stack memory has changed. */
void event_deliver(struct cpu *, u8 vector, enum event_kind, u32 error, bool has_error);

/* INT n, which virtual-8086 mode treats as no other software interrupt. */
void event_int(struct cpu *, u8 vector);

/* Turns the raised fault (cpu.exc_*) into what must be delivered now, following the double-fault
 * table (SDM 3A table 6-5). Returns false for a triple fault. */
bool event_combine(struct cpu *);

#endif
