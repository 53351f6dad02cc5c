/* How an engine is to run: plain data that the command line fills in (-accel). */
#ifndef CPU_ENGINE_OPTIONS_H
#define CPU_ENGINE_OPTIONS_H

#include "core/types.h"

/* Counts the instructions that were interpreted, by either engine; the rest ran in translated code. */
struct interpreted {
    u64 insns;
    u64 since; /* the clock's count when the present block began */
    bool open; /* it runs */
};

/* How an engine is to run. All zero: as usual. */
struct engine_options {
    u64 cache_bytes;     /* JIT: of translated code; 0: 128 MiB */
    u32 block_insns;     /* most instructions of a block; 0: as many as fit */
    u32 hot;             /* JIT: how often a block is interpreted before it is translated; 0: the default */
    bool from_first;     /* JIT: translate at the first execution */
    bool perf_map;       /* JIT: names of its code are written where perf looks for them (machine/) */
    bool check_hits;     /* JIT: each hit of a fast set is walked again and compared */
    bool gdb_names;      /* JIT: gdb, attached to the emulator itself, is told names of its code (jit/gdb_jit.h) */
    struct interpreted *interpreted; /* not owned; NULL: nobody counts */
    bool stop_at_blocks; /* run() returns STOP_REQUEST after each block: lock step */
    bool hash_writes;    /* mem_view.write_hash takes in each store, emitted ones too */
};

/* Entries of the architectural TLB (mmu/tlb.c). One is enough: an access uses the physical address that its
 * translation returned, and no instruction counts on an entry to stay. */
enum { TLB_CAPACITY_MIN = 1, TLB_CAPACITY_MAX = 16384 };

/* Takes one word of -accel, "cache=8": the value is NULL where there is none. False: there is no such. */
bool engine_option(struct engine_options *, u32 *tlb_capacity, const char *name, const char *value);

#endif
