/* 8254, expected values from Intel 231164: modes, latches, read-back; port 61h. */
#include "devices/pit.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct bench b;
static struct pit pit;

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    bench_attach(&b, &pit.dev, &pit_class, &(struct pit_cfg){ .irq0 = bench_wire(&b, 0), .speaker = bench_wire(&b, 1) });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dev_fini(&pit.dev);
    bench_fini(&b);
    return 0;
}

static void out(u16 port, u8 v)
{
    bench_out(&b, port, v, 1);
}

static u8 in(u16 port)
{
    return (u8)bench_in(&b, port, 1);
}

/* Waits until the PIT's clock has made n more cycles. */
static void clks(u64 n)
{
    u64 now = clock_muldiv(clock_ticks(&b.clk), 1193182, NS_PER_SEC);

    while (clock_muldiv(clock_ticks(&b.clk), 1193182, NS_PER_SEC) < now + n)
        bench_pass(&b, 100);
}

static void interrupts_in_a_second(void **state)
{
    /* Control word, count; rising edges of OUT 0 in one second at 1.193182 MHz. */
    static const struct { u8 control; u16 count; unsigned low, high; } rows[] = {
        { 0x36, 0, 18, 19 },       /* mode 3, 65536: 18.2 Hz */
        { 0x34, 0, 18, 19 },       /* mode 2 */
        { 0x34, 11932, 99, 101 },  /* 100 Hz */
        { 0x36, 1193, 999, 1001 },
        { 0x3e, 1193, 999, 1001 }, /* mode 7 is mode 3 */
        { 0x35, 0x1000, 1192, 1194 }, /* BCD: 1000 */
        { 0x37, 0x0000, 118, 120 },   /* BCD: 10000 */
        { 0x30, 1000, 1, 1 },      /* mode 0: once */
        { 0x38, 1000, 0, 1 },      /* mode 4: one strobe, whose end rises */
        { 0x32, 1000, 0, 0 },      /* mode 1 waits for its gate, which is high for good */
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned n;

        out(0x43, rows[i].control);
        out(0x40, (u8)rows[i].count);
        out(0x40, rows[i].count >> 8);
        b.rises[0] = 0;
        bench_pass(&b, NS_PER_SEC);
        n = b.rises[0];
        if (n < rows[i].low || n > rows[i].high)
            fail_msg("control %02x count %u: %u interrupts", rows[i].control, rows[i].count, n);
    }
}

static void a_latch_holds_until_it_is_read(void **state)
{
    u16 first, second;

    (void)state;
    out(0x43, 0x34);
    out(0x40, 0x00);
    out(0x40, 0x80);
    clks(1000);
    out(0x43, 0x00); /* latch counter 0 */
    clks(3000);
    out(0x43, 0x00); /* ignored: the first has not been read */
    first = in(0x40);
    first |= (u16)(in(0x40) << 8);
    second = in(0x40);
    second |= (u16)(in(0x40) << 8);
    assert_in_range(first, 0x8000 - 1010, 0x8000 - 1000);
    assert_in_range(second, 0x8000 - 4030, 0x8000 - 4000);
}

static void bytes_as_the_access_bits_say(void **state)
{
    (void)state;
    out(0x43, 0x10); /* counter 0, LSB only, mode 0 */
    out(0x40, 200);
    clks(50);
    out(0x43, 0x00);
    assert_in_range(in(0x40), 145, 150);
    out(0x43, 0x20); /* MSB only */
    out(0x40, 0x12);
    out(0x43, 0x00);
    assert_int_equal(in(0x40), 0x11); /* counting down from 1200h */
}

static void read_back_gives_status_before_count(void **state)
{
    u8 status;

    (void)state;
    out(0x43, 0x34);
    out(0x43, 0xe2); /* status of counter 0: no count yet */
    assert_int_equal(in(0x40), 0x80 | 0x40 | 0x34); /* OUT high, null count, access 3, mode 2 */
    out(0x40, 0x00);
    out(0x40, 0x10);
    clks(10);
    out(0x43, 0xc2); /* status and count */
    status = in(0x40);
    assert_int_equal(status & 0x7f, 0x34);
    assert_in_range(in(0x40), 0xd0, 0xf6);
    assert_int_equal(in(0x40), 0x0f);
    out(0x43, 0x30); /* mode 0: OUT is low until the count ends */
    out(0x40, 100);
    out(0x40, 0);
    out(0x43, 0xe2);
    assert_int_equal(in(0x40), 0x30);
    clks(101);
    out(0x43, 0xe2);
    assert_int_equal(in(0x40), 0xb0);
}

static void counter_2_behind_port_61(void **state)
{
    u8 before;

    (void)state;
    assert_int_equal(in(0x61) & 0x0f, 0);
    out(0x61, 1);      /* gate on, speaker off */
    out(0x43, 0xb0);   /* mode 0 */
    out(0x42, 0xa9);   /* 1193: a millisecond */
    out(0x42, 0x04);
    assert_int_equal(in(0x61) & 0x2f, 0x01);
    bench_pass(&b, 500000);
    out(0x61, 0);      /* the gate holds counting */
    bench_pass(&b, 5000000);
    assert_int_equal(in(0x61) & 0x20, 0);
    out(0x61, 1);
    bench_pass(&b, 480000);
    assert_int_equal(in(0x61) & 0x20, 0);
    bench_pass(&b, 50000);
    assert_int_equal(in(0x61) & 0x20, 0x20);
    assert_int_equal(b.rises[1], 0);
    out(0x61, 3);
    assert_true(b.level[1]);
    before = in(0x61) & 0x10; /* refresh: changes every 15 us */
    bench_pass(&b, 14085);
    assert_int_not_equal(in(0x61) & 0x10, before);
}

static void mode_1_is_started_by_its_gate(void **state)
{
    (void)state;
    out(0x61, 0);
    out(0x43, 0xb2);
    out(0x42, 0xe8); /* 1000 */
    out(0x42, 0x03);
    assert_int_equal(in(0x61) & 0x20, 0x20);
    out(0x61, 1);
    assert_int_equal(in(0x61) & 0x20, 0);
    clks(900);
    out(0x61, 0); /* the gate's level does not matter; another edge starts anew */
    out(0x61, 1);
    clks(900);
    assert_int_equal(in(0x61) & 0x20, 0);
    clks(110);
    assert_int_equal(in(0x61) & 0x20, 0x20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(interrupts_in_a_second), TEST(a_latch_holds_until_it_is_read), TEST(bytes_as_the_access_bits_say),
        TEST(read_back_gives_status_before_count), TEST(counter_2_behind_port_61), TEST(mode_1_is_started_by_its_gate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
