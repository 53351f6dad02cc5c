/*
 * Vector instructions that run in stubs (cpu/vec.h): one function for each pattern of operands. The
 * moves are in exec_vecmov.c.
 */
#include "cpu/vec_operand.h"

/* The second operand; an immediate has none. */
static inline const void *source(struct cpu *c, const struct insn *in, struct xmm *tmp)
{
    switch (in->kind[1]) {
    case K_XMM: return &c->fpu.xmm[in->reg[1]];
    case K_REG: return &c->gpr[in->reg[1]];
    case K_MEM: return vec_memory(c, in, 1, tmp);
    default: return NULL;
    }
}

static inline vec_stub *stub_of(const struct insn *in, bool wide)
{
    return vec_stubs[in->row][wide];
}

/* Runs the stub under the guest's MXCSR. */
static inline u64 run_fp(struct cpu *c, const struct insn *in, bool wide, struct xmm *dst, const void *src)
{
    if (UNLIKELY(!c->mxcsr_live) && !mxcsr_to_host(c))
        return vec_run_unmasked(c, in->row, wide, dst, src, (u8)in->imm);
    return stub_of(in, wide)(dst, src, (u8)in->imm);
}

/* xmm op= xmm/memory, or an immediate. */
void x_vec_op(struct cpu *c, const struct insn *in)
{
    struct xmm tmp;

    sse_check(c);
    stub_of(in, false)(&c->fpu.xmm[in->reg[0]], source(c, in, &tmp), (u8)in->imm);
}

void x_vec_fp(struct cpu *c, const struct insn *in)
{
    struct xmm tmp;
    const void *src;

    sse_check(c);
    src = source(c, in, &tmp);
    run_fp(c, in, false, &c->fpu.xmm[in->reg[0]], src);
}

/* Dot products multiply, then add: an exception of the products that is not masked comes before the
 * sums are made. So they are run as the manual spells them (SDM 2A DPPD, DPPS), and where that raises
 * none, as they are: which of several NaNs comes through is the host's choice. */
static void dot_unmasked(struct cpu *c, const struct insn *in, struct xmm *dst, const struct xmm *src)
{
    bool single = in->row == ROW_DPPS;
    unsigned lanes = single ? 4 : 2, size = 16 / lanes;
    struct xmm a = *dst, b = *src, sum;

    for (unsigned i = 0; i < lanes; i++)
        if (!(in->imm >> (4 + i) & 1)) {
            memset((u8 *)&a + size * i, 0, size);
            memset((u8 *)&b + size * i, 0, size);
        }
    vec_run_unmasked(c, single ? ROW_MULPS : ROW_MULPD, false, &a, &b, 0);
    for (unsigned n = lanes; n > 1; n /= 2) {
        sum = a;
        vec_run_unmasked(c, single ? ROW_HADDPS : ROW_HADDPD, false, &sum, &a, 0);
        a = sum;
    }
    vec_run_unmasked(c, in->row, false, dst, src, (u8)in->imm);
}

void x_vec_dp(struct cpu *c, const struct insn *in)
{
    struct xmm tmp, *dst = &c->fpu.xmm[in->reg[0]];
    const void *src;

    sse_check(c);
    src = source(c, in, &tmp);
    if (LIKELY(c->mxcsr_live) || mxcsr_to_host(c)) {
        stub_of(in, false)(dst, src, (u8)in->imm);
    } else {
        memcpy(&tmp, src, 16);
        dot_unmasked(c, in, dst, &tmp);
    }
}

/* The same with XMM0 as a third operand. */
void x_vec_xmm0(struct cpu *c, const struct insn *in)
{
    struct xmm tmp;

    sse_check(c);
    stub_of(in, false)(&c->fpu.xmm[in->reg[0]], source(c, in, &tmp), (u64)(uintptr_t)&c->fpu.xmm[0]);
}

