/*
 * Hardware task switches. Expected values: SDM 3A chapter 7, the sections that each test names;
 * 2A CALL, IRET, JMP.
 */
#include "cpu/test_rig.h"

enum { TSS2 = 0x3400, TSS16 = 0x3600, TASK2 = 0xb0, TASK16 = 0xb8, TASK_GATE = 0xc3, ENTRY = 0x7000,
       STACK2 = 0xd000 };

static const struct { unsigned seg, off; } seg_offs[] = { { ES, 0x48 }, { CS, 0x4c }, { SS, 0x50 },
                                                          { DS, 0x54 }, { FS, 0x58 }, { GS, 0x5c } };

/* Protected mode, a second task with an HLT at ENTRY, and a task gate to it. */
static struct test_rig *rig_tasks(unsigned cpl)
{
    struct test_rig *r = rig_protected(cpl);

    set_descriptor(r, TASK2, descriptor(TSS2, 0x67, 0x89, 0));
    set_descriptor(r, TASK16, descriptor(TSS16, 0x2b, 0x81, 0));
    set_descriptor(r, TASK_GATE, (u64)TASK2 << 16 | 0xe5ull << 40);
    rig_poke(r, TSS2 + 0x20, ENTRY, 4);
    rig_poke(r, TSS2 + 0x24, F_1 | F_C, 4);
    for (unsigned i = 0; i < 8; i++) {
        rig_poke(r, TSS2 + 0x28 + 4 * i, i == RSP ? STACK2 : 0x11111111u * (i + 1), 4);
        rig_poke(r, TSS16 + 0x12 + 2 * i, i == RSP ? STACK2 : 0x1111u * (i + 1), 2);
    }
    for (unsigned i = 0; i < 6; i++) {
        u16 sel = seg_offs[i].seg == CS ? CODE0 : DATA0;
        rig_poke(r, TSS2 + seg_offs[i].off, sel, 4);
        if (i < 4)
            rig_poke(r, TSS16 + 0x22 + 2 * i, sel, 2);
    }
    rig_poke(r, TSS16 + 0x0e, ENTRY, 2);
    rig_poke(r, TSS16 + 0x10, F_1 | F_Z, 2);
    rig_poke(r, ENTRY, 0xf4, 1);
    cpu_set_flags(&r->c, F_1 | F_S);
    r->c.gpr[RAX] = 0xaaaa5555;
    return r;
}

static u8 access_of(struct test_rig *r, u16 sel)
{
    return (u8)rig_peek(r, GDT + (sel & ~7u) + 5, 1);
}

static void far_to(struct test_rig *r, u8 opcode, u16 sel)
{
    CODE_BYTES(r, opcode, 0, 0, 0, 0, (u8)sel, (u8)(sel >> 8));
}
enum { JMP = 0xea, CALL = 0x9a };

static void expect_second_task(struct test_rig *r)
{
    assert_int_equal(rig_run(r, 1000), STOP_HALT);
    assert_int_equal(r->c.rip, ENTRY + 1);
    assert_int_equal(r->c.tr.sel, TASK2);
    assert_int_equal(r->c.tr.base, TSS2);
    assert_int_equal(r->c.gpr[RAX], 0x11111111);
    assert_int_equal(r->c.gpr[RDI], 0x88888888);
    assert_int_equal(r->c.gpr[RSP], STACK2);
    assert_true(r->c.cr0 & CR0_TS);
    assert_int_equal(access_of(r, TASK2) & 15, 11); /* busy */
}

/* 7.3: the whole of it, and table 7-2 for busy, NT and the link. */
static void jmp_switches_and_leaves_nothing_behind(void **state)
{
    (void)state;
    for (unsigned gate = 0; gate < 2; gate++) {
        struct test_rig *r = rig_tasks(0);

        far_to(r, JMP, gate ? TASK_GATE : TASK2);
        expect_second_task(r);
        assert_int_equal(cpu_flags(&r->c), F_1 | F_C);
        assert_int_equal(access_of(r, TSS_SEL) & 15, 9); /* available again */
        assert_int_equal(rig_peek(r, TSS2, 2), 0);
        assert_int_equal(rig_peek(r, TSS + 0x20, 4), CODE + 7);
        assert_int_equal(rig_peek(r, TSS + 0x24, 4), F_1 | F_S);
        assert_int_equal(rig_peek(r, TSS + 0x28, 4), 0xaaaa5555);
        assert_int_equal(rig_peek(r, TSS + 0x38, 4), STACK0 - 0x100);
        assert_int_equal(rig_peek(r, TSS + 0x4c, 2), CODE0);
        assert_int_equal(rig_peek(r, TSS + 0x5c, 2), DATA0);
        rig_destroy(r);
    }
}

