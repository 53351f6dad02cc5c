/*
 * What keeps level 0 from user pages (SMEP, SMAP), and address spaces in the TLB (PCID, INVPCID).
 * Expected values: SDM 3A 4.6, 4.7 and 4.10; 2A CLAC, INVPCID; 2B STAC.
 */
#include "cpu/test_rig.h"

enum { P = 1, W = 2, U = 4, G = 256 };
#define NX    (1ull << 63)
#define LIN   0x40000000ull
#define OTHER 0x100000ull /* a second set of tables: PML4 */

enum kind { READ, WRITE, EXEC };

static int access_page(struct test_rig *r, u64 lin, enum kind kind)
{
    r->c.gpr[RBX] = lin;
    r->c.halted = HALT_NONE;
    r->c.rip = CODE;
    switch (kind) {
    case READ: CODE_BYTES(r, 0x8a, 0x03, 0xf4); break;
    case WRITE: CODE_BYTES(r, 0x88, 0x03, 0xf4); break;
    default: CODE_BYTES(r, 0xff, 0xe3); break;
    }
    return run_to_fault(r);
}

/* Level 0 in pages that are the supervisor's, but for LIN. */
static struct test_rig *rig_kernel(u64 cr4, u64 flags)
{
    struct test_rig *r = rig_long(0, false);

    for (u64 p = 0; p < 0x20000; p += 0x1000)
        map4(r, p, p, P | W);
    map4(r, LIN, DATA, flags);
    rig_poke(r, DATA, 0xf4, 1);
    r->c.cr4 |= cr4;
    cpu_update_mode(&r->c);
    mmu_flush_all(&r->c);
    return r;
}

static void check(u64 cr4, u64 flags, u32 eflags, enum kind kind, int error)
{
    struct test_rig *r = rig_kernel(cr4, flags);
    int vector;

    cpu_set_flags(&r->c, F_1 | eflags);
    vector = access_page(r, LIN, kind);
    if (error < 0) {
        assert_int_not_equal(vector, EXC_PF);
    } else {
        assert_int_equal(vector, EXC_PF);
        assert_int_equal(r->c.cr2, LIN);
        assert_int_equal(frame(r, 0), error);
    }
    rig_destroy(r);
}

static void smep_and_smap(void **state)
{
    (void)state;
    check(0, P | W | U, 0, EXEC, -1);
    check(CR4_SMEP, P | W | U, 0, EXEC, 0x11);
    check(CR4_SMEP, P | W | U, F_AC, EXEC, 0x11);
    check(CR4_SMEP, P | W, 0, EXEC, -1);
    check(CR4_SMEP, P | W | U, 0, READ, -1);
    check(CR4_SMAP, P | W | U, 0, READ, 1);
    check(CR4_SMAP, P | W | U, 0, WRITE, 3);
    check(CR4_SMAP, P | W | U, F_AC, READ, -1);
    check(CR4_SMAP, P | W | U, F_AC, WRITE, -1);
    check(CR4_SMAP, P | U, F_AC, WRITE, 3); /* WP */
    check(CR4_SMAP, P | W, 0, WRITE, -1);
    check(CR4_SMAP, P | W | U, 0, EXEC, -1);
}

/* 4.7: without NXE the fetch bit is there with SMEP. */
static void smep_alone_gives_the_fetch_bit(void **state)
{
    struct test_rig *r = rig_kernel(CR4_SMEP, P | W | U);

    (void)state;
    r->c.msr.efer &= ~(u64)EFER_NXE;
    assert_int_equal(access_page(r, LIN, EXEC), EXC_PF);
    assert_int_equal(frame(r, 0), 0x11);
    rig_destroy(r);
}

/* STAC and CLAC, with the page in the fast set of each state by then. */
static void stac_and_clac(void **state)
{
    struct test_rig *r = rig_kernel(CR4_SMAP, P | W | U);

    (void)state;
    r->c.gpr[RBX] = LIN;
    CODE_BYTES(r, 0x0f, 0x01, 0xcb, 0x8a, 0x03, 0x88, 0x03, 0x8a, 0x03, /* stac; three accesses */
               0x0f, 0x01, 0xca, 0x8a, 0x03);                          /* clac; one more */
    assert_int_equal(run_to_fault(r), EXC_PF);
    assert_int_equal(frame(r, 0), 1);
    assert_int_equal(frame(r, 1), CODE + 12);
    rig_destroy(r);

    r = rig_protected(3);
    CODE_BYTES(r, 0x0f, 0x01, 0xcb);
    expect_plain_fault(r, EXC_UD);
}

/* 4.6.1: accesses to descriptor tables are implicit; AC does not help. */
static void implicit_accesses_never_reach_user_pages(void **state)
{
    struct test_rig *r = rig_kernel(CR4_SMAP, P | W | U);

    (void)state;
    r->c.gdtr.base = LIN;
    r->c.gpr[RAX] = DATA0;
    cpu_set_flags(&r->c, F_1 | F_AC);
    CODE_BYTES(r, 0x8e, 0xd8); /* mov ds, ax */
    /* The handler's code segment is behind the same GDT: the fault repeats until the shutdown. */
    assert_int_equal(run_to_fault(r), -2);
    assert_int_equal(r->c.events[0].vector, EXC_PF);
    assert_int_equal(r->c.events[0].error, 1);
    assert_int_equal(r->c.events[0].cr2, LIN + DATA0);
    rig_destroy(r);
}

