/* The bus: widths, overlaps, unclaimed addresses. Expected: what core/bus.h promises. */
#include "core/bus.h"
#include "core/clock.h"
#include "core/log.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Reads give the region's letter in each byte plus the offset; accesses are written down. */
struct fake {
    struct bus_region region;
    u8 letter;
    char calls[128];
};

static u64 fake_read(void *dev, u64 off, unsigned size)
{
    struct fake *f = dev;
    u64 v = 0;

    for (unsigned i = 0; i < size; i++)
        v |= (u64)(u8)(f->letter + off + i) << (8 * i);
    sprintf(f->calls + strlen(f->calls), "r%u@%llx ", size, (unsigned long long)off);
    return v | (size < 8 ? ~0ull << (8 * size) : 0); /* garbage above: the bus cuts it */
}

static void fake_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct fake *f = dev;

    sprintf(f->calls + strlen(f->calls), "w%u@%llx=%llx ", size, (unsigned long long)off, (unsigned long long)v);
}

static const struct bus_ops any = { fake_read, fake_write, 1 | 2 | 4 | 8 };
static const struct bus_ops bytes = { fake_read, fake_write, 1 };
static const struct bus_ops dwords = { fake_read, fake_write, 4 };

static struct {
    struct clock clk;
    struct log log;
    struct bus bus;
    FILE *quiet;
} t;

static int setup(void **state)
{
    (void)state;
    t.quiet = fopen("/dev/null", "w");
    log_init(&t.log, t.quiet, 0);
    clock_init(&t.clk);
    bus_init(&t.bus, "io", 0x10000, 1000, &t.clk, &t.log, NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bus_fini(&t.bus);
    clock_fini(&t.clk);
    log_fini(&t.log);
    return fclose(t.quiet);
}

static struct fake fake(u64 base, u64 len, u8 letter, const struct bus_ops *ops, int priority)
{
    return (struct fake){ .region = { .base = base, .len = len, .ops = ops, .name = "fake", .priority = priority },
                          .letter = letter };
}

static void map(struct fake *f)
{
    f->region.dev = f;
    assert_int_equal(bus_map(&t.bus, &f->region), 0);
}

static void widths_are_split_lowest_address_first(void **state)
{
    static const struct { u64 addr; unsigned size; u64 value; const char *calls; } rows[] = {
        { 0x100, 1, 0x10, "r1@0 " },
        { 0x100, 4, 0x13121110, "r1@0 r1@1 r1@2 r1@3 " },
        { 0x206, 2, 0x2726, "r2@6 " },
        { 0x201, 4, 0x24232221, "r1@1 r2@2 r1@4 " },       /* misaligned */
        { 0x301, 1, 0x31, "r4@0 " },                       /* out of the aligned wider unit */
        { 0x302, 2, 0x3332, "r4@0 r4@0 " },
        { 0x10f, 2, 0xff1f, "r1@f " },                     /* over the end: the rest is unclaimed */
        { 0x0fe, 4, 0x1110ffff, "r1@0 r1@1 " },
    };
    struct fake f[3] = { fake(0x100, 16, 0x10, &bytes, 0), fake(0x200, 16, 0x20, &any, 0), fake(0x300, 16, 0x30, &dwords, 0) };

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        map(&f[i]);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct fake *x = &f[rows[i].addr < 0x200 ? 0 : rows[i].addr / 0x100 - 1];

        x->calls[0] = 0;
        assert_int_equal(bus_read(&t.bus, rows[i].addr, rows[i].size), rows[i].value);
        assert_string_equal(x->calls, rows[i].calls);
    }
    f[0].calls[0] = 0;
    bus_write(&t.bus, 0x10e, 0x11223344, 4);
    assert_string_equal(f[0].calls, "w1@e=44 w1@f=33 ");
    f[2].calls[0] = 0;
    bus_write(&t.bus, 0x300, 0xaabb, 2); /* too narrow: dropped, and counted as the guest's error */
    assert_string_equal(f[2].calls, "");
    assert_int_equal(t.log.nr_sites, 1);
}

static void unclaimed_reads_are_ones_and_counted(void **state)
{
    (void)state;
    assert_int_equal(bus_read(&t.bus, 0x80, 1), 0xff);
    assert_int_equal(bus_read(&t.bus, 0x80, 4), 0xffffffff);
    bus_write(&t.bus, 0x84, 1, 2);
    assert_int_equal(t.bus.nr_unclaimed, 3);
    assert_int_equal(t.bus.nr_unclaimed_kept, 2);
    assert_int_equal(t.bus.unclaimed[1], 0x84);
}

static void the_highest_region_answers(void **state)
{
    struct fake low = fake(0x100, 16, 0x10, &any, 0), equal = fake(0x108, 16, 0x20, &any, 0);
    struct fake high = fake(0x104, 1, 0x30, &any, 1), late = fake(0x100, 2, 0x40, &any, -1);

    (void)state;
    map(&high);
    map(&low);
    map(&equal);
    map(&late);
    assert_int_equal(bus_read(&t.bus, 0x104, 1), 0x30);
    assert_int_equal(bus_read(&t.bus, 0x105, 1), 0x15);
    assert_int_equal(bus_read(&t.bus, 0x108, 1), 0x20); /* the later mapped among equals */
    assert_int_equal(bus_read(&t.bus, 0x100, 1), 0x10);
    bus_move(&t.bus, &high.region, 0x104, false);
    assert_int_equal(bus_read(&t.bus, 0x104, 1), 0x14);
    bus_unmap(&t.bus, &equal.region);
    assert_int_equal(bus_read(&t.bus, 0x108, 1), 0x18);
}

static void places_that_do_not_fit_are_refused(void **state)
{
    struct fake f = fake(0xfff8, 8, 0x10, &any, 0), big = fake(0xfff9, 8, 0, &any, 0), none = fake(0, 0, 0, &any, 0);

    (void)state;
    assert_int_equal(bus_map(&t.bus, &big.region), -1);
    assert_int_equal(bus_map(&t.bus, &none.region), -1);
    map(&f);
    assert_true(f.region.on);
    bus_move(&t.bus, &f.region, 0xfffc, true);
    assert_false(f.region.on);
    bus_move(&t.bus, &f.region, ~0ull - 3, true);
    assert_false(f.region.on);
}

static void an_access_is_charged_once(void **state)
{
    struct fake f = fake(0x100, 16, 0x10, &bytes, 0);

    (void)state;
    map(&f);
    bus_read(&t.bus, 0x100, 4);
    bus_write(&t.bus, 0x100, 0, 1);
    assert_int_equal(clock_ticks(&t.clk), 2000);
    assert_int_equal(clock_icount(&t.clk), 0);
    assert_int_equal(t.bus.nr_accesses, 2);
    assert_int_equal(f.region.nr_reads, 4);
    assert_int_equal(f.region.nr_writes, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(widths_are_split_lowest_address_first), TEST(unclaimed_reads_are_ones_and_counted),
        TEST(the_highest_region_answers), TEST(places_that_do_not_fit_are_refused),
        TEST(an_access_is_charged_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
