/*
 * Shifts, rotates, double shifts, bit tests and bit scans. SDM 2A, 2B, the pages that the rows
 * name. Counts are taken modulo 32, or 64 for 64-bit operands; a count of 0 changes no flag.
 * Undefined flags are the host's silicon's (cpu/silicon.h).
 */
#include "cpu/operand.h"

static unsigned shift_count(struct cpu *c, const struct insn *in, int i)
{
    unsigned n = (unsigned)opnd_load(c, in, i, 1);
    return n & (in->opsz == 8 ? 63 : 31);
}

static bool msb(u64 v, unsigned size)
{
    return (v >> (8 * size - 1)) & 1;
}

static bool sets_af(const struct cpu *c, enum silicon_trait t)
{
    return c->silicon.behaviour[t] == OF_LAST_STEP;
}

/* OF after several steps: what the first of them, or the last, has made of it. */
static bool overflow(const struct cpu *c, enum silicon_trait t, bool first, bool last)
{
    return c->silicon.behaviour[t] == OF_FIRST_STEP ? first : last;
}

void x_shl(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz, width = 8 * size, n = shift_count(c, in, 1);
    u64 a = opnd_load_rmw(c, in, size), r = a;
    bool cf;

    if (n) {
        r = n < 64 ? a << n : 0;
        cf = n <= width ? (a >> (width - n)) & 1 : 0;
        flags_result(c, r, size, cf,
                     overflow(c, SILICON_SHIFT, msb(a ^ a << 1, size), msb(r, size) ^ cf),
                     sets_af(c, SILICON_SHIFT));
    }
    opnd_store(c, in, 0, r, size);
}

void x_shr(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz, n = shift_count(c, in, 1);
    u64 a = opnd_load_rmw(c, in, size), r = a;

    if (n) {
        r = a >> n;
        flags_result(c, r, size, (a >> (n - 1)) & 1,
                     overflow(c, SILICON_SHIFT, msb(a, size), msb(r ^ r << 1, size)), sets_af(c, SILICON_SHIFT));
    }
    opnd_store(c, in, 0, r, size);
}

void x_sar(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz, n = shift_count(c, in, 1), shift = 64 - 8 * size;
    u64 a = opnd_load_rmw(c, in, size), r = a;
    i64 s = (i64)(a << shift) >> shift;

    if (n) {
        r = (u64)(s >> n);
        flags_result(c, r, size, (s >> (n - 1)) & 1, false, sets_af(c, SILICON_SHIFT));
    }
    opnd_store(c, in, 0, r, size);
}

static void rotate_flags(struct cpu *c, bool cf, bool of)
{
    flags_set(c, F_C | F_O, (cf ? F_C : 0) | (of ? F_O : 0));
}

/* ROL and ROR. first, last: as overflow() takes them. */
static void rotated(struct cpu *c, const struct insn *in, unsigned count, bool cf, bool first, bool last)
{
    bool one = c->silicon.behaviour[SILICON_ROTATE] == ROTATE_ONE;

    if (one && in->kind[0] != K_MEM && in->kind[1] == K_IMM && count > 1)
        flags_set(c, F_C, cf);
    else if (count)
        rotate_flags(c, cf, one ? first : last);
}

void x_rol(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz, width = 8 * size, count = shift_count(c, in, 1), n = count % width;
    u64 a = opnd_load_rmw(c, in, size), r = a;

    if (n)
        r = (a << n | a >> (width - n)) & size_mask(size);
    rotated(c, in, count, r & 1, msb(a ^ a << 1, size), (r & 1) ^ msb(r, size));
    opnd_store(c, in, 0, r, size);
}

void x_ror(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz, width = 8 * size, count = shift_count(c, in, 1), n = count % width;
    u64 a = opnd_load_rmw(c, in, size), r = a;

    if (n)
        r = (a >> n | a << (width - n)) & size_mask(size);
    rotated(c, in, count, msb(r, size), msb(a, size) ^ (a & 1), msb(r ^ r << 1, size));
    opnd_store(c, in, 0, r, size);
}

/* Rotation through CF: width + 1 bits, so the count is taken modulo that for 8 and 16 bits. What whole
 * turns do to the flags goes with what sets OF (SILICON_ROTATE_CARRY). */
static unsigned rc_count(struct cpu *c, const struct insn *in)
{
    unsigned n = shift_count(c, in, 1);
    return in->opsz < 4 ? n % (8u * in->opsz + 1) : n;
}

static bool turns_set_flags(struct cpu *c, const struct insn *in)
{
    return shift_count(c, in, 1) && c->silicon.behaviour[SILICON_ROTATE_CARRY] == OF_LAST_STEP;
}

void x_rcl(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz, width = 8 * size, n = rc_count(c, in);
    u64 a = opnd_load_rmw(c, in, size), r = a, cf = flag_cf(c), out;

    if (n) {
        r = cf << (n - 1);
        r |= n < width ? a << n : 0;
        r |= n > 1 ? a >> (width + 1 - n) : 0;
        r &= size_mask(size);
        out = (a >> (width - n)) & 1;
        rotate_flags(c, out,
                     overflow(c, SILICON_ROTATE_CARRY, msb(a ^ a << 1, size), msb(r, size) ^ out));
    } else if (turns_set_flags(c, in)) {
        rotate_flags(c, cf, msb(a, size) ^ cf);
    }
    opnd_store(c, in, 0, r, size);
}

