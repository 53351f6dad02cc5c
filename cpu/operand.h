/*
 * Operands of decoded instructions: registers, effective addresses, segments, memory.
 *
 * Loads of a first operand that will be written go through opnd_load_rmw(), which checks write
 * permission first. Every access checks its segment before it translates (SDM 3A 5.3, 5.5).
 */
#ifndef CPU_OPERAND_H
#define CPU_OPERAND_H

#include "cpu/cpu.h"
#include "cpu/flags.h"
#include "mmu/mmu.h"

static inline u64 reg_read(const struct cpu *c, unsigned reg, unsigned size)
{
    return c->gpr[reg] & size_mask(size);
}

/* Writes of 32 bits clear the upper half; of 8 and 16 bits leave the rest (SDM 1, 3.4.1.1). */
static inline void reg_write(struct cpu *c, unsigned reg, u64 v, unsigned size)
{
    switch (size) {
    case 1: c->gpr[reg] = (c->gpr[reg] & ~0xffull) | (u8)v; break;
    case 2: c->gpr[reg] = (c->gpr[reg] & ~0xffffull) | (u16)v; break;
    case 4: c->gpr[reg] = (u32)v; break;
    default: c->gpr[reg] = v; break;
    }
}

static inline bool canonical(u64 lin)
{
    return (u64)((i64)(lin << 16) >> 16) == lin;
}

/* Linear address of seg:off for size bytes, with all checks; raises #GP or #SS. */
u64 seg_lin_slow(struct cpu *, unsigned seg, u64 off, u64 size, unsigned access);

static inline u64 seg_lin(struct cpu *c, unsigned seg, u64 off, u64 size, unsigned access)
{
    const struct seg *s = &c->seg[seg];

    if ((c->mode & MODE_CODE_MASK) == MODE_CODE64) {
        u64 lin = seg >= FS ? s->base + off : off;
        if (LIKELY(canonical(lin) && canonical(lin + size - 1)))
            return lin;
    } else if (LIKELY((s->fast & (access == ACC_READ ? SEG_FAST_R : SEG_FAST_W)) &&
                      off + size - 1 <= s->limit)) {
        return (u32)(s->base + off);
    }
    return seg_lin_slow(c, seg, off, size, access);
}

static inline u64 ea_mask(u64 ea, unsigned adsz)
{
    return adsz == 8 ? ea : ea & size_mask(adsz);
}

/* The offset that a memory operand's ModRM, SIB and displacement name. */
static inline u64 ea_of(const struct cpu *c, const struct insn *in)
{
    u64 ea = (u64)(i64)in->disp + (c->gpr[in->index] << in->scale);

    ea += UNLIKELY(in->base == RIP_REG) ? c->rip + in->len : c->gpr[in->base];
    return ea_mask(ea, in->adsz);
}

static inline u64 mem_off(const struct cpu *c, const struct insn *in, int i)
{
    return UNLIKELY(in->kind[i] == K_MOFF) ? in->imm : ea_of(c, in);
}

static inline u64 opnd_lin(struct cpu *c, const struct insn *in, int i, unsigned size, unsigned acc)
{
    return seg_lin(c, in->seg, mem_off(c, in, i), size, acc);
}

/* A linear address n bytes further on, for an operand that is accessed in parts. */
static inline u64 lin_add(const struct cpu *c, u64 lin, u64 n)
{
    return (c->mode & MODE_CODE_MASK) == MODE_CODE64 ? lin + n : (u32)(lin + n);
}

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* The _as forms take what the operand is from the caller: cpu/forms.c makes it a constant. */
ALWAYS_INLINE u64 opnd_load_as(struct cpu *c, const struct insn *in, int i, unsigned kind,
                               unsigned size)
{
    switch (kind) {
    case K_REG: return reg_read(c, in->reg[i], size);
    case K_REGH: return (u8)(c->gpr[in->reg[i]] >> 8);
    case K_IMM: return in->imm & size_mask(size);
    default: return mmu_load(c, opnd_lin(c, in, i, size, ACC_READ), size);
    }
}

ALWAYS_INLINE u64 opnd_load_rmw_as(struct cpu *c, const struct insn *in, unsigned kind,
                                   unsigned size)
{
    if (kind == K_REG)
        return reg_read(c, in->reg[0], size);
    if (kind == K_REGH)
        return (u8)(c->gpr[in->reg[0]] >> 8);
    return mmu_load_rmw(c, opnd_lin(c, in, 0, size, ACC_WRITE), size);
}

