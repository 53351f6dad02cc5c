/*
 * Code whose instructions cross a page: they are kept, as others are, and what has become of their second part counts
 * (SDM 3A 11.6, self-modifying code; 4.10, what a fetch may use). Runs in all engines.
 */
#include "cpu/test_rig.h"

enum { LOOP = 0x6ffa, ROUNDS = 40, ELSEWHERE = 0x1c000 };

/*  6ffa  ff c9                   dec ecx
 *  6ffc  b8 01 00 02 | 00        mov eax, 00020001h
 *  7001  01 c3                   add ebx, eax
 *  7003  ...                     what the test does in the loop
 *        85 c9  75 ..  f4        test ecx, ecx; jnz; hlt */
static struct test_rig *rig_loop(const u8 *more, unsigned n)
{
    static const u8 head[] = { 0xff, 0xc9, 0xb8, 0x01, 0x00, 0x02, 0x00, 0x01, 0xc3 };
    struct test_rig *r = rig_long(0, false);
    u8 code[64];

    memcpy(code, head, sizeof(head));
    memcpy(code + sizeof(head), more, n);
    n += sizeof(head);
    memcpy(code + n, (const u8[]){ 0x85, 0xc9, 0x75, (u8)-(n + 4), 0xf4 }, 5);
    memcpy(rig_ram(r, LOOP), code, n + 5);
    mem_view_wrote(&r->view, LOOP, n + 5);
    r->c.rip = LOOP;
    r->c.gpr[RCX] = ROUNDS;
    return r;
}
#define LOOP_OF(...) rig_loop((const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))
#define NOTHING 0x90

static void run_to_hlt(struct test_rig *r)
{
    assert_int_equal(rig_run(r, 100000), STOP_HALT);
    assert_int_equal(r->c.gpr[RCX], 0);
}

static void it_runs_again_and_again(void **state)
{
    struct test_rig *r = LOOP_OF(NOTHING);

    (void)state;
    run_to_hlt(r);
    assert_int_equal(r->c.gpr[RBX], ROUNDS * 0x20001);
    rig_destroy(r);
}

static void slices_end_at_it_and_behind_it(void **state)
{
    (void)state;
    for (unsigned len = 1; len < 20; len++) {
        struct test_rig *r = LOOP_OF(NOTHING);

        while (rig_run(r, len) == STOP_SLICE)
            ;
        assert_int_equal(r->c.gpr[RBX], ROUNDS * 0x20001);
        assert_int_equal(clock_icount(&r->clk), ROUNDS * 6 + 1);
        rig_destroy(r);
    }
}

/* The loop writes the counter to a byte of its own constant, whose place there is `shift`. */
static void expect_written(u16 to, unsigned shift)
{
    struct test_rig *r = LOOP_OF(0x88, 0x0c, 0x25, (u8)to, (u8)(to >> 8), 0x00, 0x00); /* mov [to], cl */
    u32 sum = 0x20001;

    run_to_hlt(r);
    for (unsigned cl = ROUNDS - 1; cl > 0; cl--)
        sum += (0x20001 & ~(0xffu << shift)) | cl << shift;
    assert_int_equal(r->c.gpr[RBX], sum);
    rig_destroy(r);
}

static void both_parts_may_be_written(void **state)
{
    (void)state;
    expect_written(0x7000, 24);
    expect_written(0x6ffd, 0);
}

static void a_device_may_write_it(void **state)
{
    struct test_rig *r = LOOP_OF(NOTHING);

    (void)state;
    assert_int_equal(rig_run(r, 6 * 20), STOP_SLICE);
    rig_poke(r, 0x7000, 5, 1);
    run_to_hlt(r);
    assert_int_equal(r->c.gpr[RBX], 20 * 0x20001u + 20 * 0x05020001u);
    rig_destroy(r);
}

static u64 *entry_of(struct test_rig *r, u64 lin)
{
    u64 table = TABLES;

    for (unsigned level = 3; level > 0; level--)
        table = rig_peek(r, table + ((lin >> (12 + 9 * level)) & 511) * 8, 8) & 0xffffff000;
    return (u64 *)rig_ram(r, table + ((lin >> 12) & 511) * 8);
}

