/* --regs: which registers an instruction has changed. */
#ifndef MACHINE_TRACE_REGS_H
#define MACHINE_TRACE_REGS_H

#include "cpu/cpu.h"
#include "machine/trace_line.h"
#include "machine/trace_record.h"

/* The registers at one moment. Zeroed before its first use, so that its padding compares equal. */
struct trace_regs {
    u64 gpr[16];
    u32 flags;
    struct seg seg[NR_SEGS], ldtr, tr;
    struct dtable gdtr, idtr;
    u64 cr0, cr2, cr3, cr4, cr8;
    u64 dr[8];
    struct msrs msr;
};

/* More than there are registers. */
#define TRACE_REGS_MAX 80

void trace_regs_take(struct trace_regs *, const struct cpu *);

/* Makes an item for each register that is not as in old, and old as they are now. Returns their
 * number. */
unsigned trace_regs_changed(struct trace_regs *old, const struct cpu *,
                            struct trace_item items[TRACE_REGS_MAX]);

/* Such an item as text. */
void trace_regs_put(struct trace_line *, const struct trace_item *);

#endif
