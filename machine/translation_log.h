/*
 * What the JIT makes, for people: -d out_asm, guest and host code side by side; and names of translated
 * code for Linux' perf, -accel jit,perf=on.
 */
#ifndef MACHINE_TRANSLATION_LOG_H
#define MACHINE_TRANSLATION_LOG_H

#include "core/log.h"
#include "cpu/cpu.h"
#include "machine/disasm.h"
#include "machine/machine.h"
#include "machine/symbols.h"

struct translation_log;

/* With perf_map, /tmp/perf-PID.map begins anew: one machine of a process has it. NULL, with what, why and
 * what to try in err. The log, disassembler and symbols must outlive it. */
struct translation_log *translation_log_create(struct log *, struct disasm *, const struct symbols *, bool perf_map,
                                               char err[MACHINE_ERR_LEN]);
void translation_log_destroy(struct translation_log *); /* NULL is allowed */

translated_fn translation_log_told; /* of a struct translation_log */

#endif
