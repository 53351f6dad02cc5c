/*
 * The instruction trace of `kiln trace`: one line per instruction, event and reset.
 * docs/TRACE.md has the grammar, which is stable.
 */
#ifndef MACHINE_INSN_TRACE_H
#define MACHINE_INSN_TRACE_H

#include "cpu/cpu.h"
#include "machine/disasm.h"
#include "machine/symbols.h"
#include "machine/trace_options.h"

struct insn_trace;

/* Opens the output. All arguments must outlive the trace, but for the options' words. NULL, with
 * what, why and what to try in err. */
struct insn_trace *insn_trace_create(const struct trace_options *, struct cpu *, struct disasm *,
                                     const struct symbols *, char *err, size_t err_len);
void insn_trace_destroy(struct insn_trace *); /* flushes it; NULL is allowed */

/* The observer's calls. */
void insn_trace_before(struct insn_trace *, const struct insn *, const u8 *bytes);
void insn_trace_after(struct insn_trace *);
void insn_trace_event(struct insn_trace *, const struct event_record *);
void insn_trace_mem(struct insn_trace *, u64 lin, u64 value, unsigned size, bool write);

/* The guest has written a port: it may be that of --from or --to. */
void insn_trace_port(struct insn_trace *, u16 port, u64 value);

/* Whether --from or --to is a port. */
bool insn_trace_wants_ports(const struct insn_trace *);

/* Nothing but a port can wake it: it needs no other calls than insn_trace_port(). */
bool insn_trace_sleeps(const struct insn_trace *);

/* Lines for what is neither instruction nor exception: "#RESET", "#SHUTDOWN". */
void insn_trace_note(struct insn_trace *, const char *what);

/* The guest is dead, or may be: what is kept is written out. */
bool insn_trace_flush(struct insn_trace *); /* false: it cannot be written, which was said */

/* --to was reached, or the output cannot be written: insn_trace_flush() knows which. */
bool insn_trace_done(const struct insn_trace *);

#endif
