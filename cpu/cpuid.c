/*
 * CPUID. What each model offers is in cpu_model.c and feature.h; here are the leaves around it, one
 * and the same for every model and host. SDM 2A CPUID; APM 3 appendix E.
 *
 * "AuthenticAMD": where vendors differ we follow AMD, and guests look here for that.
 */
#include "core/clock.h"
#include "cpu/cpu_model.h"
#include "cpu/operand.h"

struct leaf {
    u32 number, sub, eax, ebx, ecx, edx;
};

#define TEXT(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)
#define VENDOR TEXT('A', 'u', 't', 'h'), TEXT('c', 'A', 'M', 'D'), TEXT('e', 'n', 't', 'i')

enum leaf1_edx {
    VME = 1 << 1, DE = 1 << 2, PSE = 1 << 3, TSC = 1 << 4, MSR = 1 << 5, PAE = 1 << 6, CX8 = 1 << 8,
    SEP = 1 << 11, MTRR = 1 << 12, PGE = 1 << 13, CMOV = 1 << 15, PAT = 1 << 16, PSE36 = 1 << 17,
    CLFSH = 1 << 19,
    AMD_MIRRORS = 0x0183f3ff, /* bits that 80000001h repeats */
};
enum { LM = 1 << 29, OSXSAVE = 1 << 27, NO_FCS_FDS = 1 << 13 };
enum { LAST = 0x16, LAST_EXTENDED = 0x8000001d, LAST_HYPERVISOR = 0x40000010 };

/* Deterministic cache parameters (SDM 2A, leaf 4; APM 3, 8000001Dh): lines of 64 bytes. */
#define CACHE(n, sub, type, level, ways, sets)                                                     \
    { n, sub, (type) | (level) << 5 | 1 << 8, ((ways)-1u) << 22 | 63, (sets)-1, 0 }
#define CACHES(n)                                                                                  \
    CACHE(n, 0, 1, 1, 8, 64), CACHE(n, 1, 2, 1, 8, 64), CACHE(n, 2, 3, 2, 8, 1024),                \
        CACHE(n, 3, 3, 3, 16, 8192)

static const struct leaf leaves[] = {
    { 0, 0, LAST, VENDOR },
    /* CLFLUSH line 64 bytes, one logical processor */
    { 1, 0, CPU_SIGNATURE, 0x00010800, 0,
      VME | DE | PSE | TSC | MSR | PAE | CX8 | SEP | MTRR | PGE | CMOV | PAT | PSE36 | CLFSH },
    CACHES(4), /* 32 KiB of data, 32 KiB of code, 512 KiB, 8 MiB */
    { 0x40000000, 0, LAST_HYPERVISOR, TEXT('K', 'i', 'l', 'n'), TEXT('K', 'i', 'l', 'n'),
      TEXT('K', 'i', 'l', 'n') },
    { 0x80000000, 0, LAST_EXTENDED, VENDOR },
    { 0x80000001, 0, CPU_SIGNATURE, 0, 0, LM },
    { 0x80000002, 0, TEXT('K', 'i', 'l', 'n'), TEXT(' ', 'v', 'i', 'r'), TEXT('t', 'u', 'a', 'l'),
      TEXT(' ', 'C', 'P', 'U') },
    { 0x80000005, 0, 0xff40ff40, 0xff40ff40, 0x20080140, 0x20080140 }, /* TLBs: 64 entries */
    { 0x80000006, 0, 0x64006400, 0x64006400, 0x02006140, 0x00408140 }, /* TLBs: 1024 */
    { 0x80000008, 0, 40 | 48 << 8, 0, 0, 0 },
    CACHES(0x8000001d),
};

/* The x87 and SSE parts of the XSAVE area (SDM 1, 13.2). */
static struct leaf xsave_leaf(const struct cpu *c, u32 sub)
{
    enum { X87_AND_SSE = 3, LEGACY_AND_HEADER = 576 };

    if (!cpu_offers(c, FEAT_XSAVE) || sub)
        return (struct leaf){ 0 };
    return (struct leaf){ .eax = X87_AND_SSE, .ebx = LEGACY_AND_HEADER, .ecx = LEGACY_AND_HEADER };
}

