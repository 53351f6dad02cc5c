/*
 * Paging: rights and error codes, accessed and dirty bits, large and global pages, reserved bits,
 * the three paging modes, and what the TLB may and may not remember. Expected values: SDM 3A
 * chapter 4, the sections that each test names.
 */
#include "cpu/test_rig.h"

enum { P = 1, W = 2, U = 4, A = 32, D = 64, PS = 128, G = 256 };
#define NX  (1ull << 63)
#define LIN 0x40000000ull /* the page under test */

enum kind { READ, WRITE, EXEC };

/* The entry of the level (0: PTE) that maps lin in the 4-level tables. */
static u64 entry_at(struct test_rig *r, u64 lin, unsigned level)
{
    u64 table = TABLES;

    for (unsigned l = 3; l > level; l--)
        table = rig_peek(r, table + ((lin >> (12 + 9 * l)) & 511) * 8, 8) & 0xffffff000;
    return table + ((lin >> (12 + 9 * level)) & 511) * 8;
}

/* One access at lin, then HLT (or, at level 3, UD2). */
static int access_page(struct test_rig *r, u64 lin, enum kind kind)
{
    bool user = r->c.cpl == 3;

    r->c.gpr[RBX] = lin;
    r->c.halted = false;
    r->c.rip = CODE;
    switch (kind) {
    case READ: CODE_BYTES(r, 0x8a, 0x03, user ? 0x0f : 0xf4, 0x0b); break;
    case WRITE: CODE_BYTES(r, 0x88, 0x03, user ? 0x0f : 0xf4, 0x0b); break;
    default: CODE_BYTES(r, 0xff, 0xe3); break;
    }
    return run_to_fault(r);
}

static void check_access(unsigned cpl, u64 flags, bool wp, enum kind kind, int error)
{
    struct test_rig *r = rig_long(cpl, false);
    int vector;

    map4(r, LIN, DATA, flags);
    rig_poke(r, DATA, cpl == 3 ? 0x0b0f : 0xf4, 2);
    r->c.cr0 = wp ? r->c.cr0 | CR0_WP : r->c.cr0 & ~(u64)CR0_WP;
    vector = access_page(r, LIN, kind);
    if (error < 0) {
        assert_int_not_equal(vector, EXC_PF);
    } else {
        assert_int_equal(vector, EXC_PF);
        assert_int_equal(r->c.cr2, LIN);
        assert_int_equal(frame(r, 0), error);
        assert_int_equal(frame(r, 1), kind == EXEC ? LIN : CODE);
    }
    rig_destroy(r);
}

/* 4.6 and figure 4-12: bit 0 present, 1 write, 2 user, 3 reserved, 4 fetch. */
static void rights_and_error_codes(void **state)
{
    (void)state;
    check_access(0, 0, true, READ, 0);
    check_access(0, 0, true, WRITE, 2);
    check_access(0, 0, true, EXEC, 0x10);
    check_access(3, 0, true, READ, 4);
    check_access(3, 0, true, WRITE, 6);
    check_access(3, 0, true, EXEC, 0x14);
    check_access(0, P, true, READ, -1);
    check_access(0, P, true, WRITE, 3);
    check_access(0, P, false, WRITE, -1); /* WP clear: the supervisor may */
    check_access(0, P | W, true, WRITE, -1);
    check_access(0, P | U, true, WRITE, 3);
    check_access(0, P | W | U, true, WRITE, -1);
    check_access(3, P | W, true, READ, 5);
    check_access(3, P | W, true, WRITE, 7);
    check_access(3, P | W, true, EXEC, 0x15);
    check_access(3, P | U, true, READ, -1);
    check_access(3, P | U, true, WRITE, 7);
    check_access(3, P | U, false, WRITE, 7); /* WP is for the supervisor only */
    check_access(3, P | U, true, EXEC, -1);
    check_access(3, P | U | NX, true, EXEC, 0x15);
    check_access(3, P | U | NX, true, READ, -1);
    check_access(0, P | NX, true, EXEC, 0x11);
    check_access(0, P | W | BIT(45), true, READ, 9); /* an address bit beyond MAXPHYADDR */
    check_access(3, P | U | BIT(45), true, WRITE, 15);
}

