/*
 * Delivery of exceptions and interrupts, and what delays them: real mode, gates, the TSS, double
 * and triple faults, shadows, single steps, fast system calls. Expected values: the pages of the
 * SDM that each test names.
 */
#include "cpu/test_rig.h"

static struct test_rig *rig_real(void)
{
    struct test_rig *r = rig_create();

    r->c.seg[CS].sel = 0;
    r->c.seg[CS].base = 0;
    r->c.rip = CODE;
    r->c.gpr[RSP] = STACK0;
    r->c.idtr = (struct dtable){ 0, 0x3ff };
    for (unsigned v = 0; v < 256; v++)
        rig_poke(r, 4 * v, HANDLER + 16 * (v & 63), 4);
    return r;
}

/* ---- real mode: SDM 3B 20.1 ---- */

static void real_mode_pushes_flags_cs_and_ip(void **state)
{
    struct test_rig *r = rig_real();

    (void)state;
    cpu_set_flags(&r->c, F_1 | F_I | F_C);
    CODE_BYTES(r, 0xcd, 0x21);
    assert_int_equal(run_to_fault(r), 0x21);
    assert_int_equal(r->c.gpr[RSP], STACK0 - 6);
    assert_int_equal(frame(r, 0), CODE + 2);
    assert_int_equal(frame(r, 1), 0);
    assert_int_equal(frame(r, 2), F_1 | F_I | F_C);
    assert_int_equal(cpu_flags(&r->c) & (F_I | F_T), 0);
    rig_destroy(r);
}

/* Faults have no error code here, and return to the instruction. */
static void real_mode_offsets_end_at_ffff(void **state)
{
    struct test_rig *r = rig_real();

    (void)state;
    CODE_BYTES(r, 0xa1, 0xff, 0xff); /* mov ax, [0ffffh] */
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(frame(r, 0), CODE);
    assert_int_equal(r->c.gpr[RSP], STACK0 - 6);
    rig_destroy(r);

    r = rig_real();
    r->c.gpr[RBP] = 0xffff;
    CODE_BYTES(r, 0x8b, 0x46, 0x00); /* mov ax, [bp] */
    assert_int_equal(run_to_fault(r), EXC_SS);
    rig_destroy(r);
}

/* SDM 2B PUSHA: #GP, not #SS, and nothing is written. An 80286 does the same. */
static void real_mode_pusha_at_odd_sp_below_16_raises_gp(void **state)
{
    struct test_rig *r = rig_real();

    (void)state;
    seg_load_real(&r->c, SS, 0x800);
    r->c.gpr[RSP] = 15;
    CODE_BYTES(r, 0x60);
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(r->c.gpr[RSP], 15 - 6);
    assert_int_equal(rig_peek(r, 0x8000 + 7, 2), 0); /* below the frame */
    rig_destroy(r);
}

/* BOUND has two operands, and the offset wraps between them: so does an 80286. */
static void bound_wraps_between_its_limits(void **state)
{
    struct test_rig *r = rig_real();

    (void)state;
    seg_load_real(&r->c, DS, 0x900);
    rig_poke(r, 0x9000 + 0xfffe, 5, 2);
    rig_poke(r, 0x9000, 7, 2);
    r->c.gpr[RAX] = 6;
    CODE_BYTES(r, 0x62, 0x06, 0xfe, 0xff, 0xcd, 0x21); /* bound ax, [0fffeh]; int 21h */
    assert_int_equal(run_to_fault(r), 0x21);
    rig_destroy(r);
}

static void real_mode_segments_are_paragraphs(void **state)
{
    struct test_rig *r = rig_real();

    (void)state;
    r->c.gpr[RAX] = 0xffff;
    CODE_BYTES(r, 0x8e, 0xd8, 0xa0, 0x20, 0x00, 0xf4); /* mov ds, ax; mov al, [20h]; hlt */
    rig_poke(r, 0xffff0 + 0x20, 0x5a, 1);              /* beyond 1 MiB: A20 is the board's */
    expect_done(r, CODE + 6);
    assert_int_equal(r->c.gpr[RAX] & 0xff, 0x5a);
    rig_destroy(r);
}

