/* How much RAM there is, whether it works, and the E820 map. */
#ifndef SPARK_MEMORY_H
#define SPARK_MEMORY_H

#include "types.h"

struct e820_entry { u64 addr, len; u32 type; };
enum { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3, E820_NVS = 4, E820_UNUSABLE = 5 };

void memory_size(void);       /* reads CMOS and fw_cfg */
void memory_test_base(void);
void memory_test_extended(void);
void memory_build_map(void);
/* Takes bytes (a multiple of 4 KiB) from the top of the RAM below 4 GiB for firmware, and says so in the
 * map; their address, 0 if there is not enough. The second gives the end of what was taken last
 * another type. */
u32 memory_take_top(u32 bytes, u32 type);
void memory_retype_top(u32 bytes, u32 type);
u32 memory_low_end(void);     /* first address after RAM below 4 GiB */
u32 memory_usable_end(void);  /* the same without what was taken */
u64 memory_high_bytes(void);  /* RAM above 4 GiB */
u16 memory_base_kib(void);    /* INT 12h's value */
unsigned memory_map_count(void);
const struct e820_entry *memory_map_entry(unsigned i);

/* fwcfg.c: fills `out` with RAM entries of fw_cfg's "etc/e820"; their number, 0 without fw_cfg. */
unsigned fwcfg_e820(struct e820_entry *out, unsigned max);

#endif
