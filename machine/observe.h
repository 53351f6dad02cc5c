/*
 * Everything that watches the processor: the instruction trace of `kiln trace`, the items of -d,
 * the names of instructions that we lack, and the report of a triple fault.
 *
 * There is one struct observe per machine. It attaches itself as the processor's one observer
 * only when something is asked for, so that a machine which nobody watches pays nothing.
 */
#ifndef MACHINE_OBSERVE_H
#define MACHINE_OBSERVE_H

#include "core/log.h"
#include "cpu/cpu.h"
#include "machine/machine.h"

struct observe;

/* Reads the symbol files, opens the trace's output, attaches to cpu. The processor must be there;
 * its clock is cpu.cfg.clk. NULL, with what, why and what to try in err. */
struct observe *observe_create(struct cpu *, struct clock *, struct log *,
                               const struct machine_config *cfg, char err[MACHINE_ERR_LEN]);

/* Writes out what is buffered, closes the trace's file, detaches. NULL is allowed. */
void observe_destroy(struct observe *);

/* The processor is about to be reset: -d cpu_reset shows what it was like, as QEMU does. */
void observe_reset(struct observe *);

/* A saved machine has taken this one's place. */
void observe_loaded(struct observe *);

/* Whether the trace has reached --to, or cannot be written any more. It has asked the processor to
 * stop: look after each run of the engine. */
bool observe_done(const struct observe *);

/* The guest may be dead: writes what the trace has kept. false: it cannot be written, which has
 * been said. */
bool observe_flush(struct observe *);

/* A struct cpu_config.undefined: counts and names a known instruction that is not there yet. */
void observe_undefined(void *observe, struct cpu *);

/* What led to the shutdown: the chain of exceptions with vectors, error codes, addresses and,
 * with symbols, functions; then the registers. Written to f. */
void observe_triple_fault(struct observe *, FILE *f);

/* Instructions that the guest wanted and we lack: the lines of --stats. */
void observe_print_stats(struct observe *, FILE *);

#endif