/* PE set by a MOV to CR0 leaves the segments' hidden parts alone: "unreal mode" and the way into
 * protected mode (SDM 3A 9.9). */
static void limits_survive_the_way_back_from_protected_mode(void **state)
{
    struct test_rig *r = rig_real();

    (void)state;
    set_descriptor(r, DATA0, descriptor(0, 0xfffff, 0x93, 0xc));
    r->c.gdtr = (struct dtable){ GDT, GDT_LIMIT };
    rig_poke(r, 0x123456, 0xabcd, 2);
    CODE_BYTES(r, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0, /* cr0 |= 1 */
               0xbb, DATA0, 0x00, 0x8e, 0xdb,                     /* mov ds, DATA0 */
               0x24, 0xfe, 0x0f, 0x22, 0xc0,                      /* cr0 &= ~1 */
               0x66, 0xbe, 0x56, 0x34, 0x12, 0x00,                /* mov esi, 123456h */
               0x67, 0x8b, 0x0e, 0xf4);                           /* mov cx, [esi]; hlt */
    expect_done(r, CODE + 28);
    assert_int_equal(r->c.gpr[RCX], 0xabcd);
    rig_destroy(r);
}

/* ---- gates: SDM 3A 6.12, 6.14; 2A INT n ---- */

static void an_interrupt_gate_clears_if_a_trap_gate_does_not(void **state)
{
    (void)state;
    for (unsigned trap = 0; trap < 2; trap++) {
        struct test_rig *r = rig_protected(3);

        set_gate(r, 0x20, CODE0, HANDLER + 0x200, trap ? 0xef : 0xee, 0);
        cpu_set_flags(&r->c, F_1 | F_I | F_NT);
        CODE_BYTES(r, 0xcd, 0x20);
        assert_int_equal(run_to_fault(r), 0x20);
        assert_int_equal(r->c.gpr[RSP], STACK0 - 20);
        assert_int_equal(frame(r, 0), CODE + 2);
        assert_int_equal(frame(r, 1), CODE3);
        assert_int_equal(frame(r, 2), F_1 | F_I | F_NT);
        assert_int_equal(frame(r, 3), STACK3);
        assert_int_equal(frame(r, 4), DATA3);
        assert_int_equal(cpu_flags(&r->c) & (F_I | F_NT), trap ? F_I : 0);
        rig_destroy(r);
    }
}

static void gates_are_guarded(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    CODE_BYTES(r, 0xcd, 0x20); /* DPL 0 */
    expect_fault(r, EXC_GP, 0x20 * 8 + 2);

    r = rig_protected(0);
    set_gate(r, 0x20, CODE0, HANDLER, 0x0e, 0); /* not present */
    CODE_BYTES(r, 0xcd, 0x20);
    expect_fault(r, EXC_NP, 0x20 * 8 + 2);

    r = rig_protected(0);
    set_gate(r, 0x20, DATA0, HANDLER, 0x8e, 0); /* not code */
    CODE_BYTES(r, 0xcd, 0x20);
    expect_fault(r, EXC_GP, DATA0);

    r = rig_protected(0);
    set_gate(r, 0x20, 0, HANDLER, 0x8e, 0);
    CODE_BYTES(r, 0xcd, 0x20);
    expect_fault(r, EXC_GP, 0);

    r = rig_protected(0);
    r->c.idtr.limit = 0x20 * 8 + 6; /* one byte short */
    CODE_BYTES(r, 0xcd, 0x20);
    expect_fault(r, EXC_GP, 0x20 * 8 + 2);

    r = rig_protected(0);
    set_gate(r, 0x20, CODE3, HANDLER, 0x8e, 0); /* outward */
    CODE_BYTES(r, 0xcd, 0x20);
    expect_fault(r, EXC_GP, CODE3 & ~3);
}

