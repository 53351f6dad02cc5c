/*
 * Breakpoints in the debug registers, single steps, and what DR6 and DR7 say of them. Expected
 * values: SDM 3B 17.2 and 17.3, the sections that each test names.
 */
#include "cpu/dr.h"
#include "cpu/test_rig.h"

enum { DR6_0 = 0xffff0ff0 };
enum { EXEC, WRITE, PORT, ACCESS };

/* DR7 for breakpoint n, locally enabled; len is the field: 0 1 byte, 1 2, 3 4, 2 8. */
static u32 dr7_of(unsigned n, unsigned rw, unsigned len)
{
    return 0x400 | 1u << (2 * n) | rw << (16 + 4 * n) | len << (18 + 4 * n);
}

static void arm(struct test_rig *r, unsigned n, u64 at, unsigned rw, unsigned len)
{
    r->c.dr[n] = at;
    r->c.dr[7] |= dr7_of(n, rw, len);
    dr_changed(&r->c);
}

static void expect_trap(struct test_rig *r, u64 rip, u32 dr6)
{
    assert_int_equal(run_to_fault(r), EXC_DB);
    assert_int_equal(frame(r, 0), rip);
    assert_int_equal(r->c.dr[6], DR6_0 | dr6);
}

/* 17.3.1.1: before the instruction; RF in the frame is as it was; with RF it runs. */
static void a_code_breakpoint_comes_before_the_instruction(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 4; n++) {
        struct test_rig *r = rig_protected(0);

        CODE_BYTES(r, 0x90, 0x90, 0x40, 0x90, 0xf4); /* inc eax in the middle of a block */
        arm(r, n, CODE + 2, EXEC, 0);
        expect_trap(r, CODE + 2, 1u << n);
        assert_int_equal(r->c.gpr[RAX], 0);
        assert_false(frame(r, 2) & F_RF);
        rig_destroy(r);
    }
}

static void rf_lets_one_instruction_pass(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    CODE_BYTES(r, 0x40, 0xeb, 0xfd); /* inc eax; jmp back to it */
    arm(r, 0, CODE, EXEC, 0);
    cpu_set_flags(&r->c, F_1 | F_RF);
    expect_trap(r, CODE, 1);
    assert_int_equal(r->c.gpr[RAX], 1);
    rig_destroy(r);
}

/* IRETD loads RF, for the instruction that it returns to. */
static void a_handler_returns_with_rf(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    CODE_BYTES(r, 0x40, 0xf4);
    arm(r, 0, CODE, EXEC, 0);
    /* or dword [esp + 8], 10000h; iretd */
    memcpy(rig_ram(r, HANDLER + 16 * EXC_DB), "\x81\x4c\x24\x08\x00\x00\x01\x00\xcf", 9);
    expect_done(r, CODE + 2);
    assert_int_equal(r->c.gpr[RAX], 1);
    assert_int_equal(r->c.nr_events, 1);
    rig_destroy(r);
}

/* 17.3.1.2: after the access. */
static void a_data_breakpoint_traps_after_the_access(void **state)
{
    static const struct {
        u8 code[3];
        unsigned rw, len;
        u32 at;
        bool hit;
    } cases[] = {
        { { 0x89, 0x03, 0x90 }, WRITE, 3, DATA, true },       /* mov [ebx], eax */
        { { 0x8b, 0x03, 0x90 }, WRITE, 3, DATA, false },      /* mov eax, [ebx] */
        { { 0x8b, 0x03, 0x90 }, ACCESS, 3, DATA, true },
        { { 0x89, 0x03, 0x90 }, ACCESS, 0, DATA + 3, true },  /* its last byte */
        { { 0x89, 0x03, 0x90 }, ACCESS, 0, DATA + 4, false },
        { { 0x88, 0x03, 0x90 }, WRITE, 1, DATA + 1, true },   /* the address's low bit is ignored */
        { { 0x88, 0x03, 0x90 }, WRITE, 2, DATA + 7, true },   /* eight bytes */
        { { 0x88, 0x03, 0x90 }, WRITE, 3, DATA + 4, false },
        { { 0x01, 0x03, 0x90 }, WRITE, 0, DATA + 2, true },   /* add [ebx], eax */
        { { 0x8d, 0x03, 0x90 }, ACCESS, 3, DATA, false },     /* lea */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_protected(0);

        r->c.gpr[RBX] = DATA;
        r->c.gpr[RAX] = 0x55;
        CODE_BYTES(r, cases[i].code[0], cases[i].code[1], 0x90, 0xf4);
        arm(r, 1, cases[i].at, cases[i].rw, cases[i].len);
        if (cases[i].hit) {
            expect_trap(r, CODE + 2, 2);
            if (cases[i].code[0] == 0x89)
                assert_int_equal(rig_peek(r, DATA, 4), 0x55);
        } else {
            expect_done(r, CODE + 4);
            assert_int_equal(r->c.dr[6], DR6_0);
        }
        rig_destroy(r);
    }
}

