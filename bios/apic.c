/* Virtual wire mode: the local APIC lets the 8259's INTR through on LINT0 and NMI on LINT1.
 * Out of reset both are masked (SDM 3A 10.4.7.1), and the APIC is enabled on a processor that has
 * one, so no interrupt would arrive without this (MultiProcessor Specification 1.4, 3.6.2.2). */
#include "chips.h"
#include "io.h"

enum {
    LAPIC = 0xFEE00000u,
    SVR = 0xF0,
    LVT_LINT0 = 0x350,
    LVT_LINT1 = 0x360,
    SVR_ENABLE = 0x100,
    LVT_NMI = 0x400,
    LVT_EXTINT = 0x700,
    MSR_APIC_BASE = 0x1B,
    APIC_BASE_ENABLE = 0x800,
    CPUID_MSR = 1 << 5,
    CPUID_APIC = 1 << 9,
    EFLAGS_ID = 1 << 21
};

static u32 feature_bits(void)
{
    u32 before, after, eax = 1, ebx, ecx = 0, edx;
    __asm__ volatile("pushfl\n\tpopl %0\n\tmovl %0, %1\n\txorl %2, %1\n\tpushl %1\n\tpopfl\n\t"
                     "pushfl\n\tpopl %1\n\tpushl %0\n\tpopfl"
                     : "=&r"(before), "=&r"(after)
                     : "i"(EFLAGS_ID)
                     : "cc");
    if (((before ^ after) & EFLAGS_ID) == 0)
        return 0; /* no CPUID */
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return edx;
}

void apic_virtual_wire(void)
{
    u32 features = feature_bits(), low, high;
    if (!(features & CPUID_APIC) || !(features & CPUID_MSR))
        return;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_APIC_BASE));
    if (!(low & APIC_BASE_ENABLE))
        return;
    flat_begin();
    flat_write32(LAPIC + SVR, (flat_read32(LAPIC + SVR) & ~0xFFu) | SVR_ENABLE | 0xFF);
    flat_write32(LAPIC + LVT_LINT0, LVT_EXTINT);
    flat_write32(LAPIC + LVT_LINT1, LVT_NMI);
    flat_end();
}
