/*
 * INT n and IRET between levels, again and again, as translated code does them from the second time on: the frame and
 * the flags that the manual names (SDM 2A INT n, IRET; 3A 6.14), and that what has changed since the first time counts.
 * Runs under the interpreter, too, which says what is right.
 */
#include "cpu/test_rig.h"

enum {
    USER_SS = 0xb3, USER_CS = 0xbb, /* where STAR says */
    VECTOR = 0x30, IRQ = 0x31, HANDLER_CODE = 0x5000, OTHER_CODE = 0x5800, ROUNDS = 20,
    PER_ROUND = 6, /* int, dec, jnz; inc, or, iretq */
    TOP = STACK0 - 0x100, /* of a stack that ends within a page */
    INT_GATE = 0xee, TRAP_GATE = 0xef, /* of level 3 */
};

static void code_at(struct test_rig *r, u64 at, const void *bytes, size_t n)
{
    memcpy(rig_ram(r, at), bytes, n);
    mem_view_wrote(&r->view, at, n);
}
#define BYTES_AT(r, at, ...) code_at(r, at, (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

/* Level 3: a loop of INT 30h, ROUNDS times, and a HLT, which raises #GP. */
static struct test_rig *rig_user(u8 gate)
{
    struct test_rig *r = rig_long(3, false);

    set_descriptor(r, USER_SS, descriptor(0, 0xfffff, 0xf3, 0xc));
    set_descriptor(r, USER_CS, descriptor(0, 0xfffff, 0xfb, 0xa));
    r->c.msr.star = 0xa8ull << 48 | (u64)CODE64 << 32;
    rig_load_seg(r, CS, USER_CS);
    rig_load_seg(r, SS, USER_SS);
    set_gate(r, VECTOR, CODE64, HANDLER_CODE, gate, 0);
    set_gate(r, IRQ, CODE64, HANDLER + 16 * IRQ, 0x8e, 0);
    CODE_BYTES(r, 0xcd, VECTOR, 0xff, 0xc9, 0x75, 0xfa, 0xf4); /* int 30h; dec ecx; jnz; hlt */
    r->c.gpr[RCX] = ROUNDS;
    cpu_set_flags(&r->c, F_1 | F_I | F_D);
    return r;
}

#define INC_EBX 0xff, 0xc3
#define IRETQ 0x48, 0xcf

static void the_frame_is_pushed_and_popped(void **state)
{
    struct test_rig *r = rig_user(INT_GATE);

    (void)state;
    rig_poke(r, TSS + 4, TOP + 8, 8); /* the frame is aligned */
    BYTES_AT(r, HANDLER_CODE, INC_EBX, 0x4c, 0x0b, 0xc4, IRETQ); /* or r8, rsp */
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(r->c.gpr[RBX], ROUNDS);
    assert_int_equal(r->c.gpr[R8], TOP - 40); /* each time */
    assert_int_equal(rig_peek(r, TOP - 8, 8), USER_SS);
    assert_int_equal(rig_peek(r, TOP - 16, 8), STACK3);
    assert_int_equal(rig_peek(r, TOP - 24, 8) & (F_I | F_D | F_1 | F_RF), F_I | F_D | F_1 | F_RF); /* of the #GP */
    assert_int_equal(rig_peek(r, TOP - 32, 8), USER_CS);
    assert_int_equal(rig_peek(r, TOP - 40, 8), CODE + 6);
    assert_int_equal(r->c.nr_events, ROUNDS + 1);
    for (unsigned n = ROUNDS - 10; n < ROUNDS; n++) {
        const struct event_record *e = &r->c.events[n % EVENT_RING];

        assert_int_equal(e->vector, VECTOR);
        assert_int_equal(e->kind, EVENT_SOFT);
        assert_int_equal(e->cpl, 3);
        assert_int_equal(e->has_error | e->lost, 0);
        assert_int_equal(e->during, DELIVER_NONE);
        assert_int_equal(e->cs, USER_CS);
        assert_int_equal(e->ss, USER_SS);
        assert_int_equal(e->rip, CODE + 2);
        assert_int_equal(e->rsp, STACK3);
        assert_int_equal(e->icount, PER_ROUND * n);
    }
    rig_destroy(r);
}

