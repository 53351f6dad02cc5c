/* I/O APIC: Intel 82093AA (290566), with the EOI register of version 20h as in the ICHs. */
#ifndef DEVICES_IOAPIC_H
#define DEVICES_IOAPIC_H

#include "core/dev.h"
#include "devices/apic_bus.h"

struct ioapic_cfg {
    struct apic_bus *bus;
};

enum { IOAPIC_PINS = 24, IOAPIC_VERSION = 0x20 };

/* An input may be driven by several parts of the board; it sees the OR of them. A pin is the
 * input's number and one of these: */
enum ioapic_source { IOAPIC_ISA = 0, IOAPIC_HPET = 32, IOAPIC_SOURCES = 2 };

enum { /* a redirection entry */
    RTE_LOGICAL = 1 << 11, RTE_ACTIVE_LOW = 1 << 13, RTE_REMOTE_IRR = 1 << 14, RTE_LEVEL = 1 << 15,
    RTE_MASKED = 1 << 16,
};

struct ioapic {
    struct dev dev;
    struct ioapic_cfg cfg;
    struct bus_region region;
    u8 id, select;
    u64 entry[IOAPIC_PINS];
    u32 driven[IOAPIC_SOURCES]; /* levels by source */
};

extern const struct dev_class ioapic_class;

/* An irq_line.set: true is the asserted level, whatever an entry says of polarity. */
void ioapic_set_irq(void *ioapic, unsigned pin, bool level);
u32 ioapic_levels(const struct ioapic *); /* of all inputs */

#endif
