/*
 * The guest's x87 state, and where it is.
 *
 * Its home is struct fpu. While an engine runs it may live in the host's x87 registers instead
 * (cpu.fpu_live), so that rows that compute run the host's instruction on it at once. Then r, valid
 * and sw of struct fpu are stale; cw, fop, fip and fdp are always right. Whoever reads or writes
 * the registers there calls fpu_to_memory() first; it leaves the host's x87 unit as the ABI wants
 * it. An engine calls it before its run() returns.
 *
 * So between fpu_to_host() and fpu_to_memory() no host code may use the x87 unit. Compilers use it
 * for long double alone: there is none in the emulator, nor in what runs inside of an engine's run().
 * The host's unit never starts a waiting instruction with an exception pending: it would be
 * the host's SIGFPE.
 */
#ifndef CPU_FPU_H
#define CPU_FPU_H

#include "cpu/cpu.h"

enum fpu_status {
    FPU_IE = 1, FPU_DE = 2, FPU_ZE = 4, FPU_OE = 8, FPU_UE = 16, FPU_PE = 32,
    FPU_EXCEPTIONS = 0x3f, /* in the control word: masked */
    FPU_SF = 1 << 6,
    FPU_ES = 1 << 7,  /* an exception that is not masked */
    FPU_B = 1 << 15,  /* a copy of ES */
    FPU_TOP_SHIFT = 11,
};

#define MXCSR_MASK 0xffffu /* the bits of MXCSR that there are: DAZ, but not AMD's MM */

void fpu_move_to_memory(struct cpu *);
void fpu_move_to_host(struct cpu *);

static inline void fpu_to_memory(struct cpu *c)
{
    if (c->fpu_live)
        fpu_move_to_memory(c);
}

static inline void fpu_to_host(struct cpu *c)
{
    if (UNLIKELY(!c->fpu_live))
        fpu_move_to_host(c);
}

/* Nothing can be pending while all exceptions are masked: the path of nearly all programs. */
static inline bool fpu_all_masked(const struct cpu *c)
{
    return (c->fpu.cw & FPU_EXCEPTIONS) == FPU_EXCEPTIONS;
}

/* What each x87 instruction and FXSAVE begin with (SDM 3A 2.5, CR0.EM and CR0.TS). */
static inline void fpu_check_available(struct cpu *c)
{
    if (UNLIKELY(c->mode & MODE_EM_TS))
        cpu_raise_no_code(c, EXC_NM);
}

u16 fpu_status(const struct cpu *); /* the status word, wherever it is */

/* What a waiting instruction begins with: an exception that is pending raises #MF, or waits for
 * IRQ 13 (both do not return), or is ignored under IGNNE#. SDM 1, 8.7. */
void fpu_pending(struct cpu *);
static inline void fpu_check_pending(struct cpu *c)
{
    if (UNLIKELY(!fpu_all_masked(c)))
        fpu_pending(c);
}

/* Whoever has written cw or sw in memory calls this: it makes the control word's reserved bits, ES
 * and B what silicon makes of them, and lowers FERR# when nothing is pending any more. */
void fpu_settle(struct cpu *);

/* As FNINIT leaves it. Must not be live. */
void fpu_init(struct fpu *);

static inline unsigned fpu_top(const struct fpu *f)
{
    return f->sw >> FPU_TOP_SHIFT & 7;
}

/* ST(i) of a state in memory. */
static inline struct st *fpu_st(struct fpu *f, unsigned i)
{
    return &f->r[(fpu_top(f) + i) & 7];
}

/* The tag word in its form of two bits a register (SDM 1, 8.1.7). */
u16 fpu_tag_word(const struct fpu *);
void fpu_set_tag_word(struct fpu *, u16 tags); /* only "empty" counts, the rest follows from the registers */

#endif
