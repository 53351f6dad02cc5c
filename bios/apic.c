/* Virtual wire mode: the local APIC lets the 8259's INTR through on LINT0 and NMI on LINT1.
 * Out of reset both are masked (SDM 3A 10.4.7.1), and the APIC is enabled on a processor that has
 * one, so no interrupt would arrive without this (MultiProcessor Specification 1.4, 3.6.2.2). */
#include "board.h"
#include "chips.h"
#include "io.h"

enum {
    SVR = 0xF0,
    LVT_LINT0 = 0x350,
    LVT_LINT1 = 0x360,
    SVR_ENABLE = 0x100,
    LVT_NMI = 0x400,
    LVT_EXTINT = 0x700,
    MSR_APIC_BASE = 0x1B,
    APIC_BASE_ENABLE = 0x800,
    CPUID_MSR = 1 << 5
};

void apic_virtual_wire(void)
{
    u32 leaf[4], low, high;
    cpuid(1, leaf);
    if (!(leaf[3] & FEATURE_APIC) || !(leaf[3] & CPUID_MSR))
        return;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_APIC_BASE));
    if (!(low & APIC_BASE_ENABLE))
        return;
    flat_begin();
    flat_write32(LAPIC_PA + SVR, (flat_read32(LAPIC_PA + SVR) & ~0xFFu) | SVR_ENABLE | 0xFF);
    flat_write32(LAPIC_PA + LVT_LINT0, LVT_EXTINT);
    flat_write32(LAPIC_PA + LVT_LINT1, LVT_NMI);
    flat_end();
}
