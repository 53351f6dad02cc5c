/*
 * What SSE and MMX instructions raise, and what they leave behind when they do: MXCSR's exceptions,
 * CR0 and CR4, alignment, pages. Expected values: SDM 1, 10.2.3, 11.5; SDM 3A 2.5, 6.15, 13.1.
 */
#include "cpu/test_rig.h"
#include "cpu/vec.h"

enum { IM = 0x80, DM = 0x100, ZM = 0x200, OM = 0x400, UM = 0x800, PM = 0x1000, ALL = 0x1f80 };
#define ONE    0x3ff0000000000000ull
#define TENTH  0x3fb999999999999aull
#define SNAN   0x7ff0000000000001ull
#define QNAN   0x7ff8000000000000ull
#define TINY   0x0010000000000000ull /* the smallest normal double */
#define DENORM 0x0000000000000001ull
#define HUGE   0x7fefffffffffffffull

static struct test_rig *rig_sse(unsigned cpl)
{
    struct test_rig *r = rig_long(cpl, false);

    r->c.cr4 |= CR4_OSFXSR | CR4_OSXMMEXCPT;
    cpu_update_mode(&r->c);
    return r;
}

static void set_xmm(struct test_rig *r, unsigned i, u64 low, u64 high)
{
    r->c.fpu.xmm[i] = (struct xmm){ { low, high } };
}

static u32 host_mxcsr(void)
{
    u32 v;

    __asm__ volatile("stmxcsr %0" : "=m"(v));
    return v;
}

/* OP xmm0, xmm1 of doubles (F2 or 66, 0F op C1), then HLT, from the given MXCSR. */
static struct test_rig *fp_case(u8 prefix, u8 op, u64 a, u64 b, u32 mxcsr)
{
    struct test_rig *r = rig_sse(0);

    CODE_BYTES(r, prefix, 0x0f, op, 0xc1, 0xf4);
    set_xmm(r, 0, a, ONE);
    set_xmm(r, 1, b, TENTH);
    r->c.fpu.mxcsr = mxcsr;
    return r;
}

/* It raises the vector, has set just these flags and has not changed its destination. */
static void raises(struct test_rig *r, int vector, u32 flags)
{
    u64 before = r->c.fpu.xmm[0].q[0];
    u32 mxcsr = r->c.fpu.mxcsr;

    assert_int_equal(run_to_fault(r), vector);
    assert_int_equal(frame(r, 0), CODE);
    assert_int_equal(r->c.fpu.mxcsr, mxcsr | flags);
    assert_int_equal(r->c.fpu.xmm[0].q[0], before);
    assert_int_equal(host_mxcsr() & ~0x3fu, 0x1f80);
    rig_destroy(r);
}

/* It completes with this result and just these flags. */
static void yields(struct test_rig *r, u64 result, u32 flags)
{
    u32 mxcsr = r->c.fpu.mxcsr;

    expect_done(r, CODE + 5);
    assert_int_equal(r->c.fpu.xmm[0].q[0], result);
    assert_int_equal(r->c.fpu.mxcsr, mxcsr | flags);
    assert_int_equal(host_mxcsr() & ~0x3fu, 0x1f80);
    rig_destroy(r);
}

enum { ADD = 0x58, MUL = 0x59, DIV = 0x5e, SQRT = 0x51 };

static void each_exception_is_raised_when_it_is_not_masked(void **state)
{
    (void)state;
    raises(fp_case(0xf2, ADD, SNAN, ONE, ALL & ~IM), EXC_XM, MXCSR_IE);
    raises(fp_case(0xf2, ADD, DENORM, ONE, ALL & ~DM), EXC_XM, MXCSR_DE);
    raises(fp_case(0xf2, DIV, ONE, 0, ALL & ~ZM), EXC_XM, MXCSR_ZE);
    raises(fp_case(0xf2, ADD, HUGE, HUGE, ALL & ~OM), EXC_XM, MXCSR_OE);
    raises(fp_case(0xf2, MUL, TINY + 1, TENTH, ALL & ~UM), EXC_XM, MXCSR_UE | MXCSR_PE);
    raises(fp_case(0xf2, MUL, TINY, TENTH, ALL & ~UM), EXC_XM, MXCSR_UE); /* exact but for its exponent */
    raises(fp_case(0xf2, ADD, ONE, TENTH, ALL & ~PM), EXC_XM, MXCSR_PE);
}

