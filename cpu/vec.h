/*
 * Vector instructions: the host's own, in stubs that vec_gen.c makes from the rows; and MXCSR.
 *
 * A stub takes what the row's operands point to and runs its instruction on them. A C compiler
 * would move floating-point operations over reads of their flags, and has most of these operations
 * not at all. So for these rows the host is no witness of ours: tests/softfloat, cpu/vec_test.c.
 *
 * MXCSR. While all of the guest's exceptions are masked it lives in the host's register
 * (cpu.mxcsr_live), from the first row that looks at it until mxcsr_to_memory(): before a device, an
 * observer or the board runs, before anyone reads or writes fpu.mxcsr, and before an engine's run()
 * returns. What runs in between is cpu/ and mmu/, which have no floating point. When an exception is
 * not masked each instruction is run by itself (vec.c).
 */
#ifndef CPU_VEC_H
#define CPU_VEC_H

#include "cpu/fpu.h"

/* dst: struct xmm that the first operand is read from and written to (a general register in its
 * low 8 bytes); src: the second operand, of the row's size or a register's; third: the immediate,
 * or where XMM0 is. Returns EFLAGS where the row writes any. String compares: dst is a struct
 * vec_string. */
typedef u64 vec_stub(void *dst, const void *src, u64 third);
extern vec_stub *const vec_stubs[][2]; /* by row, and REX.W */

struct vec_string {
    struct xmm v; /* in: the first operand; out: the mask */
    u64 rax, rdx; /* in: lengths; out: rax the index */
};

enum mxcsr {
    MXCSR_IE = 1, MXCSR_DE = 2, MXCSR_ZE = 4, MXCSR_OE = 8, MXCSR_UE = 16, MXCSR_PE = 32,
    MXCSR_FLAGS = 0x3f, MXCSR_DAZ = 1 << 6, MXCSR_MASKS = 0x3f << 7, MXCSR_FTZ = 1 << 15,
};

void mxcsr_move_to_memory(struct cpu *);
static inline void mxcsr_to_memory(struct cpu *c)
{
    if (UNLIKELY(c->mxcsr_live))
        mxcsr_move_to_memory(c);
}

/* All that may live in the host's registers: what an engine owes before its run() returns. */
static inline void floating_to_memory(struct cpu *c)
{
    fpu_to_memory(c);
    mxcsr_to_memory(c);
}

/* False: exceptions are not masked, so it stays in memory. */
bool mxcsr_to_host(struct cpu *);

/* Runs a row's stub by itself, under fpu.mxcsr in memory: raises #XM or #UD and has changed nothing
 * but the flags in MXCSR, or writes *dst. */
u64 vec_run_unmasked(struct cpu *, unsigned row, bool wide, struct xmm *dst, const void *src, u64 third);

/* Whether the row is inexact where overflows or underflows are not masked. False: it has none. The
 * x87 state must be in memory. */
bool vec_inexact(unsigned row, const struct xmm *dst, const void *src, u32 mxcsr, bool *inexact);

/* Raises what CR0 and CR4 make of an SSE instruction (SDM 3A 2.5, table 2-2; 13.1). */
_Noreturn void sse_unavailable(struct cpu *);
static inline void sse_check(struct cpu *c)
{
    if (UNLIKELY(c->mode & MODE_NO_SSE))
        sse_unavailable(c);
}

#endif