/* 4.6: rights are those of all levels together. */
static void a_level_above_can_take_rights_away(void **state)
{
    static const struct {
        u64 clear, set;
        enum kind kind;
        u32 error;
    } cases[] = { { U, 0, READ, 5 }, { W, 0, WRITE, 7 }, { 0, NX, EXEC, 0x15 } };

    (void)state;
    for (unsigned level = 1; level < 4; level++)
        for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
            struct test_rig *r = rig_long(3, false);
            u64 lin = 0x8000000000 + LIN, at; /* a PML4 entry of its own */

            map4(r, lin, DATA, P | W | U);
            at = entry_at(r, lin, level);
            rig_poke(r, at, (rig_peek(r, at, 8) & ~cases[i].clear) | cases[i].set, 8);
            assert_int_equal(access_page(r, lin, cases[i].kind), EXC_PF);
            assert_int_equal(frame(r, 0), cases[i].error);
            rig_destroy(r);
        }
}

/* 4.7: without EFER.NXE there is no fetch bit, and bit 63 is reserved. */
static void nx_needs_nxe(void **state)
{
    struct test_rig *r = rig_long(3, false);

    (void)state;
    r->c.msr.efer &= ~(u64)EFER_NXE;
    assert_int_equal(access_page(r, LIN, EXEC), EXC_PF);
    assert_int_equal(frame(r, 0), 4);
    rig_destroy(r);

    r = rig_long(3, false);
    r->c.msr.efer &= ~(u64)EFER_NXE;
    map4(r, LIN, DATA, P | U | NX);
    assert_int_equal(access_page(r, LIN, READ), EXC_PF);
    assert_int_equal(frame(r, 0), 13);
    rig_destroy(r);
}

/* 4.8. */
static void accessed_and_dirty_bits(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    map4(r, LIN, DATA, P | W);
    for (unsigned level = 0; level < 4; level++)
        rig_poke(r, entry_at(r, LIN, level), rig_peek(r, entry_at(r, LIN, level), 8) & ~(u64)A, 8);
    access_page(r, LIN, READ);
    for (unsigned level = 0; level < 4; level++)
        assert_int_equal(rig_peek(r, entry_at(r, LIN, level), 8) & (A | D), A);
    access_page(r, LIN, WRITE); /* the TLB has the page, clean: D must still be set */
    assert_int_equal(rig_peek(r, entry_at(r, LIN, 0), 8) & (A | D), A | D);
    assert_int_equal(rig_peek(r, entry_at(r, LIN, 1), 8) & D, 0);
    rig_destroy(r);

    r = rig_long(0, false);
    map4(r, LIN, DATA, P);
    assert_int_equal(access_page(r, LIN, WRITE), EXC_PF);
    assert_int_equal(rig_peek(r, entry_at(r, LIN, 0), 8) & D, 0);
    rig_destroy(r);
}

/* A write into two pages changes nothing when it may not enter the second. */
static void a_write_over_a_page_border_is_all_or_nothing(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    map4(r, LIN, DATA, P | W);
    rig_poke(r, DATA + 0xffe, 0x1111, 2);
    r->c.gpr[RBX] = LIN + 0xffe;
    r->c.gpr[RAX] = 0x22222222;
    CODE_BYTES(r, 0x89, 0x03);
    assert_int_equal(run_to_fault(r), EXC_PF);
    assert_int_equal(r->c.cr2, LIN + 0x1000);
    assert_int_equal(frame(r, 0), 2);
    assert_int_equal(rig_peek(r, DATA + 0xffe, 2), 0x1111);
    rig_destroy(r);
}