static int run_at(struct test_rig *r, u64 rip, u64 rsp, u32 eflags)
{
    r->c.gpr[RSP] = rsp;
    r->c.rip = rip;
    r->c.halted = HALT_NONE;
    cpu_set_flags(&r->c, F_1 | eflags);
    return run_to_fault(r);
}

/* A push of an interrupt may go to a user page by EFLAGS.AC: that says nothing of later accesses. */
static void a_push_by_ac_is_not_remembered(void **state)
{
    struct test_rig *r = rig_kernel(CR4_SMAP, P | W | U);
    u64 stack = r->c.gpr[RSP];

    (void)state;
    r->c.gpr[RBX] = LIN;
    CODE_BYTES(r, 0x0f, 0x0b, 0x88, 0x03, 0xf4); /* ud2; mov [rbx], al; hlt */
    assert_int_equal(run_at(r, CODE, stack, 0), EXC_UD); /* all code is decoded now: no more flushes */
    assert_int_equal(run_at(r, CODE, LIN + 0x800, F_AC), EXC_UD);
    assert_int_equal(rig_peek(r, DATA + 0x800 - 40, 8), CODE); /* the frame's RIP */
    assert_int_equal(run_at(r, CODE + 2, stack, 0), EXC_PF);
    assert_int_equal(frame(r, 0), 3);
    rig_destroy(r);
}

/* User mode's own accesses do not care. */
static void level_3_is_not_concerned(void **state)
{
    struct test_rig *r = rig_long(3, false);

    (void)state;
    r->c.cr4 |= CR4_SMAP | CR4_SMEP;
    cpu_update_mode(&r->c);
    map4(r, LIN, DATA, P | W | U);
    r->c.gpr[RBX] = LIN;
    CODE_BYTES(r, 0x88, 0x03, 0x8a, 0x0b, 0x0f, 0x0b);
    for (u64 p = 0; p < 0x20000; p += 0x1000)
        if (p != CODE)
            map4(r, p, p, P | W);
    mmu_flush_all(&r->c);
    assert_int_equal(run_to_fault(r), EXC_UD);
    rig_destroy(r);
}

/* ---- PCID ---- */

/* The same tables again at OTHER, with LIN mapped elsewhere. */
static void second_space(struct test_rig *r)
{
    u64 table = OTHER;

    for (unsigned level = 3; level > 0; level--) {
        u64 next = table + 0x1000;

        rig_poke(r, table + ((LIN >> (12 + 9 * level)) & 511) * 8, next | 7, 8);
        if (level == 2) /* what lies below 1 GiB is shared */
            rig_poke(r, table, rig_peek(r, rig_peek(r, TABLES, 8) & ~0xfffull, 8), 8);
        table = next;
    }
    rig_poke(r, table, (DATA + 0x1000) | P | W, 8);
}

static u8 read_at(struct test_rig *r, u64 lin)
{
    assert_int_equal(access_page(r, lin, READ), -1);
    return (u8)r->c.gpr[RAX];
}

static void mov_cr3(struct test_rig *r, u64 v)
{
    r->c.gpr[RAX] = v;
    r->c.rip = CODE;
    r->c.halted = HALT_NONE;
    CODE_BYTES(r, 0x0f, 0x22, 0xd8, 0xf4);
    expect_done(r, CODE + 4);
}

static struct test_rig *rig_spaces(u64 flags)
{
    struct test_rig *r = rig_kernel(CR4_PCIDE, flags);

    second_space(r);
    rig_poke(r, DATA, 0x11, 1);
    rig_poke(r, DATA + 0x1000, 0x22, 1);
    rig_poke(r, DATA + 0x2000, 0x33, 1);
    return r;
}

/* 4.10.4.1: bit 63 keeps what the new PCID has cached; without it that goes, and no other's. */
static void bit_63_keeps_the_translations(void **state)
{
    struct test_rig *r = rig_spaces(P | W);

    (void)state;
    mov_cr3(r, TABLES | 1);
    assert_int_equal(read_at(r, LIN), 0x11);
    mov_cr3(r, OTHER | 2);
    assert_int_equal(read_at(r, LIN), 0x22);
    map4(r, LIN, DATA + 0x2000, P | W); /* behind the TLB's back */
    mov_cr3(r, TABLES | 1 | BIT(63));
    assert_int_equal(r->c.cr3, TABLES | 1);
    assert_int_equal(read_at(r, LIN), 0x11);
    mov_cr3(r, OTHER | 2); /* PCID 2's are dropped, 1's not */
    mov_cr3(r, TABLES | 1 | BIT(63));
    assert_int_equal(read_at(r, LIN), 0x11);
    mov_cr3(r, TABLES | 1);
    assert_int_equal(read_at(r, LIN), 0x33);
    rig_destroy(r);
}

