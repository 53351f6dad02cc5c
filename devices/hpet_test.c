/* HPET, expected values from the IA-PC HPET specification 1.0a; capabilities, and what registers hold
 * out of reset, are what QEMU 7.2's shows (xp /2gx 0xfed00000, xp /8gx 0xfed00100). */
#include "devices/hpet.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { IRQ0, IRQ8, PIN };
enum { LEVEL = 2, ENABLED = 4, PERIODIC = 8, SET_VALUE = 0x40, AS_32 = 0x100, PIN_2 = 2 << 9 };
enum { ACCESS_NS = 200 };

static struct bench b;
static struct hpet h;

static u64 rd(unsigned off, unsigned size)
{
    u64 v = bus_read(&b.mem, 0xfed00000u + off, size);

    clock_fire_due(&b.clk);
    return v;
}

static void wr(unsigned off, u64 v, unsigned size)
{
    bus_write(&b.mem, 0xfed00000u + off, v, size);
    clock_fire_due(&b.clk);
}

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    memset(&h, 0, sizeof(h));
    bench_attach(&b, &h.dev, &hpet_class,
                 &(struct hpet_cfg){ bench_wire(&b, IRQ0), bench_wire(&b, IRQ8), bench_wire(&b, PIN) });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_fini(&b);
    return 0;
}

static void registers(void **state)
{
    (void)state;
    assert_int_equal(rd(0, 8), 0x009896808086a201);
    for (unsigned n = 0; n < 3; n++) {
        assert_int_equal(rd(0x100 + 0x20 * n, 8), 0x0000000400000030);
        assert_int_equal(rd(0x108 + 0x20 * n, 8), ~0ull);
        assert_int_equal(rd(0x110 + 0x20 * n, 8), 0);
    }
    wr(0, 0, 8);
    assert_int_equal(rd(4, 4), 10000000); /* femtoseconds */
    wr(0x100, 0xffffffffffff0000 | 5 << 9, 8); /* an input that it cannot have */
    assert_int_equal(rd(0x100, 4) >> 9 & 31, 0);
    wr(0x100, PIN_2, 4);
    assert_int_equal(rd(0x100, 4) >> 9 & 31, 2);
}

static void the_counter(void **state)
{
    u64 v;

    (void)state;
    bench_pass(&b, 10000);
    assert_int_equal(rd(0xf0, 8), 0); /* halted */
    wr(0xf0, 0x1fffffff0, 8);
    wr(0x10, 1, 4);
    v = rd(0xf0, 8);
    assert_int_equal(v, 0x1fffffff0 + ACCESS_NS / 10);
    bench_pass(&b, 1000000);
    assert_int_equal(rd(0xf0, 8) - v, (1000000 + ACCESS_NS) / 10);
    assert_int_equal(rd(0xf4, 4), 2);
    wr(0x10, 0, 4);
    v = rd(0xf0, 8);
    bench_pass(&b, 1000000);
    assert_int_equal(rd(0xf0, 8), v); /* it keeps its value */
}

static void one_shot_edge(void **state)
{
    (void)state;
    wr(0x120, ENABLED | PIN_2, 4);
    wr(0x128, 1000, 8);
    wr(0x10, 1, 4);
    bench_pass(&b, 9999);
    assert_int_equal(b.rises[PIN], 0);
    bench_pass(&b, 1);
    assert_int_equal(b.rises[PIN], 1);
    assert_int_equal(rd(0x20, 4), 0); /* edges have no status */
    bench_pass(&b, 100 * NS_PER_SEC);
    assert_int_equal(b.rises[PIN], 1); /* it would match again in 5849 years */
}

static void one_shot_of_32_bits_matches_once_a_round(void **state)
{
    (void)state;
    wr(0x100, ENABLED | AS_32 | PIN_2, 4);
    wr(0x108, 1000, 4);
    wr(0x10, 1, 4);
    bench_pass(&b, 10000);
    assert_int_equal(b.rises[PIN], 1);
    bench_pass(&b, (1ull << 32) * 10 - 1);
    assert_int_equal(b.rises[PIN], 1);
    bench_pass(&b, 1);
    assert_int_equal(b.rises[PIN], 2);
}

static void levels_stand_until_they_are_cleared(void **state)
{
    (void)state;
    wr(0x140, ENABLED | LEVEL | PIN_2, 4);
    wr(0x148, 100, 8);
    wr(0x10, 1, 4);
    bench_pass(&b, 2000);
    assert_true(b.level[PIN]);
    assert_int_equal(rd(0x20, 4), 1 << 2);
    wr(0x20, 3, 4); /* other bits */
    assert_true(b.level[PIN]);
    wr(0x20, 4, 4);
    assert_false(b.level[PIN]);
    assert_int_equal(rd(0x20, 4), 0);
    wr(0x140, LEVEL | PIN_2, 4); /* without enable the status is set, the line is not driven (2.3.8) */
    wr(0x148, rd(0xf0, 8) + 1000, 8);
    bench_pass(&b, 20000);
    assert_int_equal(rd(0x20, 4), 4);
    assert_false(b.level[PIN]);
}

/* The two writes of 2.3.9.2.2: where it begins, then the period. */
static void periodic(void **state)
{
    (void)state;
    wr(0x100, ENABLED | PERIODIC | SET_VALUE | PIN_2, 4);
    wr(0x108, 5000, 8);
    wr(0x108, 1000, 8);
    wr(0x10, 1, 4);
    bench_pass(&b, 49999);
    assert_int_equal(b.rises[PIN], 0);
    bench_pass(&b, 1);
    assert_int_equal(b.rises[PIN], 1);
    assert_int_equal(rd(0x108, 8), 6000);
    bench_pass(&b, 100000 - ACCESS_NS);
    assert_int_equal(b.rises[PIN], 11);
}

static void legacy_replacement(void **state)
{
    (void)state;
    hpet_set_legacy(&h, 0, true);
    hpet_set_legacy(&h, 1, true);
    assert_true(b.level[IRQ0] && b.level[IRQ8]);
    wr(0x100, ENABLED | PERIODIC | SET_VALUE, 4);
    wr(0x108, 1000, 8);
    wr(0x10, 3, 4);
    assert_false(b.level[IRQ0] || b.level[IRQ8]);
    hpet_set_legacy(&h, 0, false);
    hpet_set_legacy(&h, 0, true); /* is not heard */
    assert_int_equal(b.rises[IRQ0], 1);
    bench_pass(&b, 30000);
    assert_int_equal(b.rises[IRQ0], 4);
    assert_true(b.level[IRQ0]); /* an 8259 must find the edge still there */
    assert_int_equal(b.rises[PIN], 0);
    wr(0x120, ENABLED, 4);
    wr(0x128, rd(0xf0, 8) + 1000, 8);
    bench_pass(&b, 20000);
    assert_int_equal(b.rises[IRQ8], 2);
    hpet_set_legacy(&h, 0, false);
    wr(0x10, 1, 4); /* the old lines again */
    assert_false(b.level[IRQ0]);
    assert_true(b.level[IRQ8]);
}

static void nearest_period(void **state)
{
    (void)state;
    wr(0x100, ENABLED | PERIODIC | SET_VALUE | PIN_2, 4);
    wr(0x108, 1, 8);
    wr(0x10, 1, 4);
    bench_pass(&b, 1000000);
    assert_in_range(b.rises[PIN], 900, 1001);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(registers), T(the_counter), T(one_shot_edge), T(one_shot_of_32_bits_matches_once_a_round),
        T(levels_stand_until_they_are_cleared), T(periodic), T(legacy_replacement), T(nearest_period),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
