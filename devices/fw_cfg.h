/* QEMU's firmware configuration device: docs/specs/fw_cfg.txt of QEMU. */
#ifndef DEVICES_FW_CFG_H
#define DEVICES_FW_CFG_H

#include "core/dev.h"

enum { FW_CFG_ITEMS = 64, FW_CFG_FIRST_FILE = 0x20 };

struct fw_cfg_cfg {
    u8 unused;
};

struct fw_cfg_item {
    u16 key;
    u32 len;
    u8 *data;
    char name[56]; /* files only */
};

struct fw_cfg {
    struct dev dev;
    struct bus_region region, dma_region;
    struct fw_cfg_item items[FW_CFG_ITEMS];
    unsigned nr_items, nr_files;
    u16 selected;
    u32 pos;
    u64 dma_address;
};

extern const struct dev_class fw_cfg_class;

/* Adds an item, copying the data. -1: no room or no memory. */
int fw_cfg_add(struct fw_cfg *, u16 key, const void *data, u32 len);
int fw_cfg_add_file(struct fw_cfg *, const char *name, const void *data, u32 len);

#endif