static void call_nests_and_iret_returns(void **state)
{
    struct test_rig *r = rig_tasks(0);

    (void)state;
    far_to(r, CALL, TASK2);
    rig_poke(r, CODE + 7, 0xf4, 1);
    rig_run(r, 1);
    assert_int_equal(r->c.rip, ENTRY);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_C | F_NT);
    assert_int_equal(rig_peek(r, TSS2, 2), TSS_SEL);
    assert_int_equal(access_of(r, TSS_SEL) & 15, 11); /* both are busy */
    assert_int_equal(access_of(r, TASK2) & 15, 11);
    rig_poke(r, ENTRY, 0xcf, 1);
    expect_done(r, CODE + 8);
    assert_int_equal(r->c.tr.sel, TSS_SEL);
    assert_int_equal(r->c.gpr[RAX], 0xaaaa5555);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_S);
    assert_int_equal(access_of(r, TSS_SEL) & 15, 11);
    assert_int_equal(access_of(r, TASK2) & 15, 9);
    assert_int_equal(rig_peek(r, TSS2 + 0x24, 4), F_1 | F_C); /* NT is cleared in what is saved */
    assert_int_equal(rig_peek(r, TSS2 + 0x20, 4), ENTRY + 1);
    rig_destroy(r);
}

/* 6.12.2: the error code goes to the new task's stack; the old one returns to the fault. */
static void an_exception_through_a_task_gate(void **state)
{
    struct test_rig *r = rig_tasks(0);

    (void)state;
    rig_poke(r, IDT + 8 * EXC_GP, (u64)TASK2 << 16 | 0x85ull << 40, 8);
    r->c.gpr[RBX] = 0x88;
    CODE_BYTES(r, 0x0f, 0x00, 0xdb); /* ltr bx: a data segment */
    assert_int_equal(rig_run(r, 1000), STOP_HALT);
    assert_int_equal(r->c.rip, ENTRY + 1);
    assert_int_equal(r->c.gpr[RSP], STACK2 - 4);
    assert_int_equal(rig_peek(r, STACK2 - 4, 4), 0x88);
    assert_int_equal(rig_peek(r, TSS + 0x20, 4), CODE);
    assert_int_equal(rig_peek(r, TSS + 0x24, 4), F_1 | F_S | F_RF);
    assert_true(cpu_flags(&r->c) & F_NT);
    rig_destroy(r);
}

static void int_n_through_a_task_gate_needs_its_dpl(void **state)
{
    struct test_rig *r = rig_tasks(3);

    (void)state;
    rig_poke(r, IDT + 8 * 0x30, (u64)TASK2 << 16 | 0xe5ull << 40, 8);
    CODE_BYTES(r, 0xcd, 0x30);
    expect_second_task(r);
    assert_int_equal(rig_peek(r, TSS + 0x20, 4), CODE + 2);
    assert_int_equal(r->c.cpl, 0);
    rig_destroy(r);

    r = rig_tasks(3);
    rig_poke(r, IDT + 8 * 0x30, (u64)TASK2 << 16 | 0x85ull << 40, 8);
    CODE_BYTES(r, 0xcd, 0x30);
    expect_fault(r, EXC_GP, 0x30 * 8 + 2);
}

/* Figure 7-10. FS and GS are not in it. */
static void a_16_bit_tss(void **state)
{
    struct test_rig *r = rig_tasks(0);

    (void)state;
    far_to(r, CALL, TASK16);
    rig_run(r, 1);
    assert_int_equal(r->c.rip, ENTRY);
    assert_int_equal(r->c.gpr[RAX] & 0xffff, 0x1111);
    assert_int_equal(r->c.gpr[RSP] & 0xffff, STACK2);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_Z | F_NT);
    assert_int_equal(r->c.seg[DS].sel, DATA0);
    assert_false(r->c.seg[FS].usable);
    assert_int_equal(rig_peek(r, TSS16, 2), TSS_SEL);
    assert_int_equal(rig_peek(r, TSS + 0x20, 4), CODE + 7);
    rig_poke(r, ENTRY, 0xcf, 1);
    rig_poke(r, CODE + 7, 0xf4, 1);
    expect_done(r, CODE + 8);
    assert_int_equal(r->c.gpr[RAX], 0xaaaa5555);
    assert_int_equal(rig_peek(r, TSS16 + 0x0e, 2), ENTRY + 1);
    rig_destroy(r);
}

