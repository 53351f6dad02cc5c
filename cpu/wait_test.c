/*
 * NMI, and MONITOR with MWAIT. Expected values: SDM 3A 6.7, 6.8.3; 2B MONITOR, MWAIT.
 */
#include "cpu/test_rig.h"

static void nmi(struct test_rig *r)
{
    cpu_set_nmi(&r->c, 0, true);
    cpu_set_nmi(&r->c, 0, false);
}

/* 6.7: IF does not matter. */
static void an_nmi_is_not_masked_by_if(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    CODE_BYTES(r, 0x90, 0x90);
    nmi(r);
    assert_int_equal(run_to_fault(r), EXC_NMI);
    assert_int_equal(frame(r, 0), CODE);
    assert_true(r->c.nmi_masked);
    rig_destroy(r);
}

/* 6.7.1: a second one waits for IRET; a third is lost. */
static void another_nmi_waits_for_iret(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    CODE_BYTES(r, 0x90, 0x90, 0x90);
    memcpy(rig_ram(r, HANDLER + 16 * EXC_NMI), "\x40\x40\xcf", 3); /* inc eax, twice; iretd */
    nmi(r);
    rig_run(r, 2); /* the delivery is a tick, and one instruction */
    nmi(r);
    nmi(r);
    rig_run(r, 2);
    assert_int_equal(r->c.nr_events, 1);
    assert_int_equal(r->c.rip, CODE);
    rig_run(r, 1);
    assert_int_equal(r->c.nr_events, 2);
    rig_run(r, 4);
    assert_int_equal(r->c.nr_events, 2);
    assert_int_equal(r->c.gpr[RAX], 4);
    assert_int_equal(r->c.rip, CODE + 1);
    rig_destroy(r);
}

static void an_nmi_ends_hlt(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    CODE_BYTES(r, 0xf4);
    assert_int_equal(rig_run(r, 100), STOP_HALT);
    assert_false(cpu_can_wake(&r->c));
    nmi(r);
    assert_true(cpu_can_wake(&r->c));
    assert_int_equal(run_to_fault(r), EXC_NMI);
    assert_int_equal(frame(r, 0), CODE + 1);
    rig_destroy(r);
}

/* 6.8.3: MOV SS holds it back by an instruction. */
static void mov_ss_delays_an_nmi(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.gpr[RAX] = DATA0;
    CODE_BYTES(r, 0x8e, 0xd0, 0x90, 0x90);
    rig_run(r, 1);
    nmi(r);
    assert_int_equal(run_to_fault(r), EXC_NMI);
    assert_int_equal(frame(r, 0), CODE + 3);
    rig_destroy(r);
}

/* An IRET that faults lets NMIs in all the same. */
static void even_a_faulting_iret_unmasks(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.nmi_masked = true;
    rig_poke(r, r->c.gpr[RSP] + 4, 0x100, 4);
    CODE_BYTES(r, 0xcf);
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_false(r->c.nmi_masked);
    rig_destroy(r);
}

static struct test_rig *rig_waiting(u32 ecx)
{
    struct test_rig *r = rig_protected(0);

    r->c.gpr[RAX] = DATA;
    CODE_BYTES(r, 0x0f, 0x01, 0xc8, 0xb9, (u8)ecx, 0, 0, 0, 0x0f, 0x01, 0xc9, 0xf4);
    return r;
}

static void mwait_halts_until_something_happens(void **state)
{
    struct test_rig *r = rig_waiting(0);

    (void)state;
    assert_int_equal(rig_run(r, 100), STOP_HALT);
    assert_int_equal(r->c.rip, CODE + 11);
    assert_int_equal(r->c.halted, HALT_MWAIT);
    assert_int_equal(rig_run(r, 100), STOP_HALT); /* nothing has happened */
    assert_int_equal(r->c.rip, CODE + 11);
    cpu_device_event(&r->c);
    expect_done(r, CODE + 12);
    rig_destroy(r);
}

/* Where something has happened since MONITOR it does not wait (2B MWAIT). */
static void mwait_that_comes_too_late(void **state)
{
    struct test_rig *r = rig_waiting(0);

    (void)state;
    rig_run(r, 1);
    cpu_device_event(&r->c);
    expect_done(r, CODE + 12);
    rig_destroy(r);

    r = rig_protected(0); /* no MONITOR at all */
    CODE_BYTES(r, 0x0f, 0x01, 0xc9, 0xf4);
    expect_done(r, CODE + 4);
    rig_destroy(r);
}

static void bad_monitors(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    CODE_BYTES(r, 0x0f, 0x01, 0xc8);
    expect_plain_fault(r, EXC_UD);

    r = rig_protected(0);
    r->c.gpr[RCX] = 1;
    CODE_BYTES(r, 0x0f, 0x01, 0xc8);
    expect_fault(r, EXC_GP, 0);

    r = rig_waiting(2);
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(frame(r, 1), CODE + 8);
    rig_destroy(r);

    r = rig_protected(0); /* the address is checked as a byte load */
    rig_load_seg(r, DS, SMALL);
    r->c.gpr[RAX] = 0x1000;
    CODE_BYTES(r, 0x0f, 0x01, 0xc8);
    expect_fault(r, EXC_GP, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_nmi_is_not_masked_by_if),
        cmocka_unit_test(another_nmi_waits_for_iret),
        cmocka_unit_test(an_nmi_ends_hlt),
        cmocka_unit_test(mov_ss_delays_an_nmi),
        cmocka_unit_test(even_a_faulting_iret_unmasks),
        cmocka_unit_test(mwait_halts_until_something_happens),
        cmocka_unit_test(mwait_that_comes_too_late),
        cmocka_unit_test(bad_monitors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