/* Twenty rounds with the page at 7000h, then INVLPG and twenty with another. */
static void another_page_may_be_there(void **state)
{
    struct test_rig *r = LOOP_OF(NOTHING);

    (void)state;
    memcpy(rig_ram(r, ELSEWHERE), rig_ram(r, 0x7000), 0x1000);
    rig_poke(r, ELSEWHERE, 9, 1);
    assert_int_equal(rig_run(r, 6 * 20), STOP_SLICE);
    *entry_of(r, 0x7000) = ELSEWHERE | 7;
    mmu_flush_page(&r->c, 0x7000);
    run_to_hlt(r);
    assert_int_equal(r->c.gpr[RBX], 20 * 0x20001u + 20 * 0x09020001u);
    rig_destroy(r);
}

static void the_page_may_be_gone(void **state)
{
    struct test_rig *r = LOOP_OF(NOTHING);

    (void)state;
    r->c.gpr[RSP] = STACK3; /* not there */
    assert_int_equal(rig_run(r, 6 * 20), STOP_SLICE);
    *entry_of(r, 0x7000) = 0;
    mmu_flush_page(&r->c, 0x7000);
    assert_int_equal(run_to_fault(r), EXC_PF);
    assert_int_equal(r->c.cr2, 0x7000);
    assert_int_equal(frame(r, 1), LOOP + 2);
    assert_int_equal(r->c.gpr[RBX], 20 * 0x20001);
    rig_destroy(r);
}

/* The same code at two addresses, with two second parts. */
static void an_alias_may_go_on_elsewhere(void **state)
{
    struct test_rig *r = LOOP_OF(NOTHING);

    (void)state;
    memcpy(rig_ram(r, ELSEWHERE), rig_ram(r, 0x7000), 0x1000);
    rig_poke(r, ELSEWHERE, 7, 1);
    map4(r, 0x40006000, 0x6000, 7);
    map4(r, 0x40007000, ELSEWHERE, 7);
    for (unsigned turn = 0; turn < 4; turn++) {
        r->c.rip = turn & 1 ? 0x40000000 + LOOP : LOOP;
        r->c.gpr[RBX] = 0;
        r->c.gpr[RCX] = ROUNDS;
        r->c.halted = HALT_NONE;
        run_to_hlt(r);
        assert_int_equal(r->c.gpr[RBX], ROUNDS * (turn & 1 ? 0x07020001u : 0x20001u));
    }
    rig_destroy(r);
}

/* A page's end in 32-bit code is the segment's, too: #GP comes before the second part is fetched. */
static void the_limit_comes_first(void **state)
{
    struct test_rig *r = rig_protected(0);

    (void)state;
    memcpy(rig_ram(r, 0x6ffd), (const u8[]){ 0xb8, 1, 2, 3, 4, 0xe9, 0xf6, 0xff, 0xff, 0xff }, 10); /* mov eax, ..; jmp back */
    mem_view_wrote(&r->view, 0x6ffd, 10);
    r->c.rip = 0x6ffd;
    assert_int_equal(rig_run(r, 20), STOP_SLICE);
    assert_int_equal(r->c.gpr[RAX], 0x04030201);
    r->c.seg[CS].limit = 0x7000;
    r->c.rip = 0x6ffd;
    mmu_flush_fast(&r->c);
    assert_int_equal(run_to_fault(r), EXC_GP);
    assert_int_equal(frame(r, 1), 0x6ffd);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_runs_again_and_again),
        cmocka_unit_test(slices_end_at_it_and_behind_it),
        cmocka_unit_test(both_parts_may_be_written),
        cmocka_unit_test(a_device_may_write_it),
        cmocka_unit_test(another_page_may_be_there),
        cmocka_unit_test(the_page_may_be_gone),
        cmocka_unit_test(an_alias_may_go_on_elsewhere),
        cmocka_unit_test(the_limit_comes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