/* An interrupt gate clears IF, a trap gate does not; both clear NT. The pushed image has what was there. */
static void gates_differ_in_if(void **state)
{
    (void)state;
    for (unsigned trap = 0; trap < 2; trap++) {
        struct test_rig *r = rig_user(trap ? TRAP_GATE : INT_GATE);

        cpu_set_flags(&r->c, F_1 | F_I | F_NT | F_C);
        BYTES_AT(r, HANDLER_CODE, INC_EBX, 0x9c, 0x5a,     /* pushfq; pop rdx */
                 0x48, 0x8b, 0x74, 0x24, 0x10, IRETQ);     /* mov rsi, [rsp + 10h] */
        assert_int_equal(run_to_fault(r), EXC_GP);
        assert_int_equal(r->c.gpr[RBX], ROUNDS);
        assert_int_equal(r->c.gpr[RDX] & (F_I | F_NT), trap ? F_I : 0);
        assert_int_equal(r->c.gpr[RSI] & (F_I | F_C | F_RF | F_NT), F_I | F_C | F_NT);
        rig_destroy(r);
    }
}

static void another_gate_is_taken_at_once(void **state)
{
    struct test_rig *r = rig_user(INT_GATE);

    (void)state;
    BYTES_AT(r, HANDLER_CODE, INC_EBX, 0x83, 0xfb, 10, 0x75, 0x0a, /* cmp ebx, 10; jne */
             0x66, 0xc7, 0x04, 0x25, 0x00, 0x23, 0x00, 0x00, 0x00, 0x58, IRETQ); /* mov word [2300h], 5800h */
    BYTES_AT(r, OTHER_CODE, 0xff, 0xc6, IRETQ); /* inc esi */
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(r->c.gpr[RBX], 10);
    assert_int_equal(r->c.gpr[RSI], ROUNDS - 10);
    rig_destroy(r);
}

static void a_gate_that_is_gone_raises_np(void **state)
{
    struct test_rig *r = rig_user(INT_GATE);

    (void)state;
    BYTES_AT(r, HANDLER_CODE, INC_EBX, 0x83, 0xfb, 10, 0x75, 0x08,
             0xc6, 0x04, 0x25, 0x05, 0x23, 0x00, 0x00, 0x6e, IRETQ); /* mov byte [2305h], 6eh */
    assert_int_equal(run_to_fault(r), EXC_NP);
    assert_int_equal(frame(r, 0), VECTOR * 8 + 2);
    assert_int_equal(r->c.gpr[RBX], 10);
    rig_destroy(r);
}

/* Changes the access byte of a descriptor in the tenth round. */
static void expect_bad_return(u16 sel, u8 access, int vector)
{
    struct test_rig *r = rig_user(INT_GATE);

    BYTES_AT(r, HANDLER_CODE, INC_EBX, 0x83, 0xfb, 10, 0x75, 0x08,
             0xc6, 0x04, 0x25, (u8)((sel & ~7) + 5), 0x10, 0x00, 0x00, access, IRETQ); /* mov byte [1000h + sel + 5], access */
    assert_int_equal(run_to_fault(r), vector);
    assert_int_equal(frame(r, 0), sel & ~3);
    assert_int_equal(frame(r, 1), HANDLER_CODE + 15);
    assert_int_equal(r->c.gpr[RBX], 10);
    rig_destroy(r);
}

static void descriptors_are_looked_at_again(void **state)
{
    (void)state;
    expect_bad_return(USER_CS, 0x7b, EXC_NP);
    expect_bad_return(USER_CS, 0xf3, EXC_GP); /* data */
    expect_bad_return(USER_SS, 0x73, EXC_SS);
    expect_bad_return(USER_SS, 0xf1, EXC_GP); /* read-only */
}

static void a_tss_with_another_stack_counts(void **state)
{
    struct test_rig *r = rig_user(INT_GATE);

    (void)state;
    BYTES_AT(r, HANDLER_CODE, INC_EBX, 0x83, 0xfb, 10, 0x75, 0x0b,
             0xc7, 0x04, 0x25, 0x04, 0x30, 0x00, 0x00, 0x00, 0xc0, 0x00, 0x00, IRETQ); /* mov dword [TSS + 4], 0c000h */
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(r->c.gpr[RSP], 0xc000 - 48);
    assert_int_equal(r->c.gpr[RBX], ROUNDS);
    rig_destroy(r);
}

/* SDM 2A IRET: of what level 3 may not have, the selector becomes null. */
static void privileged_data_segments_are_dropped(void **state)
{
    struct test_rig *r = rig_user(INT_GATE);

    (void)state;
    BYTES_AT(r, HANDLER_CODE, INC_EBX, 0x83, 0xfb, 10, 0x75, 0x07,
             0xb8, DATA0, 0x00, 0x00, 0x00, 0x8e, 0xd8, IRETQ); /* mov eax, DATA0; mov ds, ax */
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(r->c.gpr[RBX], ROUNDS);
    assert_int_equal(r->c.seg[DS].sel, 0);
    assert_false(r->c.seg[DS].usable);
    assert_int_equal(r->c.seg[ES].sel, DATA3);
    rig_destroy(r);
}

