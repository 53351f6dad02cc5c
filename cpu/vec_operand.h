/*
 * Operands of vector instructions. Sixteen bytes in memory must be aligned but for the few rows that
 * say otherwise (SDM 1, 10.4.1.1): #GP(0), before anything is translated.
 */
#ifndef CPU_VEC_OPERAND_H
#define CPU_VEC_OPERAND_H

#include "cpu/operand.h"
#include "cpu/vec.h"

/* Raises #GP(0) unless seg:off is aligned, or need not be. Before the segment's own checks, as
 * silicon has it where an address is not canonical either. */
void vec_check_aligned(struct cpu *, const struct insn *, u64 off);

static inline u64 vec_lin(struct cpu *c, const struct insn *in, int i, unsigned access)
{
    u64 off = mem_off(c, in, i), lin;

    if (UNLIKELY(off & 15))
        vec_check_aligned(c, in, off);
    lin = seg_lin(c, in->seg, off, 16, access);
    if (UNLIKELY(lin & 15))
        vec_check_aligned(c, in, off);
    return lin;
}

/* MASKMOVDQU and MASKMOVQ: the bytes of src whose mask has bit 7 set, at DS:rDI. */
void vec_masked_store(struct cpu *, const struct insn *, const void *src, const void *mask, unsigned size);

/* The memory operand's bytes: in guest memory where they can be read in place, else in *tmp. */
static inline const void *vec_memory(struct cpu *c, const struct insn *in, int i, struct xmm *tmp)
{
    unsigned size = i ? in->srcsz : in->opsz;

    if (size == 16)
        return mmu_view16(c, vec_lin(c, in, i, ACC_READ), tmp);
    tmp->q[0] = mmu_load(c, opnd_lin(c, in, i, size, ACC_READ), size);
    return tmp;
}

#endif
