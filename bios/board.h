/* What tables tell of the machine, asked of the machine itself: processors, APICs, HPET, its maker. */
#ifndef SPARK_BOARD_H
#define SPARK_BOARD_H

#include "types.h"

enum { CPUS_MAX = 16, LAPIC_PA = 0xFEE00000u, IOAPIC_PA = 0xFEC00000u, HPET_PA = 0xFED00000u };
enum { FEATURE_APIC = 1 << 9 };

struct board {
    u32 cpu_signature, cpu_features; /* CPUID.1: EAX, EDX; 0 without CPUID */
    char cpu_vendor[13], cpu_brand[49];
    u8 nr_cpus, apic_id[CPUS_MAX];
    bool lapic, ioapic; /* they answer */
    u8 lapic_version, ioapic_id, ioapic_version, ioapic_pins;
    u32 hpet_id;        /* capabilities, low half; 0: no HPET answers */
    bool i440fx;        /* host bridge and PIIX3, which the ACPI and MP tables are written for */
    u16 pm;             /* the PIIX4 power management function; FFFFh: none */
    bool floppy;        /* a floppy controller answers */
    const char *maker;
};

void board_probe(void);
const struct board *board_get(void);

void cpuid(u32 leaf, u32 out[4]); /* eax, ebx, ecx, edx; all 0 where there is no such leaf */

/* fwcfg.c */
u16 fwcfg_cpus(void);          /* 0: it does not say */
bool fwcfg_present(void);
bool fwcfg_kiln(void);         /* the emulator is Kiln */
void fwcfg_uuid(u8 uuid[16]);  /* all 0: none was given */

#endif