/* What depends on more than the leaf's number. */
static struct leaf adjust(const struct cpu *c, struct leaf l, u32 n, u32 sub)
{
    u64 hz = 1000000000ull * c->cfg.clk->den / c->cfg.clk->num; /* of the TSC: one a tick */
    u32 r[4];

    switch (n) {
    case 1:
        l.ebx |= c->cfg.apic_id << 24;
        l.ecx |= c->cr4 & CR4_OSXSAVE ? OSXSAVE : 0;
        break;
    case 5: /* a line of 64 bytes; masked interrupts can end MWAIT; C1 */
        if (cpu_offers(c, FEAT_MONITOR))
            l = (struct leaf){ .eax = 64, .ebx = 64, .ecx = 3, .edx = 0x10 };
        break;
    case 7: /* the x87 unit keeps no selectors beside its pointers */
        if (cpu_offers(c, FEAT_FPU) && !sub)
            l.ebx |= NO_FCS_FDS;
        break;
    case 0xb: /* threads of a core, cores of a package: one of each; then nothing more */
        l = (struct leaf){ .ebx = sub < 2, .ecx = (sub & 0xff) | (sub < 2 ? (sub + 1) << 8 : 0),
                           .edx = c->cfg.apic_id };
        break;
    case 0xd: l = xsave_leaf(c, sub); break;
    case 0x15: l = (struct leaf){ .eax = 1, .ebx = 1, .ecx = (u32)hz }; break;
    case 0x16: l = (struct leaf){ .eax = (u32)(hz / 1000000), .ebx = (u32)(hz / 1000000), .ecx = 100 }; break;
    case 0x40000010: l = (struct leaf){ .eax = (u32)(hz / 1000) }; break;
    case 0x80000001:
        cpu_cpuid(c, 1, 0, r);
        l.edx |= r[CPUID_EDX] & AMD_MIRRORS;
        break;
    }
    return l;
}

static bool told(const struct cpu *c, enum feature f)
{
    switch (f) {
    case FEAT_APIC: return cpu_offers(c, f) && cpu_has_apic(c);
    case FEAT_X2APIC: case FEAT_TSC_DEADLINE: return cpu_offers(c, f) && c->cfg.apic.apic;
    default: return cpu_offers(c, f);
    }
}

/* What is not there is zero, beyond the last leaf, too (APM 3). */
void cpu_cpuid(const struct cpu *c, u32 n, u32 sub, u32 out[4])
{
    bool subleaves = n == 4 || n == 7 || n == 0x8000001d;
    struct leaf l = { 0 };

    for (unsigned i = 0; i < ARRAY_LEN(leaves); i++)
        if (leaves[i].number == n && (leaves[i].sub == sub || !subleaves))
            l = leaves[i];
    if (n >> 8 == 0x400000 && !cpu_offers(c, FEAT_HYPERVISOR))
        l = (struct leaf){ 0 };
    else
        l = adjust(c, l, n, sub);
    out[CPUID_EAX] = l.eax;
    out[CPUID_EBX] = l.ebx;
    out[CPUID_ECX] = l.ecx;
    out[CPUID_EDX] = l.edx;
    for (unsigned f = FEAT_NONE + 1; f < NR_FEATURES; f++) {
        const struct cpu_feature_place *p = &cpu_feature_places[f];

        if (p->leaf == n && !(subleaves && sub) && told(c, (enum feature)f))
            out[p->reg] |= 1u << p->bit;
    }
}

void x_cpuid(struct cpu *c, const struct insn *in)
{
    u32 r[4];

    (void)in;
    cpu_cpuid(c, (u32)c->gpr[RAX], (u32)c->gpr[RCX], r);
    c->gpr[RAX] = r[CPUID_EAX];
    c->gpr[RBX] = r[CPUID_EBX];
    c->gpr[RCX] = r[CPUID_ECX];
    c->gpr[RDX] = r[CPUID_EDX];
}
