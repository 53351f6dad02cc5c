/*
 * x87 exceptions and images: what the host, as an independent witness of arithmetic, cannot show from
 * user mode, and what it has shown to be wrong. Expected values are the manual's: SDM 1, 8.1.10
 * (formats), 8.7 (MF, FERR#), 2A pages; where it is silent, silicon's, as the tests say.
 */
#include "cpu/test_rig.h"
#include "cpu/fpu.h"

static void divide_by_zero_raises_mf_at_the_next_waiting_instruction(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    rig_poke(r, DATA, 0x37b, 2); /* ZE unmasked */
    CODE_BYTES(r, 0xdb, 0xe3, 0xd9, 0x2d, 0, 0xa0, 0, 0, /* fninit; fldcw [DATA] */
               0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9,       /* fld1; fldz; fdivp */
               0xdf, 0xe0, 0xd9, 0xee);                  /* fnstsw ax; fldz */
    assert_int_equal(run_to_fault(r), EXC_MF);
    assert_int_equal(frame(r, 0), CODE + 16);
    assert_int_equal(r->c.gpr[RAX] & 0x80ff, 0x8084); /* B, ES, ZE */
    assert_int_equal(r->c.fpu.fip, CODE + 12);
    assert_int_equal(r->c.fpu.fop, 0x6f9);
    rig_destroy(r);
}

static void em_and_ts_raise_nm_before_anything(void **state)
{
    static const u32 cr0[] = { CR0_EM, CR0_TS };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cr0); i++) {
        struct test_rig *r = rig_protected(0);

        r->c.cr0 |= cr0[i];
        cpu_update_mode(&r->c);
        CODE_BYTES(r, 0xd9, 0xe8);
        expect_plain_fault(r, EXC_NM);
    }
}

static void wait_raises_nm_with_mp_and_ts_only(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.cr0 |= CR0_TS;
    cpu_update_mode(&r->c);
    CODE_BYTES(r, 0x9b, 0xf4);
    expect_done(r, CODE + 2);
    r->c.halted = HALT_NONE;
    r->c.rip = CODE;
    r->c.cr0 |= CR0_MP;
    expect_plain_fault(r, EXC_NM);
}

static bool ferr_level;

static void ferr_pin(void *sink, unsigned pin, bool level)
{
    (void)sink;
    (void)pin;
    ferr_level = level;
}

/* SDM 1, 8.7.2: without CR0.NE the processor stops before the next waiting instruction, FERR# high;
 * under IGNNE# it goes on; FNCLEX ends both. */
static void without_ne_the_board_is_told(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.cr0 &= ~(u64)CR0_NE;
    r->c.cfg.ferr = (struct irq_line){ ferr_pin, NULL, 0 };
    rig_poke(r, DATA, 0x37b, 2);
    CODE_BYTES(r, 0xdb, 0xe3, 0xd9, 0x2d, 0, 0xa0, 0, 0, 0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9,
               0xd9, 0xee, 0xdf, 0xe0, 0xdb, 0xe2, 0xf4); /* fldz; fnstsw ax; fnclex; hlt */
    assert_int_equal(rig_run(r, 1000), STOP_HALT);
    assert_int_equal(r->c.halted, HALT_FERR);
    assert_int_equal(r->c.rip, CODE + 14);
    assert_true(ferr_level);
    cpu_set_ignne(&r->c, 0, true);
    r->c.halted = HALT_NONE;
    assert_int_equal(rig_run(r, 1000), STOP_HALT);
    assert_int_equal(r->c.rip, CODE + 21);
    assert_int_equal(r->c.gpr[RAX] & 0x80ff, 0x8084);
    assert_false(ferr_level);
    assert_int_equal(r->c.fpu.sw & 0x80ff, 0);
    rig_destroy(r);
}

/* SDM 1, figure 8-9: FNSTENV in 32-bit protected format, after FLD1. */
static void an_environment_has_tags_and_masks_exceptions(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    CODE_BYTES(r, 0xdb, 0xe3, 0xd9, 0xe8, 0xd9, 0xee, 0xd9, 0x35, 0, 0xa0, 0, 0, 0xf4);
    expect_done(r, CODE + 13);
    assert_int_equal(rig_peek(r, DATA, 2), 0x37f);
    assert_int_equal(rig_peek(r, DATA + 4, 2), 0x3000);  /* TOP 6 */
    assert_int_equal(rig_peek(r, DATA + 8, 2), 0x1fff);  /* R7 valid, R6 zero */
    assert_int_equal(rig_peek(r, DATA + 12, 4), 0);
    rig_destroy(r);
}