static void masked_exceptions_leave_flags_that_stick(void **state)
{
    (void)state;
    yields(fp_case(0xf2, ADD, SNAN, ONE, ALL), SNAN | QNAN, MXCSR_IE);
    yields(fp_case(0xf2, DIV, ONE, 0, ALL), 0x7ff0000000000000, MXCSR_ZE);
    yields(fp_case(0xf2, ADD, HUGE, HUGE, ALL), 0x7ff0000000000000, MXCSR_OE | MXCSR_PE);
    yields(fp_case(0xf2, ADD, ONE, ONE, ALL | MXCSR_ZE), 0x4000000000000000, 0);
    yields(fp_case(0xf2, DIV, ONE, 0, ALL & ~IM), 0x7ff0000000000000, MXCSR_ZE);
}

static void a_tiny_exact_result_underflows_only_unmasked(void **state)
{
    (void)state; /* half of the smallest normal number is exact */
    yields(fp_case(0xf2, MUL, TINY, 0x3fe0000000000000, ALL), TINY >> 1, 0);
    raises(fp_case(0xf2, MUL, TINY, 0x3fe0000000000000, ALL & ~UM), EXC_XM, MXCSR_UE);
}

static void ftz_acts_on_masked_underflow_alone(void **state)
{
    (void)state;
    yields(fp_case(0xf2, MUL, TINY, 0x3fe0000000000000, ALL | MXCSR_FTZ), 0, MXCSR_UE | MXCSR_PE);
    raises(fp_case(0xf2, MUL, TINY, 0x3fe0000000000000, (ALL & ~UM) | MXCSR_FTZ), EXC_XM, MXCSR_UE);
}

static void daz_hides_denormal_operands(void **state)
{
    (void)state;
    yields(fp_case(0xf2, ADD, DENORM, ONE, (ALL & ~DM) | MXCSR_DAZ), ONE, 0);
}

static void rounding_is_the_guests(void **state)
{
    (void)state; /* 1 + 2^-53: down, up */
    yields(fp_case(0xf2, ADD, ONE, 0x3ca0000000000000, ALL | 1 << 13), ONE, MXCSR_PE);
    yields(fp_case(0xf2, ADD, ONE, 0x3ca0000000000000, ALL | 2 << 13), ONE + 1, MXCSR_PE);
}

/* SDM 1, 11.5.3: nothing is computed, so the inexact element is not told of. */
static void an_exception_before_the_computation_hides_those_after_it(void **state)
{
    (void)state;
    raises(fp_case(0x66, ADD, SNAN, ONE, ALL & ~IM), EXC_XM, MXCSR_IE);
    raises(fp_case(0x66, ADD, SNAN, ONE, ALL & ~PM), EXC_XM, MXCSR_IE | MXCSR_PE);
}

static void without_osxmmexcpt_it_is_ud(void **state)
{
    struct test_rig *r = fp_case(0xf2, DIV, ONE, 0, ALL & ~ZM);

    (void)state;
    r->c.cr4 &= ~(u64)CR4_OSXMMEXCPT;
    raises(r, EXC_UD, MXCSR_ZE);
}

static void compares_leave_eflags_alone_when_they_raise(void **state)
{
    struct test_rig *r = rig_sse(0);

    (void)state;
    CODE_BYTES(r, 0x66, 0x0f, 0x2f, 0xc1, 0xf4); /* comisd xmm0, xmm1 */
    set_xmm(r, 0, QNAN, 0);
    r->c.fpu.mxcsr = ALL & ~IM;
    cpu_set_flags(&r->c, F_1 | F_S);
    assert_int_equal(run_to_fault(r), EXC_XM);
    assert_int_equal(frame(r, 2) & F_ARITH, F_S);
    rig_destroy(r);
    r = rig_sse(0);
    CODE_BYTES(r, 0x66, 0x0f, 0x2e, 0xc1, 0xf4); /* ucomisd: a quiet NaN is not invalid */
    set_xmm(r, 0, QNAN, 0);
    r->c.fpu.mxcsr = ALL & ~IM;
    expect_done(r, CODE + 5);
    assert_int_equal(cpu_flags(&r->c) & F_ARITH, F_Z | F_P | F_C);
    rig_destroy(r);
}