/* Table 7-1, checks 1 to 4, and 2A JMP: nothing has been changed. */
static void bad_tasks(void **state)
{
    static const struct {
        u8 access;
        u16 limit, sel;
        u8 vector;
        u32 error;
    } cases[] = {
        { 0x8b, 0x67, TASK2, EXC_GP, TASK2 },     /* busy */
        { 0x09, 0x67, TASK2, EXC_NP, TASK2 },
        { 0x89, 0x66, TASK2, EXC_TS, TASK2 },     /* too short */
        { 0x81, 0x2a, TASK2, EXC_TS, TASK2 },
        { 0x89, 0x67, TASK2 | 3, EXC_GP, TASK2 }, /* RPL above DPL */
        { 0x82, 0x67, TASK2, EXC_GP, TASK2 },     /* an LDT */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_tasks(0);

        set_descriptor(r, TASK2, descriptor(TSS2, cases[i].limit, cases[i].access, 0));
        far_to(r, JMP, cases[i].sel);
        assert_int_equal(run_to_fault(r), cases[i].vector);
        assert_int_equal(frame(r, 0), cases[i].error);
        assert_int_equal(frame(r, 1), CODE);
        assert_int_equal(r->c.tr.sel, TSS_SEL);
        assert_int_equal(access_of(r, TSS_SEL) & 15, 11);
        assert_false(r->c.cr0 & CR0_TS);
        rig_destroy(r);
    }
}

static void bad_task_gates(void **state)
{
    static const struct {
        u16 tss;
        u8 access;
        u8 vector;
        u32 error;
    } cases[] = {
        { TASK2, 0x65, EXC_NP, TASK_GATE & ~3 }, /* the gate is absent */
        { TASK2 | 4, 0xe5, EXC_GP, TASK2 | 4 },  /* a TSS of the LDT */
        { 0x100, 0xe5, EXC_GP, 0x100 },
        { DATA0, 0xe5, EXC_GP, DATA0 },
        { TSS_SEL, 0xe5, EXC_GP, TSS_SEL }, /* busy: tasks are not recursive (7.2.2) */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_tasks(0);

        set_descriptor(r, TASK_GATE, (u64)cases[i].tss << 16 | (u64)cases[i].access << 40);
        far_to(r, CALL, TASK_GATE);
        expect_fault(r, cases[i].vector, cases[i].error);
    }
}

/* 2A IRET, TASK-RETURN. */
static void bad_links(void **state)
{
    static const struct {
        u16 link;
        u8 access;
        u8 vector;
    } cases[] = {
        { TASK2, 0x89, EXC_TS }, /* not busy */
        { TASK2, 0x0b, EXC_NP },
        { 0x100, 0x8b, EXC_TS },
        { TASK2 | 4, 0x8b, EXC_TS },
        { DATA0, 0x8b, EXC_TS },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_tasks(0);

        set_descriptor(r, TASK2, descriptor(TSS2, 0x67, cases[i].access, 0));
        rig_poke(r, TSS, cases[i].link, 2);
        cpu_set_flags(&r->c, F_1 | F_NT);
        CODE_BYTES(r, 0xcf);
        expect_fault(r, cases[i].vector, cases[i].link & ~3u);
    }
}

/* Table 7-1, checks from 6 on: raised in the new task, before its first instruction. The handler
 * is a task of its own (6.15, Interrupt 10). */
