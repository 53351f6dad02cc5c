/*
 * 440FX, PIIX3, PIIX4 and the PCI bus: expected values from PCI 2.1 chapters 3 and 6, Intel
 * 290549, 290550, 290562 and ACPI 1.0b.
 */
#include "devices/i440fx.h"
#include "devices/piix3.h"
#include "devices/piix4_pm.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { PM = 0xb000, SCI = 9 };
static struct bench b;
static struct i440fx host;
static struct piix3 isa;
static struct piix4_pm pm;
static char pam[14]; /* a letter a segment: - none, r read RAM, w write RAM, b both */

static void set_pam(void *sink, unsigned segment, bool read_ram, bool write_ram)
{
    (void)sink;
    pam[segment] = "-rwb"[read_ram + 2 * write_ram];
}

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    memset(&host, 0, sizeof(host)), memset(&isa, 0, sizeof(isa)), memset(&pm, 0, sizeof(pm));
    bench_attach(&b, &host.dev, &i440fx_class, &(struct i440fx_cfg){ .pam = { set_pam, NULL } });
    bench_attach(&b, &isa.dev, &piix3_class, &(struct piix3_cfg){ .bus = &host.bus, .pic = bench_wire(&b, 0), .power = bench_power(&b) });
    bench_attach(&b, &pm.dev, &piix4_pm_class, &(struct piix4_pm_cfg){ .bus = &host.bus, .sci = bench_wire(&b, 16 + SCI), .power = bench_power(&b) });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dev_fini(&pm.dev);
    bench_fini(&b);
    return 0;
}

static u32 get(unsigned devfn, unsigned reg, unsigned size)
{
    bench_out(&b, 0xcf8, 0x80000000 | devfn << 8 | (reg & 0xfc), 4);
    return bench_in(&b, (u16)(0xcfc + (reg & 3)), size);
}

static void put(unsigned devfn, unsigned reg, u32 v, unsigned size)
{
    bench_out(&b, 0xcf8, 0x80000000 | devfn << 8 | (reg & 0xfc), 4);
    bench_out(&b, (u16)(0xcfc + (reg & 3)), v, size);
}

static void configuration_mechanism_1(void **state)
{
    static const struct { unsigned devfn, reg, size; u32 value; } rows[] = {
        { 0x00, 0x00, 4, 0x12378086 }, { 0x00, 0x02, 2, 0x1237 }, { 0x00, 0x03, 1, 0x12 }, { 0x00, 0x08, 4, 0x06000002 },
        { 0x08, 0x00, 4, 0x70008086 }, { 0x08, 0x0a, 2, 0x0601 }, { 0x08, 0x0e, 1, 0x80 }, { 0x0b, 0x00, 4, 0x71138086 },
        { 0x0b, 0x0a, 2, 0x0680 },     { 0x0b, 0x3d, 1, 0x01 },   { 0x10, 0x00, 4, 0xffffffff }, { 0xff, 0x0e, 1, 0xff },
        { 0x00, 0x10, 4, 0 },          { 0x08, 0xfc, 4, 0 },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(get(rows[i].devfn, rows[i].reg, rows[i].size), rows[i].value);
    put(0x00, 0x00, 0, 4); /* read-only */
    assert_int_equal(get(0x00, 0x00, 4), 0x12378086);
    put(0x0b, 0x3c, 0x0105, 2);
    assert_int_equal(get(0x0b, 0x3c, 2), 0x0105);
    bench_out(&b, 0xcf8, 0xffffffff, 4);
    assert_int_equal(bench_in(&b, 0xcf8, 4), 0x80fffffc);
    assert_int_equal(bench_in(&b, 0xcfc, 4), 0xffffffff); /* bus 255 */
    bench_out(&b, 0xcf8, 0x00000000, 4);
    assert_int_equal(bench_in(&b, 0xcfc, 4), 0xffffffff); /* not enabled */
    bench_out(&b, 0xcf8, 0x80, 1); /* only a double word is an address */
    assert_int_equal(bench_in(&b, 0xcf8, 4), 0);
}

static void pam_registers(void **state)
{
    /* 290549, table 3: register 59h high nibble F0000h, then C0000h, C4000h, ... EC000h. */
    static const struct { unsigned reg; u8 value; const char *segments; } rows[] = {
        { 0x59, 0x30, "b------------" }, { 0x5a, 0x21, "brw----------" }, { 0x5a, 0x33, "bbb----------" },
        { 0x5d, 0x02, "bbb----w-----" }, { 0x5f, 0x13, "bbb----w---br" }, { 0x59, 0xff, "bbb----w---br" },
        { 0x59, 0x00, "-bb----w---br" },
    };

    (void)state;
    assert_string_equal(pam, "-------------");
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        put(0, rows[i].reg, rows[i].value, 1);
        assert_string_equal(pam, rows[i].segments);
    }
    put(0, 0x58, 0x33333333, 4), put(0, 0x5c, 0x33333333, 4);
    assert_string_equal(pam, "bbbbbbbbbbbbb");
    dev_reset(&host.dev, RESET_HARD);
    assert_string_equal(pam, "-------------");
    assert_int_equal(get(0, 0x72, 1), 0x02);
}

