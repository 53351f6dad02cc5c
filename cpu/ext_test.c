/*
 * What the native comparison cannot see of the integer extensions: features that are not offered,
 * CR4.FSGSBASE, random numbers. Expected values: the manual's pages that each test names; the
 * generator's from its published reference implementation.
 */
#include "cpu/test_rig.h"

static void deny(struct test_rig *r, enum feature f)
{
    r->c.features &= ~BIT(f);
}

/* SDM 2A LZCNT, 2B TZCNT: without them F3 before BSR and BSF means nothing. */
static void lzcnt_and_tzcnt_fall_back(void **state)
{
    (void)state;
    for (int offered = 0; offered < 2; offered++) {
        struct test_rig *r = rig_protected(0);

        /* lzcnt eax, ecx; tzcnt edx, ebx; hlt */
        CODE_BYTES(r, 0xf3, 0x0f, 0xbd, 0xc1, 0xf3, 0x0f, 0xbc, 0xd3, 0xf4);
        if (!offered) {
            deny(r, FEAT_LZCNT);
            deny(r, FEAT_BMI1);
        }
        r->c.gpr[RCX] = 0x100;
        r->c.gpr[RBX] = 0;
        r->c.gpr[RDX] = 77;
        expect_done(r, CODE + 9);
        assert_int_equal(r->c.gpr[RAX], offered ? 31 - 8 : 8);
        assert_int_equal(r->c.gpr[RDX], offered ? 32 : 77); /* BSF of 0: as it was (APM 3 BSF) */
        assert_int_equal(cpu_flags(&r->c) & F_Z, offered ? 0 : F_Z);
        rig_destroy(r);
    }
}

static void what_is_not_offered_is_undefined(void **state)
{
    static const struct { enum feature f; u8 code[9]; } rows[] = {
        { FEAT_POPCNT, { 0xf3, 0x0f, 0xb8, 0xc1 } },
        { FEAT_MOVBE, { 0x0f, 0x38, 0xf0, 0x05, 0, 0xa0, 0, 0 } },
        { FEAT_SSE42, { 0xf2, 0x0f, 0x38, 0xf1, 0xc1 } },
        { FEAT_BMI1, { 0xc4, 0xe2, 0x78, 0xf2, 0xc1 } },
        { FEAT_BMI2, { 0xc4, 0xe2, 0x7b, 0xf5, 0xc1 } },
        { FEAT_ADX, { 0x66, 0x0f, 0x38, 0xf6, 0xc1 } },
        { FEAT_RDRAND, { 0x0f, 0xc7, 0xf0 } },
        { FEAT_RDSEED, { 0x0f, 0xc7, 0xf8 } },
        { FEAT_RDPID, { 0xf3, 0x0f, 0xc7, 0xf8 } },
        { FEAT_CLFLUSHOPT, { 0x66, 0x0f, 0xae, 0x3d, 0, 0xa0, 0, 0 } },
        { FEAT_CLWB, { 0x66, 0x0f, 0xae, 0x35, 0, 0xa0, 0, 0 } },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        for (int offered = 0; offered < 2; offered++) {
            struct test_rig *r = rig_protected(0);

            put_code(r, rows[i].code, sizeof(rows[i].code));
            if (offered) {
                rig_run(r, 1);
                assert_int_equal(r->c.nr_events, 0);
                rig_destroy(r);
            } else {
                deny(r, rows[i].f);
                expect_plain_fault(r, EXC_UD);
            }
        }
}

/* SDM 3A 2.5: CR4.FSGSBASE; the bit is reserved without the feature. 2D WRFSBASE: #GP(0). */
static void fsgsbase_needs_its_bit(void **state)
{
    static const u8 code[] = { 0xf3, 0x48, 0x0f, 0xae, 0xd0, 0xf3, 0x0f, 0xae, 0xc9, 0xf4 };
    struct test_rig *r = rig_long(0, false);

    (void)state;
    put_code(r, code, sizeof(code)); /* wrfsbase rax; rdgsbase ecx; hlt */
    expect_plain_fault(r, EXC_UD);

    r = rig_long(0, false);
    put_code(r, code, sizeof(code));
    r->c.cr4 |= CR4_FSGSBASE;
    r->c.gpr[RAX] = 0x7fff12345678;
    r->c.seg[GS].base = 0xffff8000deadbeef;
    expect_done(r, CODE + sizeof(code));
    assert_int_equal(r->c.seg[FS].base, 0x7fff12345678);
    assert_int_equal(r->c.gpr[RCX], 0xdeadbeef);
    rig_destroy(r);

    r = rig_long(0, false);
    put_code(r, code, sizeof(code));
    r->c.cr4 |= CR4_FSGSBASE;
    r->c.gpr[RAX] = 1ull << 47;
    expect_fault(r, EXC_GP, 0);

    r = rig_long(0, false);
    CODE_BYTES(r, 0x0f, 0x22, 0xe0); /* mov cr4, rax */
    deny(r, FEAT_FSGSBASE);
    r->c.gpr[RAX] = r->c.cr4 | CR4_FSGSBASE;
    expect_fault(r, EXC_GP, 0);
}

/* The first numbers of splitmix64 from seed 1234567 (Vigna's splitmix64.c). */
static void random_numbers_repeat(void **state)
{
    static const u64 expected[] = { 6457827717110365317u, 3203168211198807973u, 9817491932198370423u };
    struct test_rig *r = rig_long(3, false);

    (void)state;
    /* rdrand rax; rdseed rcx; rdrand rdx; rdrand bx; hlt faults */
    CODE_BYTES(r, 0x48, 0x0f, 0xc7, 0xf0, 0x48, 0x0f, 0xc7, 0xf9, 0x48, 0x0f, 0xc7, 0xf2, 0x66, 0x0f,
               0xc7, 0xf3);
    r->c.random = 1234567;
    r->c.gpr[RBX] = 0x1111111111111111;
    r->c.eflags |= F_ARITH;
    rig_run(r, 4);
    assert_int_equal(r->c.gpr[RAX], expected[0]);
    assert_int_equal(r->c.gpr[RCX], expected[1]);
    assert_int_equal(r->c.gpr[RDX], expected[2]);
    assert_int_equal(r->c.gpr[RBX] >> 16, 0x111111111111);
    assert_int_equal(cpu_flags(&r->c) & F_ARITH, F_C);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lzcnt_and_tzcnt_fall_back),
        cmocka_unit_test(what_is_not_offered_is_undefined),
        cmocka_unit_test(fsgsbase_needs_its_bit),
        cmocka_unit_test(random_numbers_repeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