void x_vec_insertps(struct cpu *c, const struct insn *in)
{
    struct xmm tmp;

    sse_check(c);
    stub_of(in, false)(&c->fpu.xmm[in->reg[0]], vec_memory(c, in, 1, &tmp), in->imm & 0x3f);
}

/* To a general register, whose upper half is cleared, or to memory. */
static void put_general(struct cpu *c, const struct insn *in, u64 v)
{
    if (in->kind[0] == K_MEM)
        mmu_store(c, opnd_lin(c, in, 0, in->opsz, ACC_WRITE), v & size_mask(in->opsz), in->opsz);
    else
        c->gpr[in->reg[0]] = v;
}

void x_vec_get(struct cpu *c, const struct insn *in)
{
    struct xmm v;

    sse_check(c);
    stub_of(in, in->opsz == 8)(&v, &c->fpu.xmm[in->reg[1]], (u8)in->imm);
    put_general(c, in, v.q[0]);
}

void x_vec_fp_get(struct cpu *c, const struct insn *in)
{
    struct xmm tmp, v;
    const void *src;

    sse_check(c);
    src = source(c, in, &tmp);
    run_fp(c, in, in->opsz == 8, &v, src);
    put_general(c, in, v.q[0]);
}

/* From a general register or memory. */
void x_vec_put(struct cpu *c, const struct insn *in)
{
    struct xmm tmp;

    sse_check(c);
    stub_of(in, in->srcsz == 8)(&c->fpu.xmm[in->reg[0]], source(c, in, &tmp), (u8)in->imm);
}

void x_vec_fp_put(struct cpu *c, const struct insn *in)
{
    struct xmm tmp;
    const void *src;

    sse_check(c);
    src = source(c, in, &tmp);
    run_fp(c, in, in->srcsz == 8, &c->fpu.xmm[in->reg[0]], src);
}

/* EFLAGS from two operands. */
void x_vec_flags(struct cpu *c, const struct insn *in)
{
    struct xmm tmp;
    const void *src;

    sse_check(c);
    src = source(c, in, &tmp);
    flags_set(c, F_ARITH, (u32)stub_of(in, false)(&c->fpu.xmm[in->reg[0]], src, 0));
}

void x_vec_fp_flags(struct cpu *c, const struct insn *in)
{
    struct xmm tmp;
    const void *src;

    sse_check(c);
    src = source(c, in, &tmp);
    flags_set(c, F_ARITH, (u32)run_fp(c, in, false, &c->fpu.xmm[in->reg[0]], src));
}

/* PCMPxSTRx: memory need not be aligned. The lengths in rAX and rDX are saturated to 16 elements
 * anyway, so that a clamped one serves for REX.W's 64 bits, too. */
static u64 length(const struct insn *in, u64 reg)
{
    i64 v = in->pfx & PFX_REXW ? (i64)reg : (i32)reg;

    return (u64)(v > 16 ? 16 : v < -16 ? -16 : v);
}

static void compare_strings(struct cpu *c, const struct insn *in, struct vec_string *s)
{
    struct xmm tmp;
    const void *src = &c->fpu.xmm[in->reg[1]];

    sse_check(c);
    if (in->kind[1] == K_MEM)
        src = mmu_view16(c, opnd_lin(c, in, 1, 16, ACC_READ), &tmp);
    *s = (struct vec_string){ c->fpu.xmm[in->reg[0]], length(in, c->gpr[RAX]), length(in, c->gpr[RDX]) };
    flags_set(c, F_ARITH, (u32)stub_of(in, false)(s, src, (u8)in->imm));
}

void x_vec_str_index(struct cpu *c, const struct insn *in)
{
    struct vec_string s;

    compare_strings(c, in, &s);
    c->gpr[RCX] = s.rax;
}

void x_vec_str_mask(struct cpu *c, const struct insn *in)
{
    struct vec_string s;

    compare_strings(c, in, &s);
    c->fpu.xmm[0] = s.v;
}
