/*
 * Moves of vector registers, and MXCSR's load and store. SDM 2A, 2B, the pages that the rows name.
 * Non-temporal hints mean nothing here.
 */
#include "cpu/vec_operand.h"

static inline struct xmm *xmm(struct cpu *c, const struct insn *in, int i)
{
    return &c->fpu.xmm[in->reg[i]];
}

/* ---- 16 bytes ---- */

void x_mova_load(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    if (in->kind[1] == K_XMM)
        *xmm(c, in, 0) = *xmm(c, in, 1);
    else
        mmu_load16(c, vec_lin(c, in, 1, ACC_READ), xmm(c, in, 0));
}

void x_mova_store(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    if (in->kind[0] == K_XMM)
        *xmm(c, in, 0) = *xmm(c, in, 1);
    else
        mmu_store16(c, vec_lin(c, in, 0, ACC_WRITE), xmm(c, in, 1));
}

void x_movu_load(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    if (in->kind[1] == K_XMM)
        *xmm(c, in, 0) = *xmm(c, in, 1);
    else
        mmu_load16(c, opnd_lin(c, in, 1, 16, ACC_READ), xmm(c, in, 0));
}

void x_movu_store(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    if (in->kind[0] == K_XMM)
        *xmm(c, in, 0) = *xmm(c, in, 1);
    else
        mmu_store16(c, opnd_lin(c, in, 0, 16, ACC_WRITE), xmm(c, in, 1));
}

/* ---- halves and scalars ---- */

static u64 load(struct cpu *c, const struct insn *in)
{
    return mmu_load(c, opnd_lin(c, in, 1, in->srcsz, ACC_READ), in->srcsz);
}

static void store(struct cpu *c, const struct insn *in, u64 v)
{
    mmu_store(c, opnd_lin(c, in, 0, in->opsz, ACC_WRITE), v & size_mask(in->opsz), in->opsz);
}

void x_movl_load(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    xmm(c, in, 0)->q[0] = load(c, in);
}

void x_movl_store(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    store(c, in, xmm(c, in, 1)->q[0]);
}

void x_movh_load(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    xmm(c, in, 0)->q[1] = load(c, in);
}

void x_movh_store(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    store(c, in, xmm(c, in, 1)->q[1]);
}

void x_movhlps(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    xmm(c, in, 0)->q[0] = xmm(c, in, 1)->q[1];
}

void x_movlhps(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    xmm(c, in, 0)->q[1] = xmm(c, in, 1)->q[0];
}

/* MOVSS and MOVSD between registers leave the rest alone; loads clear it. */
void x_movs_reg4(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    xmm(c, in, 0)->q[0] = (xmm(c, in, 0)->q[0] & ~0xffffffffull) | (u32)xmm(c, in, 1)->q[0];
}

void x_movs_reg8(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    xmm(c, in, 0)->q[0] = xmm(c, in, 1)->q[0];
}

void x_movq_reg(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    *xmm(c, in, 0) = (struct xmm){ { xmm(c, in, 1)->q[0], 0 } };
}

void x_mov_low_load(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    *xmm(c, in, 0) = (struct xmm){ { in->kind[1] == K_XMM ? xmm(c, in, 1)->q[0] : load(c, in), 0 } };
}

void x_mov_low_store(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    store(c, in, xmm(c, in, 1)->q[0]);
}

void x_movd_from_gpr(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    *xmm(c, in, 0) = (struct xmm){ { opnd_load(c, in, 1, in->srcsz), 0 } };
}

void x_movd_to_gpr(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    opnd_store(c, in, 0, xmm(c, in, 1)->q[0] & size_mask(in->opsz), in->opsz);
}

/* The bytes of src whose mask has bit 7 set, at DS:rDI. Which faults a mask raises that leaves out
 * bytes is open (SDM 2B MASKMOVDQU): as on AMD silicon, those of the whole. */
void vec_masked_store(struct cpu *c, const struct insn *in, const void *src, const void *mask, unsigned size)
{
    const u8 *s = src, *m = mask;
    u64 lin = seg_lin(c, in->seg, ea_mask(c->gpr[RDI], in->adsz), size, ACC_WRITE);

    if ((c->mode & MODE_AC) && (lin & 7))
        cpu_raise(c, EXC_AC, 0);
    mmu_probe(c, lin, size, ACC_WRITE);
    for (unsigned i = 0; i < size; i++)
        if (m[i] & 0x80)
            mmu_store(c, lin + i, s[i], 1);
}

void x_maskmovdqu(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    vec_masked_store(c, in, xmm(c, in, 0), xmm(c, in, 1), 16);
}

/* ---- MXCSR ---- */

void x_ldmxcsr(struct cpu *c, const struct insn *in)
{
    u32 v;

    sse_check(c);
    v = (u32)mmu_load(c, opnd_lin(c, in, 0, 4, ACC_READ), 4);
    if (v & ~MXCSR_MASK)
        cpu_raise(c, EXC_GP, 0);
    mxcsr_to_memory(c);
    c->fpu.mxcsr = v;
}

void x_stmxcsr(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    mxcsr_to_memory(c);
    mmu_store(c, opnd_lin(c, in, 0, 4, ACC_WRITE), c->fpu.mxcsr, 4);
}
