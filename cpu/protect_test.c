/*
 * Protection as user mode cannot test it: segments, limits, gates, privilege levels, far returns.
 * Expected values: the pages of the SDM that each test names.
 */
#include "cpu/test_rig.h"

/* ---- loading segments: SDM 3A 3.4.5, 5.6, 5.7; 2B MOV ---- */

static void mov_ds(struct test_rig *r, u16 sel)
{
    r->c.gpr[RAX] = sel;
    CODE_BYTES(r, 0x8e, 0xd8, 0xf4); /* mov ds, ax; hlt */
}

static void a_data_segment_is_loaded_and_marked_accessed(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    set_descriptor(r, SMALL, descriptor(DATA, 0xfff, 0xf2, 4));
    mov_ds(r, SMALL);
    expect_done(r, CODE + 3);
    assert_int_equal(r->c.seg[DS].base, DATA);
    assert_int_equal(r->c.seg[DS].limit, 0xfff);
    assert_int_equal(rig_peek(r, GDT + SMALL + 5, 1), 0xf3); /* 3A 3.4.5.1 */
    rig_destroy(r);
}

static void bad_data_segments(void **state)
{
    static const struct {
        u16 sel;
        u8 vector;
        u32 error;
        unsigned cpl;
    } cases[] = {
        { ABSENT | 3, EXC_NP, ABSENT, 0 },   /* 2B MOV: not present */
        { EXEC_ONLY | 3, EXC_GP, EXEC_ONLY, 0 }, /* neither data nor readable code */
        { TSS_SEL, EXC_GP, TSS_SEL, 0 },     /* a system segment */
        { 0x100, EXC_GP, 0x100, 0 },         /* beyond the table's limit */
        { DATA0, EXC_GP, DATA0, 3 },         /* CPL above DPL */
        { DATA0 | 3, EXC_GP, DATA0, 0 },     /* RPL above DPL */
        { SMALL | 4, EXC_GP, SMALL | 4, 0 }, /* the LDT, which is null */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_protected(cases[i].cpl);

        mov_ds(r, cases[i].sel);
        expect_fault(r, cases[i].vector, cases[i].error);
    }
}

static void bad_stack_segments(void **state)
{
    static const struct {
        u16 sel;
        u8 vector;
        u32 error;
    } cases[] = {
        { 0, EXC_GP, 0 },              /* null: 2B MOV */
        { DATA3, EXC_GP, DATA3 & ~3 }, /* RPL is not CPL */
        { DATA0 | 3, EXC_GP, DATA0 },
        { READ_ONLY, EXC_GP, READ_ONLY }, /* not writable; its DPL is 3, too */
        { CODE0, EXC_GP, CODE0 },
        { ABSENT, EXC_GP, ABSENT }, /* its DPL is 3 */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_protected(0);

        r->c.gpr[RAX] = cases[i].sel;
        CODE_BYTES(r, 0x8e, 0xd0); /* mov ss, ax */
        expect_fault(r, cases[i].vector, cases[i].error);
    }
}

static void an_absent_stack_segment_is_a_stack_fault(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    set_descriptor(r, ABSENT, descriptor(0, 0xfffff, 0x13, 0xc));
    r->c.gpr[RAX] = ABSENT;
    CODE_BYTES(r, 0x8e, 0xd0);
    expect_fault(r, EXC_SS, ABSENT);
}

/* ---- limits and types: SDM 3A 5.3, 5.5 ---- */

static void limit_case(u16 sel, u32 off, const u8 code[3], bool ok, int vector)
{
    struct test_rig *r = rig_protected(0);

    rig_load_seg(r, DS, sel);
    r->c.gpr[RBX] = off;
    CODE_BYTES(r, code[0], code[1], code[2], 0xf4);
    if (ok) {
        expect_done(r, CODE + 4);
        rig_destroy(r);
    } else {
        expect_fault(r, vector, 0);
    }
}

