/*
 * Whether an arithmetic instruction is inexact when an overflow or underflow of one of its elements
 * is not masked: such an element counts as if its exponent had no bounds (SDM 1, 11.5.2.4 to 6; the
 * x87 form of it, 8.5.4). The masked result cannot tell. The x87 unit can: with its precision control
 * it rounds to 24 or 53 bits, and its exponent is wide enough.
 */
#include "cpu/vec.h"

enum lane_op { LANE_ADD, LANE_SUB, LANE_MUL, LANE_DIV, LANE_CVT };

struct lane {
    enum lane_op op;
    u8 a[8], b[8];
    bool single; /* what it rounds to; the operand of LANE_CVT is a double */
};

/* The 80-bit result of a lane under the control word, and the status word. */
static u16 run_lane(const struct lane *l, u16 cw, u8 out[10])
{
    u16 sw;

#define RUN(load, arith)                                                                           \
    __asm__ volatile("fninit\n\tfldcw %2\n\t" load "\n\t" arith "\n\tfnstsw %0\n\tfstpt %1\n\tfninit"     \
                     : "=m"(sw), "=m"(*(u8(*)[10])out)                                             \
                     : "m"(cw), "m"(l->a), "m"(l->b))
#define EITHER(arith)                                                                              \
    if (l->single)                                                                                 \
        RUN("flds %3\n\tflds %4", arith);                                                          \
    else                                                                                           \
        RUN("fldl %3\n\tfldl %4", arith)
    switch (l->op) { /* ST(1) op ST(0); the assembler's names of the reversed forms are as in AT&T */
    case LANE_ADD: EITHER("faddp"); break;
    case LANE_SUB: EITHER("fsubrp"); break;
    case LANE_MUL: EITHER("fmulp"); break;
    case LANE_DIV: EITHER("fdivrp"); break;
    case LANE_CVT: RUN("fldl %3\n\tfld1", "fmulp"); break;
    }
#undef EITHER
#undef RUN
    return sw;
}

/* Whether the store of an 80-bit value as a single or double is inexact. */
static bool store_inexact(const u8 v[10], u16 cw, bool single)
{
    u64 sink;
    u16 sw;

    if (single)
        __asm__ volatile("fninit\n\tfldcw %2\n\tfldt %3\n\tfstps %1\n\tfnstsw %0\n\tfninit"
                         : "=m"(sw), "=m"(sink) : "m"(cw), "m"(*(const u8(*)[10])v));
    else
        __asm__ volatile("fninit\n\tfldcw %2\n\tfldt %3\n\tfstpl %1\n\tfnstsw %0\n\tfninit"
                         : "=m"(sw), "=m"(sink) : "m"(cw), "m"(*(const u8(*)[10])v));
    return sw & FPU_PE;
}

static bool lane_inexact(const struct lane *l, u32 mxcsr)
{
    u16 cw = (u16)(0x3f | (l->single ? 0 : 2) << 8 | (mxcsr >> 13 & 3) << 10);
    u32 enabled = ~(mxcsr >> 7);
    u8 r[10];
    bool inexact = run_lane(l, cw, r) & FPU_PE;
    int exp = (int)(load_le(r + 8, 2) & 0x7fff) - 16383, max = l->single ? 127 : 1023;

    if (load_le(r, 8) == 0 || exp == 0x7fff - 16383)
        return inexact; /* zero, infinity, NaN */
    if (exp > max)
        return enabled & MXCSR_OE ? inexact : true;
    if (exp < 1 - max && !(enabled & MXCSR_UE))
        return (mxcsr & MXCSR_FTZ) || inexact || store_inexact(r, cw, l->single);
    return inexact;
}

/* DAZ: a denormal operand is a zero of its sign. */
static void put_operand(u8 out[8], const u8 *in, unsigned size, bool daz)
{
    u64 v = load_le(in, size), sign = 1ull << (8 * size - 1), exp = size == 4 ? 0xffull << 23 : 0x7ffull << 52;

    store_le(out, daz && !(v & exp) ? v & sign : v, 8);
}

/* False: the row does not overflow or underflow. */
static bool op_of(unsigned row, enum lane_op *op)
{
    switch (row) {
    case ROW_ADDPS: case ROW_ADDPD: case ROW_ADDSS: case ROW_ADDSD: case ROW_HADDPS: case ROW_HADDPD:
    case ROW_ADDSUBPS: case ROW_ADDSUBPD:
        *op = LANE_ADD;
        return true;
    case ROW_SUBPS: case ROW_SUBPD: case ROW_SUBSS: case ROW_SUBSD: case ROW_HSUBPS: case ROW_HSUBPD:
        *op = LANE_SUB;
        return true;
    case ROW_MULPS: case ROW_MULPD: case ROW_MULSS: case ROW_MULSD: *op = LANE_MUL; return true;
    case ROW_DIVPS: case ROW_DIVPD: case ROW_DIVSS: case ROW_DIVSD: *op = LANE_DIV; return true;
    case ROW_CVTPD2PS: case ROW_CVTSD2SS: *op = LANE_CVT; return true;
    }
    return false;
}

/* The element size, and how many there are. */
static unsigned lanes_of(unsigned row, enum lane_op op, unsigned *size)
{
    u64 attr = isa_rows[row].attr;
    bool horizontal = row == ROW_HADDPS || row == ROW_HSUBPS || row == ROW_ADDSUBPS;

    *size = op == LANE_CVT || ((attr & (A_66 | A_F2)) && !horizontal) ? 8 : 4;
    return (attr & (A_F2 | A_F3)) && !horizontal ? 1 : 16 / *size;
}

bool vec_inexact(unsigned row, const struct xmm *dst, const void *src, u32 mxcsr, bool *inexact)
{
    const u8 *a = (const u8 *)dst, *b = src;
    bool daz = mxcsr & MXCSR_DAZ, across = row == ROW_HADDPS || row == ROW_HADDPD ||
                                           row == ROW_HSUBPS || row == ROW_HSUBPD;
    unsigned size, n;
    enum lane_op op;

    if (!op_of(row, &op))
        return false;
    n = lanes_of(row, op, &size);
    *inexact = false;
    for (unsigned i = 0; i < n; i++) {
        struct lane l = { .op = op, .single = size == 4 || op == LANE_CVT };
        const u8 *first = op == LANE_CVT ? b + 8 * i : a + size * i, *second = b + size * i;

        if (across) {
            first = (i < n / 2 ? a : b) + size * (2 * i % n);
            second = first + size;
        }
        if ((row == ROW_ADDSUBPS || row == ROW_ADDSUBPD) && !(i & 1))
            l.op = LANE_SUB;
        put_operand(l.a, first, size, daz);
        if (op != LANE_CVT)
            put_operand(l.b, second, size, daz);
        *inexact |= lane_inexact(&l, mxcsr);
    }
    return true;
}