static void bad_segments_of_the_new_task(void **state)
{
    static const struct {
        u16 off, sel;
        u8 vector;
    } cases[] = {
        { 0x60, DATA0, EXC_TS },      /* LDT: not one */
        { 0x60, LDT_SEL | 4, EXC_TS },
        { 0x4c, 0, EXC_TS },          /* CS */
        { 0x4c, DATA0, EXC_TS },
        { 0x4c, CODE0 | 3, EXC_TS },  /* RPL is not DPL */
        { 0x50, 0, EXC_TS },          /* SS */
        { 0x50, DATA3, EXC_TS },
        { 0x50, CODE0, EXC_TS },
        { 0x54, EXEC_ONLY | 3, EXC_TS }, /* DS */
        { 0x54, TSS_SEL, EXC_TS },
        { 0x48, DATA0 | 3, EXC_TS },
        { 0x58, ABSENT, EXC_NP },     /* FS */
        { 0x5c, 0x100, EXC_TS },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_tasks(0);

        set_descriptor(r, TASK16, descriptor(TSS16, 0x2b, 0x81, 0));
        rig_poke(r, IDT + 8 * cases[i].vector, (u64)TASK16 << 16 | 0x85ull << 40, 8);
        rig_poke(r, TSS2 + cases[i].off, cases[i].sel, 2);
        far_to(r, JMP, TASK2);
        assert_int_equal(rig_run(r, 1000), STOP_HALT);
        assert_int_equal(r->c.rip, ENTRY + 1);
        assert_int_equal(r->c.events[0].vector, cases[i].vector);
        assert_int_equal(r->c.events[0].error, cases[i].sel & ~3u);
        assert_int_equal(r->c.events[0].rip, ENTRY);
        assert_int_equal(rig_peek(r, TSS16, 2), TASK2); /* the back link: the new task was there */
        assert_int_equal(rig_peek(r, TSS2 + cases[i].off, 2), cases[i].sel);
        rig_destroy(r);
    }
}

/* An absent stack is #SS, an absent LDT #TS. */
static void absent_segments_of_the_new_task(void **state)
{
    struct test_rig *r = rig_tasks(0);

    (void)state;
    set_descriptor(r, 0xd0, descriptor(0, 0xfffff, 0x13, 0xc));
    rig_poke(r, TSS2 + 0x50, 0xd0, 2);
    far_to(r, JMP, TASK2);
    rig_run(r, 1000);
    assert_int_equal(r->c.events[0].vector, EXC_SS);
    assert_int_equal(r->c.events[0].error, 0xd0);
    rig_destroy(r);

    r = rig_tasks(0);
    set_descriptor(r, 0xd0, descriptor(LDT, 0x3f, 0x02, 0));
    rig_poke(r, TSS2 + 0x60, 0xd0, 2);
    far_to(r, JMP, TASK2);
    rig_run(r, 1000);
    assert_int_equal(r->c.events[0].vector, EXC_TS);
    assert_int_equal(r->c.events[0].error, 0xd0);
    rig_destroy(r);
}

static void the_ldt_and_the_page_tables_are_the_tasks(void **state)
{
    struct test_rig *r = rig_tasks(0);

    (void)state;
    for (u32 p = 0; p < 32; p++) {
        rig_poke(r, TABLES + 0x1000 + 4 * p, p << 12 | 7, 4);
        rig_poke(r, TABLES + 0x3000 + 4 * p, (p == 0xe ? 0xf : p) << 12 | 7, 4);
    }
    rig_poke(r, TABLES, (TABLES + 0x1000) | 7, 4);
    rig_poke(r, TABLES + 0x2000, (TABLES + 0x3000) | 7, 4);
    r->c.cr3 = TABLES;
    r->c.cr0 |= CR0_PG;
    cpu_update_mode(&r->c);
    rig_poke(r, TSS2 + 0x1c, TABLES + 0x2000, 4);
    rig_poke(r, TSS2 + 0x60, LDT_SEL, 2);
    rig_poke(r, TSS2 + 0x54, 0x0c, 2); /* DS: entry 1 of the LDT */
    rig_poke(r, LDT + 8, descriptor(0xe000, 0xfff, 0x93, 4), 8);
    rig_poke(r, 0xf000, 0x1234, 2);
    rig_poke(r, ENTRY, 0xf4000000a166, 6); /* mov ax, [0]; hlt */
    rig_poke(r, ENTRY + 4, 0xf40000, 3);
    far_to(r, JMP, TASK2);
    rig_run(r, 1000);
    assert_int_equal(r->c.ldtr.base, LDT);
    assert_int_equal(r->c.cr3, TABLES + 0x2000);
    assert_int_equal(r->c.gpr[RAX] & 0xffff, 0x1234);
    rig_destroy(r);
}