static void limits_are_those_of_the_last_byte(void **state)
{
    static const u8 ds_store32[] = { 0x3e, 0x89, 0x03 }; /* mov ds:[ebx], eax */
    static const u8 ds_load32[] = { 0x3e, 0x8b, 0x03 }, ds_load8[] = { 0x3e, 0x8a, 0x03 };

    (void)state;
    limit_case(SMALL, 0xffc, ds_load32, true, 0);
    limit_case(SMALL, 0xffd, ds_load32, false, EXC_GP);
    limit_case(SMALL, 0xfff, ds_load8, true, 0);
    limit_case(SMALL, 0x1000, ds_load8, false, EXC_GP);
    limit_case(SMALL, 0xfffffffe, ds_load32, false, EXC_GP);
    /* expand-down, 16-bit: from limit + 1 to FFFFh (3A 3.4.5.1) */
    limit_case(DOWN, 0xfff, ds_load8, false, EXC_GP);
    limit_case(DOWN, 0x1000, ds_load8, true, 0);
    limit_case(DOWN, 0xfffc, ds_load32, true, 0);
    limit_case(DOWN, 0xfffd, ds_load32, false, EXC_GP);
    limit_case(READ_ONLY, DATA, ds_load32, true, 0);
    limit_case(READ_ONLY, DATA, ds_store32, false, EXC_GP);
    limit_case(CODE0, DATA, ds_load32, true, 0);
    limit_case(CODE0, DATA, ds_store32, false, EXC_GP);
    limit_case(EXEC_ONLY, DATA, ds_load32, false, EXC_GP);
}

/* SDM 2A CLFLUSH: allowed in an execute-only segment; else checked as a load of a byte. */
static void clflush_reaches_into_execute_only_code(void **state)
{
    static const u8 clflush[] = { 0x0f, 0xae, 0x3b }; /* clflush ds:[ebx] */

    (void)state;
    limit_case(EXEC_ONLY, DATA, clflush, true, 0);
    limit_case(SMALL, 0xfff, clflush, true, 0);
    limit_case(SMALL, 0x1000, clflush, false, EXC_GP);
}

static void a_null_segment_cannot_be_used(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.seg[DS] = (struct seg){ 0 };
    CODE_BYTES(r, 0xa1, 0x00, 0xa0, 0x00, 0x00);
    expect_fault(r, EXC_GP, 0);
}

/* #SS(0) from level 3, whose frame goes to the stack of level 0. */
static void the_stack_has_faults_of_its_own(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    r->c.seg[SS].limit = STACK3 - 3;
    seg_update_fast(&r->c.seg[SS]);
    CODE_BYTES(r, 0x50); /* push eax: its last byte is beyond the limit */
    expect_fault(r, EXC_SS, 0);
}

static void code_ends_at_the_limit_of_cs(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.seg[CS].limit = CODE + 1;
    CODE_BYTES(r, 0x90, 0xb8, 1, 2, 3, 4); /* nop; mov eax, ...: only its first byte is inside */
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(frame(r, 0), 0);
    assert_int_equal(frame(r, 1), CODE + 1);
    rig_destroy(r);
}

/* ---- far transfers: SDM 3A 5.8; 2A CALL, JMP; 2B RET ---- */

static void far_jump(struct test_rig *r, u16 sel, u32 off)
{
    CODE_BYTES(r, 0xea, (u8)off, (u8)(off >> 8), (u8)(off >> 16), (u8)(off >> 24), (u8)sel, (u8)(sel >> 8));
}

static void far_call(struct test_rig *r, u16 sel, u32 off)
{
    CODE_BYTES(r, 0x9a, (u8)off, (u8)(off >> 8), (u8)(off >> 16), (u8)(off >> 24), (u8)sel, (u8)(sel >> 8));
}

static void bad_far_jumps(void **state)
{
    static const struct {
        u16 sel;
        u8 vector;
        u32 error;
        unsigned cpl;
    } cases[] = {
        { 0, EXC_GP, 0, 0 },
        { DATA0, EXC_GP, DATA0, 0 },              /* not code */
        { CODE3, EXC_GP, CODE3 & ~3, 0 },         /* outward: DPL is not CPL */
        { CODE0, EXC_GP, CODE0, 3 },              /* inward without a gate */
        { CODE0 | 3, EXC_GP, CODE0, 0 },          /* RPL above CPL */
        { TSS_SEL + 0x100, EXC_GP, TSS_SEL + 0x100, 0 },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_protected(cases[i].cpl);

        far_jump(r, cases[i].sel, CODE + 0x100);
        expect_fault(r, cases[i].vector, cases[i].error);
    }
}

