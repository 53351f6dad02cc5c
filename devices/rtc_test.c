/* MC146818A, expected values from its data sheet: calendar, alarms, periodic rates, update cycle. */
#include "devices/rtc.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct bench b;
static struct rtc rtc;

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    memset(&rtc, 0, sizeof(rtc));
    /* 2024-02-28 23:59:57 UTC, a Wednesday: date -d @1709164797 */
    bench_attach(&b, &rtc.dev, &rtc_class, &(struct rtc_cfg){ .irq8 = bench_wire(&b, 8), .start_seconds = 1709164797 });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dev_fini(&rtc.dev);
    bench_fini(&b);
    return 0;
}

static u8 get(u8 i)
{
    return bench_get(&b, 0x70, i);
}

static void put(u8 i, u8 v)
{
    bench_put(&b, 0x70, i, v);
}

/* Sets century, year, month, day, weekday, hour, minute, second, as they would stand there. */
static void set(const u8 v[8])
{
    static const u8 regs[8] = { 0x32, 9, 8, 7, 6, 4, 2, 0 };

    put(0x0b, get(0x0b) | 0x80);
    for (unsigned i = 0; i < 8; i++)
        put(regs[i], v[i]);
    put(0x0b, get(0x0b) & 0x7f);
}

static void expect(const u8 v[8])
{
    static const u8 regs[8] = { 0x32, 9, 8, 7, 6, 4, 2, 0 };

    for (unsigned i = 0; i < 8; i++)
        if (get(regs[i]) != v[i])
            fail_msg("register %02x is %02x, not %02x", regs[i], get(regs[i]), v[i]);
}

static void calendar(void **state)
{
    /* Register B, a moment, and two seconds later. */
    static const struct { u8 b, before[8], after[8]; } rows[] = {
        { 0x02, { 0x20, 0x24, 0x02, 0x28, 4, 0x23, 0x59, 0x58 }, { 0x20, 0x24, 0x02, 0x29, 5, 0x00, 0x00, 0x00 } },
        { 0x02, { 0x20, 0x23, 0x02, 0x28, 3, 0x23, 0x59, 0x58 }, { 0x20, 0x23, 0x03, 0x01, 4, 0x00, 0x00, 0x00 } },
        { 0x02, { 0x21, 0x00, 0x02, 0x28, 1, 0x23, 0x59, 0x58 }, { 0x21, 0x00, 0x03, 0x01, 2, 0x00, 0x00, 0x00 } },
        { 0x02, { 0x20, 0x00, 0x02, 0x28, 2, 0x23, 0x59, 0x58 }, { 0x20, 0x00, 0x02, 0x29, 3, 0x00, 0x00, 0x00 } },
        { 0x02, { 0x19, 0x99, 0x12, 0x31, 7, 0x23, 0x59, 0x59 }, { 0x20, 0x00, 0x01, 0x01, 1, 0x00, 0x00, 0x01 } },
        { 0x06, { 0x20, 99, 12, 31, 5, 23, 59, 58 }, { 0x21, 0, 1, 1, 6, 0, 0, 0 } },              /* binary */
        { 0x00, { 0x20, 0x24, 0x04, 0x30, 3, 0x11, 0x59, 0x58 }, { 0x20, 0x24, 0x04, 0x30, 3, 0x92, 0x00, 0x00 } }, /* noon */
        { 0x00, { 0x20, 0x24, 0x04, 0x30, 3, 0x91, 0x59, 0x58 }, { 0x20, 0x24, 0x05, 0x01, 4, 0x12, 0x00, 0x00 } }, /* midnight */
        { 0x04, { 0x20, 24, 4, 30, 3, 0x8c, 59, 58 }, { 0x20, 24, 4, 30, 3, 0x81, 0, 0 } },        /* 1 pm, binary */
    };

    (void)state;
    expect((const u8[8]){ 0x20, 0x24, 0x02, 0x28, 4, 0x23, 0x59, 0x57 });
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        put(0x0a, 0x76); /* stop the divider, so that the first update comes half a second later */
        put(0x0b, rows[i].b);
        set(rows[i].before);
        put(0x0a, 0x26);
        bench_pass(&b, 1600000000);
        expect(rows[i].after);
    }
}