/* An exception's own delivery fails: the error code says EXT (SDM 3A 6.13). */
static void the_ext_bit_tells_who_did_it(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    set_gate(r, EXC_UD, CODE0, HANDLER, 0x0e, 0);
    CODE_BYTES(r, 0x0f, 0x0b);
    expect_fault(r, EXC_NP, EXC_UD * 8 + 2 + 1);
}

/* INT 20h whose delivery fails: the second event. Its handler is conforming code, which needs no
 * other stack, and ends the run by a HLT that it may not use. */
static void expect_failed_delivery(struct test_rig *r, u8 vector, u32 error)
{
    rig_run(r, 1000);
    assert_int_equal(r->c.events[0].vector, 0x20);
    assert_int_equal(r->c.events[1].vector, vector);
    assert_int_equal(r->c.events[1].error, error);
    assert_int_equal(r->c.events[1].rip, CODE);
    assert_int_equal(r->c.events[1].rsp, STACK3);
    rig_destroy(r);
}

static void the_stack_of_the_tss_is_checked(void **state)
{
    static const struct {
        u16 ss;
        u8 access;
        u8 vector;
        u32 error;
    } cases[] = {
        { 0, 0, EXC_TS, 0 },
        { DATA3, 0, EXC_TS, DATA3 & ~3 },
        { CODE0, 0, EXC_TS, CODE0 },
        { 0x100, 0, EXC_TS, 0x100 },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_protected(3);

        /* #TS and #DF go to conforming code, which needs no other stack. */
        set_gate(r, EXC_TS, CONFORMING, HANDLER + 16 * EXC_TS, 0x8e, 0);
        set_gate(r, 0x20, CODE0, HANDLER, 0xee, 0);
        rig_poke(r, TSS + 8, cases[i].ss, 2);
        CODE_BYTES(r, 0xcd, 0x20);
        expect_failed_delivery(r, cases[i].vector, cases[i].error);
    }
}

static void a_tss_that_is_too_short(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    set_gate(r, EXC_TS, CONFORMING, HANDLER + 16 * EXC_TS, 0x8e, 0);
    set_gate(r, 0x20, CODE0, HANDLER, 0xee, 0);
    r->c.tr.limit = 10;
    CODE_BYTES(r, 0xcd, 0x20);
    expect_failed_delivery(r, EXC_TS, TSS_SEL);
}

/* No room on the inner stack: #SS with its selector (2A INT n, INTER-PRIVILEGE-LEVEL-INTERRUPT). */
static void an_inner_stack_without_room(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    set_descriptor(r, 0x48, descriptor(0, 0x7ff, 0x93, 4)); /* data, limit 7ffh */
    rig_poke(r, TSS + 4, 0x1000, 4);
    rig_poke(r, TSS + 8, 0x48, 2);
    set_gate(r, EXC_SS, CONFORMING, HANDLER + 16 * EXC_SS, 0x8e, 0);
    set_gate(r, 0x20, CODE0, HANDLER, 0xee, 0);
    CODE_BYTES(r, 0xcd, 0x20);
    expect_failed_delivery(r, EXC_SS, 0x48);
}

static void a_16_bit_gate_pushes_words(void **state)
{
    struct test_rig *r = rig_protected(0);
    u64 sp = r->c.gpr[RSP];

    (void)state;
    set_gate(r, 0x20, CODE0, HANDLER, 0x86, 0);
    CODE_BYTES(r, 0xcd, 0x20);
    expect_done(r, HANDLER + 1);
    assert_int_equal(r->c.gpr[RSP], sp - 6);
    assert_int_equal(rig_peek(r, sp - 6, 2), CODE + 2);
    assert_int_equal(rig_peek(r, sp - 4, 2), CODE0);
    rig_destroy(r);
}

/* ---- long mode: SDM 3A 6.14 ---- */

static void long_mode_aligns_the_stack_and_always_pushes_it(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    r->c.gpr[RSP] = STACK0 - 0x103;
    CODE_BYTES(r, 0xcd, 0x20);
    assert_int_equal(run_to_fault(r), 0x20);
    assert_int_equal(r->c.gpr[RSP], STACK0 - 0x110 - 40);
    assert_int_equal(frame(r, 3), STACK0 - 0x103);
    assert_int_equal(frame(r, 4), DATA0);
    assert_int_equal(r->c.seg[SS].sel, DATA0); /* the level is the same, and so is SS */
    rig_destroy(r);
}