static void an_absent_code_segment(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    set_descriptor(r, ABSENT, descriptor(0, 0xfffff, 0x1b, 0xc));
    far_jump(r, ABSENT, CODE + 0x100);
    expect_fault(r, EXC_NP, ABSENT);
}

static void conforming_code_runs_at_the_callers_level(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    far_call(r, CONFORMING, CODE + 0x100);
    rig_poke(r, CODE + 0x100, 0x0b0f, 2); /* ud2 */
    assert_int_equal(run_to_fault(r), EXC_UD);
    assert_int_equal(frame(r, 0), CODE + 0x100);
    assert_int_equal(frame(r, 1), CONFORMING | 3); /* CPL stays 3 */
    assert_int_equal(rig_peek(r, STACK3 - 8, 4), CODE + 7);
    assert_int_equal(rig_peek(r, STACK3 - 4, 4), CODE3);
    rig_destroy(r);
}

static void a_target_beyond_the_limit(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    far_jump(r, CODE16, 0x10000);
    expect_fault(r, EXC_GP, 0);
}

static void call_gate(struct test_rig *r, u8 access, u8 params)
{
    u64 target = CODE + 0x200;

    set_descriptor(r, GATE, (target & 0xffff) | (u64)CODE0 << 16 | (u64)params << 32 | (u64)access << 40 |
                                (target >> 16 & 0xffff) << 48);
    rig_poke(r, CODE + 0x200, 0xf4, 1);
}

/* SDM 3A 5.8.5, figure 5-14: SS, ESP, parameters, CS, EIP on the inner stack. */
static void a_call_gate_changes_level_and_stack(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    call_gate(r, 0xec, 2);
    rig_poke(r, STACK3, 0x11111111, 4);
    rig_poke(r, STACK3 + 4, 0x22222222, 4);
    far_call(r, GATE | 3, 0);
    expect_done(r, CODE + 0x201);
    assert_int_equal(r->c.cpl, 0);
    assert_int_equal(r->c.seg[CS].sel, CODE0);
    assert_int_equal(r->c.seg[SS].sel, DATA0);
    assert_int_equal(r->c.gpr[RSP], STACK0 - 24);
    assert_int_equal(frame(r, 0), CODE + 7);
    assert_int_equal(frame(r, 1), CODE3);
    assert_int_equal(frame(r, 2), 0x11111111);
    assert_int_equal(frame(r, 3), 0x22222222);
    assert_int_equal(frame(r, 4), STACK3);
    assert_int_equal(frame(r, 5), DATA3);
    rig_destroy(r);
}

static void call_gates_that_may_not_be_used(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    call_gate(r, 0x8c, 0); /* DPL 0 */
    far_call(r, GATE, 0);
    expect_fault(r, EXC_GP, GATE);

    r = rig_protected(3);
    call_gate(r, 0x6c, 0); /* not present */
    far_call(r, GATE, 0);
    expect_fault(r, EXC_NP, GATE);

    r = rig_protected(3);
    call_gate(r, 0xec, 0);
    far_jump(r, GATE, 0); /* JMP cannot change the level */
    expect_fault(r, EXC_GP, CODE0);

    r = rig_protected(3);
    call_gate(r, 0xec, 0);
    rig_poke(r, TSS + 8, DATA3, 2); /* a stack of the wrong level */
    far_call(r, GATE, 0);
    /* #TS(DATA3), whose own delivery meets the same stack: #DF, then shutdown */
    assert_int_equal(run_to_fault(r), -2);
    assert_int_equal(r->c.events[0].vector, EXC_TS);
    assert_int_equal(r->c.events[0].error, DATA3 & ~3);
    rig_destroy(r);
}

/* SDM 2B RET: to the outer level with its stack, parameters released on both, and data segments
 * that are too privileged made null. */
