/*
 * pci-testdev. Both BARs begin with a header: test (w, 0; starts that test), width (r, 1), offset (r,
 * 4), data (r, 8), count (r, 12; of the writes seen since), name (r, 16). A width of 0: no such test.
 * Test 2 sees writes of its data alone, the others any write of a byte at their offset.
 */
#include "devices/test_devices.h"

enum { NR_TESTS = 3, NO_TEST = 2 * NR_TESTS, DATA = 0xfa, HEADER = 64 };
enum { BAR_MEM, BAR_IO };
static const u32 half[2] = { 2048, 128 }; /* the header's, then the tests' */

static const char *const names[2][NR_TESTS] = {
    { "mmio-no-eventfd", "mmio-wildcard-eventfd", "mmio-datamatch-eventfd" },
    { "portio-no-eventfd", "portio-wildcard-eventfd", "portio-datamatch-eventfd" },
};

static u64 read_bar(const struct pci_testdev *d, unsigned bar, u64 off)
{
    u8 header[HEADER] = { 0 };
    unsigned test = d->test % NR_TESTS;

    if (d->test == NO_TEST || d->test / NR_TESTS != bar || off >= HEADER)
        return 0;
    header[1] = 1;
    store_le(header + 4, half[bar] + test, 4);
    store_le(header + 8, DATA, 4);
    store_le(header + 12, d->count, 4);
    strcpy((char *)header + 16, names[bar][test]);
    return header[off];
}

static void write_bar(struct pci_testdev *d, unsigned bar, u64 off, u64 v, unsigned size)
{
    if (off == 0) {
        d->test = (u8)(v < NR_TESTS ? NR_TESTS * bar + v : NO_TEST);
        d->count = 0;
    } else if (d->test != NO_TEST && d->test / NR_TESTS == bar && off == half[bar] + d->test % NR_TESTS) {
        d->count += d->test % NR_TESTS != 2 || (size == 1 && v == DATA);
    }
}

static u64 memory_read(void *dev, u64 off, unsigned size)
{
    (void)size;
    return read_bar(dev, BAR_MEM, off);
}

static void memory_write(void *dev, u64 off, u64 v, unsigned size)
{
    write_bar(dev, BAR_MEM, off, v, size);
}

static u64 port_read(void *dev, u64 off, unsigned size)
{
    (void)size;
    return read_bar(dev, BAR_IO, off);
}

static void port_write(void *dev, u64 off, u64 v, unsigned size)
{
    write_bar(dev, BAR_IO, off, v, size);
}

static int pci_testdev_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops[2] = { { memory_read, memory_write, 1 }, { port_read, port_write, 1 } };
    static const char *const region[2] = { "pci-testdev memory", "pci-testdev ports" };
    struct pci_testdev *d = CONTAINER_OF(dev, struct pci_testdev, dev);

    (void)err;
    d->cfg = *(const struct pci_testdev_cfg *)cfg;
    pci_add(d->cfg.bus, d->cfg.slot << 3, &d->func, d);
    pci_header(&d->func, 0x1b36, 0x0005, 0x00ff00, 0);
    for (unsigned i = 0; i < 2; i++) {
        d->region[i] = (struct bus_region){ .ops = &ops[i], .dev = d, .name = region[i] };
        if (pci_add_bar(&d->func, i, &d->region[i], 2 * half[i], i == BAR_IO))
            return -1;
    }
    return 0;
}

static void pci_testdev_reset(struct dev *dev, enum reset_kind kind)
{
    struct pci_testdev *d = CONTAINER_OF(dev, struct pci_testdev, dev);

    (void)kind;
    pci_func_reset(&d->func);
    d->test = NO_TEST;
    d->count = 0;
}

static void pci_testdev_loaded(struct dev *dev)
{
    pci_update_bars(&CONTAINER_OF(dev, struct pci_testdev, dev)->func);
}

static const struct state_field pci_testdev_fields[] = {
    STATE_STRUCT(struct pci_testdev, func, pci_func_fields), STATE_UPTO(struct pci_testdev, test, NO_TEST),
    STATE(struct pci_testdev, count), STATE_END,
};
static const struct state_desc pci_testdev_state = { "pci-testdev", 1, pci_testdev_fields };
const struct dev_class pci_testdev_class = { "pci-testdev", pci_testdev_init, pci_testdev_reset,
                                             pci_testdev_loaded, NULL, &pci_testdev_state, NULL };