static void an_ist_stack_is_taken_whatever_the_level(void **state)
{
    (void)state;
    for (unsigned cpl = 0; cpl <= 3; cpl += 3) {
        struct test_rig *r = rig_long(cpl, false);

        set_gate(r, EXC_UD, CODE64, HANDLER + 16 * EXC_UD, 0x8e, 1);
        CODE_BYTES(r, 0x0f, 0x0b);
        assert_int_equal(run_to_fault(r), EXC_UD);
        assert_int_equal(r->c.gpr[RSP], IST1 - 40);
        assert_int_equal(r->c.seg[SS].sel, cpl ? 0 : DATA0);
        rig_destroy(r);
    }
}

static void compatibility_code_enters_64_bit_handlers(void **state)
{
    struct test_rig *r = rig_long(3, true);

    (void)state;
    CODE_BYTES(r, 0x0f, 0x0b);
    assert_int_equal(run_to_fault(r), EXC_UD);
    assert_int_equal(r->c.mode & MODE_CODE_MASK, MODE_CODE64);
    assert_int_equal(frame(r, 1), CODE3);
    assert_int_equal(frame(r, 4), DATA3);
    rig_destroy(r);
}

static void a_32_bit_code_segment_is_no_handler_in_long_mode(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    set_gate(r, 0x20, CODE0, HANDLER, 0x8e, 0);
    CODE_BYTES(r, 0xcd, 0x20);
    expect_fault(r, EXC_GP, CODE0);
}

/* ---- double and triple faults: SDM 3A table 6-5 ---- */

static void faults_in_delivery_become_a_double_fault(void **state)
{
    static const struct {
        u8 first;
        u8 second; /* what its gate leads to */
        int ends;
    } cases[] = {
        { EXC_DE, EXC_NP, EXC_DF }, /* contributory and contributory */
        { EXC_GP, EXC_NP, EXC_DF },
        { EXC_UD, EXC_NP, EXC_NP }, /* benign and contributory: one after the other */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_protected(0);

        set_gate(r, cases[i].first, CODE0, HANDLER, 0x0e, 0); /* absent: #NP */
        if (cases[i].first == EXC_DE)
            CODE_BYTES(r, 0xf7, 0xf1); /* div ecx: by 0 */
        else if (cases[i].first == EXC_GP)
            CODE_BYTES(r, 0x0f, 0x22, 0xe0); /* mov cr4, eax */
        else
            CODE_BYTES(r, 0x0f, 0x0b);
        r->c.gpr[RAX] = 0xffffffff;
        assert_int_equal(run_to_fault(r), cases[i].ends);
        assert_int_equal(frame(r, 0), cases[i].ends == EXC_DF ? 0u : EXC_UD * 8 + 3);
        assert_int_equal(frame(r, 1), CODE);
        rig_destroy(r);
    }
}

static void a_page_fault_in_the_delivery_of_a_page_fault(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    map4(r, 0x1f000, 0, 0);
    set_gate(r, EXC_PF, CODE64, HANDLER, 0x8e, 2);
    rig_poke(r, TSS + 0x2c, 0x20000, 8); /* IST2: its page is absent */
    set_gate(r, EXC_DF, CODE64, HANDLER + 16 * EXC_DF, 0x8e, 1);
    CODE_BYTES(r, 0x8a, 0x04, 0x25, 0x00, 0xf0, 0x01, 0x00); /* mov al, [1f000h] */
    assert_int_equal(run_to_fault(r), EXC_DF);
    assert_int_equal(frame(r, 0), 0);
    assert_int_equal(r->c.cr2, 0x20000 - 8);
    rig_destroy(r);
}

