/*
 * Data movement, flag instructions, NOPs. SDM 2A to 2D, the pages that the rows name.
 */
#include "core/clock.h"
#include "cpu/exec_io.h"
#include "cpu/operand.h"

/* MOV and MOVZX: the second operand at its own size. */
void x_mov(struct cpu *c, const struct insn *in)
{
    opnd_store(c, in, 0, opnd_load(c, in, 1, in->srcsz), in->opsz);
}

void x_movsx(struct cpu *c, const struct insn *in)
{
    unsigned shift = 64 - 8 * in->srcsz;

    opnd_store(c, in, 0, (u64)((i64)(opnd_load(c, in, 1, in->srcsz) << shift) >> shift), in->opsz);
}

void x_lea(struct cpu *c, const struct insn *in)
{
    reg_write(c, in->reg[0], ea_of(c, in), in->opsz);
}

void x_xchg(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load_rmw(c, in, in->opsz);
    u64 b = opnd_load(c, in, 1, in->opsz);

    opnd_store(c, in, 0, b, in->opsz);
    opnd_store(c, in, 1, a, in->opsz);
}

void x_cbw(struct cpu *c, const struct insn *in)
{
    unsigned shift = 64 - 4 * in->opsz;

    reg_write(c, RAX, (u64)((i64)(c->gpr[RAX] << shift) >> shift), in->opsz);
}

void x_cwd(struct cpu *c, const struct insn *in)
{
    reg_write(c, RDX, (c->gpr[RAX] >> (8 * in->opsz - 1)) & 1 ? ~0ull : 0, in->opsz);
}

/* The load is made, and a 32-bit destination zero-extended, whatever the condition. */
void x_cmov(struct cpu *c, const struct insn *in)
{
    u64 v = opnd_load(c, in, 1, in->opsz);

    if (!condition(c, in->cc))
        v = reg_read(c, in->reg[0], in->opsz);
    reg_write(c, in->reg[0], v, in->opsz);
}

void x_setcc(struct cpu *c, const struct insn *in)
{
    opnd_store(c, in, 0, condition(c, in->cc), 1);
}

void x_lahf(struct cpu *c, const struct insn *in)
{
    (void)in;
    c->gpr[RAX] = (c->gpr[RAX] & ~0xff00ull) | (u64)(u8)flags_all(c) << 8;
}

void x_sahf(struct cpu *c, const struct insn *in)
{
    (void)in;
    flags_set(c, F_SZAP | F_C, (u32)(c->gpr[RAX] >> 8) & 0xff);
}

void x_clc(struct cpu *c, const struct insn *in)
{
    (void)in;
    flags_set(c, F_C, 0);
}

void x_stc(struct cpu *c, const struct insn *in)
{
    (void)in;
    flags_set(c, F_C, F_C);
}

void x_cmc(struct cpu *c, const struct insn *in)
{
    (void)in;
    flags_set(c, F_C, flag_cf(c) ? 0 : F_C);
}

void x_cld(struct cpu *c, const struct insn *in)
{
    (void)in;
    c->eflags &= ~(u32)F_D;
}

void x_std(struct cpu *c, const struct insn *in)
{
    (void)in;
    c->eflags |= F_D;
}

void x_salc(struct cpu *c, const struct insn *in)
{
    (void)in;
    reg_write(c, RAX, flag_cf(c) ? 0xff : 0, 1);
}

void x_xlat(struct cpu *c, const struct insn *in)
{
    u64 off = ea_mask(c->gpr[RBX] + (u8)c->gpr[RAX], in->adsz);

    reg_write(c, RAX, mmu_load(c, seg_lin(c, in->seg, off, 1, ACC_READ), 1), 1);
}

void x_nop(struct cpu *c, const struct insn *in)
{
    (void)c;
    (void)in;
}

/* F3 90 is PAUSE: a spinning guest lets 40 ns pass (docs/decisions/001). */
void x_nop_pause(struct cpu *c, const struct insn *in)
{
    if (in->pfx & PFX_REP) {
        clock_charge(c->cfg.clk, clock_ns_to_ticks(c->cfg.clk, PAUSE_NS));
        leave_block(c);
    }
}

/* There are no caches to flush, but the address is checked as a byte load (SDM 2A CLFLUSH). */
void x_clflush(struct cpu *c, const struct insn *in)
{
    mmu_probe(c, opnd_lin(c, in, 0, 1, ACC_EXEC), 1, ACC_READ);
}
