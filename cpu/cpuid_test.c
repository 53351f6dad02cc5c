/*
 * CPUID: what models offer, and how it is told. Expected values: SDM 2A CPUID, APM 3 appendix E.
 */
#include "cpu/cpu_model.h"
#include "cpu/test_rig.h"

static void ask(struct test_rig *r, u32 n, u32 sub, u32 out[4])
{
    CODE_BYTES(r, 0x0f, 0xa2, 0xf4);
    r->c.rip = CODE;
    r->c.halted = 0;
    r->c.gpr[RAX] = 0xffffffff00000000 | n;
    r->c.gpr[RCX] = 0xffffffff00000000 | sub;
    expect_done(r, CODE + 3);
    out[0] = (u32)r->c.gpr[RAX];
    out[1] = (u32)r->c.gpr[RBX];
    out[2] = (u32)r->c.gpr[RCX];
    out[3] = (u32)r->c.gpr[RDX];
    assert_int_equal((r->c.gpr[RAX] | r->c.gpr[RBX] | r->c.gpr[RCX] | r->c.gpr[RDX]) >> 32, 0);
}

/* At every privilege level, whatever the leaf, with whatever features. */
static void no_leaf_faults(void **state)
{
    static const u32 first[] = { 0, 0x3ffffff0, 0x40000000, 0x7ffffff0, 0x80000000, 0xfffffff0 };
    static const u32 beyond[] = { 0x17, 0x3fffffff, 0x40000011, 0x7fffffff, 0x8000001e, 0xffffffff };

    (void)state;
    for (int with = 0; with < 2; with++) {
        struct test_rig *r = rig_long(0, false);
        u32 out[4];

        r->c.features = with ? ~0ull : 0;
        for (unsigned i = 0; i < ARRAY_LEN(first); i++)
            for (u32 n = 0; n < 40; n++)
                for (u32 sub = 0; sub < 5; sub++)
                    ask(r, first[i] + n, sub, out);
        assert_int_equal(r->c.nr_events, 0);
        for (unsigned i = 0; i < ARRAY_LEN(beyond); i++) { /* APM 3: zero */
            ask(r, beyond[i], 0, out);
            assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);
        }
        rig_destroy(r);
    }
}

static void each_feature_has_its_bit(void **state)
{
    static const struct { enum feature f; u32 leaf; unsigned reg, bit; } rows[] = {
        { FEAT_SSE2, 1, 3, 26 },  { FEAT_PCID, 1, 2, 17 },       { FEAT_MOVBE, 1, 2, 22 },
        { FEAT_BMI1, 7, 1, 3 },   { FEAT_BMI2, 7, 1, 8 },        { FEAT_ADX, 7, 1, 19 },
        { FEAT_RDPID, 7, 2, 22 }, { FEAT_LZCNT, 0x80000001, 2, 5 }, { FEAT_INVTSC, 0x80000007, 3, 8 },
        { FEAT_NX, 0x80000001, 3, 20 }, { FEAT_MMX, 0x80000001, 3, 23 /* AMD: as leaf 1 */ },
    };
    struct test_rig *r = rig_long(0, false);
    u32 out[4];

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        for (int on = 0; on < 2; on++) {
            r->c.features = on ? BIT(rows[i].f) : ~BIT(rows[i].f);
            ask(r, rows[i].leaf, 0, out);
            assert_int_equal(out[rows[i].reg] >> rows[i].bit & 1, on);
        }
    rig_destroy(r);
}

/* SDM 2A CPUID leaf 15h: TSC = crystal * EBX / EAX. A tick is a nanosecond unless it was chosen. */
static void the_tsc_has_a_frequency(void **state)
{
    struct test_rig *r = rig_long(0, false);
    u32 out[4];

    (void)state;
    ask(r, 0x15, 0, out);
    assert_int_equal((u64)out[2] * out[1] / out[0], 1000000000);
    r->clk.num = 1;
    r->clk.den = 3; /* three ticks a nanosecond */
    ask(r, 0x15, 0, out);
    assert_int_equal((u64)out[2] * out[1] / out[0], 3000000000);
    rig_destroy(r);
}

/* Size = (ways + 1)(partitions + 1)(line + 1)(sets + 1): SDM 2A leaf 4. APM 3: 80000005h, 6. */
static void caches_agree(void **state)
{
    static const u32 kib[4] = { 32, 32, 512, 8192 };
    struct test_rig *r = rig_long(0, false);
    u32 out[4];

    (void)state;
    for (u32 n = 4; n; n = n == 4 ? 0x8000001d : 0)
        for (u32 sub = 0; sub < 5; sub++) {
            ask(r, n, sub, out);
            if (sub == 4)
                assert_int_equal(out[0], 0);
            else
                assert_int_equal(((out[1] >> 22) + 1) * ((out[1] & 0xfff) + 1) * (out[2] + 1), kib[sub] << 10);
        }
    ask(r, 0x80000005, 0, out);
    assert_int_equal(out[2] >> 24, kib[0]);
    assert_int_equal(out[3] >> 24, kib[1]);
    ask(r, 0x80000006, 0, out);
    assert_int_equal(out[2] >> 16, kib[2]);
    assert_int_equal((out[3] >> 18) * 512, kib[3]);
    rig_destroy(r);
}

static void models_are_told_apart(void **state)
{
    u64 there = cpu_features_there();

    (void)state;
    assert_string_equal(cpu_models[0].name, "x86-64-v2");
    assert_string_equal(cpu_models[1].name, "qemu64");
    assert_false(cpu_models[1].features & (BIT(FEAT_POPCNT) | BIT(FEAT_SMEP) | BIT(FEAT_PCID)));
    assert_true(cpu_models[0].features & there & BIT(FEAT_POPCNT));
    assert_false(cpu_models[0].features & (BIT(FEAT_BMI1) | BIT(FEAT_RDRAND)));
    assert_int_equal(cpu_models[1].features & ~cpu_models[0].features, 0);
    assert_int_equal(cpu_models[2].features & there, there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_leaf_faults),       cmocka_unit_test(each_feature_has_its_bit),
        cmocka_unit_test(the_tsc_has_a_frequency), cmocka_unit_test(caches_agree),
        cmocka_unit_test(models_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
