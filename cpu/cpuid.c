/*
 * CPUID: one fixed processor model, never the host's, so that runs are reproducible.
 * SDM 2A CPUID; APM 3 appendix E. A feature is shown only when it is there.
 */
#include "cpu/operand.h"

struct leaf {
    u32 number, eax, ebx, ecx, edx;
};

#define TEXT(a, b, c, d) ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

enum leaf1_edx {
    VME = 1 << 1, DE = 1 << 2, PSE = 1 << 3, TSC = 1 << 4, MSR = 1 << 5, PAE = 1 << 6, MCE = 1 << 7, CX8 = 1 << 8,
    APIC = 1 << 9, SEP = 1 << 11, MTRR = 1 << 12, PGE = 1 << 13, CMOV = 1 << 15, PAT = 1 << 16, PSE36 = 1 << 17,
    CLFSH = 1 << 19,
};
enum leaf1_ecx { MONITOR = 1 << 3, CX16 = 1 << 13, PCID = 1 << 17, X2APIC = 1 << 21, TSC_DEADLINE = 1 << 24,
                  HYPERVISOR = 1u << 31 };
enum leaf7 { SMEP = 1 << 7, INVPCID = 1 << 10, SMAP = 1 << 20, UMIP = 1 << 2 };
enum ext_edx { SYSCALL = 1 << 11, NX = 1 << 20, PAGE1G = 1 << 26, RDTSCP = 1 << 27, LM = 1 << 29 };
enum ext_ecx { LAHF64 = 1 << 0, PREFETCHW = 1 << 8 };

static const struct leaf leaves[] = {
    /* "AuthenticAMD": where vendors differ we follow AMD, and guests look here for that. */
    { 0, 11, TEXT('A', 'u', 't', 'h'), TEXT('c', 'A', 'M', 'D'), TEXT('e', 'n', 't', 'i') },
    /* family 15, model 107, stepping 1; CLFLUSH line 64 bytes, one logical processor */
    { 1, 0x00060fb1, 0x00010800, MONITOR | CX16 | PCID | X2APIC | TSC_DEADLINE | HYPERVISOR,
      VME | DE | PSE | TSC | MSR | PAE | CX8 | APIC | SEP | MTRR | PGE | CMOV | PAT | PSE36 | CLFSH },
    { 5, 64, 64, 3, 0x10 }, /* MONITOR: a line of 64 bytes; masked interrupts can end MWAIT; C1 */
    { 6, 1 << 2, 0, 0, 0 }, /* ARAT: the APIC's timer never stops */
    { 7, 0, SMEP | INVPCID | SMAP, UMIP, 0 },
    { 0x40000000, 0x40000000, TEXT('K', 'i', 'l', 'n'), TEXT('K', 'i', 'l', 'n'),
      TEXT('K', 'i', 'l', 'n') },
    { 0x80000000, 0x80000008, TEXT('A', 'u', 't', 'h'), TEXT('c', 'A', 'M', 'D'),
      TEXT('e', 'n', 't', 'i') },
    { 0x80000001, 0x00060fb1, 0, LAHF64 | PREFETCHW,
      SYSCALL | NX | PAGE1G | RDTSCP | LM | VME | DE | PSE | TSC | MSR | PAE | CX8 | APIC | MTRR | PGE | CMOV | PAT |
          PSE36 },
    { 0x80000002, TEXT('K', 'i', 'l', 'n'), TEXT(' ', 'v', 'i', 'r'), TEXT('t', 'u', 'a', 'l'),
      TEXT(' ', 'C', 'P', 'U') },
    { 0x80000003, 0, 0, 0, 0 },
    { 0x80000004, 0, 0, 0, 0 },
    { 0x80000005, 0, 0, 0, 0 },
    { 0x80000006, 0, 0, 0, 0 },
    { 0x80000007, 0, 0, 0, 1 << 8 }, /* the TSC does not change its rate */
    { 0x80000008, 40 | 48 << 8, 0, 0, 0 },
};

/* What is not in the table: it depends on the local APIC, and on which processor this is. */
static struct leaf adjust(const struct cpu *c, struct leaf l, u32 n, u32 sub)
{
    switch (n) {
    case 1:
        l.ebx |= c->cfg.apic_id << 24;
        l.ecx &= c->cfg.apic.apic ? ~0u : ~(u32)(X2APIC | TSC_DEADLINE);
        /* fall through */
    case 0x80000001: l.edx &= cpu_has_apic(c) ? ~0u : ~(u32)APIC; break;
    case 11: /* threads of a core, cores of a package: one of each; then nothing more */
        l = (struct leaf){ .ebx = sub < 2, .ecx = (sub & 0xff) | (sub < 2 ? (sub + 1) << 8 : 0),
                           .edx = c->cfg.apic_id };
        break;
    default: break;
    }
    return l;
}

void x_cpuid(struct cpu *c, const struct insn *in)
{
    u32 n = (u32)c->gpr[RAX], sub = (u32)c->gpr[RCX];
    struct leaf l = { 0 }; /* what is not there is zero, beyond the last leaf, too (APM 3) */

    (void)in;
    for (unsigned i = 0; i < ARRAY_LEN(leaves); i++)
        if (leaves[i].number == n && !(n == 7 && sub))
            l = leaves[i];
    l = adjust(c, l, n, sub);
    c->gpr[RAX] = l.eax;
    c->gpr[RBX] = l.ebx;
    c->gpr[RCX] = l.ecx;
    c->gpr[RDX] = l.edx;
}
