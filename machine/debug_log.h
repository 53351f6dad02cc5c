/*
 * The items of -d that watch the processor: int, exec, in_asm, cpu, pcall,
 * mmu, cpu_reset. The formats are
 * QEMU's (version 7.2), since scripts read them; docs/TRACE.md says where we differ.
 */
#ifndef MACHINE_DEBUG_LOG_H
#define MACHINE_DEBUG_LOG_H

#include "core/log.h"
#include "cpu/cpu.h"
#include "machine/disasm.h"
#include "machine/symbols.h"

struct debug_log;

/* What of log.mask needs to be told of events, and of each instruction. */
#define DEBUG_LOG_EVENTS LOG_INT
#define DEBUG_LOG_INSNS  (LOG_EXEC | LOG_IN_ASM | LOG_CPU | LOG_PCALL | LOG_MMU)

/* A line for an instruction: address, eight bytes to a line, text. */
void debug_log_insn(FILE *, u64 address, const u8 *bytes, unsigned len, const char *text);

/* NULL: no memory. The arguments must outlive it. */
struct debug_log *debug_log_create(struct log *, struct cpu *, struct disasm *,
                                   const struct symbols *);
void debug_log_destroy(struct debug_log *); /* NULL is allowed */

void debug_log_before(struct debug_log *, const struct insn *);
void debug_log_after(struct debug_log *, const struct insn *);
void debug_log_event(struct debug_log *, const struct event_record *);
void debug_log_reset(struct debug_log *);
void debug_log_triple_fault(struct debug_log *);

#endif
