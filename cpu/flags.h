/*
 * Arithmetic flags, kept lazily: the last result and the vector of carries out of each bit.
 *
 *     CF  carry out of the top bit         (kept apart, since INC and DEC leave it alone)
 *     OF  carry out of the top bit xor carry out of the bit below
 *     AF  carry out of bit 3
 *     ZF, SF, PF from the result
 *
 * The carry vectors are the textbook's (Warren, Hacker's Delight, 2-13). SDM 1, 3.4.3.1.
 */
#ifndef CPU_FLAGS_H
#define CPU_FLAGS_H

#include "cpu/cpu.h"

static inline void flags_lazy(struct cpu *c, u64 res, u64 cout, unsigned size)
{
    unsigned top = 8 * size - 1;

    c->lf.res = res;
    c->lf.cout = cout;
    c->lf.top = (u8)top;
    c->lf.cf = (cout >> top) & 1;
    c->lf.lazy = 1;
}

static inline unsigned parity_even(u64 v)
{
    return !__builtin_parity((u8)v);
}

/* The six arithmetic flags as EFLAGS bits. */
static inline u32 flags_arith(const struct cpu *c)
{
    const struct lazy_flags *l = &c->lf;
    u32 f;

    if (!l->lazy)
        return c->eflags & F_ARITH;
    f = l->cf;
    f |= parity_even(l->res) << 2;
    f |= (u32)((l->cout >> 3) & 1) << 4;
    f |= (u32)(((l->res << (63 - l->top)) == 0)) << 6;
    f |= (u32)((l->res >> l->top) & 1) << 7;
    f |= (u32)(((l->cout >> l->top) ^ (l->cout >> (l->top - 1))) & 1) << 11;
    return f;
}

static inline u32 flags_all(const struct cpu *c)
{
    return (c->eflags & ~(u32)F_ARITH) | flags_arith(c) | F_1;
}

/* Replaces the flags in mask by those in value. */
static inline void flags_set(struct cpu *c, u32 mask, u32 value)
{
    c->eflags = (flags_all(c) & ~mask) | (value & mask) | F_1;
    c->lf.lazy = 0;
}

static inline bool flag_cf(const struct cpu *c)
{
    return c->lf.lazy ? c->lf.cf : c->eflags & F_C;
}
static inline bool flag_zf(const struct cpu *c)
{
    return c->lf.lazy ? (c->lf.res << (63 - c->lf.top)) == 0 : (c->eflags & F_Z) != 0;
}
static inline bool flag_sf(const struct cpu *c)
{
    return c->lf.lazy ? (c->lf.res >> c->lf.top) & 1 : (c->eflags & F_S) != 0;
}
static inline bool flag_of(const struct cpu *c)
{
    return c->lf.lazy ? ((c->lf.cout >> c->lf.top) ^ (c->lf.cout >> (c->lf.top - 1))) & 1
                      : (c->eflags & F_O) != 0;
}
static inline bool flag_pf(const struct cpu *c)
{
    return c->lf.lazy ? parity_even(c->lf.res) : (c->eflags & F_P) != 0;
}

/* Condition cc (SDM 1, appendix B): even numbers test, odd ones negate. */
static inline bool condition(const struct cpu *c, unsigned cc)
{
    bool r;

    switch (cc >> 1) {
    case 0: r = flag_of(c); break;
    case 1: r = flag_cf(c); break;
    case 2: r = flag_zf(c); break;
    case 3: r = flag_cf(c) || flag_zf(c); break;
    case 4: r = flag_sf(c); break;
    case 5: r = flag_pf(c); break;
    case 6: r = flag_sf(c) != flag_of(c); break;
    default: r = flag_zf(c) || flag_sf(c) != flag_of(c); break;
    }
    return r ^ (cc & 1);
}

static inline u64 flags_add(struct cpu *c, u64 a, u64 b, unsigned carry, unsigned size)
{
    u64 r = a + b + carry;

    flags_lazy(c, r, (a & b) | ((a | b) & ~r), size);
    return r;
}

static inline u64 flags_sub(struct cpu *c, u64 a, u64 b, unsigned borrow, unsigned size)
{
    u64 r = a - b - borrow;

    flags_lazy(c, r, (~a & b) | ((~a | b) & r), size);
    return r;
}

static inline u64 flags_logic(struct cpu *c, u64 r, unsigned size)
{
    flags_lazy(c, r, 0, size);
    return r;
}

/* CF and OF set explicitly over a result's SZP, AF as given: shifts and multiplications. */
static inline void flags_result(struct cpu *c, u64 r, unsigned size, bool cf, bool of, bool af)
{
    unsigned top = 8 * size - 1;
    u64 cout = (u64)af << 3;

    /* Where the sign bit is bit 7, bit 3 is still below top - 1, so they do not meet. */
    cout |= (u64)cf << top | (u64)(cf ^ of) << (top - 1);
    flags_lazy(c, r, cout, size);
}

#endif