/* What an IRET of level 0 loads from a frame that the handler has changed. */
static void flags_come_from_the_frame(void **state)
{
    static const u32 set[] = { F_AC, F_IOPL, F_ID, F_C };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(set); i++) {
        struct test_rig *r = rig_user(INT_GATE);
        u32 f = set[i];

        BYTES_AT(r, HANDLER_CODE, INC_EBX, 0x83, 0xfb, 10, 0x75, 0x08,
                 0x81, 0x4c, 0x24, 0x10, (u8)f, (u8)(f >> 8), (u8)(f >> 16), (u8)(f >> 24), IRETQ); /* or dword [rsp + 10h], f */
        BYTES_AT(r, CODE + 2, 0x9c, 0x5a, 0xff, 0xc9, 0x75, 0xf8, 0xf4); /* pushfq; pop rdx; dec ecx; jnz; hlt */
        assert_int_equal(run_to_fault(r), EXC_GP);
        assert_int_equal(r->c.gpr[RBX], ROUNDS);
        assert_int_equal(r->c.gpr[RDX] & (F_AC | F_IOPL | F_ID | F_C | F_I | F_D), f | F_I | F_D);
        rig_destroy(r);
    }
}

/* RF lasts until the next instruction has retired, wherever slices end. */
static void rf_is_there_behind_iret(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (unsigned len = 1; len < 40; len++) {
        struct test_rig *r = rig_user(INT_GATE);

        BYTES_AT(r, HANDLER_CODE, INC_EBX, 0x81, 0x4c, 0x24, 0x10, 0x00, 0x00, 0x01, 0x00, IRETQ); /* or dword [rsp + 10h], RF */
        while (rig_run(r, len) == STOP_SLICE) {
            bool behind = r->c.rip == CODE + 2;

            r->engine->sync(r->e);
            assert_int_equal(!!(cpu_flags(&r->c) & F_RF), behind);
            seen += behind;
        }
        assert_int_equal(r->c.gpr[RBX], ROUNDS);
        rig_destroy(r);
    }
    assert_true(seen > 40);
}

static u8 acknowledge(void *source)
{
    cpu_set_intr(source, 0, false);
    return IRQ;
}

/* An interrupt that came while IF was clear is taken behind the IRET that sets it. */
static void a_waiting_interrupt_comes_behind_iret(void **state)
{
    unsigned held = 0;

    (void)state;
    for (unsigned len = 30; len < 50; len++) {
        struct test_rig *r = rig_user(INT_GATE);

        BYTES_AT(r, HANDLER_CODE, INC_EBX, IRETQ);
        r->c.cfg.ack = (struct irq_ack){ .vector = acknowledge, .source = &r->c };
        assert_int_equal(rig_run(r, len), STOP_SLICE);
        if (r->c.cpl == 0) {
            held++;
            cpu_set_intr(&r->c, 0, true);
            assert_int_equal(run_to_fault(r), IRQ);
            assert_int_equal(frame(r, 0), CODE + 2);
            assert_int_equal(frame(r, 1), USER_CS);
        }
        rig_destroy(r);
    }
    assert_true(held > 4);
}

/* SDM 2A IRET: in 64-bit code the stack is popped at the same level, too. */
static void a_return_to_the_same_level(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    CODE_BYTES(r, 0x48, 0x89, 0xe0, 0x6a, DATA0, 0x50, 0x9c, 0x6a, CODE64, /* mov rax, rsp; push DATA0; push rax; pushfq; push CODE64 */
               0x68, 0x12, 0x60, 0x00, 0x00, IRETQ, 0xf4, 0x90, /* push 6012h; iretq; hlt; nop */
               0xff, 0xc9, 0x75, 0xea, 0xf4);                  /* dec ecx; jnz; hlt */
    r->c.gpr[RCX] = ROUNDS;
    expect_done(r, CODE + 0x17);
    assert_int_equal(r->c.gpr[RCX], 0);
    assert_int_equal(r->c.gpr[RSP], STACK0 - 0x100);
    assert_int_equal(r->c.seg[SS].sel, DATA0);
    assert_true(r->c.seg[SS].usable);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_frame_is_pushed_and_popped),
        cmocka_unit_test(gates_differ_in_if),
        cmocka_unit_test(another_gate_is_taken_at_once),
        cmocka_unit_test(a_gate_that_is_gone_raises_np),
        cmocka_unit_test(descriptors_are_looked_at_again),
        cmocka_unit_test(a_tss_with_another_stack_counts),
        cmocka_unit_test(privileged_data_segments_are_dropped),
        cmocka_unit_test(flags_come_from_the_frame),
        cmocka_unit_test(rf_is_there_behind_iret),
        cmocka_unit_test(a_waiting_interrupt_comes_behind_iret),
        cmocka_unit_test(a_return_to_the_same_level),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
