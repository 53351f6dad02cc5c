/* Intel 82371SB (PIIX3), function 0: ISA bridge, interrupt routing, reset control. 290550. */
#ifndef DEVICES_PIIX3_H
#define DEVICES_PIIX3_H

#include "devices/pci.h"

struct piix3_cfg {
    struct pci_bus *bus;
    struct irq_line pic; /* input 0; the others follow */
    struct power_switch power;
};

struct piix3 {
    struct dev dev;
    struct piix3_cfg cfg;
    struct pci_func func;
    struct bus_region reset_region;
    u8 pirq_level; /* bits 0 to 3 */
    u8 reset_control;
    u16 driven;    /* interrupts that routing holds high */
};

extern const struct dev_class piix3_class;

#endif
