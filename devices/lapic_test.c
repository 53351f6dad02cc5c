/* Local APIC, expected values from Intel SDM 3A chapter 10. */
#include "devices/lapic.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { INTR, NMI };
enum {
    ID = 0x20, VERSION = 0x30, TPR = 0x80, PPR = 0xa0, EOI = 0xb0, LDR = 0xd0, DFR = 0xe0, SVR = 0xf0,
    ISR = 0x100, TMR = 0x180, IRR = 0x200, ESR = 0x280, ICR = 0x300, ICR_HIGH = 0x310, TIMER = 0x320,
    THERMAL = 0x330, PERFORMANCE = 0x340, LINT0 = 0x350, LINT1 = 0x360, ERROR = 0x370,
    INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0,
};
#define MASKED   (1u << 16)
#define PERIODIC (1u << 17)
#define DEADLINE (2u << 17)

static struct bench b;
static struct lapic apic, second;
static struct apic_bus bus;
static struct apic_port port;
static unsigned nr_eois;
static u8 last_eoi;

static u8 pic_vector(void *source)
{
    lapic_set_lint(source, 0, false);
    return 0x08;
}

static void eoi_seen(void *sink, u8 vector)
{
    (void)sink;
    nr_eois++;
    last_eoi = vector;
}

static u32 rd(unsigned reg)
{
    u32 v = (u32)bus_read(&b.mem, 0xfee00000u + reg, 4);

    clock_fire_due(&b.clk);
    return v;
}

static void wr(unsigned reg, u32 v)
{
    bus_write(&b.mem, 0xfee00000u + reg, v, 4);
    clock_fire_due(&b.clk);
}

static u64 rdmsr(u32 n)
{
    u64 v = 0;

    assert_true(port.read_msr(port.apic, n, &v));
    return v;
}

static bool wrmsr(u32 n, u64 v)
{
    bool good = port.write_msr(port.apic, n, v);

    clock_fire_due(&b.clk);
    return good;
}

static void attach(struct lapic *l, u32 id, unsigned wire, bool bsp)
{
    memset(l, 0, sizeof(*l));
    bench_attach(&b, &l->dev, &lapic_class,
                 &(struct lapic_cfg){ .id = id, .bsp = bsp, .bus = &bus, .intr = bench_wire(&b, wire),
                                      .nmi = bench_wire(&b, wire + 1), .pic = { pic_vector, l },
                                      .cpu = bench_cpu(&b) });
}

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    bus = (struct apic_bus){ .eoi = eoi_seen };
    nr_eois = 0;
    attach(&apic, 0, INTR, true);
    port = lapic_port(&apic);
    wr(SVR, 0x1ff);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_fini(&b);
    return 0;
}

static bool message(u32 dest, u8 vector, enum apic_mode mode, bool level)
{
    return apic_bus_send(&bus, &(struct apic_message){ .dest = dest, .vector = vector, .mode = (u8)mode,
                                                       .level = level }, NULL);
}

/* 10.4.7.1; table 10-1 for what can be read. */
static void reset_values(void **state)
{
    static const struct { u16 reg; u32 value; } values[] = {
        { ID, 0 }, { TPR, 0 }, { PPR, 0 }, { LDR, 0 }, { DFR, 0xffffffff }, { SVR, 0xff },
        { ISR, 0 }, { TMR, 0 }, { IRR, 0 }, { ESR, 0 }, { ICR, 0 }, { ICR_HIGH, 0 },
        { TIMER, MASKED }, { THERMAL, MASKED }, { PERFORMANCE, MASKED }, { ERROR, MASKED },
        { INITIAL, 0 }, { CURRENT, 0 }, { DIVIDE, 0 },
    };

    (void)state;
    wr(TPR, 0x50), wr(DFR, 0), wr(TIMER, 0x40), wr(INITIAL, 1000);
    dev_reset(&apic.dev, RESET_HARD);
    for (unsigned i = 0; i < ARRAY_LEN(values); i++)
        assert_int_equal(rd(values[i].reg), values[i].value);
    assert_int_equal(rd(VERSION) & 0xff, 0x14); /* 10h to 15h: integrated */
    assert_int_equal(rd(VERSION) >> 16 & 0xff, 5); /* six entries, less one */
    assert_int_equal(rdmsr(0x1b), 0xfee00900);
    assert_int_equal(b.apic_base, 0xfee00900);
}

