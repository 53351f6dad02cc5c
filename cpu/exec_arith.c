/*
 * Integer arithmetic and logic. One function per operation, for every width; SDM 2A to 2D, the
 * pages that the rows name. Where a flag is undefined there, the value here is the host's silicon's
 * (cpu/silicon.h). Decimal adjustment, which translated code calls these functions for, follows AMD's.
 */
#include "cpu/alu.h"

/* first op second, for any operands: cpu/forms.c has the usual ones with constants. */
#define ALU(c, in, op) alu(c, in, op, (in)->kind[0], (in)->kind[1], (in)->opsz)
#define ALU_FLAGS(c, in, op) alu_flags(c, in, op, (in)->kind[0], (in)->kind[1], (in)->opsz)

void x_add(struct cpu *c, const struct insn *in) { ALU(c, in, op_add); }
void x_adc(struct cpu *c, const struct insn *in) { ALU(c, in, op_adc); }
void x_sub(struct cpu *c, const struct insn *in) { ALU(c, in, op_sub); }
void x_sbb(struct cpu *c, const struct insn *in) { ALU(c, in, op_sbb); }
void x_and(struct cpu *c, const struct insn *in) { ALU(c, in, op_and); }
void x_or(struct cpu *c, const struct insn *in) { ALU(c, in, op_or); }
void x_xor(struct cpu *c, const struct insn *in) { ALU(c, in, op_xor); }
void x_cmp(struct cpu *c, const struct insn *in) { ALU_FLAGS(c, in, op_sub); }
void x_test(struct cpu *c, const struct insn *in) { ALU_FLAGS(c, in, op_and); }

void x_inc(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load_rmw(c, in, in->opsz);
    bool cf = flag_cf(c);
    u64 r = flags_add(c, a, 1, 0, in->opsz);

    c->lf.cf = cf;
    opnd_store(c, in, 0, r, in->opsz);
}

void x_dec(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load_rmw(c, in, in->opsz);
    bool cf = flag_cf(c);
    u64 r = flags_sub(c, a, 1, 0, in->opsz);

    c->lf.cf = cf;
    opnd_store(c, in, 0, r, in->opsz);
}

void x_not(struct cpu *c, const struct insn *in)
{
    opnd_store(c, in, 0, ~opnd_load_rmw(c, in, in->opsz), in->opsz);
}

void x_neg(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load_rmw(c, in, in->opsz);

    opnd_store(c, in, 0, flags_sub(c, 0, a, 0, in->opsz), in->opsz);
}

void x_xadd(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load_rmw(c, in, in->opsz);
    u64 b = opnd_load(c, in, 1, in->opsz);
    u64 r = flags_add(c, a, b, 0, in->opsz);

    /* Registers in this order, so that XADD of a register with itself leaves the sum. */
    if (in->kind[0] == K_MEM) {
        opnd_store(c, in, 0, r, in->opsz);
        opnd_store(c, in, 1, a, in->opsz);
    } else {
        opnd_store(c, in, 1, a, in->opsz);
        opnd_store(c, in, 0, r, in->opsz);
    }
}

void x_cmpxchg(struct cpu *c, const struct insn *in)
{
    u64 dst = opnd_load_rmw(c, in, in->opsz);
    u64 acc = reg_read(c, RAX, in->opsz);

    flags_sub(c, acc, dst, 0, in->opsz);
    if (acc == dst) {
        opnd_store(c, in, 0, opnd_load(c, in, 1, in->opsz), in->opsz);
    } else {
        /* The manual's locked write-back. A register stays as it is, upper half and all. */
        if (in->kind[0] == K_MEM)
            opnd_store(c, in, 0, dst, in->opsz);
        reg_write(c, RAX, dst, in->opsz);
    }
}