static void a_fault_in_the_delivery_of_a_double_fault_is_the_end(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    set_gate(r, EXC_DE, CODE0, HANDLER, 0x0e, 0);
    set_gate(r, EXC_DF, CODE0, HANDLER, 0x0e, 0);
    CODE_BYTES(r, 0xf7, 0xf1);
    assert_int_equal(rig_run(r, 1000), STOP_TRIPLE);
    assert_int_equal(r->c.nr_events, 4); /* #DE, #NP, #DF, #NP */
    assert_int_equal(r->c.events[2].vector, EXC_DF);
    rig_destroy(r);
}

/* ---- interrupts and their shadows: SDM 3A 6.8.3, 2B STI ---- */

static u8 vector_3f(void *source)
{
    (void)source;
    return 0x3f;
}

static void raise_line(struct test_rig *r)
{
    r->c.cfg.ack.vector = vector_3f;
    cpu_set_intr(&r->c, 0, true);
}

static void interrupted_at(const u8 *code, size_t n, u32 flags, u64 rip)
{
    struct test_rig *r = rig_protected(0);

    put_code(r, code, n);
    cpu_set_flags(&r->c, flags);
    r->c.gpr[RAX] = DATA0;
    rig_poke(r, r->c.gpr[RSP], DATA0, 4);
    raise_line(r);
    assert_int_equal(run_to_fault(r), 0x3f);
    assert_int_equal(frame(r, 0), rip);
    rig_destroy(r);
}

static void interrupts_wait_for_the_instruction_behind_sti(void **state)
{
    static const u8 sti[] = { 0x90, 0xfb, 0x90, 0x90 }, twice[] = { 0xfb, 0xfb, 0x90 };
    static const u8 mov_ss[] = { 0xfb, 0x8e, 0xd0, 0x90, 0x90 }, pop_ss[] = { 0x17, 0x90, 0x90 };
    static const u8 already[] = { 0x90 }, sti_hlt[] = { 0xfb, 0xf4 };

    (void)state;
    interrupted_at(already, 1, F_1 | F_I, CODE);
    interrupted_at(sti, 4, F_1, CODE + 3);
    interrupted_at(twice, 3, F_1, CODE + 2);
    interrupted_at(sti_hlt, 2, F_1, CODE + 2);
    (void)mov_ss;
    (void)pop_ss;
}

static void interrupts_wait_for_the_instruction_behind_mov_ss(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    CODE_BYTES(r, 0x8e, 0xd0, 0x90, 0x90); /* mov ss, ax; nop; nop */
    r->c.gpr[RAX] = DATA0;
    assert_int_equal(rig_run(r, 1), STOP_SLICE);
    cpu_set_flags(&r->c, F_1 | F_I);
    raise_line(r);
    assert_int_equal(run_to_fault(r), 0x3f);
    assert_int_equal(frame(r, 0), CODE + 3);
    rig_destroy(r);
}

static void a_halted_processor_wakes(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    CODE_BYTES(r, 0xf4);
    cpu_set_flags(&r->c, F_1 | F_I);
    expect_done(r, CODE + 1);
    raise_line(r);
    assert_int_equal(run_to_fault(r), 0x3f);
    assert_int_equal(frame(r, 0), CODE + 1);
    rig_destroy(r);
}

/* ---- TF and RF: SDM 3B 17.3.1.4 ---- */

static void trapped_at(const u8 *code, size_t n, u64 rip)
{
    struct test_rig *r = rig_protected(0);

    put_code(r, code, n);
    cpu_set_flags(&r->c, F_1 | F_T);
    r->c.gpr[RAX] = DATA0;
    r->c.gpr[RCX] = 3;
    r->c.gpr[RSI] = r->c.gpr[RDI] = DATA;
    rig_poke(r, r->c.gpr[RSP], F_1, 4);
    assert_int_equal(run_to_fault(r), EXC_DB);
    assert_int_equal(frame(r, 0), rip);
    assert_int_equal(r->c.dr[6] & BIT(14), BIT(14));
    assert_int_equal(cpu_flags(&r->c) & F_T, 0);
    rig_destroy(r);
}

