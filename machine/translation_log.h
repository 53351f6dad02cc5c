/*
 * What the JIT makes, for people: -d out_asm, guest and host code side by side; and names of translated
 * code for Linux' perf, -accel jit,perf=on, and for gdb, gdb=on.
 */
#ifndef MACHINE_TRANSLATION_LOG_H
#define MACHINE_TRANSLATION_LOG_H

#include "core/log.h"
#include "cpu/cpu.h"
#include "machine/disasm.h"
#include "machine/machine.h"
#include "machine/symbols.h"

struct translation_log;

/* The options say for whom names are: with perf_map, /tmp/perf-PID.map begins anew, which one machine of a process
 * can have. NULL, with what, why and
 * what to try in err. The log, disassembler and symbols must outlive it. */
struct translation_log *translation_log_create(struct log *, struct disasm *, const struct symbols *,
                                               const struct engine_options *names, char err[MACHINE_ERR_LEN]);
void translation_log_destroy(struct translation_log *); /* NULL is allowed */

translated_fn translation_log_told; /* of a struct translation_log */

#endif
