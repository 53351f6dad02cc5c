/* I/O APIC, expected values from Intel 290566 (82093AA) and SDM 3A 10.8.5; id, version and entries
 * out of reset are what QEMU's `info pic` shows of its own. */
#include "devices/ioapic.h"
#include "devices/lapic.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct bench b;
static struct apic_bus bus;
static struct lapic cpu;
static struct ioapic io;

static u32 rd(u8 reg)
{
    bus_write(&b.mem, 0xfec00000, reg, 4);
    return (u32)bus_read(&b.mem, 0xfec00010, 4);
}

static void wr(u8 reg, u32 v)
{
    bus_write(&b.mem, 0xfec00000, reg, 4);
    bus_write(&b.mem, 0xfec00010, v, 4);
}

static void entry(unsigned pin, u32 low, u32 high)
{
    wr((u8)(0x11 + 2 * pin), high);
    wr((u8)(0x10 + 2 * pin), low);
}

static bool remote_irr(unsigned pin)
{
    return rd((u8)(0x10 + 2 * pin)) >> 14 & 1;
}

static void set(unsigned pin, bool level)
{
    ioapic_set_irq(&io, pin, level);
}

static void end_of_interrupt(void)
{
    bus_write(&b.mem, 0xfee000b0, 0, 4);
}

/* The vector that the processor takes; 0: none. */
static u8 take(void)
{
    u8 v = b.level[0] ? lapic_ack(&cpu) : 0;

    if (v)
        end_of_interrupt();
    return v;
}

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    bus = (struct apic_bus){ 0 };
    memset(&cpu, 0, sizeof(cpu));
    memset(&io, 0, sizeof(io));
    bench_attach(&b, &cpu.dev, &lapic_class,
                 &(struct lapic_cfg){ .bsp = true, .bus = &bus, .intr = bench_wire(&b, 0),
                                      .nmi = bench_wire(&b, 1), .cpu = bench_cpu(&b) });
    bench_attach(&b, &io.dev, &ioapic_class, &(struct ioapic_cfg){ &bus });
    bus_write(&b.mem, 0xfee000f0, 0x1ff, 4);
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
    assert_int_equal(rd(0), 0);
    assert_int_equal(rd(1), 0x00170020); /* 24 entries */
    for (u8 i = 0; i < 24; i++) {
        assert_int_equal(rd((u8)(0x10 + 2 * i)), 0x00010000);
        assert_int_equal(rd((u8)(0x11 + 2 * i)), 0);
    }
    wr(0, 0xffffffff);
    assert_int_equal(rd(0), 0x0f000000); /* 3.2.1: bits 27 to 24 */
    assert_int_equal(rd(2), 0x0f000000); /* 3.2.3: loaded with the ID */
    wr(1, 0), wr(2, 0);
    assert_int_equal(rd(1), 0x00170020);
    assert_int_equal(rd(2), 0x0f000000);
    entry(3, 0xffffffff, 0xffffffff);
    assert_int_equal(rd(0x16), 0x0001afff); /* 3.2.4: delivery status and remote IRR are read only */
    assert_int_equal(rd(0x17), 0xff000000);
    assert_int_equal(rd(0x40), 0);
    bus_write(&b.mem, 0xfec00000, 0x17, 1); /* a byte selects, too */
    assert_int_equal(bus_read(&b.mem, 0xfec00010, 4), 0xff000000);
}

static void edges(void **state)
{
    (void)state;
    entry(14, 0x76, 0);
    set(14, true);
    assert_int_equal(take(), 0x76);
    assert_int_equal(take(), 0);
    set(14, false);
    set(14, true);
    set(14, false); /* it does not take it back */
    assert_int_equal(take(), 0x76);
    entry(14, 0x10076, 0);
    set(14, true); /* masked: lost (3.2.4, bit 16) */
    entry(14, 0x76, 0);
    assert_int_equal(take(), 0);
    assert_false(remote_irr(14));
}

static void levels(void **state)
{
    (void)state;
    entry(10, 0x8031, 0);
    set(10, true);
    assert_true(remote_irr(10));
    assert_int_equal(lapic_ack(&cpu), 0x31);
    end_of_interrupt();
    assert_true(remote_irr(10)); /* it is still high: again */
    assert_int_equal(lapic_ack(&cpu), 0x31);
    set(10, false);
    set(10, true);
    set(10, false);
    end_of_interrupt();
    assert_false(remote_irr(10));
    assert_int_equal(take(), 0);
    entry(10, 0x18031, 0);
    set(10, true);
    assert_int_equal(take(), 0);
    entry(10, 0x8031, 0); /* a level is a request as it stands */
    assert_true(b.level[0]);
    assert_int_equal(lapic_ack(&cpu), 0x31);
    entry(10, 0x10031, 0); /* to edge and back: what drivers do where an EOI went missing */
    entry(10, 0x18031, 0);
    assert_false(remote_irr(10));
    end_of_interrupt();
    entry(10, 0x8031, 0);
    assert_int_equal(lapic_ack(&cpu), 0x31);
    set(10, false);
    bus_write(&b.mem, 0xfec00040, 0x31, 4); /* version 20h: the EOI register */
    assert_false(remote_irr(10));
}

static void an_interrupt_that_nobody_takes_stays_a_level(void **state)
{
    (void)state;
    entry(5, 0x8041, 0x07000000); /* to an APIC that is not there */
    set(5, true);
    assert_false(remote_irr(5));
    wr(0x1b, 0);
    assert_true(remote_irr(5));
    assert_int_equal(lapic_ack(&cpu), 0x41);
}

static void inputs_are_the_or_of_their_sources(void **state)
{
    (void)state;
    entry(2, 0x8050, 0);
    set(IOAPIC_HPET + 2, true);
    set(IOAPIC_ISA + 2, true);
    set(IOAPIC_HPET + 2, false);
    assert_int_equal(lapic_ack(&cpu), 0x50);
    end_of_interrupt();
    assert_true(b.level[0]);
    lapic_ack(&cpu);
    set(IOAPIC_ISA + 2, false);
    end_of_interrupt();
    assert_false(b.level[0]);
}

static void modes(void **state)
{
    (void)state;
    entry(1, 0x0400, 0); /* NMI; its vector means nothing */
    set(1, true);
    assert_int_equal(b.rises[1], 1);
    bus_write(&b.mem, 0xfee000d0, 0x04000000, 4);
    entry(3, 0x0852, 0x06000000); /* logical, flat */
    set(3, true);
    assert_int_equal(take(), 0x52);
    entry(4, 0x0153, 0xff000000); /* lowest priority among all */
    set(4, true);
    assert_int_equal(take(), 0x53);
    assert_true(apic_bus_msi(&bus, 0xfee00000, 0x4061)); /* SDM 3A 10.11: edge, vector 61h */
    assert_int_equal(take(), 0x61);
    assert_false(apic_bus_msi(&bus, 0xfee05000, 0x4061));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(registers), T(edges), T(levels), T(an_interrupt_that_nobody_takes_stays_a_level),
        T(inputs_are_the_or_of_their_sources), T(modes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