/* Each part of an access over a page border goes to its own page: here the second lies below. */
static void the_parts_of_an_access_over_a_page_border(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    map4(r, LIN, DATA + 0x1000, P | W);
    map4(r, LIN + 0x1000, DATA, P | W);
    rig_poke(r, DATA, 0, 8);
    r->c.gpr[RBX] = LIN + 0xffd;
    r->c.gpr[RAX] = 0x8877665544332211;
    CODE_BYTES(r, 0x48, 0x89, 0x03, 0x48, 0x8b, 0x0b, 0xf4); /* mov [rbx], rax; mov rcx, [rbx] */
    run_to_fault(r);
    assert_int_equal(rig_peek(r, DATA + 0x1ffd, 2) | rig_peek(r, DATA + 0x1fff, 1) << 16, 0x332211);
    assert_int_equal(rig_peek(r, DATA, 8), 0x8877665544);
    assert_int_equal(r->c.gpr[RCX], 0x8877665544332211);
    rig_destroy(r);
}

/* A read-modify-write asks for the right to write first (4.7: bit 1 is set). */
static void a_read_modify_write_faults_as_a_write(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    map4(r, LIN, DATA, P);
    r->c.gpr[RBX] = LIN;
    CODE_BYTES(r, 0xff, 0x03); /* inc dword [rbx] */
    assert_int_equal(run_to_fault(r), EXC_PF);
    assert_int_equal(frame(r, 0), 3);
    rig_destroy(r);
}

/* 4.6.1: descriptor tables are read with the supervisor's rights. */
static void segment_loads_at_level_3_read_a_supervisors_gdt(void **state)
{
    struct test_rig *r = rig_long(3, false);

    (void)state;
    rig_poke(r, entry_at(r, GDT, 0), GDT | P | W, 8);
    r->c.gpr[RAX] = DATA3;
    CODE_BYTES(r, 0x8e, 0xd8, 0x0f, 0x0b); /* mov ds, ax; ud2 */
    assert_int_equal(run_to_fault(r), EXC_UD);
    assert_int_equal(r->c.seg[DS].sel, DATA3);
    rig_destroy(r);
}

/* ---- large pages: tables 4-15, 4-17 ---- */

static void pages_of_2_mib_and_1_gib(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    map4(r, LIN, DATA, P | W); /* makes the directories */
    rig_poke(r, entry_at(r, LIN, 1), 0x200000 | P | W | PS, 8);
    rig_poke(r, 0x2abcde, 0x77, 1);
    access_page(r, LIN + 0xabcde, READ);
    assert_int_equal(r->c.gpr[RAX] & 0xff, 0x77);
    access_page(r, LIN + 0xabcde, WRITE);
    assert_int_equal(rig_peek(r, entry_at(r, LIN, 1), 8) & (A | D), A | D);

    rig_poke(r, entry_at(r, LIN, 2), P | W | PS, 8); /* the first GiB, at LIN */
    mmu_flush_all(&r->c);
    rig_poke(r, 0x3abcde, 0x66, 1);
    access_page(r, LIN + 0x3abcde, READ);
    assert_int_equal(r->c.gpr[RAX] & 0xff, 0x66);
    rig_destroy(r);
}

static void reserved_bits_of_large_pages(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    map4(r, LIN, DATA, P | W);
    rig_poke(r, entry_at(r, LIN, 1), 0x200000 | BIT(13) | P | W | PS, 8);
    assert_int_equal(access_page(r, LIN, READ), EXC_PF);
    assert_int_equal(frame(r, 0), 9);
    rig_destroy(r);

    r = rig_long(0, false);
    map4(r, LIN, DATA, P | W);
    rig_poke(r, entry_at(r, LIN, 2), BIT(21) | P | W | PS, 8);
    assert_int_equal(access_page(r, LIN, READ), EXC_PF);
    assert_int_equal(frame(r, 0), 9);
    rig_destroy(r);

    r = rig_long(0, false);
    map4(r, 0x8000000000 + LIN, DATA, P | W);
    rig_poke(r, entry_at(r, 0x8000000000, 3), rig_peek(r, entry_at(r, 0x8000000000, 3), 8) | PS, 8);
    assert_int_equal(access_page(r, 0x8000000000 + LIN, READ), EXC_PF);
    assert_int_equal(frame(r, 0), 9);
    rig_destroy(r);
}