static void a_single_step_is_one_instruction(void **state)
{
    static const u8 nop[] = { 0x90, 0x90 }, jmp[] = { 0xeb, 0x10 }, sti[] = { 0xfb, 0x90, 0x90 };
    static const u8 mov_ss[] = { 0x8e, 0xd0, 0x90, 0x90 }, popf[] = { 0x9d, 0x90 };
    static const u8 rep[] = { 0xf3, 0xa4, 0x90 };

    (void)state;
    trapped_at(nop, 2, CODE + 1);
    trapped_at(jmp, 2, CODE + 0x12);
    trapped_at(sti, 3, CODE + 1);    /* STI delays interrupts, not the trap */
    trapped_at(mov_ss, 4, CODE + 3); /* MOV SS does: 3A 6.8.3 */
    trapped_at(popf, 2, CODE + 1);   /* TF counts as it was when the instruction began */
    trapped_at(rep, 3, CODE);        /* one element */
}

static void popf_that_sets_tf_traps_after_the_next(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    rig_poke(r, r->c.gpr[RSP], F_1 | F_T, 4);
    CODE_BYTES(r, 0x9d, 0x90, 0x90);
    assert_int_equal(run_to_fault(r), EXC_DB);
    assert_int_equal(frame(r, 0), CODE + 2);
    rig_destroy(r);
}

static void int_n_clears_tf_without_a_trap(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    cpu_set_flags(&r->c, F_1 | F_T);
    CODE_BYTES(r, 0xcd, 0x20);
    assert_int_equal(run_to_fault(r), 0x20);
    assert_int_equal(frame(r, 2), F_1 | F_T);
    rig_destroy(r);
}

/* 17.3.1.1: faults push RF set, so that the instruction's own breakpoint does not fire again. */
static void rf_is_pushed_by_faults_and_lives_for_one_instruction(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    CODE_BYTES(r, 0x0f, 0x0b);
    assert_int_equal(run_to_fault(r), EXC_UD);
    assert_int_equal(frame(r, 2) & F_RF, F_RF);
    rig_destroy(r);

    r = rig_protected(0);
    cpu_set_flags(&r->c, F_1 | F_RF);
    CODE_BYTES(r, 0x90, 0xf4);
    expect_done(r, CODE + 2);
    assert_int_equal(cpu_flags(&r->c) & F_RF, 0);
    rig_destroy(r);
}

/* 17.3.1.1: IRETD has loaded RF for the INT1 alone, whose trap pushes it as 0. Silicon does the same
 * (AMD EPYC, by a program in user mode). */
static void int1_behind_an_iret_with_rf_pushes_it_as_0(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    rig_poke(r, r->c.gpr[RSP], CODE + 1, 4);
    rig_poke(r, r->c.gpr[RSP] + 4, CODE0, 4);
    rig_poke(r, r->c.gpr[RSP] + 8, F_1 | F_RF | F_C, 4);
    CODE_BYTES(r, 0xcf, 0xf1); /* iretd; int1 */
    assert_int_equal(run_to_fault(r), EXC_DB);
    assert_int_equal(frame(r, 0), CODE + 2);
    assert_int_equal(frame(r, 2), F_1 | F_C);
    rig_destroy(r);
}

/* ---- fast system calls ---- */

