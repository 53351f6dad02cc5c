/* pc-testdev and pci-testdev: ports and addresses as kvm-unit-tests uses them, the protocol of QEMU's
 * docs/specs/pci-testdev. */
#include "devices/test_bench.h"
#include "devices/test_devices.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct bench b;
static struct pc_testdev pc;
static struct pci_testdev pci;
enum { DEVFN = 5 << 3, MEM = 0xfe000000, PORT = 0xd000 };

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    memset(&pc, 0, sizeof(pc));
    memset(&pci, 0, sizeof(pci));
    bench_attach(&b, &pc.dev, &pc_testdev_class, &(struct pc_testdev_cfg){ bench_wire(&b, 0) });
    bench_attach(&b, &pci.dev, &pci_testdev_class, &(struct pci_testdev_cfg){ &b.pci, 5 });
    pci_config_write(&b.pci, DEVFN, PCI_BAR0, MEM, 4);
    pci_config_write(&b.pci, DEVFN, PCI_BAR0 + 4, PORT, 4);
    pci_config_write(&b.pci, DEVFN, PCI_COMMAND, 3, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    bench_fini(&b);
    return 0;
}

static void scratch_ports(void **state)
{
    (void)state;
    bench_out(&b, 0xe0, 0x12345678, 4);
    assert_int_equal(bench_in(&b, 0xe0, 4), 0x12345678);
    assert_int_equal(bench_in(&b, 0xe1, 1), 0x56);
    bench_out(&b, 0xe2, 0xabcd, 2);
    assert_int_equal(bench_in(&b, 0xe8, 4), 0xabcd5678);
    bench_out(&b, 0xe8, 0x99, 1);
    assert_int_equal(bench_in(&b, 0xe0, 1), 0x99);
    bench_out(&b, 0xe4, 0x1000, 4);
}

static void interrupts(void **state)
{
    (void)state;
    for (unsigned n = 0; n < 16; n++) {
        bench_out(&b, (u16)(0x2000 + n), 1, 1);
        assert_true(b.level[n]);
        bench_out(&b, (u16)(0x2000 + n), 0, 1);
        assert_false(b.level[n]);
    }
}

static void memory(void **state)
{
    (void)state;
    bus_write(&b.mem, 0xff00fff8, 0x1122334455667788, 8);
    assert_int_equal(bus_read(&b.mem, 0xff00fff8, 8), 0x1122334455667788);
    assert_int_equal(bus_read(&b.mem, 0xff00ffff, 1), 0x11);
    assert_int_equal(bus_read(&b.mem, 0xff010000, 1), 0xff);
}

static void bars_count_writes(void **state)
{
    (void)state;
    assert_int_equal(pci_config_read(&b.pci, DEVFN, 0, 4), 0x00051b36);
    for (unsigned bar = 0; bar < 2; bar++) {
        struct bus *bus = bar ? &b.io : &b.mem;
        u64 base = bar ? PORT : MEM;

        for (unsigned test = 0; test < 4; test++) {
            u64 width, data, off;

            bus_write(bus, base, test, 1);
            assert_int_equal(bus_read(bus, base + 12, 4), 0);
            width = bus_read(bus, base + 1, 1);
            if (test == 3) {
                assert_int_equal(width, 0);
                break;
            }
            assert_int_equal(width, 1);
            data = bus_read(bus, base + 8, 4);
            off = bus_read(bus, base + 4, 4);
            for (unsigned i = 0; i < 16; i++)
                bus_write(bus, base + off, data, (unsigned)width);
            bus_write(bus, base + off, data ^ 1, 1);
            assert_int_equal(bus_read(bus, base + 12, 4), test == 2 ? 16 : 17);
            assert_int_equal(bus_read(bus, base + 16, 1), bar ? 'p' : 'm');
        }
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(scratch_ports), T(interrupts), T(memory), T(bars_count_writes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
