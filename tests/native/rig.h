/*
 * The interpreter's side: a processor in long mode at CPL 3, whose page tables, GDT, LDT and IDT
 * give it the same linear addresses and selectors as the child has on the host.
 */
#ifndef TESTS_NATIVE_RIG_H
#define TESTS_NATIVE_RIG_H

#include "core/bus.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem_view.h"
#include "core/trace.h"
#include "cpu/cpu.h"
#include "tests/native/host.h"

struct rig {
    struct cpu c;
    struct clock clk;
    struct log log;
    struct trace trace;
    struct bus io, mem;
    struct mem_view view;
    const struct engine *way; /* interpreter or JIT: cpu/rig_engine.h */
    void *engine;
    FILE *sink;
    u64 next_table; /* physical address of the next free page-table page */
    u64 gdt_limit;
    u64 events_before;
    bool ended;
    u32 code_off; /* where the last case's code began */
    u8 *region[NR_REGIONS]; /* host address of each region's memory */
};

int rig_init(struct rig *, const struct host_facts *, const u8 *constant);
void rig_fini(struct rig *);

/* Puts the case's state, image and code in place. */
void rig_load(struct rig *, const struct slot *);

/* Changes code or memory of the running case. */
void rig_poke_code(struct rig *, u32 off, const u8 *bytes, unsigned len);

/* Runs at most ticks; true when an exception has ended the case. */
bool rig_run(struct rig *, u64 ticks);

/* After the end: the state at the exception, from the frame that was pushed, and why it ended. */
void rig_outcome(struct rig *, struct nstate *, struct outcome *);
void rig_save_image(struct rig *, u8 *image);

/* The state between two instructions, as a case could begin with. */
void rig_state(struct rig *, struct nstate *);

/* The same, without what a signal frame cannot set, or the kernel's IRET clears: a case begins there. */
void rig_start_state(struct rig *, struct nstate *);

/* FXSAVE images (tests/native/fx.c). x87 state that lives elsewhere must have been synced. */
void fx_load(struct fpu *, const u8 fx[FX_BYTES]);
void fx_save(const struct fpu *, u8 fx[FX_BYTES]);

/* The region and offset that lin lies in; false: none. */
bool rig_find(u64 lin, enum region *, u64 *off);

#endif
