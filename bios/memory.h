/* How much RAM there is, whether it works, and the E820 map. */
#ifndef SPARK_MEMORY_H
#define SPARK_MEMORY_H

#include "types.h"

struct e820_entry { u64 addr, len; u32 type; };
enum { E820_RAM = 1, E820_RESERVED = 2, E820_UNUSABLE = 5 };

void memory_size(void);       /* reads CMOS and fw_cfg */
void memory_test_base(void);
void memory_test_extended(void);
void memory_build_map(void);
u32 memory_low_end(void);     /* first address after RAM below 4 GiB */
u64 memory_high_bytes(void);  /* RAM above 4 GiB */
u16 memory_base_kib(void);    /* INT 12h's value */
unsigned memory_map_count(void);
const struct e820_entry *memory_map_entry(unsigned i);

/* fwcfg.c: fills `out` with RAM entries of fw_cfg's "etc/e820"; their number, 0 without fw_cfg. */
unsigned fwcfg_e820(struct e820_entry *out, unsigned max);

#endif
