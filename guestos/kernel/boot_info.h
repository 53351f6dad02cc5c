/* What the boot loader told us, copied into the kernel before anything can overwrite it. */
#ifndef GUESTOS_KERNEL_BOOT_INFO_H
#define GUESTOS_KERNEL_BOOT_INFO_H

#include "guestos/kernel/types.h"

#define BOOT_MAX_RANGES  64
#define BOOT_MAX_MODULES 16

struct boot_range {
    u64 base, bytes;
    u32 type; /* as in E820h: 1 RAM, 2 reserved, 3 ACPI tables, 4 ACPI NVS, 5 bad */
    bool is_ram;
};

/* A file that the loader put into memory for us. Its frames are never given out. */
struct boot_module {
    u64 base, bytes;
    char name[64]; /* its path, and what its line says besides */
};

struct boot_info {
    struct boot_range range[BOOT_MAX_RANGES];
    u32 nr_ranges;
    struct boot_module module[BOOT_MAX_MODULES];
    u32 nr_modules;
    char loader[64];
    char cmdline[256];
};

/* magic and info: EAX and EBX as multiboot left them. False: no multiboot loader, or no memory. */
bool boot_info_read(struct boot_info *boot, u32 magic, u32 info);
const char *boot_range_name(u32 type);
/* Whether the command line has the word NAME or NAME=VALUE (the last one counts); its value, cut
 * to size, goes to value, which may be NULL. */
bool boot_option(const struct boot_info *boot, const char *name, char *value, size_t size);

#endif
