/*
 * A processor in a small world, for the fuzzer: 128 KiB of RAM, a device in memory and one at ports
 * that remember every access and when it was made, a timer, an interrupt controller of one line.
 *
 *       0 vectors of real mode     1000 GDT     2000 IDT     3000 TSS     4000 handlers
 *    5000 page tables              e000 stack of level 0     f000 IST1
 *   10000 code, 4 pages           14000 data, 8 pages       1c000 stack, 2 pages
 *   1e000 a ROM: stores are lost  1f000 not listed          20000 the device, without paging
 * and, with paging, pages at 20000h of every kind (world.c has the list).
 */
#ifndef TESTS_JIT_WORLD_H
#define TESTS_JIT_WORLD_H

#include "core/bus.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mem_view.h"
#include "core/trace.h"
#include "cpu/cpu.h"
#include <stdio.h>

enum {
    GDT = 0x1000, IDT = 0x2000, TSS = 0x3000, HANDLERS = 0x4000, TABLES = 0x5000, STACK0_TOP = 0xeff0, IST1_TOP = 0xfff0,
    CODE = 0x10000, CODE_BYTES = 0x4000, DATA = 0x14000, DATA_BYTES = 0x8000, STACK = 0x1c000, STACK_BYTES = 0x2000,
    ROM = 0x1e000, ODD_PAGES = 0x20000, WORLD_RAM = 0x20000, DEVICE_BYTES = 0x8000, IRQ_VECTOR = 0x30,
};
#define HIGH_DATA 0xffff800000000000ull /* the same data, and more at the end of the lower half */
#define LOW_END   0x00007ffffffff000ull

/* Selectors; 3 is or-ed in for user mode. */
enum {
    SEL_CODE32 = 0x08, SEL_CODE16 = 0x10, SEL_CODE64 = 0x18, SEL_CODE32_ODD = 0x20, SEL_CODE16_ODD = 0x28,
    SEL_USER = 0x28, /* distance to the same descriptors for user mode */
    SEL_FLAT = 0x58, SEL_SMALL = 0x60, SEL_ODD = 0x68, SEL_DOWN = 0x70, SEL_READ_ONLY = 0x78, SEL_STACK16 = 0x80, SEL_WIDE = 0x88,
    SEL_TSS = 0x90, SEL_KERNEL = 0xa0, SEL_KERNEL16 = 0xa8, SEL_LAST = SEL_KERNEL16,
};

enum world_mode { REAL, V86, PROT16, PROT32, COMPAT16, COMPAT32, LONG, NR_MODES };
enum world_paging { PAGING_NONE, PAGING_32, PAGING_PAE };

struct world {
    struct cpu c;
    struct clock clk;
    struct log log;
    struct trace trace;
    struct bus io, mem;
    struct mem_view view;
    struct bus_region device, ports;
    struct timer timer;
    u64 device_hash;
    const struct engine *engine;
    void *e;
    FILE *sink;
};

/* How the engine of a pair runs. */
struct variant {
    const char *name;
    struct engine_options o;
    u32 tlb;
};
extern const struct variant variants[];
extern const unsigned nr_variants;

struct world *world_create(const struct engine *, const struct variant *);
void world_destroy(struct world *);

/* What a case begins in. */
struct start {
    u8 mode, paging; /* enum world_mode, world_paging: long modes have their own */
    bool user;
    u16 sel[NR_SEGS];
    u64 base[2]; /* of FS and GS in 64-bit mode */
    u64 gpr[16], rip;
    u32 flags, cr0, cr4; /* bits that are set beside what the mode needs */
    u16 fpu_cw;
    u32 mxcsr;
    u64 vec_seed; /* of the floating-point registers; 0: zeros */
    u64 data_seed;
};
bool start_long(const struct start *);
unsigned start_code_size(const struct start *); /* 2, 4, 8 */
u64 start_cs_base(const struct start *);
u64 start_seg_base(const struct start *, unsigned seg);

/* All memory but the code as at the beginning; then the code; then the registers. */
void world_start(struct world *, const struct start *, const u8 *code, u32 code_off, u32 code_len);

/* The registers as at the beginning, but RIP; memory, TLB and time go on. */
void world_resume(struct world *, const struct start *, u64 rip);

/* Lines of what differs; 0: nothing. Thorough: all state and memory; else what runs most. out may be NULL. */
unsigned world_diff(struct world *, struct world *, bool thorough, FILE *out);

u64 mix(u64 a, u64 b);

#endif