static void several_at_once(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.gpr[RBX] = DATA;
    CODE_BYTES(r, 0x89, 0x03, 0xf4);
    arm(r, 0, DATA, WRITE, 0);
    arm(r, 2, DATA + 2, ACCESS, 1);
    arm(r, 3, DATA + 4, ACCESS, 0);
    cpu_set_flags(&r->c, F_1 | F_T);
    expect_trap(r, CODE + 2, 1 | 4 | DR6_BS);
    rig_destroy(r);
}

/* B0 to B3 are updated as a whole, the others stay (APM 2 13.1.1.3). A single step alone is no
 * breakpoint and no general-detect condition. */
static void what_dr6_keeps(void **state)
{
    static const struct {
        u32 at, flags, gd, before, after;
    } cases[] = {
        { DATA, 0, 0, 2 | DR6_BS, 1 | DR6_BS },
        { DATA, F_T, 0, 2, 1 | DR6_BS },
        { DATA + 9, F_T, 0, 2, 2 | DR6_BS },
        { DATA + 9, 0, DR7_GD, 2 | DR6_BS, DR6_BD | DR6_BS },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_protected(0);

        CODE_BYTES(r, 0x89, 0x03, 0x0f, 0x21, 0xf0, 0xf4); /* mov [ebx], eax; mov eax, dr6; hlt */
        r->c.gpr[RBX] = DATA;
        arm(r, 0, cases[i].at, WRITE, 0);
        r->c.dr[7] |= cases[i].gd;
        r->c.dr[6] = DR6_0 | cases[i].before;
        cpu_set_flags(&r->c, F_1 | cases[i].flags);
        expect_trap(r, CODE + 2, cases[i].after);
        rig_destroy(r);
    }
}

/* One exception for a breakpoint that MOV SS has met and held back, and INT1: kvm-unit-tests' debug.
 * INT 1 is no debug exception, so there are two then. */
static void int1_takes_what_mov_ss_held_back(void **state)
{
    static const struct {
        u8 code[2];
        u64 events;
    } cases[] = { { { 0xf1, 0x90 }, 1 }, { { 0xcd, 1 }, 2 } };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_protected(0);

        r->c.gpr[RBX] = DATA;
        rig_poke(r, DATA, DATA0, 2);
        CODE_BYTES(r, 0x8e, 0x13, cases[i].code[0], cases[i].code[1], 0xf4); /* mov ss, [ebx] */
        arm(r, 0, DATA, ACCESS, 0);
        assert_int_equal(run_to_fault(r), EXC_DB);
        assert_int_equal(r->c.nr_events, cases[i].events);
        assert_int_equal(r->c.dr[6], DR6_0 | 1);
        assert_int_equal(r->c.debug_pending | r->c.attention, 0);
        rig_destroy(r);
    }
}

