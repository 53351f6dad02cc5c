/*
 * For unit tests of what watches the processor: a processor with the interpreter, 1 MiB of RAM,
 * no devices, and a struct observe whose log and trace end up in strings.
 */
#ifndef MACHINE_WATCH_RIG_H
#define MACHINE_WATCH_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "core/bus.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem_view.h"
#include "core/trace.h"
#include "cpu/cpu.h"
#include "machine/observe.h"
#include "machine/trace_options.h"

struct watch_rig {
    struct cpu c;
    struct clock clk;
    struct log log;
    struct trace trace;
    struct bus io, mem;
    struct mem_view view;
    const struct engine *engine;
    void *e;
    struct observe *observe;
    struct trace_options options; /* of the trace; set before watch_rig_start() */
    FILE *log_file;
    char *log_text; /* after watch_rig_stop() */
    size_t log_len;
    char trace_path[32];
    char *trace_text; /* after watch_rig_stop(), without the first line */
};

enum { RIG_CODE = 0x1000, RIG_STACK = 0x8000, RIG_GDT = 0x600, RIG_IDT = 0x3000 };

/* Selectors after watch_rig_protected() and watch_rig_long(). */
enum {
    RIG_CS32 = 0x08,
    RIG_DS = 0x10,
    RIG_CS64 = 0x18,
    RIG_USER_CS = 0x23,
    RIG_USER_DS = 0x2b,
    RIG_TSS = 0x30,
    RIG_GDT_LIMIT = 0x3f
};

/* Real mode, code at 0000:1000, stack at 0000:8000. */
struct watch_rig *watch_rig_create(const void *code, size_t len);
void watch_rig_destroy(struct watch_rig *);

/* Flat 32-bit protected mode at CPL 0; the IDT is empty, with limit 0x7ff. */
void watch_rig_protected(struct watch_rig *);
/* 64-bit mode, the first 2 MiB mapped to themselves. */
void watch_rig_long(struct watch_rig *);
/* Writes a descriptor or gate into a table. */
void watch_rig_poke(struct watch_rig *, u64 pa, u64 value);

/* Attaches the observer: log_mask as of -d; traced: rig->options count. */
void watch_rig_start(struct watch_rig *, u32 log_mask, bool traced);
enum stop_reason watch_rig_run(struct watch_rig *, u64 ticks); /* absolute */
/* Detaches it: the texts are complete. */
void watch_rig_stop(struct watch_rig *);

#endif
