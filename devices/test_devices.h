/*
 * Devices that test suites of kernels and hypervisors want: pc-testdev and pci-testdev, as QEMU has
 * them (its docs/specs/pci-testdev; kvm-unit-tests' lib/x86 for the other).
 */
#ifndef DEVICES_TEST_DEVICES_H
#define DEVICES_TEST_DEVICES_H

#include "devices/pci.h"

struct pc_testdev_cfg {
    struct irq_line irq; /* input 0; the others follow */
};

enum { PC_TESTDEV_MEMORY = 64 << 10, PC_TESTDEV_IRQS = 16 };

/* Scratch ports, memory, and interrupts to be driven. */
struct pc_testdev {
    struct dev dev;
    struct pc_testdev_cfg cfg;
    struct bus_region scratch_region, byte_region, flush_region, irq_region, memory_region;
    u32 scratch;
    u16 driven; /* interrupts that are high */
    u8 memory[PC_TESTDEV_MEMORY];
};

extern const struct dev_class pc_testdev_class;

struct pci_testdev_cfg {
    struct pci_bus *bus;
    unsigned slot;
};

/* Counts writes to its BARs, one of memory, one of ports. */
struct pci_testdev {
    struct dev dev;
    struct pci_testdev_cfg cfg;
    struct pci_func func;
    struct bus_region region[2];
    u8 test;   /* that was started last; NR_TESTS of both BARs: none */
    u32 count;
};

extern const struct dev_class pci_testdev_class;

#endif