static void software_disable_masks_all(void **state)
{
    (void)state;
    wr(LINT0, 0x700), wr(TIMER, 0x40);
    wr(SVR, 0xff); /* 10.4.7.2 */
    assert_true(rd(LINT0) & MASKED && rd(TIMER) & MASKED && rd(LINT1) & MASKED);
    wr(TIMER, 0x40); /* cannot be unmasked */
    assert_true(rd(TIMER) & MASKED);
    assert_false(message(0, 0x40, APIC_FIXED, false)); /* not taken; NMI and INIT are */
    assert_false(b.level[INTR]);
    assert_true(message(0, 0, APIC_NMI, false));
    assert_int_equal(b.rises[NMI], 1);
    assert_true(message(0, 0, APIC_INIT, false));
    assert_int_equal(b.nr_inits, 1);
}

/* Figures 10-18 and 10-19. */
static void priorities(void **state)
{
    (void)state;
    message(0, 0x45, APIC_FIXED, false);
    message(0, 0x61, APIC_FIXED, false);
    assert_true(b.level[INTR]);
    assert_int_equal(rd(IRR + 0x20), 1 << 5);
    assert_int_equal(rd(IRR + 0x30), 1 << 1);
    assert_int_equal(lapic_ack(&apic), 0x61);
    assert_false(b.level[INTR]); /* 4 is below 6, which is in service */
    assert_int_equal(rd(PPR), 0x60);
    assert_int_equal(rd(ISR + 0x30), 1 << 1);
    message(0, 0x6f, APIC_FIXED, false);
    assert_false(b.level[INTR]); /* the same class */
    message(0, 0x70, APIC_FIXED, false);
    assert_int_equal(lapic_ack(&apic), 0x70);
    wr(EOI, 0);
    assert_int_equal(rd(PPR), 0x60);
    wr(EOI, 0);
    assert_int_equal(lapic_ack(&apic), 0x6f);
    wr(EOI, 0);
    assert_int_equal(lapic_ack(&apic), 0x45);
    wr(EOI, 0);
    assert_int_equal(rd(PPR), 0);
    assert_int_equal(nr_eois, 0); /* all were edges */
}

static void task_priority_and_cr8(void **state)
{
    (void)state;
    port.set_cr8(port.apic, 4); /* 10.8.6.1: CR8 is bits 7 to 4 of TPR */
    assert_int_equal(rd(TPR), 0x40);
    message(0, 0x4f, APIC_FIXED, false);
    assert_false(b.level[INTR]);
    wr(TPR, 0x3f);
    assert_int_equal(b.cr8, 3);
    assert_int_equal(rd(PPR), 0x3f);
    assert_true(b.level[INTR]);
    wr(TPR, 0xff);
    assert_false(b.level[INTR]);
    assert_int_equal(lapic_ack(&apic), 0xff); /* too late: the spurious vector (10.9) */
    assert_int_equal(rd(ISR + 0x70), 0);
}

static void level_interrupts_are_broadcast(void **state)
{
    (void)state;
    message(0, 0x33, APIC_FIXED, true);
    assert_int_equal(rd(TMR + 0x10), 1 << 19);
    lapic_ack(&apic);
    wr(EOI, 0);
    assert_int_equal(nr_eois, 1);
    assert_int_equal(last_eoi, 0x33);
    message(0, 0x33, APIC_FIXED, false);
    assert_int_equal(rd(TMR + 0x10), 0);
}

static void ext_int_through_lint0(void **state)
{
    (void)state;
    wr(LINT0, 0x700);
    wr(TPR, 0xff); /* it knows no priority */
    lapic_set_lint(&apic, 0, true);
    assert_true(b.level[INTR]);
    assert_int_equal(lapic_ack(&apic), 0x08);
    assert_int_equal(rd(ISR), 0);
    assert_false(b.level[INTR]);
    wr(LINT0, 0x700 | MASKED);
    lapic_set_lint(&apic, 0, true);
    assert_false(b.level[INTR]);
    wr(LINT0, 0x700);
    assert_true(b.level[INTR]);
}

static void nmi_through_lint1(void **state)
{
    (void)state;
    wr(LINT1, 0x400);
    lapic_set_lint(&apic, 1, true);
    assert_int_equal(b.rises[NMI], 1);
    lapic_set_lint(&apic, 1, false);
    wr(LINT1, 0x400 | MASKED);
    lapic_set_lint(&apic, 1, true);
    assert_int_equal(b.rises[NMI], 1);
}