/* SDM 2A HLT: a debug exception ends it; HLT is what has been stepped over. */
static void a_single_step_ends_hlt(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    CODE_BYTES(r, 0xf4, 0x90);
    memcpy(rig_ram(r, HANDLER + 16 * EXC_DB), "\xb9\x05\x00\x00\x00\xf4", 6); /* mov ecx, 5; hlt */
    cpu_set_flags(&r->c, F_1 | F_T);
    expect_done(r, HANDLER + 16 * EXC_DB + 6);
    assert_int_equal(r->c.gpr[RCX], 5);
    assert_int_equal(frame(r, 0), CODE + 1);
    rig_destroy(r);
}

/* The page of a breakpoint must not be in the fast sets, armed before or after. */
static void arming_later_is_seen(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.gpr[RBX] = DATA;
    r->c.gpr[RCX] = DATA;
    r->c.gpr[RDX] = dr7_of(0, WRITE, 3);
    CODE_BYTES(r, 0x89, 0x03, 0x89, 0x03,       /* mov [ebx], eax, twice */
               0x0f, 0x23, 0xc1,                /* mov dr0, ecx */
               0x0f, 0x23, 0xfa,                /* mov dr7, edx */
               0x89, 0x03, 0xf4);
    expect_trap(r, CODE + 12, 1);
    rig_destroy(r);
}

/* 17.3.1.2: with CR4.DE; after the instruction. */
static void a_port_breakpoint(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.cr4 = CR4_DE;
    CODE_BYTES(r, 0xe4, 0x7f, 0xe6, 0x82, 0xf4); /* in al, 7fh; out 82h, al */
    arm(r, 2, 0x80, PORT, 3);
    expect_trap(r, CODE + 4, 4);
    rig_destroy(r);

    r = rig_protected(0);
    CODE_BYTES(r, 0xe6, 0x80, 0xf4);
    arm(r, 2, 0x80, PORT, 3); /* without DE there are none */
    assert_int_equal(rig_run(r, 100000), STOP_HALT);
    assert_int_equal(r->c.rip, CODE + 3);
    rig_destroy(r);
}

/* 17.3.1.1: a repetition traps after the iteration. The manual wants RF in the frame; AMD's silicon
 * has none, as single steps show (tests/native), and so do we. */
static void a_repetition_traps_after_the_element(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.gpr[RDI] = DATA;
    r->c.gpr[RCX] = 8;
    CODE_BYTES(r, 0xf3, 0xaa, 0xf4); /* rep stosb */
    arm(r, 0, DATA + 2, WRITE, 0);
    expect_trap(r, CODE, 1);
    assert_int_equal(r->c.gpr[RCX], 5);
    assert_false(frame(r, 2) & F_RF);
    rig_destroy(r);

    r = rig_protected(0);
    r->c.gpr[RDI] = DATA;
    r->c.gpr[RCX] = 3;
    CODE_BYTES(r, 0xf3, 0xaa, 0xf4);
    arm(r, 0, DATA + 2, WRITE, 0);
    expect_trap(r, CODE + 2, 1); /* the last one: it is done */
    assert_false(frame(r, 2) & F_RF);
    rig_destroy(r);
}

/* A fault undoes its instruction, and with it what it would have trapped for. */
static void a_fault_forgets_the_trap(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.gpr[RSI] = DATA;
    r->c.gpr[RDI] = 0x1000;
    rig_load_seg(r, ES, SMALL);
    CODE_BYTES(r, 0xa7, 0xf4); /* cmpsd: ds:[esi] is read, es:[edi] is beyond the limit */
    arm(r, 0, DATA, ACCESS, 3);
    expect_fault(r, EXC_GP, 0);
}

/* 3A 6.8.3: MOV SS holds the trap back by an instruction. */
static void mov_ss_delays_the_trap(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    rig_poke(r, DATA, DATA0, 2);
    r->c.gpr[RBX] = DATA;
    CODE_BYTES(r, 0x8e, 0x13, 0x40, 0x40, 0xf4); /* mov ss, [ebx]; inc eax; inc eax */
    arm(r, 0, DATA, ACCESS, 1);
    expect_trap(r, CODE + 3, 1);
    assert_int_equal(r->c.gpr[RAX], 1);
    rig_destroy(r);
}