static void a_far_return_to_the_outer_level(void **state)
{
    struct test_rig *r = rig_protected(0);
    u64 sp = r->c.gpr[RSP];

    (void)state;
    rig_poke(r, sp, CODE + 0x300, 4);
    rig_poke(r, sp + 4, CODE3, 4);
    rig_poke(r, sp + 16, STACK3 - 0x40, 4); /* behind 8 bytes of parameters */
    rig_poke(r, sp + 20, DATA3, 4);
    rig_load_seg(r, ES, DATA3);
    rig_poke(r, CODE + 0x300, 0x0b0f, 2);
    CODE_BYTES(r, 0xca, 8, 0); /* retf 8 */
    assert_int_equal(run_to_fault(r), EXC_UD);
    assert_int_equal(frame(r, 0), CODE + 0x300);
    assert_int_equal(frame(r, 1), CODE3);
    assert_int_equal(frame(r, 3), STACK3 - 0x40 + 8);
    assert_int_equal(frame(r, 4), DATA3);
    assert_int_equal(r->c.seg[DS].sel, 0); /* was DATA0 */
    assert_int_equal(r->c.seg[ES].sel, DATA3);
    rig_destroy(r);
}

/* In 64-bit mode the bases of FS and GS stay in use though the selectors are null, as in
 * QEMU and Bochs, and as kvm-unit-tests' debug wants it; neither manual says. */
static void nulled_segments_keep_their_bases(void **state)
{
    struct test_rig *r = rig_long(0, false);
    u64 sp = r->c.gpr[RSP];

    (void)state;
    rig_poke(r, sp, CODE + 0x300, 8);
    rig_poke(r, sp + 8, CODE64_3, 8);
    rig_poke(r, sp + 16, STACK3, 8);
    rig_poke(r, sp + 24, DATA3, 8);
    r->c.seg[FS].base = 0xfffff00012345678;
    r->c.seg[GS].base = DATA;
    rig_poke(r, DATA + 8, 0x1122334455667788, 8);
    /* mov rax, gs:[8]; ud2 */
    memcpy(rig_ram(r, CODE + 0x300), "\x65\x48\x8b\x04\x25\x08\0\0\0\x0f\x0b", 11);
    CODE_BYTES(r, 0x48, 0xcb); /* retfq */
    assert_int_equal(run_to_fault(r), EXC_UD);
    assert_int_equal(r->c.gpr[RAX], 0x1122334455667788);
    assert_int_equal(r->c.seg[FS].sel | r->c.seg[GS].sel, 0);
    assert_int_equal(r->c.seg[FS].base, 0xfffff00012345678);
    rig_destroy(r);
}

static void a_far_return_cannot_go_inward(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    rig_poke(r, STACK3, CODE + 0x300, 4);
    rig_poke(r, STACK3 + 4, CODE0, 4);
    CODE_BYTES(r, 0xcb);
    expect_fault(r, EXC_GP, CODE0);
}

/* ---- IRET: SDM 2A IRET ---- */

static void iret_frame(struct test_rig *r, u32 cs, u32 flags, u32 ss)
{
    u64 sp = r->c.gpr[RSP];

    rig_poke(r, sp, CODE + 0x300, 4);
    rig_poke(r, sp + 4, cs, 4);
    rig_poke(r, sp + 8, flags, 4);
    rig_poke(r, sp + 12, STACK3 - 0x40, 4);
    rig_poke(r, sp + 16, ss, 4);
    rig_poke(r, CODE + 0x300, 0x0b0f, 2);
    CODE_BYTES(r, 0xcf);
}

static void iret_to_the_outer_level(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    iret_frame(r, CODE3, F_1 | F_I | F_C | 3 << 12, DATA3);
    assert_int_equal(run_to_fault(r), EXC_UD);
    assert_int_equal(frame(r, 0), CODE + 0x300);
    assert_int_equal(frame(r, 2), F_1 | F_I | F_C | 3 << 12 | F_RF);
    assert_int_equal(frame(r, 3), STACK3 - 0x40);
    rig_destroy(r);
}

static void iret_at_level_3_leaves_if_and_iopl(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    cpu_set_flags(&r->c, F_1 | F_I);
    iret_frame(r, CODE3, F_1 | F_Z | 3 << 12, 0);
    assert_int_equal(run_to_fault(r), EXC_UD);
    assert_int_equal(frame(r, 2), F_1 | F_I | F_Z | F_RF);
    rig_destroy(r);
}