/* 3B 20.2.5: VM in the new task's EFLAGS. */
static void a_task_in_virtual_8086_mode(void **state)
{
    struct test_rig *r = rig_tasks(0);

    (void)state;
    rig_poke(r, TSS2 + 0x24, F_1 | F_VM | 3 << 12, 4);
    rig_poke(r, TSS2 + 0x20, 0x10, 4);
    for (unsigned i = 0; i < 6; i++)
        rig_poke(r, TSS2 + seg_offs[i].off, 0x0600 + 0x10 * i, 2);
    far_to(r, JMP, TASK2);
    rig_run(r, 1);
    assert_true(r->c.mode & MODE_VM);
    assert_int_equal(r->c.cpl, 3);
    assert_int_equal(r->c.rip, 0x10);
    assert_int_equal(r->c.seg[CS].base, 0x6100);
    assert_int_equal(r->c.seg[GS].base, 0x6500);
    rig_destroy(r);
}

/* 7.3 and 3B 17.3.1.5: a debug trap in the new task; its L0 to L3 are clear. */
static void the_t_bit_and_local_breakpoints(void **state)
{
    struct test_rig *r = rig_tasks(0);

    (void)state;
    r->c.dr[7] = 0x4ff;
    r->c.dr[0] = r->c.dr[1] = r->c.dr[2] = r->c.dr[3] = 0x123456;
    cpu_update_mode(&r->c);
    rig_poke(r, TSS2 + 0x64, 1, 2);
    far_to(r, JMP, TASK2);
    assert_int_equal(run_to_fault(r), EXC_DB);
    assert_int_equal(frame(r, 0), ENTRY);
    assert_int_equal(r->c.dr[6], 0xffff0ff0 | 1 << 15);
    assert_int_equal(r->c.dr[7], 0x4aa);
    rig_destroy(r);
}

static void eip_beyond_the_new_code_segment(void **state)
{
    struct test_rig *r = rig_tasks(0);

    (void)state;
    rig_poke(r, TSS2 + 0x4c, CODE16, 2);
    rig_poke(r, TSS2 + 0x20, 0x10000, 4);
    far_to(r, JMP, TASK2);
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(frame(r, 0), 0);
    assert_int_equal(frame(r, 1), 0x10000);
    rig_destroy(r);
}

/* 7.3, step 5: a TSS that is not mapped faults before anything is saved. */
static void a_tss_that_is_not_mapped(void **state)
{
    struct test_rig *r = rig_tasks(0);

    (void)state;
    for (u32 p = 0; p < 32; p++)
        rig_poke(r, TABLES + 0x1000 + 4 * p, p << 12 | 7, 4);
    rig_poke(r, TABLES, (TABLES + 0x1000) | 7, 4);
    r->c.cr3 = TABLES;
    r->c.cr0 |= CR0_PG;
    cpu_update_mode(&r->c);
    set_descriptor(r, TASK2, descriptor(0x20000 - 0x40, 0x67, 0x89, 0)); /* its second half */
    far_to(r, JMP, TASK2);
    assert_int_equal(run_to_fault(r), EXC_PF);
    assert_int_equal(r->c.cr2, 0x20000);
    assert_int_equal(frame(r, 1), CODE);
    assert_int_equal(r->c.tr.sel, TSS_SEL);
    assert_int_equal(rig_peek(r, TSS + 0x20, 4), 0);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jmp_switches_and_leaves_nothing_behind),
        cmocka_unit_test(call_nests_and_iret_returns),
        cmocka_unit_test(an_exception_through_a_task_gate),
        cmocka_unit_test(int_n_through_a_task_gate_needs_its_dpl),
        cmocka_unit_test(a_16_bit_tss),
        cmocka_unit_test(bad_tasks),
        cmocka_unit_test(bad_task_gates),
        cmocka_unit_test(bad_links),
        cmocka_unit_test(bad_segments_of_the_new_task),
        cmocka_unit_test(absent_segments_of_the_new_task),
        cmocka_unit_test(the_ldt_and_the_page_tables_are_the_tasks),
        cmocka_unit_test(a_task_in_virtual_8086_mode),
        cmocka_unit_test(the_t_bit_and_local_breakpoints),
        cmocka_unit_test(eip_beyond_the_new_code_segment),
        cmocka_unit_test(a_tss_that_is_not_mapped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