/* 17.2.4: GD makes MOV DR a fault, once. */
static void general_detect(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.dr[7] = 0x400 | DR7_GD;
    CODE_BYTES(r, 0x0f, 0x21, 0xc0); /* mov eax, dr0 */
    expect_trap(r, CODE, DR6_BD);
    assert_int_equal(r->c.dr[7], 0x400);
    rig_destroy(r);
}

/* 17.2.4: G and L alike, and neither. */
static void either_enable_bit_will_do(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 4; bits++) {
        struct test_rig *r = rig_protected(0);

        CODE_BYTES(r, 0x90, 0xf4);
        r->c.dr[3] = CODE + 1;
        r->c.dr[7] = 0x400 | bits << 6;
        dr_changed(&r->c);
        if (bits) {
            expect_trap(r, CODE + 1, 8);
        } else {
            assert_false(r->c.mode & MODE_DR7);
            expect_done(r, CODE + 2);
        }
        rig_destroy(r);
    }
}

/* 17.2: DR4 and DR5 are DR6 and DR7 without CR4.DE, #UD with it; reserved bits. */
static void the_registers_themselves(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    r->c.gpr[RAX] = 0xffffffff & ~(u32)DR7_GD & ~0xffu;
    CODE_BYTES(r, 0x0f, 0x23, 0xe8, 0x0f, 0x21, 0xfb, /* mov dr5, eax; mov ebx, dr7 */
               0x31, 0xc0, 0x0f, 0x23, 0xf0, 0x0f, 0x21, 0xe1, 0xf4); /* dr6 = 0; mov ecx, dr4 */
    expect_done(r, CODE + 15);
    assert_int_equal(r->c.gpr[RBX], 0xffff0700);
    assert_int_equal(r->c.gpr[RCX], DR6_0);
    rig_destroy(r);

    r = rig_protected(0);
    r->c.cr4 = CR4_DE;
    CODE_BYTES(r, 0x0f, 0x23, 0xe8);
    expect_plain_fault(r, EXC_UD);
}

/* Breakpoints are linear: paging and segments do not change them; CS.base does count. */
static void addresses_are_linear(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    rig_load_seg(r, DS, SMALL); /* base DATA */
    r->c.gpr[RBX] = 0x10;
    CODE_BYTES(r, 0x88, 0x03, 0xf4);
    arm(r, 0, DATA + 0x10, WRITE, 0);
    expect_trap(r, CODE + 2, 1);
    rig_destroy(r);
}

/* Pushes are stores, those of an interrupt's delivery, too; the trap is the handler's. */
static void a_breakpoint_on_the_stack(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    CODE_BYTES(r, 0xcd, 0x20);
    set_gate(r, 0x20, CODE0, HANDLER + 0x200, 0x8f, 0);
    arm(r, 0, STACK0 - 0x104, WRITE, 3);
    expect_trap(r, HANDLER + 0x200, 1);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_breakpoint_comes_before_the_instruction),
        cmocka_unit_test(rf_lets_one_instruction_pass),
        cmocka_unit_test(a_handler_returns_with_rf),
        cmocka_unit_test(a_data_breakpoint_traps_after_the_access),
        cmocka_unit_test(several_at_once),
        cmocka_unit_test(what_dr6_keeps),
        cmocka_unit_test(int1_takes_what_mov_ss_held_back),
        cmocka_unit_test(a_single_step_ends_hlt),
        cmocka_unit_test(arming_later_is_seen),
        cmocka_unit_test(a_port_breakpoint),
        cmocka_unit_test(a_repetition_traps_after_the_element),
        cmocka_unit_test(a_fault_forgets_the_trap),
        cmocka_unit_test(mov_ss_delays_the_trap),
        cmocka_unit_test(general_detect),
        cmocka_unit_test(either_enable_bit_will_do),
        cmocka_unit_test(the_registers_themselves),
        cmocka_unit_test(addresses_are_linear),
        cmocka_unit_test(a_breakpoint_on_the_stack),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