static void pirq_routing(void **state)
{
    struct pci_func f[3] = { 0 };
    static const unsigned devfn[3] = { 2 << 3, 3 << 3, 6 << 3 }; /* INTA arrives at PIRQ B, C, B */

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        pci_add(&host.bus, devfn[i], &f[i], NULL);
        pci_set(&f[i], PCI_IRQ_PIN, 1, 1);
    }
    pci_writable(&f[0], PCI_COMMAND, 2, PCI_COMMAND_INTX_OFF);
    assert_int_equal(get(0x08, 0x60, 4), 0x80808080);
    pci_set_intx(&f[0], true);
    for (unsigned n = 0; n < 16; n++)
        assert_false(b.level[n]); /* not routed */
    put(0x08, 0x61, 0x0b, 1);
    assert_true(b.level[11]);
    put(0x08, 0x61, 0x0a, 1);
    assert_false(b.level[11]);
    assert_true(b.level[10]);
    pci_set_intx(&f[2], true); /* shares the PIRQ */
    pci_set_intx(&f[0], false);
    assert_true(b.level[10]);
    put(0x08, 0x62, 0x0a, 1); /* two PIRQs on one input */
    pci_set_intx(&f[1], true);
    pci_set_intx(&f[2], false);
    assert_true(b.level[10]);
    pci_set_intx(&f[1], false);
    assert_false(b.level[10]);
    pci_set_intx(&f[0], true);
    put(devfn[0], PCI_COMMAND, PCI_COMMAND_INTX_OFF, 2);
    assert_false(b.level[10]);
    put(devfn[0], PCI_COMMAND, 0, 2);
    assert_true(b.level[10]);
    put(0x08, 0x61, 0x8a, 1);
    assert_false(b.level[10]);
    for (unsigned n = 0; n < 16; n++) { /* 0, 1, 2, 8 and 13 are reserved */
        put(0x08, 0x61, n, 1);
        assert_int_equal(b.level[n], !(n < 3 || n == 8 || n == 13));
    }
}

static void reset_control(void **state)
{
    (void)state;
    bench_out(&b, 0xcf9, 0x02, 1);
    assert_int_equal(b.nr_power, 0);
    bench_out(&b, 0xcf9, 0x06, 1); /* the change from 0 to 1 of bit 2 */
    assert_int_equal(b.nr_power, 1);
    assert_int_equal(b.power, POWER_RESET);
    bench_out(&b, 0xcf9, 0x06, 1);
    assert_int_equal(b.nr_power, 1);
    assert_int_equal(bench_in(&b, 0xcf9, 1), 0x06);
}

static void place_pm(void)
{
    put(0x0b, 0x40, PM | 1, 4);
    put(0x0b, 0x80, 1, 1);
}

static void pm_timer_runs_at_3579545_hz_in_24_bits(void **state)
{
    u32 before, after;

    (void)state;
    assert_int_equal(bench_in(&b, PM + 8, 4), 0xffffffff);
    place_pm();
    assert_int_equal(get(0x0b, 0x40, 4), PM | 1);
    before = bench_in(&b, PM + 8, 4);
    bench_pass(&b, NS_PER_SEC);
    after = bench_in(&b, PM + 8, 4);
    assert_in_range(after - before, 3579545, 3579545 + 8);
    bench_pass(&b, 4 * NS_PER_SEC); /* beyond 2^24 / 3579545 s = 4.69 s */
    after = bench_in(&b, PM + 8, 4);
    assert_true(after < 1 << 24);
    assert_in_range((after - before) & 0xffffff, (5 * 3579545) % (1 << 24), (5 * 3579545) % (1 << 24) + 16);
}

static void timer_overflow_status_and_interrupt(void **state)
{
    (void)state;
    place_pm();
    assert_int_equal(bench_in(&b, PM, 2) & 1, 0);
    bench_pass(&b, 2350000000); /* bit 23 changes every 2.343 s */
    assert_int_equal(bench_in(&b, PM, 2) & 1, 1);
    bench_out(&b, PM, 1, 2);
    assert_int_equal(bench_in(&b, PM, 2) & 1, 0);
    bench_out(&b, PM + 2, 1, 2);
    bench_pass(&b, 2350000000);
    assert_int_equal(bench_in(&b, PM, 2) & 1, 1);
    assert_false(b.level[16 + SCI]); /* not while SCI_EN is 0 */
    bench_out(&b, 0xb2, 0xf1, 1);    /* what firmware does to switch ACPI on */
    assert_int_equal(bench_in(&b, PM + 4, 2) & 1, 1);
    assert_true(b.level[16 + SCI]);
    bench_out(&b, PM, 1, 2);
    assert_false(b.level[16 + SCI]);
    bench_pass(&b, 2350000000);
    assert_true(b.level[16 + SCI]);
    assert_int_equal(b.rises[16 + SCI], 2);
}

static void sleep_enable_type_0_is_power_off(void **state)
{
    (void)state;
    place_pm();
    bench_out(&b, PM + 4, 0x0001, 2);
    bench_out(&b, PM + 4, 0x2401, 2); /* type 1: suspend, which is not there */
    assert_int_equal(b.nr_power, 0);
    bench_out(&b, PM + 4, 0x2001, 2);
    assert_int_equal(b.nr_power, 1);
    assert_int_equal(b.power, POWER_OFF);
    assert_int_equal(bench_in(&b, PM + 4, 2) & 0x2000, 0); /* write-only */
    bench_out(&b, PM + 5, 0x20, 1); /* a byte does it too */
    assert_int_equal(b.nr_power, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(configuration_mechanism_1), TEST(pam_registers), TEST(pirq_routing), TEST(reset_control),
        TEST(pm_timer_runs_at_3579545_hz_in_24_bits), TEST(timer_overflow_status_and_interrupt),
        TEST(sleep_enable_type_0_is_power_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