static void bad_irets(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    iret_frame(r, CODE3, F_1, DATA0); /* the stack's RPL is not that of CS */
    expect_fault(r, EXC_GP, DATA0);
    r = rig_protected(0);
    iret_frame(r, DATA0, F_1, DATA0);
    expect_fault(r, EXC_GP, DATA0);
    r = rig_protected(0);
    iret_frame(r, 0, F_1, DATA0);
    expect_fault(r, EXC_GP, 0);
    r = rig_protected(0);
    iret_frame(r, CODE3, F_1, 3); /* a null stack */
    expect_fault(r, EXC_GP, 0);
    r = rig_protected(3);
    iret_frame(r, CODE0, F_1, DATA0);
    expect_fault(r, EXC_GP, CODE0);
}

/* From 64-bit code to 64-bit, compatibility and user code. */
static void iretq_to_all_modes(void **state)
{
    static const struct {
        u16 cs, ss;
        u32 mode;
    } cases[] = {
        { CODE64, DATA0, MODE_CODE64 },
        { CODE64, 0, MODE_CODE64 }, /* a null SS is fine below level 3 */
        { CODE64_3, DATA3, MODE_CODE64 },
        { CODE3, DATA3, MODE_CODE32 },
        { CODE16, DATA0, MODE_CODE16 },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_long(0, false);
        u64 sp = r->c.gpr[RSP];
        const u64 words[] = { CODE + 0x300, cases[i].cs, F_1 | F_S, STACK3, cases[i].ss };

        for (unsigned k = 0; k < 5; k++)
            rig_poke(r, sp + 8 * k, words[k], 8);
        rig_poke(r, CODE + 0x300, 0x0b0f, 2);
        CODE_BYTES(r, 0x48, 0xcf);
        assert_int_equal(run_to_fault(r), EXC_UD);
        assert_int_equal(r->c.events[0].mode & MODE_CODE_MASK, cases[i].mode);
        assert_int_equal(frame(r, 0), CODE + 0x300);
        assert_int_equal(frame(r, 1), cases[i].cs);
        assert_int_equal(frame(r, 2), F_1 | F_S | F_RF);
        assert_int_equal(frame(r, 3), STACK3);
        assert_int_equal(frame(r, 4), cases[i].ss);
        rig_destroy(r);
    }
}

static void iretq_with_a_null_stack_at_level_3(void **state)
{
    struct test_rig *r = rig_long(0, false);
    const u64 words[] = { CODE, CODE64_3, F_1, STACK3, 3 };

    (void)state;
    for (unsigned k = 0; k < 5; k++)
        rig_poke(r, r->c.gpr[RSP] + 8 * k, words[k], 8);
    CODE_BYTES(r, 0x48, 0xcf);
    expect_fault(r, EXC_GP, 0);
}

static void nt_in_long_mode_is_a_fault(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    cpu_set_flags(&r->c, F_1 | F_NT);
    CODE_BYTES(r, 0x48, 0xcf);
    expect_fault(r, EXC_GP, 0);
}

/* ---- call gates of long mode: SDM 3A 5.8.3.1 ---- */

static void a_64_bit_call_gate(void **state)
{
    struct test_rig *r = rig_long(3, false);

    (void)state;
    call_gate(r, 0xec, 0);
    rig_poke(r, GDT + GATE + 2, CODE64, 2);
    rig_poke(r, GDT + GATE + 8, 0, 8);
    rig_poke(r, DATA, 0, 4);
    rig_poke(r, DATA + 4, GATE | 3, 2);
    r->c.gpr[RBX] = DATA;
    CODE_BYTES(r, 0xff, 0x1b); /* call far [rbx] */
    expect_done(r, CODE + 0x201);
    assert_int_equal(r->c.cpl, 0);
    assert_int_equal(r->c.gpr[RSP], STACK0 - 32);
    assert_int_equal(frame(r, 0), CODE + 2);
    assert_int_equal(frame(r, 1), CODE64_3);
    assert_int_equal(frame(r, 2), STACK3);
    assert_int_equal(frame(r, 3), DATA3);
    assert_int_equal(r->c.seg[SS].sel, 0); /* a null selector with RPL = new CPL */
    rig_destroy(r);
}

static void a_64_bit_gate_to_32_bit_code(void **state)
{
    struct test_rig *r = rig_long(3, false);

    (void)state;
    call_gate(r, 0xec, 0); /* to CODE0, which has no L */
    rig_poke(r, GDT + GATE + 8, 0, 8);
    rig_poke(r, DATA, 0, 4);
    rig_poke(r, DATA + 4, GATE | 3, 2);
    r->c.gpr[RBX] = DATA;
    CODE_BYTES(r, 0xff, 0x1b);
    expect_fault(r, EXC_GP, CODE0);
}

