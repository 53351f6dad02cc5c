/*
 * Virtual-8086 mode: the ways in and out, IOPL, the I/O bitmap, VME and PVI. Expected values: SDM
 * 3B chapter 20 and the pages that each test names.
 */
#include "cpu/test_rig.h"

enum { VCS = 0x0600, VIP0 = 0x0100, VCODE = VCS * 16 + VIP0, VSS = 0x0900, VSP = 0x0800,
       VSTACK = VSS * 16 + VSP };

/* In virtual-8086 mode at VCODE, entered by an IRETD at level 0. */
static struct test_rig *rig_v86(u32 flags, u32 cr4)
{
    static const u16 tail[] = { VSS, 0x1111, 0x2222, 0x3333, 0x4444 }; /* SS ES DS FS GS */
    struct test_rig *r = rig_protected(0);
    u64 sp = STACK0 - 0x200;

    r->c.cr4 = cr4;
    r->c.gpr[RSP] = sp;
    rig_poke(r, sp, VIP0, 4);
    rig_poke(r, sp + 4, VCS, 4);
    rig_poke(r, sp + 8, F_1 | F_VM | flags, 4);
    rig_poke(r, sp + 12, VSP, 4);
    for (unsigned i = 0; i < ARRAY_LEN(tail); i++)
        rig_poke(r, sp + 16 + 4 * i, 0xabcd0000u | tail[i], 4);
    CODE_BYTES(r, 0xcf);
    rig_run(r, 1);
    r->c.tr.limit = 0x2100; /* room for both bitmaps: redirection below 188h, ports above */
    rig_poke(r, TSS + 0x66, 0x188, 2);
    return r;
}