void x_cmpxchg8b(struct cpu *c, const struct insn *in)
{
    unsigned half = in->opsz / 2;
    u64 off = ea_of(c, in), lin, lo, hi;

    /* Alignment first: also where the address is not canonical, for which SS would have #SS. */
    if (in->opsz == 16 && ((off + (in->seg >= FS ? c->seg[in->seg].base : 0)) & 15))
        cpu_raise(c, EXC_GP, 0);
    lin = seg_lin(c, in->seg, off, in->opsz, ACC_WRITE);
    mmu_probe(c, lin, in->opsz, ACC_WRITE);
    lo = mmu_load_rmw(c, lin, half);
    hi = mmu_load_rmw(c, lin + half, half);
    if (lo == reg_read(c, RAX, half) && hi == reg_read(c, RDX, half)) {
        mmu_store(c, lin, reg_read(c, RBX, half), half);
        mmu_store(c, lin + half, reg_read(c, RCX, half), half);
        flags_set(c, F_Z, F_Z);
    } else {
        mmu_store(c, lin, lo, half);
        mmu_store(c, lin + half, hi, half);
        reg_write(c, RAX, lo, half);
        reg_write(c, RDX, hi, half);
        flags_set(c, F_Z, 0);
    }
}

/* ---- multiplication and division ---- */

static i64 sx(u64 v, unsigned size)
{
    unsigned shift = 64 - 8 * size;
    return (i64)(v << shift) >> shift;
}

/* AX, or DX:AX and its wider forms. */
static void store_pair(struct cpu *c, u64 lo, u64 hi, unsigned size)
{
    if (size == 1) {
        reg_write(c, RAX, (lo & 0xff) | (hi & 0xff) << 8, 2);
        return;
    }
    reg_write(c, RAX, lo, size);
    reg_write(c, RDX, hi, size);
}

/* MUL and IMUL: CF = OF = the high half matters. lo: the product's low half. */
static void mul_flags(struct cpu *c, u64 lo, unsigned size, bool overflow)
{
    u32 mask = F_C | F_O, flags = overflow ? F_C | F_O : 0;

    if (c->silicon.behaviour[SILICON_MULTIPLY] == MULTIPLY_RESULT) {
        mask = F_ARITH;
        flags |= (lo >> (8 * size - 1) & 1 ? F_S : 0) | parity_even(lo) << 2;
    }
    flags_set(c, mask, flags);
}

void x_mul(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz;
    u64 b = opnd_load(c, in, 0, size);
    unsigned __int128 p = (unsigned __int128)reg_read(c, RAX, size) * b;
    u64 hi = size == 8 ? (u64)(p >> 64) : (u64)p >> (8 * size);

    store_pair(c, (u64)p, hi, size);
    mul_flags(c, (u64)p, size, hi != 0);
}

void x_imul(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz;
    u64 b = opnd_load(c, in, 0, size);
    __int128 p = (__int128)sx(reg_read(c, RAX, size), size) * sx(b, size);
    u64 hi = size == 8 ? (u64)(p >> 64) : (u64)((i64)p >> (8 * size));

    store_pair(c, (u64)p, hi, size);
    mul_flags(c, (u64)p, size, p != (__int128)sx((u64)p, size));
}

static void imul_to_reg(struct cpu *c, const struct insn *in, u64 a, u64 b)
{
    __int128 p = (__int128)sx(a, in->opsz) * sx(b, in->opsz);

    opnd_store(c, in, 0, (u64)p, in->opsz);
    mul_flags(c, (u64)p, in->opsz, p != (__int128)sx((u64)p, in->opsz));
}

void x_imul2(struct cpu *c, const struct insn *in)
{
    u64 b = opnd_load(c, in, 1, in->opsz);

    imul_to_reg(c, in, opnd_load(c, in, 0, in->opsz), b);
}

void x_imul3(struct cpu *c, const struct insn *in)
{
    imul_to_reg(c, in, opnd_load(c, in, 1, in->opsz), in->imm);
}

/* All flags are undefined after a division. */
static void div_flags(struct cpu *c)
{
    if (c->silicon.behaviour[SILICON_DIVIDE] == DIVIDE_SETS_AF)
        flags_set(c, F_S | F_Z | F_A | F_P, F_A);
}

