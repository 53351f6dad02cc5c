/* Builds the tables for operating systems, and what the builders share. */
#include "tables.h"
#include "board.h"
#include "entry.h"
#include "io.h"
#include "pci.h"

extern u8 low_used[], area_end[]; /* spark.ld: what POST may use of E8000h to EFFFFh */
extern u8 pm_last_bus;             /* pm.S */
extern u16 pm_power;
enum { PM1_CONTROL = 0x604 };       /* pci_setup.c puts it there */
static u16 next;

void *table_alloc(u32 len)
{
    u32 at = (u32)low_used + next;
    if (at + len > (u32)area_end)
        return 0;
    next = (u16)(next + ((len + 15) & ~15u));
    return (void *)at;
}

u32 table_pa(const void *p)
{
    return ((u32)dseg_copy << 4) + (u32)p;
}

void copy_bytes(void *to, const void *from, u32 len)
{
    for (u32 i = 0; i < len; i++)
        ((u8 *)to)[i] = ((const u8 *)from)[i];
}

void anchor_put(u16 at, const void *p, u32 len)
{
    for (u32 i = 0; i < len; i++)
        poke8(0xF000, at + i, ((const u8 *)p)[i]);
}

u8 sum_of(const void *p, u32 len)
{
    u8 sum = 0;
    for (u32 i = 0; i < len; i++)
        sum = (u8)(sum + ((const u8 *)p)[i]);
    return (u8)-sum;
}

void flat_put(u32 pa, const void *p, u32 len)
{
    flat_begin();
    for (u32 i = 0; i < len; i += 4)
        flat_write32(pa + i, *(const u32 *)((const u8 *)p + i));
    flat_end();
}

/* The checksum at F000:(at + sum) of a structure that is there already. */
void anchor_sum(u16 at, u16 sum, u16 len)
{
    u8 v = 0;
    poke8(0xF000, (u32)at + sum, 0);
    for (u32 i = 0; i < len; i++)
        v = (u8)(v + peek8(0xF000, at + i));
    poke8(0xF000, (u32)at + sum, (u8)-v);
}

void tables_build(void)
{
    board_probe();
    if (dseg_copy != 0xE000)
        return;
    next = 0;
    anchor_sum((u16)(u32)anchor_bios32, 10, 16);
    poke8(0xF000, (u32)&pm_last_bus, pci_last_bus());
    poke16(0xF000, (u32)&pm_power, board_get()->pm != 0xFFFF ? PM1_CONTROL : 0);
    smbios_build();
    if (!board_get()->i440fx)
        return;
    pir_build();
    if (board_get()->lapic && board_get()->ioapic)
        mp_build();
    if (board_get()->pm != 0xFFFF)
        acpi_build();
}