/* ---- the TLB: 4.10.4 ---- */

static u8 read_byte(struct test_rig *r, u64 lin)
{
    assert_int_equal(access_page(r, lin, READ), -1);
    return (u8)r->c.gpr[RAX];
}

static void run_bytes(struct test_rig *r, const void *code, size_t n)
{
    put_code(r, code, n);
    r->c.rip = CODE;
    r->c.halted = false;
    assert_int_equal(rig_run(r, 1000), STOP_HALT);
}

static void a_stale_translation_stays_until_it_is_invalidated(void **state)
{
    static const u8 invlpg[] = { 0x0f, 0x01, 0x3b, 0xf4 };
    static const u8 load_cr3[] = { 0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0xf4 };
    struct test_rig *r = rig_long(0, false);

    (void)state;
    rig_poke(r, 0x200000, 1, 1);
    rig_poke(r, 0x201000, 2, 1);
    rig_poke(r, 0x202000, 3, 1);
    map4(r, LIN, 0x200000, P | W);
    assert_int_equal(read_byte(r, LIN), 1);
    map4(r, LIN, 0x201000, P | W);
    assert_int_equal(read_byte(r, LIN), 1);
    r->c.gpr[RBX] = LIN + 0x123; /* any address of the page */
    run_bytes(r, invlpg, sizeof(invlpg));
    assert_int_equal(read_byte(r, LIN), 2);
    map4(r, LIN, 0x202000, P | W);
    assert_int_equal(read_byte(r, LIN), 2);
    run_bytes(r, load_cr3, sizeof(load_cr3));
    assert_int_equal(read_byte(r, LIN), 3);
    rig_destroy(r);
}

/* The same of code: what was fetched may run on until the page is invalidated, and no longer. */
static void a_stale_fetch_lasts_until_it_is_invalidated(void **state)
{
    /* call rbx; mov dl, cl; invlpg [rbx]; call rbx; hlt */
    static const u8 twice[] = { 0xff, 0xd3, 0x88, 0xca, 0x0f, 0x01, 0x3b, 0xff, 0xd3, 0xf4 };
    static const u8 one[] = { 0xb1, 1, 0xc3 }, two[] = { 0xb1, 2, 0xc3 }; /* mov cl, which; ret */
    struct test_rig *r = rig_long(0, false);

    (void)state;
    for (unsigned i = 0; i < sizeof(one); i++) {
        rig_poke(r, 0x200000 + i, one[i], 1);
        rig_poke(r, 0x201000 + i, two[i], 1);
    }
    map4(r, LIN, 0x200000, P);
    r->c.gpr[RBX] = LIN;
    run_bytes(r, twice, sizeof(twice));
    assert_int_equal(r->c.gpr[RCX] & 0xff, 1);
    map4(r, LIN, 0x201000, P);
    r->c.halted = false;
    r->c.rip = CODE;
    assert_int_equal(run_to_fault(r), -1);
    assert_int_equal(r->c.gpr[RDX] & 0xff, 1);
    assert_int_equal(r->c.gpr[RCX] & 0xff, 2);
    rig_destroy(r);
}

/* 4.10.2.4: global translations survive a load of CR3, and not INVLPG or a change of CR4.PGE. */
static void global_pages(void **state)
{
    static const u8 load_cr3[] = { 0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0xf4 };
    static const u8 toggle_pge[] = { 0x0f, 0x20, 0xe0, 0x34, 0x80, 0x0f, 0x22, 0xe0, 0x34, 0x80, 0x0f, 0x22, 0xe0, 0xf4 };
    struct test_rig *r = rig_long(0, false);

    (void)state;
    rig_poke(r, 0x200000, 1, 1);
    rig_poke(r, 0x201000, 2, 1);
    map4(r, LIN, 0x200000, P | W | G);
    assert_int_equal(read_byte(r, LIN), 1);
    map4(r, LIN, 0x201000, P | W | G);
    run_bytes(r, load_cr3, sizeof(load_cr3));
    assert_int_equal(read_byte(r, LIN), 1);
    run_bytes(r, toggle_pge, sizeof(toggle_pge));
    assert_int_equal(read_byte(r, LIN), 2);
    rig_destroy(r);
}