/* SDM 2B SYSCALL, SYSRET. */
static void syscall_and_back(void **state)
{
    struct test_rig *r = rig_long(3, false);

    (void)state;
    /* SYSCALL: CS 8, SS 10h. SYSRET to 64 bits: CS = 70h + 16 with RPL 3, SS = 70h + 8 */
    r->c.msr.star = (u64)0x70 << 48 | (u64)CODE0 << 32;
    r->c.msr.lstar = CODE + 0x100;
    r->c.msr.fmask = F_I | F_D | F_T;
    cpu_set_flags(&r->c, F_1 | F_I | F_D | F_C);
    CODE_BYTES(r, 0x0f, 0x05, 0x0f, 0x0b);
    rig_poke(r, CODE + 0x100, 0xf4, 1);
    expect_done(r, CODE + 0x101);
    assert_int_equal(r->c.cpl, 0);
    assert_int_equal(r->c.gpr[RCX], CODE + 2);
    assert_int_equal(r->c.gpr[R11], F_1 | F_I | F_D | F_C);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_C);
    assert_int_equal(r->c.seg[CS].sel, CODE0);
    assert_int_equal(r->c.seg[SS].sel, DATA0);
    assert_int_equal(r->c.gpr[RSP], STACK3); /* it does not touch RSP */

    r->c.halted = false;
    rig_poke(r, CODE + 0x101, 0x070f48, 3); /* sysretq */
    assert_int_equal(run_to_fault(r), EXC_UD);
    assert_int_equal(frame(r, 0), CODE + 2);
    assert_int_equal(frame(r, 1), CODE64_3);
    assert_int_equal(frame(r, 2), F_1 | F_I | F_D | F_C | F_RF);
    assert_int_equal(frame(r, 4), 0x78 | 3);
    rig_destroy(r);
}

static void syscall_needs_sce(void **state)
{
    struct test_rig *r = rig_long(3, false);

    (void)state;
    r->c.msr.efer &= ~(u64)EFER_SCE;
    CODE_BYTES(r, 0x0f, 0x05);
    expect_plain_fault(r, EXC_UD);
}

/* With TF in the mask the kernel's first instruction is not single-stepped. */
static void syscall_masks_the_single_step(void **state)
{
    struct test_rig *r = rig_long(3, false);

    (void)state;
    r->c.msr.star = (u64)CODE0 << 32;
    r->c.msr.lstar = CODE + 0x100;
    r->c.msr.fmask = F_T;
    cpu_set_flags(&r->c, F_1 | F_T);
    CODE_BYTES(r, 0x0f, 0x05);
    rig_poke(r, CODE + 0x100, 0xf4, 1);
    expect_done(r, CODE + 0x101);
    assert_int_equal(r->c.nr_events, 0);
    rig_destroy(r);
}

/* SYSRET that sets TF traps before the instruction that it goes to, unlike IRET (APM 2 13.1.4). */
static void sysret_that_sets_tf_traps_at_once(void **state)
{
    static const u8 code[][3] = { { 0x48, 0x0f, 0x07 }, { 0x90, 0x0f, 0x07 } }; /* sysretq, sysretl */

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(code); i++) {
        struct test_rig *r = rig_long(0, false);

        r->c.msr.star = (u64)0x70 << 48;
        r->c.gpr[RCX] = CODE + 0x100;
        r->c.gpr[R11] = F_1 | F_T;
        put_code(r, code[i], 3);
        rig_poke(r, CODE + 0x100, 0x0b0f, 2);
        assert_int_equal(run_to_fault(r), EXC_DB);
        assert_int_equal(r->c.nr_events, 1);
        assert_int_equal(frame(r, 0), CODE + 0x100);
        assert_int_equal(frame(r, 2), F_1 | F_T);
        assert_int_equal(r->c.dr[6] & 0xf00f, 1 << 14); /* BS */
        rig_destroy(r);
    }
}

/* SDM 2B SYSENTER, SYSEXIT. */
static void sysenter_and_back(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    r->c.msr.sysenter_cs = CODE0; /* SS 10h; SYSEXIT: CS 18h, SS 20h with RPL 3 */
    r->c.msr.sysenter_esp = STACK0;
    r->c.msr.sysenter_eip = CODE + 0x100;
    cpu_set_flags(&r->c, F_1 | F_I | F_Z);
    CODE_BYTES(r, 0x0f, 0x34);
    rig_poke(r, CODE + 0x100, 0xf4, 1);
    expect_done(r, CODE + 0x101);
    assert_int_equal(r->c.cpl, 0);
    assert_int_equal(r->c.gpr[RSP], STACK0);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_Z);

    r->c.halted = false;
    r->c.gpr[RCX] = STACK3;
    r->c.gpr[RDX] = CODE + 0x200;
    rig_poke(r, CODE + 0x101, 0x350f, 2);
    rig_poke(r, CODE + 0x200, 0x0b0f, 2);
    assert_int_equal(run_to_fault(r), EXC_UD);
    assert_int_equal(frame(r, 0), CODE + 0x200);
    assert_int_equal(frame(r, 1), CODE3);
    assert_int_equal(frame(r, 3), STACK3);
    assert_int_equal(frame(r, 4), DATA3);
    rig_destroy(r);
}