static void put_v86_code(struct test_rig *r, const void *bytes, size_t n)
{
    memcpy(rig_ram(r, VCODE), bytes, n);
    mem_view_wrote(&r->view, VCODE, n);
}
#define V86_CODE(r, ...)                                                                           \
    put_v86_code(r, (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

static void run_n(struct test_rig *r, unsigned n)
{
    rig_run(r, n);
}

/* The frame that virtual-8086 mode leaves: [error] EIP CS EFLAGS ESP SS ES DS FS GS. */
static void expect_v86_fault(struct test_rig *r, int vector, u32 error, u32 ip)
{
    assert_int_equal(run_to_fault(r), vector);
    assert_int_equal(frame(r, 0), error);
    assert_int_equal(frame(r, 1), ip);
    assert_int_equal(frame(r, 2), VCS);
    assert_true(frame(r, 3) & F_VM);
    rig_destroy(r);
}

/* 2A IRET, RETURN-TO-VIRTUAL-8086-MODE; 3B 20.1: segments are paragraphs with limit FFFFh. */
static void iretd_enters_virtual_8086_mode(void **state)
{
    struct test_rig *r = rig_v86(F_I | F_C | 1 << 12 | F_VIF, 0);

    (void)state;
    assert_int_equal(r->c.rip, VIP0);
    assert_int_equal(r->c.cpl, 3);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_VM | F_I | F_C | 1 << 12 | F_VIF);
    assert_int_equal(r->c.gpr[RSP], VSP);
    assert_int_equal(r->c.seg[CS].base, VCS * 16);
    assert_int_equal(r->c.seg[SS].base, VSS * 16);
    assert_int_equal(r->c.seg[ES].sel, 0x1111);
    assert_int_equal(r->c.seg[DS].base, 0x22220);
    assert_int_equal(r->c.seg[FS].sel, 0x3333);
    assert_int_equal(r->c.seg[GS].base, 0x44440);
    assert_int_equal(r->c.seg[GS].limit, 0xffff);
    rig_destroy(r);
}

static void iretd_to_v86_beyond_the_segment(void **state)
{
    struct test_rig *r = rig_protected(0);
    u64 sp = STACK0 - 0x200;

    (void)state;
    r->c.gpr[RSP] = sp;
    rig_poke(r, sp, 0x10000, 4);
    rig_poke(r, sp + 4, VCS, 4);
    rig_poke(r, sp + 8, F_1 | F_VM, 4);
    CODE_BYTES(r, 0xcf);
    expect_fault(r, EXC_GP, 0);
}

/* VM in the image counts at level 0 alone, and a 16-bit IRET has none (2A IRET). */
static void only_level_0_enters(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    r->c.gpr[RSP] = STACK3 - 12;
    rig_poke(r, STACK3 - 12, CODE + 1, 4);
    rig_poke(r, STACK3 - 8, CODE3, 4);
    rig_poke(r, STACK3 - 4, F_1 | F_VM, 4);
    CODE_BYTES(r, 0xcf);
    rig_run(r, 1);
    assert_int_equal(r->c.rip, CODE + 1);
    assert_int_equal(cpu_flags(&r->c) & F_VM, 0);
    rig_destroy(r);
}

static void programs_run_as_on_an_8086(void **state)
{
    struct test_rig *r = rig_v86(3 << 12, 0);

    (void)state;
    r->c.gpr[RAX] = 0x1234;
    rig_poke(r, 0x12340 + 5, 0x77, 1);
    /* mov ds, ax; mov bl, [5]; call far 0600:0110 */
    V86_CODE(r, 0x8e, 0xd8, 0x8a, 0x1e, 0x05, 0x00, 0x9a, 0x10, 0x01, 0x00, 0x06);
    run_n(r, 3);
    assert_int_equal(r->c.gpr[RBX] & 0xff, 0x77);
    assert_int_equal(r->c.rip, 0x110);
    assert_int_equal(r->c.gpr[RSP], VSP - 4);
    assert_int_equal(rig_peek(r, VSTACK - 4, 2), VIP0 + 11);
    assert_int_equal(rig_peek(r, VSTACK - 2, 2), VCS);
    rig_destroy(r);
}

/* 2A INT n, INTERRUPT-FROM-VIRTUAL-8086-MODE. */
static void an_interrupt_leaves_for_level_0(void **state)
{
    struct test_rig *r = rig_v86(3 << 12 | F_I | F_NT, 0);

    (void)state;
    set_gate(r, 0x21, CODE0, HANDLER + 16 * 0x21, 0xee, 0);
    V86_CODE(r, 0xcd, 0x21);
    assert_int_equal(run_to_fault(r), 0x21);
    assert_int_equal(r->c.gpr[RSP], STACK0 - 36);
    assert_int_equal(frame(r, 0), VIP0 + 2);
    assert_int_equal(frame(r, 1), VCS);
    assert_int_equal(frame(r, 2), F_1 | F_VM | F_I | F_NT | 3 << 12);
    assert_int_equal(frame(r, 3), VSP);
    assert_int_equal(frame(r, 4), VSS);
    assert_int_equal(frame(r, 5), 0x1111);
    assert_int_equal(frame(r, 6), 0x2222);
    assert_int_equal(frame(r, 7), 0x3333);
    assert_int_equal(frame(r, 8), 0x4444);
    assert_int_equal(cpu_flags(&r->c), F_1 | 3 << 12); /* VM NT TF RF, and IF: it is a gate for it */
    assert_int_equal(r->c.cpl, 0);
    assert_int_equal(r->c.seg[CS].sel, CODE0);
    assert_int_equal(r->c.seg[SS].sel, DATA0);
    for (unsigned s = 0; s < NR_SEGS; s++)
        if (s != CS && s != SS) {
            assert_int_equal(r->c.seg[s].sel, 0);
            assert_false(r->c.seg[s].usable);
        }
    rig_destroy(r);
}

static void iret_goes_back(void **state)
{
    struct test_rig *r = rig_v86(3 << 12, 0);

    (void)state;
    set_gate(r, 0x21, CODE0, HANDLER + 16 * 0x21, 0xee, 0);
    rig_poke(r, HANDLER + 16 * 0x21, 0xcf, 1);
    V86_CODE(r, 0xcd, 0x21);
    run_n(r, 2);
    assert_int_equal(r->c.rip, VIP0 + 2);
    assert_int_equal(r->c.seg[GS].base, 0x44440);
    assert_int_equal(r->c.seg[ES].sel, 0x1111);
    assert_int_equal(r->c.gpr[RSP], VSP);
    assert_true(cpu_flags(&r->c) & F_VM);
    rig_destroy(r);
}

static void a_16_bit_gate_pushes_nine_words(void **state)
{
    struct test_rig *r = rig_v86(3 << 12, 0);

    (void)state;
    set_gate(r, 0x21, CODE0, HANDLER + 16 * 0x21, 0xe6, 0);
    V86_CODE(r, 0xcd, 0x21);
    assert_int_equal(run_to_fault(r), 0x21);
    assert_int_equal(r->c.gpr[RSP], STACK0 - 18);
    assert_int_equal(rig_peek(r, STACK0 - 18, 2), VIP0 + 2);
    assert_int_equal(rig_peek(r, STACK0 - 2, 2), 0x4444);
    assert_int_equal(rig_peek(r, STACK0 - 10, 2), VSS);
    rig_destroy(r);
}

/* 2A INT n: the handler's code must be nonconforming and of level 0. */
static void the_handler_is_of_level_0(void **state)
{
    static const u16 sels[] = { CONFORMING, CODE1 & ~3 };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct test_rig *r = rig_v86(3 << 12, 0);

        set_gate(r, 0x21, sels[i], HANDLER, 0xee, 0);
        V86_CODE(r, 0xcd, 0x21);
        expect_v86_fault(r, EXC_GP, sels[i], VIP0);
    }
}