/* 4.10.4.3: more rights, or a page that was absent, need no invalidation. */
static void more_rights_are_seen_at_once(void **state)
{
    struct test_rig *r = rig_long(0, false);

    (void)state;
    map4(r, LIN, DATA, P);
    read_byte(r, LIN);
    map4(r, LIN, DATA, P | W);
    assert_int_equal(access_page(r, LIN, WRITE), -1);
    rig_destroy(r);
}

/* A walk that a write needs, for the dirty bit, finds the page elsewhere: for reads, too, from then on. */
static void a_page_that_moves_without_a_flush(void **state)
{
    static const u8 read_write_read[] = { 0x8a, 0x03, 0x88, 0x43, 0x10, 0x8a, 0x0b, 0xf4 }; /* the last into CL */
    struct test_rig *r = rig_long(0, false);

    (void)state;
    rig_poke(r, 0x200000, 1, 1);
    rig_poke(r, 0x201000, 2, 1);
    map4(r, LIN, 0x200000, P | W);
    assert_int_equal(read_byte(r, LIN), 1);
    map4(r, LIN, 0x201000, P | W);
    r->c.gpr[RBX] = LIN;
    run_bytes(r, read_write_read, sizeof(read_write_read));
    assert_int_equal(rig_peek(r, 0x201010, 1), 1); /* read from where it was */
    assert_int_equal(r->c.gpr[RCX] & 0xff, 2);
    rig_destroy(r);
}

static void invlpg_drops_all_of_a_large_page(void **state)
{
    static const u8 invlpg[] = { 0x0f, 0x01, 0x3b, 0xf4 };
    struct test_rig *r = rig_long(0, false);

    (void)state;
    rig_poke(r, 0x2ff000, 1, 1);
    rig_poke(r, 0x4ff000, 2, 1);
    map4(r, LIN, DATA, P | W);
    rig_poke(r, entry_at(r, LIN, 1), 0x200000 | P | W | PS, 8);
    assert_int_equal(read_byte(r, LIN + 0xff000), 1);
    rig_poke(r, entry_at(r, LIN, 1), 0x400000 | P | W | PS, 8);
    r->c.gpr[RBX] = LIN; /* another 4 KiB of the same page */
    run_bytes(r, invlpg, sizeof(invlpg));
    assert_int_equal(read_byte(r, LIN + 0xff000), 2);
    rig_destroy(r);
}

/* WP is looked at on every access, whatever is cached. */
static void wp_takes_effect_at_once(void **state)
{
    static const u8 set_wp[] = { 0x0f, 0x20, 0xc0, 0x0d, 0, 0, 1, 0, 0x0f, 0x22, 0xc0, 0xf4 };
    struct test_rig *r = rig_long(0, false);

    (void)state;
    r->c.cr0 &= ~(u64)CR0_WP;
    map4(r, LIN, DATA, P);
    assert_int_equal(access_page(r, LIN, WRITE), -1);
    run_bytes(r, set_wp, sizeof(set_wp));
    assert_int_equal(access_page(r, LIN, WRITE), EXC_PF);
    assert_int_equal(frame(r, 0), 3);
    rig_destroy(r);
}

/* ---- 32-bit paging: 4.3 ---- */

static struct test_rig *rig_32(u32 cr4)
{
    struct test_rig *r = rig_protected(0);