ALWAYS_INLINE void opnd_store_as(struct cpu *c, const struct insn *in, int i, u64 v, unsigned kind,
                                 unsigned size)
{
    if (kind == K_REG)
        reg_write(c, in->reg[i], v, size);
    else if (kind == K_REGH)
        c->gpr[in->reg[i]] = (c->gpr[in->reg[i]] & ~0xff00ull) | (u64)(u8)v << 8;
    else
        mmu_store(c, opnd_lin(c, in, i, size, ACC_WRITE), v, size);
}

static inline u64 opnd_load(struct cpu *c, const struct insn *in, int i, unsigned size)
{
    return opnd_load_as(c, in, i, in->kind[i], size);
}

static inline u64 opnd_load_rmw(struct cpu *c, const struct insn *in, unsigned size)
{
    return opnd_load_rmw_as(c, in, in->kind[0], size);
}

static inline void opnd_store(struct cpu *c, const struct insn *in, int i, u64 v, unsigned size)
{
    opnd_store_as(c, in, i, v, in->kind[i], size);
}

/* A far pointer in memory: the offset, then the selector. With REX.W the offset has 32 bits all
 * the same: AMD has no m16:64, Intel has; we follow AMD (APM 3 CALL (Far), LDS/LES/LFS/LGS/LSS). */
static inline u64 load_far_pointer(struct cpu *c, const struct insn *in, int i, u16 *sel)
{
    unsigned size = in->opsz == 8 ? 4 : in->opsz;
    u64 off = mem_off(c, in, i), lin, lin_sel, v;

    /* Two operands: each has its own alignment, and the address may wrap between them. */
    lin = seg_lin(c, in->seg, off, size, ACC_READ);
    mmu_probe(c, lin, size, ACC_READ);
    lin_sel = seg_lin(c, in->seg, ea_mask(off + size, in->adsz), 2, ACC_READ);
    mmu_probe(c, lin_sel, 2, ACC_READ);
    v = mmu_load(c, lin, size);
    *sel = (u16)mmu_load(c, lin_sel, 2);
    return v;
}

/* ---- the stack ---- */

static inline u64 stack_mask(const struct cpu *c)
{
    if ((c->mode & MODE_CODE_MASK) == MODE_CODE64)
        return ~0ull;
    return c->mode & MODE_SS32 ? 0xffffffffull : 0xffffull;
}

/* rSP changed to sp within the stack's width. */
static inline void set_sp(struct cpu *c, u64 sp)
{
    u64 m = stack_mask(c);

    if (m == 0xffff)
        c->gpr[RSP] = (c->gpr[RSP] & ~m) | (sp & m);
    else
        c->gpr[RSP] = sp & m;
}

static inline void push(struct cpu *c, u64 v, unsigned size)
{
    u64 sp = (c->gpr[RSP] - size) & stack_mask(c);

    mmu_store(c, seg_lin(c, SS, sp, size, ACC_WRITE), v, size);
    set_sp(c, sp);
}

/* The value at rSP + off; rSP stays, so that a later fault leaves it alone. */
static inline u64 stack_peek(struct cpu *c, u64 off, unsigned size)
{
    return mmu_load(c, seg_lin(c, SS, (c->gpr[RSP] + off) & stack_mask(c), size, ACC_READ), size);
}

/* Raises what reading there would raise. */
static inline void stack_probe(struct cpu *c, u64 off, unsigned size)
{
    mmu_probe(c, seg_lin(c, SS, (c->gpr[RSP] + off) & stack_mask(c), size, ACC_READ), size, ACC_READ);
}

/* ---- control flow ---- */

/* Checks a near target of the current code segment and makes it the next RIP; raises #GP(0). */
static inline void jump_near(struct cpu *c, u64 target, unsigned opsz)
{
    if ((c->mode & MODE_CODE_MASK) == MODE_CODE64) {
        target = opsz == 2 ? (u16)target : target;
        if (UNLIKELY(!canonical(target)))
            cpu_raise(c, EXC_GP, 0);
    } else {
        target &= opsz == 2 ? 0xffff : 0xffffffff;
        if (UNLIKELY(target > c->seg[CS].limit))
            cpu_raise(c, EXC_GP, 0);
    }
    c->next_rip = target;
}

/* The push can fault first, and is made last. */
static inline void call_near(struct cpu *c, u64 target, unsigned size)
{
    u64 ret = c->next_rip, sp = (c->gpr[RSP] - size) & stack_mask(c);
    u64 lin = seg_lin(c, SS, sp, size, ACC_WRITE);

    mmu_probe(c, lin, size, ACC_WRITE);
    jump_near(c, target, size);
    mmu_store(c, lin, ret, size);
    set_sp(c, sp);
}

/* Ends the current block after this instruction. */
static inline void leave_block(struct cpu *c)
{
    c->leave = true;
}

#endif