/* 3B 20.2.7: these trap when IOPL is below 3, INT3 and INTO do not. */
static void sensitive_instructions_need_iopl_3(void **state)
{
    static const u8 codes[][2] = { { 0xfa, 0x90 }, { 0xfb, 0x90 }, { 0x9c, 0x90 }, { 0x9d, 0x90 },
                                   { 0xcd, 0x21 }, { 0xcf, 0x90 } };

    (void)state;
    for (unsigned iopl = 0; iopl < 3; iopl++)
        for (unsigned i = 0; i < ARRAY_LEN(codes); i++) {
            struct test_rig *r = rig_v86(iopl << 12, 0);

            set_gate(r, 0x21, CODE0, HANDLER + 16 * 0x21, 0xee, 0);
            put_v86_code(r, codes[i], 2);
            expect_v86_fault(r, EXC_GP, 0, VIP0);
        }
    struct test_rig *r = rig_v86(0, 0);

    set_gate(r, EXC_BP, CODE0, HANDLER + 16 * EXC_BP, 0xee, 0);
    V86_CODE(r, 0xcc);
    assert_int_equal(run_to_fault(r), EXC_BP);
    assert_int_equal(frame(r, 0), VIP0 + 1);
    rig_destroy(r);
}

static void with_iopl_3_they_act_on_if(void **state)
{
    struct test_rig *r = rig_v86(3 << 12 | F_I, CR4_VME);

    (void)state;
    V86_CODE(r, 0xfa, 0x9c, 0x9d, 0xfb); /* cli; pushf; popf; sti */
    run_n(r, 1);
    assert_false(cpu_flags(&r->c) & F_I);
    run_n(r, 1);
    assert_int_equal(rig_peek(r, VSTACK - 2, 2), F_1 | 3 << 12);
    run_n(r, 2);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_VM | F_I | 3 << 12);
    rig_destroy(r);
}

