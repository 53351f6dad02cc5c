/*
 * A defective memory chip, for --break-device ram: 64 KiB whose bit 3 always reads as 1.
 * It takes the place of RAM, so that a BIOS under test finds it as it would a real one.
 */
#ifndef MACHINE_BAD_RAM_H
#define MACHINE_BAD_RAM_H

#include "core/dev.h"

#define BAD_RAM_BASE 0x50000
#define BAD_RAM_LEN  0x10000

struct bad_ram {
    struct dev dev;
    struct bus_region region;
    u8 bytes[BAD_RAM_LEN];
};

struct bad_ram_cfg {
    struct mem_view *view;
};

extern const struct dev_class bad_ram_class;

#endif
