/* -d pcall and mmu: what instructions do with segments, control registers and A20. */
#ifndef MACHINE_DEBUG_LOG_SYSTEM_H
#define MACHINE_DEBUG_LOG_SYSTEM_H

#include "cpu/cpu.h"
#include <stdio.h>

/* pcall: the instruction is about to run. */
void debug_log_far(FILE *, struct cpu *, const struct insn *);

/* What mmu has shown last. */
struct control_seen {
    bool a20;
    u64 nr_flushes;
};

void debug_log_control_start(struct control_seen *, const struct cpu *);

/* mmu: the instruction has run. */
void debug_log_control(FILE *, const struct cpu *, const struct insn *, struct control_seen *);

#endif