/* 2A IRET: VM, IOPL, VIF and VIP stay; a return may not leave the segment. */
static void iret_inside_v86(void **state)
{
    struct test_rig *r = rig_v86(3 << 12, 0);

    (void)state;
    r->c.gpr[RSP] = VSP - 6;
    rig_poke(r, VSTACK - 6, 0x55, 2);
    rig_poke(r, VSTACK - 4, 0x0700, 2);
    rig_poke(r, VSTACK - 2, F_C | F_I | F_NT, 2); /* IOPL 0 */
    V86_CODE(r, 0xcf);
    run_n(r, 1);
    assert_int_equal(r->c.rip, 0x55);
    assert_int_equal(r->c.seg[CS].base, 0x7000);
    assert_int_equal(r->c.gpr[RSP], VSP);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_VM | F_C | F_I | F_NT | 3 << 12);
    rig_destroy(r);

    r = rig_v86(3 << 12, 0);
    r->c.gpr[RSP] = VSP - 12;
    rig_poke(r, VSTACK - 12, 0x10000, 4);
    V86_CODE(r, 0x66, 0xcf);
    expect_v86_fault(r, EXC_GP, 0, VIP0);
}

/* 3B 20.2.8.1: ports go by the bitmap alone, whatever IOPL is. */
static void ports_go_by_the_bitmap(void **state)
{
    struct test_rig *r = rig_v86(3 << 12, 0);

    (void)state;
    rig_poke(r, TSS + 0x188 + 0x10, 0x02, 1);
    V86_CODE(r, 0xe4, 0x80, 0xe4, 0x81); /* in al, 80h; in al, 81h */
    expect_v86_fault(r, EXC_GP, 0, VIP0 + 2);

    r = rig_v86(3 << 12, 0);
    r->c.tr.limit = 0x187;
    V86_CODE(r, 0xe4, 0x00);
    expect_v86_fault(r, EXC_GP, 0, VIP0);
}

/* 3B 20.2.1: neither protected mode's instructions nor level 0's. */
static void what_is_not_there(void **state)
{
    static const struct {
        u8 code[3];
        u8 vector;
    } cases[] = {
        { { 0x0f, 0x00, 0xc0 }, EXC_UD }, /* sldt ax */
        { { 0x0f, 0x02, 0xc0 }, EXC_UD }, /* lar */
        { { 0x63, 0xc0, 0x90 }, EXC_UD }, /* arpl */
        { { 0xf4, 0x90, 0x90 }, EXC_GP }, /* hlt */
        { { 0x0f, 0x20, 0xc0 }, EXC_GP }, /* mov eax, cr0 */
        { { 0x0f, 0x06, 0x90 }, EXC_GP }, /* clts */
        { { 0x0f, 0x01, 0x17 }, EXC_GP }, /* lgdt [bx] */
        { { 0x0f, 0x30, 0x90 }, EXC_GP }, /* wrmsr */
        { { 0x0f, 0x23, 0xc0 }, EXC_GP }, /* mov dr0, eax */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_v86(3 << 12, 0);

        put_v86_code(r, cases[i].code, 3);
        assert_int_equal(run_to_fault(r), cases[i].vector);
        assert_int_equal(frame(r, cases[i].vector == EXC_GP), VIP0);
        rig_destroy(r);
    }
}

static void offsets_end_at_ffff(void **state)
{
    struct test_rig *r = rig_v86(0, 0);

    (void)state;
    V86_CODE(r, 0xa1, 0xff, 0xff);
    expect_v86_fault(r, EXC_GP, 0, VIP0);

    r = rig_v86(0, 0);
    r->c.gpr[RSP] = 1;
    V86_CODE(r, 0x50); /* push ax: wraps to FFFFh */
    expect_v86_fault(r, EXC_SS, 0, VIP0);
}

/* ---- VME: 3B 20.3 ---- */

static void vme_makes_if_virtual(void **state)
{
    struct test_rig *r = rig_v86(F_I | F_VIF, CR4_VME);

    (void)state;
    V86_CODE(r, 0xfa, 0x9c, 0xfb, 0x9c, 0x9d); /* cli; pushf; sti; pushf; popf */
    run_n(r, 2);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_VM | F_I);
    assert_int_equal(rig_peek(r, VSTACK - 2, 2), F_1 | 3 << 12);
    run_n(r, 2);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_VM | F_I | F_VIF);
    assert_int_equal(rig_peek(r, VSTACK - 4, 2), F_1 | F_I | 3 << 12);
    rig_poke(r, VSTACK - 4, F_C, 2); /* neither IF nor IOPL is popped into the real ones */
    run_n(r, 1);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_VM | F_I | F_C);
    rig_destroy(r);
}