static void ldmxcsr_refuses_reserved_bits(void **state)
{
    struct test_rig *r = rig_sse(0);

    (void)state;
    CODE_BYTES(r, 0x0f, 0xae, 0x14, 0x25, 0, 0xa0, 0, 0, 0x0f, 0xae, 0x1c, 0x25, 8, 0xa0, 0, 0, 0xf4);
    rig_poke(r, DATA, 0x9fbf, 4);
    expect_done(r, CODE + 17); /* ldmxcsr [DATA]; stmxcsr [DATA + 8] */
    assert_int_equal(rig_peek(r, DATA + 8, 8), 0x9fbf);
    rig_destroy(r);
    r = rig_sse(0);
    CODE_BYTES(r, 0x0f, 0xae, 0x14, 0x25, 0, 0xa0, 0, 0);
    rig_poke(r, DATA, 0x11f80, 4);
    expect_fault(r, EXC_GP, 0);
}

/* ---- CR0 and CR4 ---- */

/* Runs it under these bits; -1: it has run to the end. */
static int under(u64 cr0, u64 cr4, u64 features, const u8 *code, size_t n)
{
    struct test_rig *r = rig_sse(0);
    int vector;

    put_code(r, code, n);
    r->c.cr0 |= cr0;
    r->c.cr4 = (r->c.cr4 & ~(u64)CR4_OSFXSR) | cr4;
    r->c.features = features;
    cpu_update_mode(&r->c);
    vector = run_to_fault(r);
    rig_destroy(r);
    return vector;
}
#define UNDER(cr0, cr4, features, ...)                                                             \
    under(cr0, cr4, features, (const u8[]){ __VA_ARGS__, 0xf4 }, sizeof((const u8[]){ __VA_ARGS__ }) + 1)

static void control_bits_decide_what_is_there(void **state)
{
    (void)state;
#define ADDPS 0x0f, 0x58, 0xc1
#define MOVAPS 0x0f, 0x28, 0xc1
#define PADDB 0x0f, 0xfc, 0xc1
#define CVTPI2PS 0x0f, 0x2a, 0xc1
#define PREFETCH 0x0f, 0x18, 0x08
    assert_int_equal(UNDER(0, CR4_OSFXSR, ~0ull, ADDPS), -1);
    assert_int_equal(UNDER(0, 0, ~0ull, ADDPS), EXC_UD);
    assert_int_equal(UNDER(CR0_EM, CR4_OSFXSR, ~0ull, ADDPS), EXC_UD);
    assert_int_equal(UNDER(CR0_EM | CR0_TS, CR4_OSFXSR, ~0ull, ADDPS), EXC_UD);
    assert_int_equal(UNDER(CR0_TS, CR4_OSFXSR, ~0ull, ADDPS), EXC_NM);
    assert_int_equal(UNDER(CR0_TS, 0, ~0ull, ADDPS), EXC_UD);
    assert_int_equal(UNDER(CR0_TS, CR4_OSFXSR, ~0ull, MOVAPS), EXC_NM);
    assert_int_equal(UNDER(0, 0, ~0ull, MOVAPS), EXC_UD);
    assert_int_equal(UNDER(0, 0, ~0ull, PADDB), -1); /* MMX does not need OSFXSR */
    assert_int_equal(UNDER(CR0_EM, 0, ~0ull, PADDB), EXC_UD);
    assert_int_equal(UNDER(CR0_TS, 0, ~0ull, PADDB), EXC_NM);
    assert_int_equal(UNDER(0, 0, ~0ull, CVTPI2PS), EXC_UD);
    assert_int_equal(UNDER(CR0_TS, CR4_OSFXSR, ~0ull, CVTPI2PS), EXC_NM);
    assert_int_equal(UNDER(CR0_EM | CR0_TS, 0, ~0ull, PREFETCH), -1);
    assert_int_equal(UNDER(0, CR4_OSFXSR, ~(1ull << FEAT_SSE), ADDPS), EXC_UD);
    assert_int_equal(UNDER(0, CR4_OSFXSR, ~(1ull << FEAT_SSE2), ADDPS), -1);
    assert_int_equal(UNDER(0, CR4_OSFXSR, ~(1ull << FEAT_SSE2), 0x66, ADDPS), EXC_UD);
    assert_int_equal(UNDER(0, CR4_OSFXSR, ~(1ull << FEAT_SSSE3), 0x66, 0x0f, 0x38, 0x00, 0xc1), EXC_UD);
    assert_int_equal(UNDER(0, CR4_OSFXSR, ~(1ull << FEAT_MMX), PADDB), EXC_UD);
}