static void fixed_level_lint0(void **state)
{
    (void)state;
    wr(LINT0, 0x8051); /* level, vector 51h: figure 10-8 */
    lapic_set_lint(&apic, 0, true);
    assert_int_equal(rd(LINT0), 0xc051);
    assert_int_equal(lapic_ack(&apic), 0x51);
    assert_false(b.level[INTR]);
    wr(EOI, 0);
    assert_true(b.level[INTR]); /* it is still high */
    lapic_ack(&apic);
    lapic_set_lint(&apic, 0, false);
    wr(EOI, 0);
    assert_false(b.level[INTR]);
    assert_int_equal(rd(LINT0), 0x8051);
}

/* 10.4.3: INTR and NMI, as if it was not there; no page, no registers. */
static void globally_disabled(void **state)
{
    (void)state;
    assert_true(wrmsr(0x1b, 0xfee00100));
    lapic_set_lint(&apic, 0, true);
    assert_true(b.level[INTR]);
    assert_int_equal(lapic_ack(&apic), 0x08);
    lapic_set_lint(&apic, 1, true);
    assert_int_equal(b.rises[NMI], 1);
    assert_int_equal(rd(VERSION), 0xffffffff);
    assert_false(message(0, 0x40, APIC_FIXED, false));
    assert_true(wrmsr(0x1b, 0xfee00900));
    assert_int_equal(rd(SVR), 0xff);
}

static void the_page_moves(void **state)
{
    (void)state;
    assert_true(wrmsr(0x1b, 0xfed40900));
    assert_int_equal(bus_read(&b.mem, 0xfed40030, 4), 0x50014);
    assert_int_equal(rd(VERSION), 0xffffffff);
    assert_false(wrmsr(0x1b, 0xfee00901)); /* reserved */
    assert_true(wrmsr(0x1b, 0xfee00800)); /* BSP cannot be taken away */
    assert_int_equal(rdmsr(0x1b), 0xfee00900);
}

/* Figure 10-27, all transitions. */
static void modes(void **state)
{
    static const struct { u16 from, to; bool good; } steps[] = {
        { 0x900, 0x500, false }, { 0x900, 0xd00, true }, { 0xd00, 0x900, false }, { 0xd00, 0x500, false },
        { 0xd00, 0xd00, true }, { 0xd00, 0x100, true }, { 0x100, 0xd00, false }, { 0x100, 0x500, false },
        { 0x100, 0x900, true }, { 0x900, 0x900, true }, { 0x900, 0x100, true }, { 0x100, 0x100, true },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
        if (rdmsr(0x1b) != (0xfee00000u | steps[i].from))
            fail_msg("step %u begins elsewhere", i);
        assert_int_equal(wrmsr(0x1b, 0xfee00000u | steps[i].to), steps[i].good);
        assert_int_equal(rdmsr(0x1b), 0xfee00000u | (steps[i].good ? steps[i].to : steps[i].from));
    }
}

/* Table 10-6. */
static void x2apic_registers(void **state)
{
    u64 v;

    (void)state;
    assert_false(port.read_msr(port.apic, 0x802, &v)); /* not in xAPIC mode */
    assert_true(wrmsr(0x1b, 0xfee00d00));
    assert_int_equal(rd(VERSION), 0xffffffff);
    assert_int_equal(rdmsr(0x802), 0);
    assert_int_equal(rdmsr(0x803), 0x50014);
    assert_int_equal(rdmsr(0x80d), 1); /* logical: cluster 0, first */
    assert_int_equal(rdmsr(0x80f), 0x1ff);
    for (u32 n = 0x800; n <= 0x8ff; n++) { /* no DFR, RRD, APR, upper ICR; EOI and self IPI are written */
        bool there = n == 0x802 || n == 0x803 || n == 0x808 || n == 0x80a || n == 0x80d || n == 0x80f ||
                     (n >= 0x810 && n <= 0x828) || n == 0x830 || (n >= 0x832 && n <= 0x839) || n == 0x83e;
        if (port.read_msr(port.apic, n, &v) != there)
            fail_msg("register %x", n);
    }
    assert_false(wrmsr(0x802, 1)); /* read only */
    assert_false(wrmsr(0x80d, 1));
    assert_false(wrmsr(0x80b, 1)); /* zero alone */
    assert_false(wrmsr(0x828, 1));
    assert_false(wrmsr(0x808, 0x100)); /* reserved */
    assert_true(wrmsr(0x83f, 0x44));
    assert_int_equal(lapic_ack(&apic), 0x44);
    assert_true(wrmsr(0x80b, 0));
    assert_true(wrmsr(0x830, 0x40045)); /* self shorthand */
    assert_int_equal(lapic_ack(&apic), 0x45);
    assert_true(wrmsr(0x80b, 0));
    assert_true(wrmsr(0x830, 0x847 | 1ull << 32)); /* logical */
    assert_int_equal(lapic_ack(&apic), 0x47);
}