static void sysenter_without_a_code_segment(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    CODE_BYTES(r, 0x0f, 0x34);
    expect_fault(r, EXC_GP, 0);
}

static void swapgs_swaps(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    r->c.seg[GS].base = 0x1111;
    r->c.msr.kernel_gs_base = 0xffff800000002222;
    CODE_BYTES(r, 0x0f, 0x01, 0xf8, 0xf4);
    expect_done(r, CODE + 4);
    assert_true(r->c.seg[GS].base == 0xffff800000002222);
    assert_int_equal(r->c.msr.kernel_gs_base, 0x1111);
    rig_destroy(r);

    r = rig_long(3, false);
    CODE_BYTES(r, 0x0f, 0x01, 0xf8);
    expect_fault(r, EXC_GP, 0);
    r = rig_protected(0);
    CODE_BYTES(r, 0x0f, 0x01, 0xf8); /* only in 64-bit mode */
    expect_plain_fault(r, EXC_UD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_mode_pushes_flags_cs_and_ip),
        cmocka_unit_test(real_mode_offsets_end_at_ffff),
        cmocka_unit_test(real_mode_pusha_at_odd_sp_below_16_raises_gp),
        cmocka_unit_test(bound_wraps_between_its_limits),
        cmocka_unit_test(real_mode_segments_are_paragraphs),
        cmocka_unit_test(limits_survive_the_way_back_from_protected_mode),
        cmocka_unit_test(an_interrupt_gate_clears_if_a_trap_gate_does_not),
        cmocka_unit_test(gates_are_guarded),
        cmocka_unit_test(the_ext_bit_tells_who_did_it),
        cmocka_unit_test(the_stack_of_the_tss_is_checked),
        cmocka_unit_test(a_tss_that_is_too_short),
        cmocka_unit_test(an_inner_stack_without_room),
        cmocka_unit_test(a_16_bit_gate_pushes_words),
        cmocka_unit_test(long_mode_aligns_the_stack_and_always_pushes_it),
        cmocka_unit_test(an_ist_stack_is_taken_whatever_the_level),
        cmocka_unit_test(compatibility_code_enters_64_bit_handlers),
        cmocka_unit_test(a_32_bit_code_segment_is_no_handler_in_long_mode),
        cmocka_unit_test(faults_in_delivery_become_a_double_fault),
        cmocka_unit_test(a_page_fault_in_the_delivery_of_a_page_fault),
        cmocka_unit_test(a_fault_in_the_delivery_of_a_double_fault_is_the_end),
        cmocka_unit_test(interrupts_wait_for_the_instruction_behind_sti),
        cmocka_unit_test(interrupts_wait_for_the_instruction_behind_mov_ss),
        cmocka_unit_test(a_halted_processor_wakes),
        cmocka_unit_test(a_single_step_is_one_instruction),
        cmocka_unit_test(popf_that_sets_tf_traps_after_the_next),
        cmocka_unit_test(int_n_clears_tf_without_a_trap),
        cmocka_unit_test(rf_is_pushed_by_faults_and_lives_for_one_instruction),
        cmocka_unit_test(int1_behind_an_iret_with_rf_pushes_it_as_0),
        cmocka_unit_test(syscall_and_back),
        cmocka_unit_test(syscall_needs_sce),
        cmocka_unit_test(syscall_masks_the_single_step),
        cmocka_unit_test(sysret_that_sets_tf_traps_at_once),
        cmocka_unit_test(sysenter_and_back),
        cmocka_unit_test(sysenter_without_a_code_segment),
        cmocka_unit_test(swapgs_swaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