/* ---- memory ---- */

static void sixteen_bytes_must_be_aligned(void **state)
{
    static const struct {
        u8 code[9], len;
        bool must;
    } cases[] = {
        { { 0x0f, 0x58, 0x03 }, 3, true },                    /* addps xmm0, [rbx] */
        { { 0x66, 0x0f, 0xfe, 0x03 }, 4, true },              /* paddd */
        { { 0x0f, 0x28, 0x03 }, 3, true },                    /* movaps load */
        { { 0x0f, 0x29, 0x03 }, 3, true },                    /* movaps store */
        { { 0x66, 0x0f, 0xe7, 0x03 }, 4, true },              /* movntdq */
        { { 0x0f, 0x10, 0x03 }, 3, false },                   /* movups load */
        { { 0x0f, 0x11, 0x03 }, 3, false },                   /* movups store */
        { { 0xf3, 0x0f, 0x6f, 0x03 }, 4, false },             /* movdqu */
        { { 0xf2, 0x0f, 0xf0, 0x03 }, 4, false },             /* lddqu */
        { { 0x66, 0x0f, 0x3a, 0x63, 0x03, 0 }, 6, false },    /* pcmpistri */
        { { 0xf2, 0x0f, 0x58, 0x03 }, 4, false },             /* addsd: 8 bytes */
        { { 0x0f, 0x5a, 0x03 }, 3, false },                   /* cvtps2pd: 8 bytes */
        { { 0xf3, 0x0f, 0x51, 0x03 }, 4, false },             /* sqrtss: 4 bytes */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
        for (unsigned off = 0; off < 16; off += 4) {
            struct test_rig *r = rig_sse(0);

            put_code(r, cases[i].code, sizeof(cases[i].code));
            rig_poke(r, CODE + cases[i].len, 0xf4, 1);
            r->c.gpr[RBX] = DATA + off;
            if (cases[i].must && off) {
                expect_fault(r, EXC_GP, 0);
            } else {
                expect_done(r, CODE + cases[i].len + 1u);
                rig_destroy(r);
            }
        }
}

static void alignment_is_of_the_linear_address(void **state)
{
    struct test_rig *r = rig_sse(0);

    (void)state;
    CODE_BYTES(r, 0x64, 0x0f, 0x58, 0x03, 0xf4); /* addps xmm0, fs:[rbx] */
    r->c.seg[FS].base = 8;
    r->c.gpr[RBX] = DATA + 8;
    expect_done(r, CODE + 5);
    rig_destroy(r);
    r = rig_sse(0);
    CODE_BYTES(r, 0x64, 0x0f, 0x58, 0x03, 0xf4);
    r->c.seg[FS].base = 8;
    r->c.gpr[RBX] = DATA;
    expect_fault(r, EXC_GP, 0);
}

/* The page behind 1F000h is not there: nothing of the store is done, nothing of the load kept. */
static void a_page_fault_in_the_second_half_leaves_nothing(void **state)
{
    struct test_rig *r = rig_sse(0);

    (void)state;
    CODE_BYTES(r, 0x0f, 0x11, 0x03); /* movups [rbx], xmm0 */
    set_xmm(r, 0, ~0ull, ~0ull);
    r->c.gpr[RBX] = 0x1fff4;
    assert_int_equal(run_to_fault(r), EXC_PF);
    assert_int_equal(frame(r, 0), 2);
    assert_int_equal(r->c.cr2, 0x20000);
    assert_int_equal(rig_peek(r, 0x1fff4, 8), 0);
    rig_destroy(r);
    r = rig_sse(0);
    CODE_BYTES(r, 0x0f, 0x10, 0x03); /* movups xmm0, [rbx] */
    set_xmm(r, 0, 1, 2);
    r->c.gpr[RBX] = 0x1fff4;
    assert_int_equal(run_to_fault(r), EXC_PF);
    assert_int_equal(r->c.fpu.xmm[0].q[0], 1);
    rig_destroy(r);
}

static void accesses_cross_pages(void **state)
{
    (void)state;
    for (unsigned at = 1; at < 16; at++) {
        struct test_rig *r = rig_sse(3);

        CODE_BYTES(r, 0x0f, 0x10, 0x03, 0x0f, 0x11, 0x01, 0x0f, 0x0b); /* movups both ways, ud2 */
        r->c.gpr[RBX] = 0x1a000 - at;
        r->c.gpr[RCX] = 0x1c000 - at;
        for (unsigned i = 0; i < 16; i++)
            rig_poke(r, 0x1a000 - at + i, 0x10 + i, 1);
        assert_int_equal(run_to_fault(r), EXC_UD);
        for (unsigned i = 0; i < 16; i++)
            assert_int_equal(rig_peek(r, 0x1c000 - at + i, 1), 0x10 + i);
        assert_int_equal(rig_peek(r, 0x1c000 - at + 16, 1), 0);
        rig_destroy(r);
    }
}

/* ---- MMX and the x87 registers ---- */

static void mmx_fills_tags_and_exponents(void **state)
{
    struct test_rig *r = rig_sse(0);

    (void)state;
    CODE_BYTES(r, 0x0f, 0xef, 0xd2, 0xf4); /* pxor mm2, mm2 */
    r->c.fpu.sw = 5 << 11;
    r->c.fpu.valid = 0;
    r->c.fpu.r[2] = (struct st){ 77, 5 };
    expect_done(r, CODE + 4);
    assert_int_equal(r->c.fpu.sw, 0);
    assert_int_equal(r->c.fpu.valid, 0xff);
    assert_int_equal(r->c.fpu.r[2].mant, 0);
    assert_int_equal(r->c.fpu.r[2].exp, 0xffff);
    rig_destroy(r);
    r = rig_sse(0);
    CODE_BYTES(r, 0x0f, 0x77, 0xf4); /* emms */
    r->c.fpu.valid = 0xff;
    expect_done(r, CODE + 3);
    assert_int_equal(r->c.fpu.valid, 0);
    rig_destroy(r);
}

static void mmx_takes_a_pending_x87_exception(void **state)
{
    struct test_rig *r = rig_sse(0);

    (void)state;
    CODE_BYTES(r, 0x0f, 0xef, 0xd2, 0xf4);
    r->c.fpu.cw = 0x37e; /* invalid is not masked */
    r->c.fpu.sw = 0x8081;
    expect_plain_fault(r, EXC_MF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_exception_is_raised_when_it_is_not_masked),
        cmocka_unit_test(masked_exceptions_leave_flags_that_stick),
        cmocka_unit_test(a_tiny_exact_result_underflows_only_unmasked),
        cmocka_unit_test(ftz_acts_on_masked_underflow_alone),
        cmocka_unit_test(daz_hides_denormal_operands),
        cmocka_unit_test(rounding_is_the_guests),
        cmocka_unit_test(an_exception_before_the_computation_hides_those_after_it),
        cmocka_unit_test(without_osxmmexcpt_it_is_ud),
        cmocka_unit_test(compares_leave_eflags_alone_when_they_raise),
        cmocka_unit_test(ldmxcsr_refuses_reserved_bits),
        cmocka_unit_test(control_bits_decide_what_is_there),
        cmocka_unit_test(sixteen_bytes_must_be_aligned),
        cmocka_unit_test(alignment_is_of_the_linear_address),
        cmocka_unit_test(a_page_fault_in_the_second_half_leaves_nothing),
        cmocka_unit_test(accesses_cross_pages),
        cmocka_unit_test(mmx_fills_tags_and_exponents),
        cmocka_unit_test(mmx_takes_a_pending_x87_exception),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
