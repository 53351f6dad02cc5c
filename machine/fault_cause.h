/*
 * Why an exception arose, or could not be delivered, as far as it can be derived from registers
 * and tables. A part of the report of a triple fault; see fault_report.h.
 */
#ifndef MACHINE_FAULT_CAUSE_H
#define MACHINE_FAULT_CAUSE_H

#include "cpu/cpu.h"
#include "machine/disasm.h"
#include "machine/symbols.h"
#include <stdio.h>

struct fault_view {
    FILE *f;
    struct cpu *c;
    struct disasm *disasm;
    const struct symbols *symbols;
    bool lma;
    int w; /* digits of an address */
};

/* A sentence about the chain's first event, where its instruction does not say it by itself. */
void fault_cause_first(const struct fault_view *, const struct event_record *);

/* A sentence about what made the delivery of victim fail with e. false: nothing was derived. */
bool fault_cause_delivery(const struct fault_view *, const struct event_record *victim,
                          const struct event_record *e);

#endif
