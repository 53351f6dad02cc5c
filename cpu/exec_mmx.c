/*
 * MMX. MMi is the mantissa of the x87 register Ri; an instruction that writes it fills the exponent
 * with ones, and each but EMMS sets TOP to 0 and makes all registers valid (SDM 1, 9.5; 3A 12.2).
 */
#include "cpu/fpu.h"
#include "cpu/vec_operand.h"

/* CR0.EM, CR0.TS, a pending x87 exception, in this order (SDM 3A 12.1); x87 state into memory. */
static void mmx_begin(struct cpu *c)
{
    if (UNLIKELY(c->mode & MODE_EM_TS))
        cpu_raise_no_code(c, c->cr0 & CR0_EM ? EXC_UD : EXC_NM);
    fpu_check_pending(c);
    fpu_to_memory(c);
}

/* After the last access that can fault. */
static void mmx_done(struct cpu *c)
{
    c->fpu.sw &= (u16)~(7 << FPU_TOP_SHIFT);
    c->fpu.valid = 0xff;
}

static void mmx_write(struct cpu *c, unsigned reg, u64 v)
{
    c->fpu.r[reg] = (struct st){ .mant = v, .exp = 0xffff };
}

static u64 mmx_reg(const struct cpu *c, const struct insn *in, int i)
{
    return c->fpu.r[in->reg[i]].mant;
}

static const void *source(struct cpu *c, const struct insn *in, struct xmm *tmp)
{
    switch (in->kind[1]) {
    case K_MMX: return &c->fpu.r[in->reg[1]].mant;
    case K_REG: return &c->gpr[in->reg[1]];
    case K_MEM: return vec_memory(c, in, 1, tmp);
    default: return NULL;
    }
}

void x_vec_mmx(struct cpu *c, const struct insn *in)
{
    struct xmm tmp, v = { { 0, 0 } };
    const void *src;

    mmx_begin(c);
    src = source(c, in, &tmp);
    v.q[0] = mmx_reg(c, in, 0);
    vec_stubs[in->row][0](&v, src, (u8)in->imm);
    mmx_done(c);
    mmx_write(c, in->reg[0], v.q[0]);
}

void x_vec_mmx_get(struct cpu *c, const struct insn *in)
{
    struct xmm v;

    mmx_begin(c);
    vec_stubs[in->row][0](&v, &c->fpu.r[in->reg[1]].mant, (u8)in->imm);
    mmx_done(c);
    c->gpr[in->reg[0]] = v.q[0];
}

/* Conversions between MMX and XMM, under MXCSR. As on AMD silicon, where the manual differs or says
 * nothing: a conversion from memory to XMM leaves the x87 state alone (so SDM 2A CVTPI2PD), and one
 * to MMX has made the registers valid when it raises #XM. */
void x_vec_mixed(struct cpu *c, const struct insn *in)
{
    bool to_mmx = in->kind[0] == K_MMX, touches = to_mmx || in->kind[1] == K_MMX;
    vec_stub *stub = vec_stubs[in->row][0];
    struct xmm tmp, v = { { 0, 0 } };
    const void *src;

    sse_check(c);
    if (touches)
        mmx_begin(c);
    else
        fpu_to_memory(c); /* the stub's EMMS */
    src = in->kind[1] == K_XMM ? &c->fpu.xmm[in->reg[1]] : source(c, in, &tmp);
    if (touches)
        mmx_done(c);
    if (!to_mmx)
        v = c->fpu.xmm[in->reg[0]];
    if (c->mxcsr_live || mxcsr_to_host(c))
        stub(&v, src, 0);
    else
        vec_run_unmasked(c, in->row, false, &v, src, 0);
    if (to_mmx)
        mmx_write(c, in->reg[0], v.q[0]);
    else
        c->fpu.xmm[in->reg[0]] = v;
}

void x_movq2dq(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    mmx_begin(c);
    mmx_done(c);
    c->fpu.xmm[in->reg[0]] = (struct xmm){ { mmx_reg(c, in, 1), 0 } };
}

void x_movdq2q(struct cpu *c, const struct insn *in)
{
    sse_check(c);
    mmx_begin(c);
    mmx_done(c);
    mmx_write(c, in->reg[0], c->fpu.xmm[in->reg[1]].q[0]);
}

void x_mmx_from_gpr(struct cpu *c, const struct insn *in)
{
    u64 v;

    mmx_begin(c);
    v = opnd_load(c, in, 1, in->srcsz);
    mmx_done(c);
    mmx_write(c, in->reg[0], v);
}

void x_mmx_to_gpr(struct cpu *c, const struct insn *in)
{
    mmx_begin(c);
    opnd_store(c, in, 0, mmx_reg(c, in, 1) & size_mask(in->opsz), in->opsz);
    mmx_done(c);
}

void x_mmx_load(struct cpu *c, const struct insn *in)
{
    u64 v;

    mmx_begin(c);
    v = in->kind[1] == K_MMX ? mmx_reg(c, in, 1) : mmu_load(c, opnd_lin(c, in, 1, 8, ACC_READ), 8);
    mmx_done(c);
    mmx_write(c, in->reg[0], v);
}

void x_mmx_store(struct cpu *c, const struct insn *in)
{
    mmx_begin(c);
    if (in->kind[0] == K_MMX)
        mmx_write(c, in->reg[0], mmx_reg(c, in, 1));
    else
        mmu_store(c, opnd_lin(c, in, 0, 8, ACC_WRITE), mmx_reg(c, in, 1), 8);
    mmx_done(c);
}

void x_maskmovq(struct cpu *c, const struct insn *in)
{
    u64 v, mask;

    mmx_begin(c);
    v = mmx_reg(c, in, 0);
    mask = mmx_reg(c, in, 1);
    mmx_done(c); /* silicon has done that when the store faults */
    vec_masked_store(c, in, &v, &mask, 8);
}

void x_emms(struct cpu *c, const struct insn *in)
{
    (void)in;
    mmx_begin(c);
    c->fpu.sw &= (u16)~(7 << FPU_TOP_SHIFT);
    c->fpu.valid = 0;
}