void x_rcr(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz, width = 8 * size, n = rc_count(c, in);
    u64 a = opnd_load_rmw(c, in, size), r = a, cf = flag_cf(c), out;

    if (n) {
        r = cf << (width - n);
        r |= n < width ? a >> n : 0;
        r |= n > 1 ? a << (width + 1 - n) : 0;
        r &= size_mask(size);
        out = (a >> (n - 1)) & 1;
        rotate_flags(c, out,
                     overflow(c, SILICON_ROTATE_CARRY, msb(a, size) ^ cf, msb(r ^ r << 1, size)));
    } else if (turns_set_flags(c, in)) {
        rotate_flags(c, cf, msb(a ^ a << 1, size));
    }
    opnd_store(c, in, 0, r, size);
}

/* A 16-bit double shift by more than 16, which the manual leaves open, goes on with a or b. */
static bool beyond_destination(const struct cpu *c)
{
    return c->silicon.behaviour[SILICON_DOUBLE_BEYOND] == BEYOND_DESTINATION;
}

void x_shld(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz, width = 8 * size, n = shift_count(c, in, 2);
    u64 a = opnd_load_rmw(c, in, size), b = opnd_load(c, in, 1, size), r = a;
    bool cf;

    if (n) {
        if (n <= width) {
            r = (n < 64 ? a << n : 0) | b >> (width - n);
            cf = (a >> (width - n)) & 1;
        } else {
            r = b << (n - 16) | (beyond_destination(c) ? a : b) >> (32 - n);
            cf = beyond_destination(c) && (b >> (32 - n) & 1);
        }
        flags_result(c, r, size, cf,
                     overflow(c, SILICON_DOUBLE_SHIFT, msb(a ^ a << 1, size), msb(a << n, size) ^ cf),
                     sets_af(c, SILICON_DOUBLE_SHIFT));
    }
    opnd_store(c, in, 0, r, size);
}

void x_shrd(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz, width = 8 * size, n = shift_count(c, in, 2);
    u64 a = opnd_load_rmw(c, in, size), b = opnd_load(c, in, 1, size), r = a;
    bool cf;

    if (n) {
        if (n <= width) {
            r = a >> n | (width - n < 64 ? b << (width - n) : 0);
            cf = (a >> (n - 1)) & 1;
        } else {
            r = b >> (n - 16) | (beyond_destination(c) ? a : b) << (32 - n);
            cf = beyond_destination(c) && (b >> (n - 17) & 1);
        }
        flags_result(c, r, size, cf,
                     overflow(c, SILICON_DOUBLE_SHIFT, msb(a, size) ^ (b & 1), msb(r ^ r << 1, size)),
                     sets_af(c, SILICON_DOUBLE_SHIFT));
    }
    opnd_store(c, in, 0, r, size);
}

/* ---- bit tests: a register index into memory reaches beyond the operand ---- */

enum bit_op { BIT_TEST, BIT_SET, BIT_RESET, BIT_COMPLEMENT };

static inline __attribute__((always_inline)) void bit_test(struct cpu *c, const struct insn *in,
                                                           enum bit_op op)
{
    unsigned size = in->opsz, width = 8 * size;
    u64 index = opnd_load(c, in, 1, size), bit = index & (width - 1), a, lin = 0;
    bool mem = in->kind[0] == K_MEM;

    if (mem) {
        u64 off = ea_of(c, in);

        if (in->kind[1] != K_IMM) {
            unsigned shift = 64 - width;
            i64 n = (i64)(index << shift) >> shift;
            off = ea_mask(off + (u64)(n >> (size == 2 ? 4 : size == 4 ? 5 : 6)) * size, in->adsz);
        }
        lin = seg_lin(c, in->seg, off, size, op == BIT_TEST ? ACC_READ : ACC_WRITE);
        a = op == BIT_TEST ? mmu_load(c, lin, size) : mmu_load_rmw(c, lin, size);
    } else {
        a = reg_read(c, in->reg[0], size);
    }
    flags_set(c, F_C, (a >> bit) & 1);
    if (op == BIT_TEST)
        return;
    a = op == BIT_SET ? a | BIT(bit) : op == BIT_RESET ? a & ~BIT(bit) : a ^ BIT(bit);
    if (mem)
        mmu_store(c, lin, a, size);
    else
        reg_write(c, in->reg[0], a, size);
}

void x_bt(struct cpu *c, const struct insn *in) { bit_test(c, in, BIT_TEST); }
void x_bts(struct cpu *c, const struct insn *in) { bit_test(c, in, BIT_SET); }
void x_btr(struct cpu *c, const struct insn *in) { bit_test(c, in, BIT_RESET); }
void x_btc(struct cpu *c, const struct insn *in) { bit_test(c, in, BIT_COMPLEMENT); }

/* A zero source sets ZF and leaves the destination alone (APM 3, BSF and BSR). Of the flags that
 * are left open, AMD's silicon and Intel's clear all but PF, which is the bit number's. */
static void bit_found(struct cpu *c, const struct insn *in, u64 a, unsigned n)
{
    flags_set(c, F_ARITH, (a ? 0 : F_Z) | parity_even(n) << 2);
    if (a)
        opnd_store(c, in, 0, n, in->opsz);
}

void x_bsf(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);

    bit_found(c, in, a, a ? (unsigned)__builtin_ctzll(a) : 0);
}

void x_bsr(struct cpu *c, const struct insn *in)
{
    u64 a = opnd_load(c, in, 1, in->opsz);

    bit_found(c, in, a, a ? 63u - (unsigned)__builtin_clzll(a) : 0);
}

void x_bswap(struct cpu *c, const struct insn *in)
{
    u64 a = reg_read(c, in->reg[0], in->opsz);

    /* 16 bits: undefined in the manual, zero on silicon */
    reg_write(c, in->reg[0],
              in->opsz == 8   ? __builtin_bswap64(a)
              : in->opsz == 4 ? __builtin_bswap32((u32)a)
                              : 0,
              in->opsz);
}