/* Two processors: shorthands, destinations, the lowest priority (10.6.2). */
static void destinations(void **state)
{
    enum { INTR2 = 4 };
    static const struct { u32 high, low; bool first, second; } sent[] = {
        { 0x00000000, 0x0041, true, false },  { 0x03000000, 0x0041, false, true },
        { 0x04000000, 0x0041, false, false }, { 0xff000000, 0x0041, true, true },
        { 0x03000000, 0x40041, true, false }, { 0, 0x80041, true, true }, { 0, 0xc0041, false, true },
        { 0x01000000, 0x0841, true, false },  { 0x06000000, 0x0841, false, true },
        { 0x03000000, 0x0841, true, true },   { 0x04000000, 0x0841, false, false },
        { 0xff000000, 0x0141, false, true }, /* the first has the higher priority */
    };

    (void)state;
    attach(&second, 3, INTR2, false);
    bus_move(&b.mem, &second.region, 0xfee10000, true);
    bus_write(&b.mem, 0xfee100f0, 0x1ff, 4);
    bus_write(&b.mem, 0xfee100d0, 0x02000000, 4);
    wr(LDR, 0x01000000);
    wr(TPR, 0x20);
    for (unsigned i = 0; i < ARRAY_LEN(sent); i++) {
        wr(ICR_HIGH, sent[i].high);
        wr(ICR, sent[i].low);
        if (b.level[INTR] != sent[i].first || b.level[INTR2] != sent[i].second)
            fail_msg("message %u", i);
        assert_int_equal(rd(ICR), sent[i].low); /* delivery status: idle */
        lapic_ack(&apic), wr(EOI, 0);
        lapic_ack(&second), bus_write(&b.mem, 0xfee100b0, 0, 4);
    }
    wr(DFR, 0x0fffffff); /* cluster model: cluster 2, second of it */
    wr(LDR, 0x22000000);
    wr(ICR_HIGH, 0x23000000), wr(ICR, 0x0841);
    assert_true(b.level[INTR]);
    lapic_ack(&apic), wr(EOI, 0);
    wr(ICR_HIGH, 0x13000000), wr(ICR, 0x0841);
    assert_false(b.level[INTR]);
}

static void errors(void **state)
{
    (void)state;
    wr(ERROR, 0x55);
    wr(ICR, 0x4000f); /* vector 15 to itself */
    assert_int_equal(rd(ESR), 0);
    wr(ESR, 0);
    assert_int_equal(rd(ESR), 0x20); /* send illegal vector */
    assert_int_equal(lapic_ack(&apic), 0x55);
    wr(EOI, 0);
    message(0, 3, APIC_FIXED, false);
    wr(ESR, 0);
    assert_int_equal(rd(ESR), 0x40); /* received illegal vector */
    rd(0x40);
    wr(ESR, 0);
    assert_int_equal(rd(ESR), 0x80); /* illegal register address */
    wr(ESR, 0);
    assert_int_equal(rd(ESR), 0);
}

/* Figure 10-10. */
static void timer_divisors(void **state)
{
    static const u8 encodings[8] = { 0xb, 0, 1, 2, 3, 8, 9, 0xa };

    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        wr(DIVIDE, encodings[i]);
        wr(TIMER, MASKED);
        wr(INITIAL, 1000000);
        bench_pass(&b, 128 * 1000 - 200); /* a read takes 200 ns */
        assert_int_equal(rd(CURRENT), 1000000 - (128 * 1000 >> i));
    }
}

static void timer_one_shot(void **state)
{
    (void)state;
    wr(DIVIDE, 0xb);
    wr(TIMER, 0x40);
    wr(INITIAL, 5000);
    bench_pass(&b, 4999);
    assert_false(b.level[INTR]);
    bench_pass(&b, 1);
    assert_true(b.level[INTR]);
    assert_int_equal(rd(CURRENT), 0);
    assert_int_equal(lapic_ack(&apic), 0x40);
    wr(EOI, 0);
    bench_pass(&b, 100000);
    assert_int_equal(b.rises[INTR], 1);
    assert_int_equal(rd(INITIAL), 5000);
    wr(INITIAL, 5000);
    wr(INITIAL, 0); /* stops */
    bench_pass(&b, 100000);
    assert_int_equal(b.rises[INTR], 1);
}

