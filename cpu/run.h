/*
 * What the engines share: the look between two blocks, the instruction that needs care, and faults.
 *
 * An engine's run() is: setjmp at cpu.unwind, run_fault() when an instruction has raised; then
 * run_poll(), and a block, again and again. Interrupts are recognised in run_poll() alone, so at the
 * same instruction whatever the engine: an instruction that can change deliverability ends its
 * block, and one that reached a device leaves after itself.
 */
#ifndef CPU_RUN_H
#define CPU_RUN_H

#include "cpu/block.h"

/* What happens between blocks. Returns true when the engine must leave, with the reason. May raise. */
bool run_poll(struct cpu *, enum stop_reason *why);

/* Whether the instructions of the block must run one by one, by run_one(). */
bool run_needs_care(const struct cpu *, const struct block *);

/* Runs at most max instructions of the block; RIP is at its first. */
void run_block(struct cpu *, const struct block *, unsigned max);

/* One instruction, with everything that needs a look before or after it. */
void run_one(struct cpu *, const struct block *);

/* Makes the state canonical: an engine's sync(). */
void run_sync(struct cpu *);

/* Delivers the fault that has unwound; raises again if that faults. False: a triple fault. */
bool run_fault(struct cpu *);

#endif