    for (u32 p = 0; p < 0x20; p++)
        rig_poke(r, TABLES + 0x1000 + 4 * p, p << 12 | P | W | U, 4);
    rig_poke(r, TABLES, (TABLES + 0x1000) | P | W | U, 4);
    r->c.cr3 = TABLES;
    r->c.cr4 = cr4;
    r->c.cr0 |= CR0_PG | CR0_WP;
    cpu_update_mode(&r->c);
    mmu_flush_all(&r->c);
    return r;
}

static void two_levels_and_4_mib_pages(void **state)
{
    struct test_rig *r = rig_32(CR4_PSE);
    u64 pde = TABLES + 4 * (LIN >> 22);

    (void)state;
    rig_poke(r, 0x7abcde, 0x55, 1);
    rig_poke(r, pde, 0x400000 | P | W | PS, 4);
    assert_int_equal(read_byte(r, LIN + 0x3abcde), 0x55);
    assert_int_equal(rig_peek(r, pde, 4) & (A | D), A);
    rig_poke(r, pde, 0x400000 | BIT(21) | P | W | PS, 4); /* table 4-4: reserved */
    mmu_flush_all(&r->c);
    assert_int_equal(access_page(r, LIN, READ), EXC_PF);
    assert_int_equal(frame(r, 0), 9);
    rig_destroy(r);

    r = rig_32(0); /* without PSE, PS means nothing: the entry names a table */
    rig_poke(r, TABLES + 0x2000 + 4 * ((LIN >> 12) & 1023), DATA | P | W, 4);
    rig_poke(r, pde, (TABLES + 0x2000) | P | W | PS, 4);
    rig_poke(r, DATA, 0x44, 1);
    assert_int_equal(read_byte(r, LIN), 0x44);
    rig_destroy(r);
}

/* ---- PAE paging: 4.4 ---- */

static struct test_rig *rig_pae(void)
{
    struct test_rig *r = rig_protected(0);

    for (u64 p = 0; p < 0x20; p++)
        rig_poke(r, TABLES + 0x2000 + 8 * p, p << 12 | P | W | U, 8);
    rig_poke(r, TABLES + 0x1000, (TABLES + 0x2000) | P | W | U, 8);
    rig_poke(r, TABLES, (TABLES + 0x1000) | P, 8);
    r->c.cr3 = TABLES;
    r->c.cr4 = CR4_PAE;
    r->c.msr.efer = EFER_NXE;
    CODE_BYTES(r, 0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0, 0xf4); /* cr0 |= PG */
    expect_done(r, CODE + 12);
    return r;
}

static void pdptes_are_read_with_cr3(void **state)
{
    static const u8 load_cr3[] = { 0x0f, 0x22, 0xd8, 0xf4 };
    struct test_rig *r = rig_pae();

    (void)state;
    /* LIN lies under PDPTE 1. It is there only after CR3 has been loaded again (4.4.1). */
    rig_poke(r, TABLES + 0x3000, 0x200000 | P | W | PS, 8);
    rig_poke(r, TABLES + 8, (TABLES + 0x3000) | P, 8);
    rig_poke(r, 0x212345, 0x33, 1);
    assert_int_equal(access_page(r, LIN + 0x12345, READ), EXC_PF);
    assert_int_equal(frame(r, 0), 0);
    r->c.gpr[RSP] = STACK0 - 0x100;
    r->c.gpr[RAX] = TABLES;
    run_bytes(r, load_cr3, sizeof(load_cr3));
    assert_int_equal(read_byte(r, LIN + 0x12345), 0x33);

    rig_poke(r, TABLES + 8, (TABLES + 0x3000) | P | W, 8); /* table 4-8: bit 1 is reserved */
    r->c.gpr[RAX] = TABLES;
    r->c.rip = CODE;
    r->c.halted = false;
    put_code(r, load_cr3, sizeof(load_cr3));
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(frame(r, 0), 0);
    rig_destroy(r);
}

static void pae_has_nx(void **state)
{
    struct test_rig *r = rig_pae();

    (void)state;
    rig_poke(r, TABLES + 0x2000 + 8 * 0x15, 0x15000 | P | W | NX, 8);
    assert_int_equal(access_page(r, 0x15000, EXEC), EXC_PF);
    assert_int_equal(frame(r, 0), 0x11);
    rig_destroy(r);
}

