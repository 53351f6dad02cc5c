/* Intel 82371AB (PIIX4), function 3: power management. Data sheet 290562, 7. */
#ifndef DEVICES_PIIX4_PM_H
#define DEVICES_PIIX4_PM_H

#include "devices/pci.h"

struct piix4_pm_cfg {
    struct pci_bus *bus;
    struct irq_line sci;
    struct power_switch power;
};

struct piix4_pm {
    struct dev dev;
    struct piix4_pm_cfg cfg;
    struct pci_func func;
    struct bus_region pm_region, smi_region;
    struct timer overflow; /* bit 23 of the timer changes */
    u16 status, enable, control; /* the timer's status bit is reckoned, not kept */
    u64 seen;              /* changes of the timer's bit 23 up to the last time that TMROF was cleared */
    u8 apm_command, apm_status; /* B2h, B3h */
};

extern const struct dev_class piix4_pm_class;

#endif
