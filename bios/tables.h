/* The tables that POST leaves for operating systems, and where they lie.
 *
 *     F0000h   anchors that programs search for: RSDP, _MP_, $PIR, _SM_, $PnP, $PMM, _32_ (entry.S)
 *     E8000h   what firmware tables point at: MP configuration, SMBIOS structures
 *     top of RAM below 4 GiB   ACPI tables (E820 type 3), and behind them ACPI NVS (type 4)
 * All need shadow RAM; without it there are none. */
#ifndef SPARK_TABLES_H
#define SPARK_TABLES_H

#include "types.h"

#define PACKED __attribute__((packed))

void tables_build(void);

/* tables.c, for the builders: len bytes behind E8000h, whose address is a pointer too as dseg is E000h;
 * 0 if they do not fit. */
void *table_alloc(u32 len);
u32 table_pa(const void *p);                       /* of what lies in dseg */
void anchor_put(u16 at, const void *p, u32 len);   /* to F000:at */
void anchor_sum(u16 at, u16 sum, u16 len);         /* of what lies there, sum's offset */
u8 sum_of(const void *p, u32 len);                 /* what makes the bytes add up to 0 */
void flat_put(u32 pa, const void *p, u32 len);     /* a multiple of 4, to any address */
void copy_bytes(void *to, const void *from, u32 len);

void acpi_reserve(void); /* before ROMs ask for memory */
void acpi_build(void);
void mp_build(void);
void smbios_build(void);
void pir_build(void);
u16 pir_slots(u16 *bytes); /* where in F0000h its slots are; 0 bytes: there are none */

/* entry.S: room in F0000h */
extern u8 anchor_rsdp[], anchor_mp[], anchor_smbios[], anchor_pir[];
extern u8 anchor_bios32[], anchor_pnp[], anchor_pmm[]; /* pm.S: there, but for the checksum */

#endif
