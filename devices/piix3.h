/* Intel 82371SB (PIIX3), function 0: ISA bridge, interrupt routing, reset control. 290550. */
#ifndef DEVICES_PIIX3_H
#define DEVICES_PIIX3_H

#include "devices/pci.h"

struct piix3_cfg {
    struct pci_bus *bus;
    struct irq_line pic; /* input 0; the others follow */
    struct power_switch power;
    struct irq_line irq13, ignne; /* what an x87 exception becomes, and how it is waved through */
};

struct piix3 {
    struct dev dev;
    struct piix3_cfg cfg;
    struct pci_func func;
    struct bus_region reset_region, error_region;
    u8 pirq_level; /* bits 0 to 3 */
    u8 reset_control;
    bool ferr, error_seen; /* FERR#; port F0h has been written since it rose */
    u16 driven;    /* interrupts that routing holds high */
};

extern const struct dev_class piix3_class;

void piix3_set_ferr(void *piix3, unsigned pin, bool level); /* the processor's FERR# */

#endif