static void set_freezes_and_uie_goes(void **state)
{
    u8 sec = get(0);

    (void)state;
    put(0x0b, 0x92); /* SET clears UIE */
    assert_int_equal(get(0x0b), 0x82);
    bench_pass(&b, 5 * NS_PER_SEC);
    assert_int_equal(get(0), sec);
}

static void update_in_progress_before_each_second(void **state)
{
    unsigned seen = 0, n = 0;
    u8 sec;

    (void)state;
    put(0x0a, 0x26);
    sec = get(0);
    while (get(0) == sec)
        bench_pass(&b, 10000);
    for (u64 end = clock_ticks(&b.clk) + NS_PER_SEC; clock_ticks(&b.clk) < end; n++) {
        seen += get(0x0a) >> 7;
        bench_pass(&b, 8000);
    }
    assert_int_equal(n, 100000);
    assert_in_range(seen, 22, 26); /* 244 us of each second */
    put(0x0a, 0x76);
    bench_pass(&b, 999900000);
    assert_int_equal(get(0x0a), 0x76); /* a stopped divider updates nothing */
}

static void periodic_rates(void **state)
{
    /* Data sheet, table 5, with a 32.768 kHz base. */
    static const struct { u8 rs; unsigned hz; } rows[] = {
        { 6, 1024 }, { 1, 256 }, { 2, 128 }, { 3, 8192 }, { 10, 64 }, { 15, 2 }, { 0, 0 },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        unsigned n = 0;

        put(0x0a, 0x20 | rows[i].rs);
        put(0x0b, 0x42);
        get(0x0c);
        for (u64 end = clock_ticks(&b.clk) + NS_PER_SEC; clock_ticks(&b.clk) < end;) {
            if (b.level[8]) {
                assert_int_equal(get(0x0c) & 0xc0, 0xc0);
                n++;
            }
            bench_pass(&b, 20000);
        }
        assert_in_range(n + 1, rows[i].hz, rows[i].hz + 2);
    }
}

static void alarms(void **state)
{
    (void)state;
    put(0x0b, 0x02);
    set((const u8[8]){ 0x20, 0x24, 0x03, 0x01, 6, 0x12, 0x00, 0x00 });
    put(1, 0x05), put(3, 0xff), put(5, 0xc0); /* hh:mm:05, whatever the minute and hour */
    get(0x0c);
    put(0x0b, 0x22);
    for (unsigned round = 0; round < 2; round++) {
        unsigned seconds = 0;

        while (!b.level[8] && seconds++ < 70)
            bench_pass(&b, NS_PER_SEC);
        assert_int_equal(get(0), 0x05);
        assert_int_equal(get(0x0c), 0xb0); /* IRQF, AF, UF */
        assert_int_equal(get(0x0c), 0);    /* reading clears */
        assert_false(b.level[8]);
    }
    assert_int_equal(get(2), 0x01);
}

static void memory_and_fixed_bits(void **state)
{
    (void)state;
    assert_int_equal(get(0x0d), 0x80); /* the battery is good */
    put(0x0d, 0x00);
    assert_int_equal(get(0x0d), 0x80);
    put(0x0a, 0xa6);
    assert_int_equal(get(0x0a) & 0x7f, 0x26); /* UIP is read-only */
    put(0x40, 0x5a);
    bench_put(&b, 0x72, 0x40, 0xa5); /* the other bank */
    dev_reset(&rtc.dev, RESET_HARD);
    assert_int_equal(get(0xc0), 0x5a); /* bit 7 of the index masks NMI */
    assert_int_equal(bench_get(&b, 0x72, 0x40), 0xa5);
    assert_int_equal(bench_in(&b, 0x70, 1), 0xff);
    put(0x0b, 0x7a);
    dev_reset(&rtc.dev, RESET_HARD);
    assert_int_equal(get(0x0b), 0x02); /* RESET clears PIE, AIE, UIE, SQWE */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(calendar), TEST(set_freezes_and_uie_goes), TEST(update_in_progress_before_each_second),
        TEST(periodic_rates), TEST(alarms), TEST(memory_and_fixed_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