/* 2B STI, POPF; 2A IRET: with VIP, setting IF is the monitor's; so are TF and 32-bit forms. */
static void vme_traps_to_the_monitor(void **state)
{
    static const struct {
        u8 code[2];
        u16 flags;
        u32 vip;
    } cases[] = {
        { { 0xfb, 0x90 }, 0, F_VIP },   { { 0x9d, 0x90 }, F_I, F_VIP }, { { 0x9d, 0x90 }, F_T, 0 },
        { { 0xcf, 0x90 }, F_I, F_VIP }, { { 0xcf, 0x90 }, F_T, 0 },     { { 0x66, 0x9d }, 0, 0 },
        { { 0x66, 0x9c }, 0, 0 },       { { 0x66, 0xcf }, 0, 0 },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_v86(cases[i].vip, CR4_VME);

        put_v86_code(r, cases[i].code, 2);
        r->c.gpr[RSP] = VSP - (cases[i].code[0] == 0xcf ? 6 : 2);
        rig_poke(r, VSTACK - 6, 0, 4);
        rig_poke(r, VSTACK - 2, cases[i].flags, 2);
        expect_v86_fault(r, EXC_GP, 0, VIP0);
    }
}

static void iret_with_vme(void **state)
{
    struct test_rig *r = rig_v86(F_I, CR4_VME);

    (void)state;
    r->c.gpr[RSP] = VSP - 6;
    rig_poke(r, VSTACK - 6, 0x55, 2);
    rig_poke(r, VSTACK - 4, VCS, 2);
    rig_poke(r, VSTACK - 2, F_I | F_Z, 2);
    V86_CODE(r, 0xcf);
    run_n(r, 1);
    assert_int_equal(r->c.rip, 0x55);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_VM | F_I | F_VIF | F_Z);
    rig_destroy(r);
}

/* Table 20-2: what INT n does by VME, IOPL and the bit of the redirection bitmap. */
static void interrupts_are_redirected_by_the_bitmap(void **state)
{
    static const struct {
        u32 cr4, iopl, bit;
        int vector; /* of protected mode; -1: redirected */
    } cases[] = {
        { 0, 3, 0, 0x21 },       { 0, 0, 0, EXC_GP },      { CR4_VME, 0, 1, EXC_GP },
        { CR4_VME, 3, 1, 0x21 }, { CR4_VME, 3, 0, -1 },    { CR4_VME, 0, 0, -1 },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_v86(cases[i].iopl << 12 | F_I | F_VIF, cases[i].cr4);

        set_gate(r, 0x21, CODE0, HANDLER + 16 * 0x21, 0xee, 0);
        rig_poke(r, TSS + 0x188 - 32 + 0x21 / 8, cases[i].bit << (0x21 % 8), 1);
        rig_poke(r, 0x21 * 4, 0x05000123, 4);
        V86_CODE(r, 0xcd, 0x21);
        if (cases[i].vector >= 0) {
            assert_int_equal(run_to_fault(r), cases[i].vector);
        } else {
            run_n(r, 1);
            assert_int_equal(r->c.rip, 0x123);
            assert_int_equal(r->c.seg[CS].base, 0x5000);
            assert_int_equal(r->c.gpr[RSP], VSP - 6);
            assert_int_equal(rig_peek(r, VSTACK - 6, 2), VIP0 + 2);
            assert_int_equal(rig_peek(r, VSTACK - 4, 2), VCS);
            assert_int_equal(rig_peek(r, VSTACK - 2, 2), F_1 | F_I | 3 << 12);
            assert_int_equal(cpu_flags(&r->c), cases[i].iopl == 3
                                                   ? F_1 | F_VM | F_VIF | 3 << 12
                                                   : F_1 | F_VM | F_I);
        }
        rig_destroy(r);
    }
}