/* 64-bit code whose addresses have 32 bits, with two pages for the last two bytes of an m80 at
 * FFFFFFF8h: where its offset wraps to, and where a linear address would go on. */
enum { BELOW_4G = 0x20000, ABOVE_4G = 0x21000 };

static struct test_rig *rig_m80(void)
{
    struct test_rig *r = rig_long(0, false);

    map4(r, 0xfffff000, BELOW_4G, 3);
    map4(r, 1ull << 32, ABOVE_4G, 3);
    r->c.gpr[RAX] = 0xfffffff8;
    r->c.gpr[RCX] = DATA;
    return r;
}

/* Silicon wraps each part's offset at the address size (AMD EPYC, by the native comparison). */
static void fstp_m80_wraps_at_the_address_size(void **state)
{
    struct test_rig *r = rig_m80();

    (void)state;
    CODE_BYTES(r, 0xdb, 0xe3, 0xd9, 0xe8, 0x67, 0xdb, 0x38, 0xf4); /* fninit; fld1; fstp m80 [eax] */
    expect_done(r, CODE + 8);
    assert_int_equal(rig_peek(r, BELOW_4G + 0xff8, 8), 1ull << 63);
    assert_int_equal(rig_peek(r, 0, 2), 0x3fff);
    assert_int_equal(rig_peek(r, ABOVE_4G, 2), 0);
    rig_destroy(r);
}

static void fld_m80_wraps_at_the_address_size(void **state)
{
    struct test_rig *r = rig_m80();

    (void)state;
    rig_poke(r, BELOW_4G + 0xff8, 0xc000000000000001, 8);
    rig_poke(r, 0, 0x4001, 2);
    rig_poke(r, ABOVE_4G, 0x5555, 2);
    /* fninit; fld m80 [eax]; fstp m80 [rcx]; hlt */
    CODE_BYTES(r, 0xdb, 0xe3, 0x67, 0xdb, 0x28, 0xdb, 0x39, 0xf4);
    expect_done(r, CODE + 8);
    assert_int_equal(rig_peek(r, DATA, 8), 0xc000000000000001);
    assert_int_equal(rig_peek(r, DATA + 8, 2), 0x4001);
    rig_destroy(r);
}

/* The first field's page is absent, what follows is not canonical: silicon's #PF for the first comes
 * first (AMD EPYC, by a program in user mode and by the native comparison). */
static void the_first_part_is_touched_first(void **state)
{
    static const struct { const char *name; u8 code[2]; u64 at; } rows[] = {
        { "fldenv", { 0xd9, 0x20 }, 0x7ffffffffffc },
        { "fnstenv", { 0xd9, 0x30 }, 0x7ffffffffffc },
        { "frstor", { 0xdd, 0x20 }, 0x7ffffffffffc },
        { "fnsave", { 0xdd, 0x30 }, 0x7ffffffffffc },
        { "fld m80", { 0xdb, 0x28 }, 0x7ffffffffff7 },
        { "fstp m80", { 0xdb, 0x38 }, 0x7ffffffffff7 },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        for (int present = 0; present < 2; present++) {
            struct test_rig *r = rig_long(0, false);

            print_message("%s, %s page\n", rows[i].name, present ? "a present" : "an absent");
            put_code(r, rows[i].code, sizeof(rows[i].code));
            r->c.gpr[RAX] = rows[i].at;
            if (present)
                map4(r, 0x7ffffffff000, BELOW_4G, 3);
            assert_int_equal(run_to_fault(r), present ? EXC_GP : EXC_PF);
            assert_int_equal(frame(r, 1), CODE);
            assert_int_equal(r->c.cr2, present ? 0 : rows[i].at);
            rig_destroy(r);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divide_by_zero_raises_mf_at_the_next_waiting_instruction),
        cmocka_unit_test(em_and_ts_raise_nm_before_anything),
        cmocka_unit_test(wait_raises_nm_with_mp_and_ts_only),
        cmocka_unit_test(without_ne_the_board_is_told),
        cmocka_unit_test(an_environment_has_tags_and_masks_exceptions),
        cmocka_unit_test(fstp_m80_wraps_at_the_address_size),
        cmocka_unit_test(fld_m80_wraps_at_the_address_size),
        cmocka_unit_test(the_first_part_is_touched_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
