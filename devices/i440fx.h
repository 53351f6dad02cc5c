/* Intel 82441FX (PMC): host bridge of the 440FX, data sheet 290549. */
#ifndef DEVICES_I440FX_H
#define DEVICES_I440FX_H

#include "devices/pci.h"

struct pam_sink {
    /* Segment 0 is F0000h to FFFFFh, 1 to 12 the 16 KiB pieces from C0000h to EFFFFh. */
    void (*set)(void *sink, unsigned segment, bool read_ram, bool write_ram);
    void *sink;
};

struct i440fx_cfg {
    struct pam_sink pam;
};

struct i440fx {
    struct dev dev;
    struct i440fx_cfg cfg;
    struct pci_bus bus;
    struct pci_func func;
    struct bus_region address_region, data_region;
    u32 address; /* CF8h */
};

extern const struct dev_class i440fx_class;

#endif