/* 20.3.2: both flags set at the beginning of an instruction. */
static void a_pending_virtual_interrupt_is_a_fault(void **state)
{
    struct test_rig *r = rig_v86(F_VIF | F_VIP, CR4_VME);

    (void)state;
    V86_CODE(r, 0x90);
    expect_v86_fault(r, EXC_GP, 0, VIP0);

    r = rig_v86(F_VIF | F_VIP, 0); /* without VME they are only bits */
    V86_CODE(r, 0x90);
    run_n(r, 1);
    assert_int_equal(r->c.rip, VIP0 + 1);
    rig_destroy(r);
}

/* 20.4: PVI at level 3; only CLI and STI change. */
static void pvi_in_protected_mode(void **state)
{
    struct test_rig *r = rig_protected(3);

    (void)state;
    r->c.cr4 = CR4_PVI;
    cpu_set_flags(&r->c, F_1 | F_I | F_VIF);
    CODE_BYTES(r, 0xfa, 0xfb, 0x9c);
    rig_run(r, 1);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_I);
    rig_run(r, 2);
    assert_int_equal(cpu_flags(&r->c), F_1 | F_I | F_VIF);
    assert_int_equal(rig_peek(r, STACK3 - 4, 4), F_1 | F_I | F_VIF);
    rig_destroy(r);

    r = rig_protected(3);
    r->c.cr4 = CR4_PVI;
    cpu_set_flags(&r->c, F_1 | F_VIP);
    CODE_BYTES(r, 0xfb);
    expect_fault(r, EXC_GP, 0);

    r = rig_protected(3);
    CODE_BYTES(r, 0xfa);
    expect_fault(r, EXC_GP, 0);
}

/* Paging sees level 3 (3B 20.2.4). */
static void pages_are_the_users(void **state)
{
    struct test_rig *r = rig_v86(3 << 12, 0);

    (void)state;
    for (u32 p = 0; p < 32; p++)
        rig_poke(r, TABLES + 0x1000 + 4 * p, p << 12 | (p == 0xa ? 3 : 7), 4);
    rig_poke(r, TABLES, (TABLES + 0x1000) | 7, 4);
    r->c.cr3 = TABLES;
    r->c.cr0 |= CR0_PG;
    cpu_update_mode(&r->c);
    r->c.gpr[RAX] = 0x0a00;
    V86_CODE(r, 0x8e, 0xd8, 0xa0, 0x00, 0x00); /* mov ds, ax; mov al, [0] */
    assert_int_equal(run_to_fault(r), EXC_PF);
    assert_int_equal(frame(r, 0), 5);
    assert_int_equal(r->c.cr2, 0xa000);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(iretd_enters_virtual_8086_mode),
        cmocka_unit_test(iretd_to_v86_beyond_the_segment),
        cmocka_unit_test(only_level_0_enters),
        cmocka_unit_test(programs_run_as_on_an_8086),
        cmocka_unit_test(an_interrupt_leaves_for_level_0),
        cmocka_unit_test(iret_goes_back),
        cmocka_unit_test(a_16_bit_gate_pushes_nine_words),
        cmocka_unit_test(the_handler_is_of_level_0),
        cmocka_unit_test(sensitive_instructions_need_iopl_3),
        cmocka_unit_test(with_iopl_3_they_act_on_if),
        cmocka_unit_test(iret_inside_v86),
        cmocka_unit_test(ports_go_by_the_bitmap),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(offsets_end_at_ffff),
        cmocka_unit_test(vme_makes_if_virtual),
        cmocka_unit_test(vme_traps_to_the_monitor),
        cmocka_unit_test(iret_with_vme),
        cmocka_unit_test(interrupts_are_redirected_by_the_bitmap),
        cmocka_unit_test(a_pending_virtual_interrupt_is_a_fault),
        cmocka_unit_test(pvi_in_protected_mode),
        cmocka_unit_test(pages_are_the_users),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