/* The push can fault before the target is judged: silicon's order, as tests/native has shown. */
static void call_looks_at_the_stack_before_the_target(void **state)
{
    struct test_rig *r = rig_long(3, false);

    (void)state;
    r->c.gpr[RAX] = 0x8000000000000000;
    r->c.gpr[RSP] = 0x50000000; /* not mapped */
    CODE_BYTES(r, 0xff, 0xd0);  /* call rax */
    assert_int_equal(run_to_fault(r), EXC_PF);
    assert_int_equal(r->c.cr2, 0x50000000 - 8);
    rig_destroy(r);

    r = rig_long(3, false);
    r->c.gpr[RAX] = 0x8000000000000000;
    rig_poke(r, STACK3 - 8, 0x1122334455667788, 8);
    CODE_BYTES(r, 0xff, 0xd0);
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_true(rig_peek(r, STACK3 - 8, 8) == 0x1122334455667788);
    rig_destroy(r);
}

/* ---- LDTR, TR ---- */

static void ltr_marks_the_tss_busy(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    set_descriptor(r, TSS_SEL, descriptor(TSS, 0x67, 0x89, 0));
    r->c.gpr[RAX] = TSS_SEL;
    CODE_BYTES(r, 0x0f, 0x00, 0xd8, 0x0f, 0x00, 0xd8); /* ltr ax, twice */
    assert_int_equal(run_to_fault(r), EXC_GP);         /* 2A LTR: busy by now */
    assert_int_equal(frame(r, 0), TSS_SEL);
    assert_int_equal(frame(r, 1), CODE + 3);
    assert_int_equal(rig_peek(r, GDT + TSS_SEL + 5, 1), 0x8b);
    rig_destroy(r);
}

static void the_ldt_holds_segments(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    rig_poke(r, LDT + 0x38, descriptor(0x1234, 0xff, 0x93, 4), 8);
    r->c.gpr[RAX] = LDT_SEL;
    r->c.gpr[RBX] = 0x38 | 4;
    CODE_BYTES(r, 0x0f, 0x00, 0xd0, 0x8e, 0xc3, 0x83, 0xc3, 0x08, 0x8e, 0xc3);
    /* lldt ax; mov es, bx; add ebx, 8; mov es, bx: beyond the LDT's limit */
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(frame(r, 0), 0x40 | 4);
    assert_int_equal(r->c.seg[ES].base, 0x1234);
    rig_destroy(r);
}

static void system_instructions_need_level_0(void **state)
{
    static const u8 codes[][4] = {
        { 0xf4 }, { 0x0f, 0x06 }, { 0x0f, 0x20, 0xc0 }, { 0x0f, 0x22, 0xc0 }, { 0x0f, 0x01, 0x13 },
        { 0x0f, 0x00, 0xd0 }, { 0x0f, 0x00, 0xd8 }, { 0x0f, 0x01, 0x3b }, { 0x0f, 0x30 }, { 0x0f, 0x32 },
        { 0x0f, 0x09 }, { 0x0f, 0x01, 0xf0 }, { 0x0f, 0x21, 0xc0 }, { 0xfa }, { 0xfb }, { 0xe4, 0x60 }, { 0xee },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(codes); i++) {
        struct test_rig *r = rig_protected(3);

        put_code(r, codes[i], 4);
        r->c.gpr[RBX] = DATA;
        expect_fault(r, EXC_GP, 0);
    }
}

/* 2A ARPL; that a read-only segment will do where nothing is written is a 386's, by test386. */
static void arpl_writes_only_a_higher_rpl(void **state)
{
    (void)state;
    for (unsigned rpl = 1; rpl < 3; rpl++) {
        struct test_rig *r = rig_protected(0);

        rig_load_seg(r, DS, READ_ONLY);
        rig_poke(r, DATA, 0x0101, 2);
        r->c.gpr[RBX] = DATA;
        r->c.gpr[RCX] = rpl;
        CODE_BYTES(r, 0x63, 0x0b, 0xf4); /* arpl [ebx], cx */
        if (rpl > 1) {
            expect_fault(r, EXC_GP, 0);
        } else {
            expect_done(r, CODE + 3);
            assert_false(cpu_flags(&r->c) & F_Z);
            rig_destroy(r);
        }
    }
}