void x_div(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz;
    u64 d = opnd_load(c, in, 0, size);
    unsigned __int128 n, q;

    if (size == 1)
        n = reg_read(c, RAX, 2);
    else
        n = (unsigned __int128)reg_read(c, RDX, size) << (8 * size) | reg_read(c, RAX, size);
    if (d == 0 || (q = n / d) > size_mask(size))
        cpu_raise_no_code(c, EXC_DE);
    store_pair(c, (u64)q, (u64)(n % d), size);
    div_flags(c);
}

void x_idiv(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz;
    i64 d = sx(opnd_load(c, in, 0, size), size);
    __int128 n, q;

    if (size == 1)
        n = sx(reg_read(c, RAX, 2), 2);
    else if (size == 8)
        n = (__int128)((unsigned __int128)c->gpr[RDX] << 64 | c->gpr[RAX]);
    else
        n = sx(reg_read(c, RDX, size) << (8 * size) | reg_read(c, RAX, size), 2 * size);
    /* -2^127 / -1 has no 128-bit quotient either */
    if (d == 0 || (d == -1 && n == (__int128)((unsigned __int128)1 << 127)))
        cpu_raise_no_code(c, EXC_DE);
    q = n / d;
    if (q != (__int128)sx((u64)q, size))
        cpu_raise_no_code(c, EXC_DE);
    store_pair(c, (u64)q, (u64)(n % d), size);
    div_flags(c);
}

/* ---- decimal adjustment: SDM 2A, the operation sections of their pages ---- */

void x_daa(struct cpu *c, const struct insn *in)
{
    u8 al = (u8)c->gpr[RAX], old = al;
    bool cf = flag_cf(c), af = flags_arith(c) & F_A, new_cf = false;

    (void)in;
    if ((al & 15) > 9 || af) {
        new_cf = cf || al > 0xf9;
        al = (u8)(al + 6);
        af = true;
    }
    if (old > 0x99 || cf) {
        al = (u8)(al + 0x60);
        new_cf = true;
    } else {
        new_cf = false;
    }
    reg_write(c, RAX, al, 1);
    flags_result(c, al, 1, new_cf, false, af);
}

void x_das(struct cpu *c, const struct insn *in)
{
    u8 al = (u8)c->gpr[RAX], old = al;
    bool cf = flag_cf(c), af = flags_arith(c) & F_A, new_cf = false;

    (void)in;
    if ((al & 15) > 9 || af) {
        new_cf = cf || al < 6;
        al = (u8)(al - 6);
        af = true;
    }
    if (old > 0x99 || cf) {
        al = (u8)(al - 0x60);
        new_cf = true;
    }
    reg_write(c, RAX, al, 1);
    flags_result(c, al, 1, new_cf, false, af);
}

static void ascii_adjust(struct cpu *c, int delta)
{
    u16 ax = (u16)c->gpr[RAX];
    bool adjust = (ax & 15) > 9 || (flags_arith(c) & F_A);

    if (adjust)
        ax = (u16)(ax + delta);
    ax &= 0xff0f;
    reg_write(c, RAX, ax, 2);
    flags_result(c, ax & 0xff, 1, adjust, false, adjust);
}

void x_aaa(struct cpu *c, const struct insn *in)
{
    (void)in;
    ascii_adjust(c, 0x106);
}

void x_aas(struct cpu *c, const struct insn *in)
{
    (void)in;
    ascii_adjust(c, -0x106);
}

void x_aam(struct cpu *c, const struct insn *in)
{
    u8 al = (u8)c->gpr[RAX], base = (u8)in->imm;

    if (base == 0)
        cpu_raise_no_code(c, EXC_DE);
    reg_write(c, RAX, (u64)(al / base) << 8 | (al % base), 2);
    flags_result(c, al % base, 1, false, false, false);
}

void x_aad(struct cpu *c, const struct insn *in)
{
    u16 ax = (u16)c->gpr[RAX];
    u8 al = (u8)((ax >> 8) * (u8)in->imm + ax);

    reg_write(c, RAX, al, 2);
    flags_result(c, al, 1, false, false, false);
}
