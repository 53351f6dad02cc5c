/*
 * Extensions of the integer instructions: BMI. SDM 2A to 2D, the pages that the rows name.
 */
#include "cpu/operand.h"

void x_andn(struct cpu *c, const struct insn *in)
{
    u64 b = opnd_load(c, in, 2, in->opsz);
    u64 v = ~reg_read(c, in->reg[1], in->opsz) & b & size_mask(in->opsz);

    reg_write(c, in->reg[0], v, in->opsz);
    flags_logic(c, v, in->opsz);
}