/* 2A ENTER: with a 32-bit operand EBP becomes FrameTemp, which is all of ESP, also where the stack
 * is one of 16 bits. */
static void enter_on_a_16_bit_stack(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    set_descriptor(r, SMALL, descriptor(0, 0xffff, 0x93, 0));
    rig_load_seg(r, SS, SMALL);
    cpu_update_mode(&r->c);
    r->c.gpr[RSP] = 0x12340000;
    r->c.gpr[RBP] = 0xabcd5678;
    CODE_BYTES(r, 0xc8, 0x10, 0x00, 0x00, 0xf4); /* enter 16, 0 */
    expect_done(r, CODE + 5);
    assert_int_equal(r->c.gpr[RBP], 0x1234fffc);
    assert_int_equal(r->c.gpr[RSP], 0x1234ffec);
    assert_int_equal(rig_peek(r, 0xfffc, 4), 0xabcd5678);
    rig_destroy(r);
}

/* SDM 1 19.5.2: the I/O permission bitmap, of which two bytes are always read. */
static void the_io_bitmap(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    r->c.tr.limit = 0x68 + 0x20;
    memset(rig_ram(r, TSS + 0x68), 0, 0x20);
    rig_poke(r, TSS + 0x68 + 0x10, 0x02, 1); /* port 81h is denied */
    CODE_BYTES(r, 0xe4, 0x80, 0xe5, 0x80);   /* in al, 80h: fine; in eax, 80h: touches 81h */
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(frame(r, 1), CODE + 2);
    rig_destroy(r);

    r = rig_protected(3);
    r->c.tr.limit = 0x68 + 0x10; /* the byte for 80h to 87h is the last: its neighbour is missing */
    CODE_BYTES(r, 0xe4, 0x80);
    expect_fault(r, EXC_GP, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_data_segment_is_loaded_and_marked_accessed),
        cmocka_unit_test(bad_data_segments),
        cmocka_unit_test(bad_stack_segments),
        cmocka_unit_test(an_absent_stack_segment_is_a_stack_fault),
        cmocka_unit_test(limits_are_those_of_the_last_byte),
        cmocka_unit_test(clflush_reaches_into_execute_only_code),
        cmocka_unit_test(a_null_segment_cannot_be_used),
        cmocka_unit_test(the_stack_has_faults_of_its_own),
        cmocka_unit_test(code_ends_at_the_limit_of_cs),
        cmocka_unit_test(bad_far_jumps),
        cmocka_unit_test(an_absent_code_segment),
        cmocka_unit_test(conforming_code_runs_at_the_callers_level),
        cmocka_unit_test(a_target_beyond_the_limit),
        cmocka_unit_test(a_call_gate_changes_level_and_stack),
        cmocka_unit_test(call_gates_that_may_not_be_used),
        cmocka_unit_test(a_far_return_to_the_outer_level),
        cmocka_unit_test(nulled_segments_keep_their_bases),
        cmocka_unit_test(a_far_return_cannot_go_inward),
        cmocka_unit_test(iret_to_the_outer_level),
        cmocka_unit_test(iret_at_level_3_leaves_if_and_iopl),
        cmocka_unit_test(bad_irets),
        cmocka_unit_test(iretq_to_all_modes),
        cmocka_unit_test(iretq_with_a_null_stack_at_level_3),
        cmocka_unit_test(nt_in_long_mode_is_a_fault),
        cmocka_unit_test(a_64_bit_call_gate),
        cmocka_unit_test(a_64_bit_gate_to_32_bit_code),
        cmocka_unit_test(call_looks_at_the_stack_before_the_target),
        cmocka_unit_test(ltr_marks_the_tss_busy),
        cmocka_unit_test(the_ldt_holds_segments),
        cmocka_unit_test(system_instructions_need_level_0),
        cmocka_unit_test(arpl_writes_only_a_higher_rpl),
        cmocka_unit_test(enter_on_a_16_bit_stack),
        cmocka_unit_test(the_io_bitmap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