static void invpcid(struct test_rig *r, u64 type, u64 pcid, u64 lin)
{
    rig_poke(r, DATA + 0x100, pcid, 8);
    rig_poke(r, DATA + 0x108, lin, 8);
    r->c.gpr[RAX] = type;
    r->c.gpr[RBX] = DATA + 0x100;
    r->c.rip = CODE;
    r->c.halted = HALT_NONE;
    CODE_BYTES(r, 0x66, 0x0f, 0x38, 0x82, 0x03, 0xf4); /* invpcid rax, [rbx] */
}

/* 2A INVPCID: which of a page of PCID 1, its neighbour of PCID 1, and a global one are dropped. */
static void the_four_kinds_of_invpcid(void **state)
{
    static const struct {
        u64 type, pcid;
        bool page, neighbour, global;
    } cases[] = {
        { 0, 1, true, false, false }, { 1, 1, true, true, false }, { 2, 0, true, true, true },
        { 3, 0, true, true, false },  { 1, 2, false, false, false }, { 0, 2, false, false, false },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_spaces(P | W);

        map4(r, LIN + 0x1000, DATA, P | W);
        map4(r, LIN + 0x2000, DATA, P | W | G);
        mov_cr3(r, TABLES | 1);
        for (unsigned p = 0; p < 3; p++) {
            assert_int_equal(read_at(r, LIN + 0x1000 * p), 0x11);
            map4(r, LIN + 0x1000 * p, DATA + 0x2000, p == 2 ? P | W | G : P | W);
        }
        mov_cr3(r, OTHER | 2);
        invpcid(r, cases[i].type, cases[i].pcid, LIN);
        expect_done(r, CODE + 6);
        mov_cr3(r, TABLES | 1 | BIT(63));
        assert_int_equal(read_at(r, LIN), cases[i].page ? 0x33 : 0x11);
        assert_int_equal(read_at(r, LIN + 0x1000), cases[i].neighbour ? 0x33 : 0x11);
        assert_int_equal(read_at(r, LIN + 0x2000), cases[i].global ? 0x33 : 0x11);
        rig_destroy(r);
    }
}

static void bad_invpcids(void **state)
{
    static const struct {
        u64 type, pcid, lin, cr4;
    } cases[] = {
        { 4, 0, 0, CR4_PCIDE }, { 0, 0x1000, 0, CR4_PCIDE }, { 1, 1, 0, 0 },
        { 0, 1, 0x8000000000000000, CR4_PCIDE },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_kernel(cases[i].cr4, P);

        invpcid(r, cases[i].type, cases[i].pcid, cases[i].lin);
        expect_fault(r, EXC_GP, 0);
    }
}

/* 2B MOV to CR: PCIDE needs long mode and PCID 0; PG cannot go before it; 4.10.1. */
static void rules_of_pcide(void **state)
{
    struct test_rig *r = rig_kernel(0, P);

    (void)state;
    r->c.cr3 |= 1;
    r->c.gpr[RAX] = r->c.cr4 | CR4_PCIDE;
    CODE_BYTES(r, 0x0f, 0x22, 0xe0);
    expect_fault(r, EXC_GP, 0);

    r = rig_protected(0);
    r->c.gpr[RAX] = CR4_PCIDE;
    CODE_BYTES(r, 0x0f, 0x22, 0xe0);
    expect_fault(r, EXC_GP, 0);

    r = rig_kernel(0, P);
    r->c.gpr[RAX] = r->c.cr3 | BIT(63); /* without PCIDE bit 63 is reserved */
    CODE_BYTES(r, 0x0f, 0x22, 0xd8);
    expect_fault(r, EXC_GP, 0);
}

/* A global page is every address space's; INVLPG drops it, and the page of this PCID. */
static void global_pages_and_invlpg(void **state)
{
    struct test_rig *r = rig_spaces(P | W | G);

    (void)state;
    mov_cr3(r, TABLES | 1);
    assert_int_equal(read_at(r, LIN), 0x11);
    mov_cr3(r, OTHER | 2);
    assert_int_equal(read_at(r, LIN), 0x11); /* found, though these tables say otherwise */
    r->c.gpr[RBX] = LIN;
    r->c.rip = CODE;
    r->c.halted = HALT_NONE;
    CODE_BYTES(r, 0x0f, 0x01, 0x3b, 0xf4);
    expect_done(r, CODE + 4);
    assert_int_equal(read_at(r, LIN), 0x22);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(smep_and_smap),
        cmocka_unit_test(smep_alone_gives_the_fetch_bit),
        cmocka_unit_test(stac_and_clac),
        cmocka_unit_test(implicit_accesses_never_reach_user_pages),
        cmocka_unit_test(a_push_by_ac_is_not_remembered),
        cmocka_unit_test(level_3_is_not_concerned),
        cmocka_unit_test(bit_63_keeps_the_translations),
        cmocka_unit_test(the_four_kinds_of_invpcid),
        cmocka_unit_test(bad_invpcids),
        cmocka_unit_test(rules_of_pcide),
        cmocka_unit_test(global_pages_and_invlpg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
