/*
 * The eight two-operand operations of integer arithmetic, for every width and kind of operand.
 * SDM 2A to 2D, the pages that the rows name.
 */
#ifndef CPU_ALU_H
#define CPU_ALU_H

#include "cpu/operand.h"

typedef u64 alu_op(struct cpu *, u64 a, u64 b, unsigned size);

static inline u64 op_add(struct cpu *c, u64 a, u64 b, unsigned size)
{
    return flags_add(c, a, b, 0, size);
}
static inline u64 op_adc(struct cpu *c, u64 a, u64 b, unsigned size)
{
    return flags_add(c, a, b, flag_cf(c), size);
}
static inline u64 op_sub(struct cpu *c, u64 a, u64 b, unsigned size)
{
    return flags_sub(c, a, b, 0, size);
}
static inline u64 op_sbb(struct cpu *c, u64 a, u64 b, unsigned size)
{
    return flags_sub(c, a, b, flag_cf(c), size);
}
static inline u64 op_and(struct cpu *c, u64 a, u64 b, unsigned size)
{
    return flags_logic(c, a & b, size);
}
static inline u64 op_or(struct cpu *c, u64 a, u64 b, unsigned size)
{
    return flags_logic(c, a | b, size);
}
static inline u64 op_xor(struct cpu *c, u64 a, u64 b, unsigned size)
{
    return flags_logic(c, a ^ b, size);
}

/* first op second, result to the first. The load of the first has checked that it can be
 * written, so the flags may be set before the store. */
ALWAYS_INLINE void alu(struct cpu *c, const struct insn *in, alu_op *op, unsigned kind0,
                       unsigned kind1, unsigned size)
{
    u64 b = opnd_load_as(c, in, 1, kind1, size);
    u64 a = opnd_load_rmw_as(c, in, kind0, size);

    opnd_store_as(c, in, 0, op(c, a, b, size), kind0, size);
}

/* Only the flags. */
ALWAYS_INLINE void alu_flags(struct cpu *c, const struct insn *in, alu_op *op, unsigned kind0,
                             unsigned kind1, unsigned size)
{
    u64 a = opnd_load_as(c, in, 0, kind0, size);
    u64 b = opnd_load_as(c, in, 1, kind1, size);

    op(c, a, b, size);
}

#endif