/* ---- into long mode and out of it: SDM 3A 9.8.5 ---- */

static void into_long_mode_and_out(void **state)
{
    struct test_rig *r = rig_long(0, true); /* for its tables */

    (void)state;
    r->c.cr0 &= ~(u64)CR0_PG;
    r->c.msr.efer = 0;
    r->c.cr4 = 0;
    r->c.cr3 = 0;
    cpu_update_mode(&r->c);
    mmu_flush_all(&r->c);
    CODE_BYTES(r, 0xb9, 0x80, 0, 0, 0xc0, 0xb8, 0, 1, 0, 0, 0x31, 0xd2, 0x0f, 0x30, /* EFER = LME */
               0xb8, CR4_PAE, 0, 0, 0, 0x0f, 0x22, 0xe0,                            /* CR4 = PAE */
               0xb8, 0, 0, 1, 0, 0x0f, 0x22, 0xd8,                                  /* CR3 */
               0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0,             /* PG */
               0xea, 48, CODE >> 8, 0, 0, CODE64, 0,                                /* 64-bit code */
               0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 0xf4);
    expect_done(r, CODE + 59);
    assert_true(r->c.gpr[RAX] == 0x0807060504030201);
    assert_int_equal(r->c.msr.efer, EFER_LME | EFER_LMA);
    /* In 64-bit code PG cannot be cleared (2B MOV CR). */
    r->c.rip = CODE;
    r->c.halted = false;
    CODE_BYTES(r, 0x0f, 0x20, 0xc0, 0x0f, 0xba, 0xf0, 31, 0x0f, 0x22, 0xc0);
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(frame(r, 1), CODE + 7);
    rig_destroy(r);
}

static void bad_control_registers(void **state)
{
    static const struct {
        u64 rax;
        u8 code[3];
    } cases[] = {
        { CR0_PG, { 0x0f, 0x22, 0xc0 } },             /* PG without PE */
        { CR0_PE | CR0_NW, { 0x0f, 0x22, 0xc0 } },    /* NW without CD */
        { 1u << 31, { 0x0f, 0x22, 0xe0 } },           /* reserved in CR4 */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct test_rig *r = rig_protected(0);

        r->c.gpr[RAX] = cases[i].rax;
        put_code(r, cases[i].code, 3);
        expect_fault(r, EXC_GP, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rights_and_error_codes),
        cmocka_unit_test(a_level_above_can_take_rights_away),
        cmocka_unit_test(nx_needs_nxe),
        cmocka_unit_test(accessed_and_dirty_bits),
        cmocka_unit_test(a_write_over_a_page_border_is_all_or_nothing),
        cmocka_unit_test(the_parts_of_an_access_over_a_page_border),
        cmocka_unit_test(a_read_modify_write_faults_as_a_write),
        cmocka_unit_test(segment_loads_at_level_3_read_a_supervisors_gdt),
        cmocka_unit_test(pages_of_2_mib_and_1_gib),
        cmocka_unit_test(reserved_bits_of_large_pages),
        cmocka_unit_test(a_stale_translation_stays_until_it_is_invalidated),
        cmocka_unit_test(a_stale_fetch_lasts_until_it_is_invalidated),
        cmocka_unit_test(global_pages),
        cmocka_unit_test(more_rights_are_seen_at_once),
        cmocka_unit_test(a_page_that_moves_without_a_flush),
        cmocka_unit_test(invlpg_drops_all_of_a_large_page),
        cmocka_unit_test(wp_takes_effect_at_once),
        cmocka_unit_test(two_levels_and_4_mib_pages),
        cmocka_unit_test(pdptes_are_read_with_cr3),
        cmocka_unit_test(pae_has_nx),
        cmocka_unit_test(into_long_mode_and_out),
        cmocka_unit_test(bad_control_registers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