static void timer_periodic(void **state)
{
    (void)state;
    wr(DIVIDE, 0xb);
    wr(TIMER, PERIODIC | 0x40);
    wr(INITIAL, 10000);
    for (unsigned i = 1; i <= 5; i++) {
        bench_pass(&b, 10000 - (i > 1 ? 200 : 0));
        assert_int_equal(b.rises[INTR], i);
        assert_int_equal(lapic_ack(&apic), 0x40);
        wr(EOI, 0);
    }
    bench_pass(&b, 35000); /* nobody takes it: the others are lost in it */
    assert_int_equal(lapic_ack(&apic), 0x40);
    wr(EOI, 0);
    assert_false(b.level[INTR]);
    wr(TIMER, PERIODIC | MASKED | 0x40); /* counts on */
    bench_pass(&b, 100000);
    assert_false(b.level[INTR]);
    assert_in_range(rd(CURRENT), 1, 10000);
    wr(TIMER, PERIODIC | 0x40);
    bench_pass(&b, 10000);
    assert_true(b.level[INTR]);
}

static void timer_mode_changes_keep_the_count(void **state)
{
    (void)state;
    wr(DIVIDE, 0xb);
    wr(TIMER, MASKED);
    wr(INITIAL, 100000);
    bench_pass(&b, 60000);
    wr(TIMER, MASKED | PERIODIC);
    assert_int_equal(rd(CURRENT), 100000 - 60000 - 400);
    bench_pass(&b, 50000); /* round once */
    assert_in_range(rd(CURRENT), 80000, 100000);
    wr(TIMER, MASKED);
    bench_pass(&b, 200000);
    assert_int_equal(rd(CURRENT), 0);
    wr(TIMER, MASKED | PERIODIC); /* what has stopped stays so */
    bench_pass(&b, 1000);
    assert_int_equal(rd(CURRENT), 0);
}

static void timer_tsc_deadline(void **state)
{
    u64 tsc;

    (void)state;
    assert_true(wrmsr(0x6e0, 1)); /* ignored in the other modes (10.5.4.1) */
    assert_int_equal(rdmsr(0x6e0), 0);
    wr(TIMER, DEADLINE | 0x41);
    b.tsc_offset = 1ull << 40;
    tsc = clock_ticks(&b.clk) + b.tsc_offset;
    assert_true(wrmsr(0x6e0, tsc + 7000));
    assert_int_equal(rdmsr(0x6e0), tsc + 7000);
    bench_pass(&b, 6999);
    assert_false(b.level[INTR]);
    bench_pass(&b, 1);
    assert_true(b.level[INTR]);
    assert_int_equal(rdmsr(0x6e0), 0);
    assert_int_equal(lapic_ack(&apic), 0x41);
    wr(EOI, 0);
    assert_true(wrmsr(0x6e0, 1)); /* in the past: at once */
    assert_true(b.level[INTR]);
    lapic_ack(&apic), wr(EOI, 0);
    tsc = clock_ticks(&b.clk) + b.tsc_offset;
    assert_true(wrmsr(0x6e0, tsc + 1000000));
    b.tsc_offset += 999000; /* the guest sets the TSC forward */
    port.tsc_moved(port.apic);
    bench_pass(&b, 1000);
    assert_true(b.level[INTR]);
    lapic_ack(&apic), wr(EOI, 0);
    assert_true(wrmsr(0x6e0, tsc + (1ull << 41)));
    assert_true(wrmsr(0x6e0, 0)); /* disarms */
    bench_pass(&b, 3 * NS_PER_SEC);
    assert_false(b.level[INTR]);
    wr(INITIAL, 5); /* ignored in this mode */
    assert_int_equal(rd(INITIAL), 0);
}

/* A write lasts longer than what is left: the interrupt is not lost by a new arming. */
static void an_end_within_an_access_counts(void **state)
{
    (void)state;
    wr(DIVIDE, 0xb);
    wr(TIMER, 0x40);
    wr(INITIAL, 100); /* a memory access takes 200 ns */
    wr(TIMER, 0x40);
    assert_true(b.level[INTR]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(reset_values), T(software_disable_masks_all), T(priorities), T(task_priority_and_cr8),
        T(level_interrupts_are_broadcast), T(ext_int_through_lint0), T(nmi_through_lint1),
        T(fixed_level_lint0), T(globally_disabled), T(the_page_moves), T(modes), T(x2apic_registers),
        T(destinations), T(errors), T(timer_divisors), T(timer_one_shot), T(timer_periodic),
        T(timer_mode_changes_keep_the_count), T(timer_tsc_deadline), T(an_end_within_an_access_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
