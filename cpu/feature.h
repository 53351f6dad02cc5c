/*
 * What a processor may offer: one row for each CPUID feature that a guest can be given or denied.
 *
 * FEATURE(id, leaf, register, bit, name): CPUID.leaf (subleaf 0) reports it there; the name is
 * that of -cpu's +name and -name, QEMU's and Linux' spelling. What every
 * x86-64 processor has (PAE, CMOV ...) cannot be denied, and is in cpuid.c. SDM 2A CPUID, APM 3 appendix E.
 */
#ifndef CPU_FEATURE_H
#define CPU_FEATURE_H

#include "core/types.h"

enum cpuid_reg { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

/* clang-format off */
#define FEATURES(FEATURE)                                    \
    FEATURE(FPU,       1,          EDX,  0, "fpu")           \
    FEATURE(MCE,       1,          EDX,  7, "mce")           \
    FEATURE(APIC,      1,          EDX,  9, "apic")          \
    FEATURE(MCA,       1,          EDX, 14, "mca")           \
    FEATURE(MMX,       1,          EDX, 23, "mmx")           \
    FEATURE(FXSR,      1,          EDX, 24, "fxsr")          \
    FEATURE(SSE,       1,          EDX, 25, "sse")           \
    FEATURE(SSE2,      1,          EDX, 26, "sse2")          \
    FEATURE(SSE3,      1,          ECX,  0, "sse3")          \
    FEATURE(PCLMUL,    1,          ECX,  1, "pclmulqdq")     \
    FEATURE(MONITOR,   1,          ECX,  3, "monitor")       \
    FEATURE(SSSE3,     1,          ECX,  9, "ssse3")         \
    FEATURE(CX16,      1,          ECX, 13, "cx16")          \
    FEATURE(PCID,      1,          ECX, 17, "pcid")          \
    FEATURE(SSE41,     1,          ECX, 19, "sse4.1")        \
    FEATURE(SSE42,     1,          ECX, 20, "sse4.2")        \
    FEATURE(X2APIC,    1,          ECX, 21, "x2apic")        \
    FEATURE(MOVBE,     1,          ECX, 22, "movbe")         \
    FEATURE(POPCNT,    1,          ECX, 23, "popcnt")        \
    FEATURE(TSC_DEADLINE, 1,       ECX, 24, "tsc-deadline")  \
    FEATURE(AES,       1,          ECX, 25, "aes")           \
    FEATURE(XSAVE,     1,          ECX, 26, "xsave")         \
    FEATURE(RDRAND,    1,          ECX, 30, "rdrand")        \
    FEATURE(HYPERVISOR, 1,         ECX, 31, "hypervisor")    \
    FEATURE(ARAT,      6,          EAX,  2, "arat")          \
    FEATURE(FSGSBASE,  7,          EBX,  0, "fsgsbase")      \
    FEATURE(BMI1,      7,          EBX,  3, "bmi1")          \
    FEATURE(SMEP,      7,          EBX,  7, "smep")          \
    FEATURE(BMI2,      7,          EBX,  8, "bmi2")          \
    FEATURE(ERMS,      7,          EBX,  9, "erms")          \
    FEATURE(INVPCID,   7,          EBX, 10, "invpcid")       \
    FEATURE(RDSEED,    7,          EBX, 18, "rdseed")        \
    FEATURE(ADX,       7,          EBX, 19, "adx")           \
    FEATURE(SMAP,      7,          EBX, 20, "smap")          \
    FEATURE(CLFLUSHOPT, 7,         EBX, 23, "clflushopt")    \
    FEATURE(CLWB,      7,          EBX, 24, "clwb")          \
    FEATURE(SHA,       7,          EBX, 29, "sha-ni")        \
    FEATURE(UMIP,      7,          ECX,  2, "umip")          \
    FEATURE(RDPID,     7,          ECX, 22, "rdpid")         \
    FEATURE(FSRM,      7,          EDX,  4, "fsrm")          \
    FEATURE(LAHF_LM,   0x80000001, ECX,  0, "lahf_lm")       \
    FEATURE(LZCNT,     0x80000001, ECX,  5, "lzcnt")         \
    FEATURE(SSE4A,     0x80000001, ECX,  6, "sse4a")         \
    FEATURE(PREFETCHW, 0x80000001, ECX,  8, "3dnowprefetch") \
    FEATURE(SYSCALL,   0x80000001, EDX, 11, "syscall")       \
    FEATURE(NX,        0x80000001, EDX, 20, "nx")            \
    FEATURE(MMXEXT,    0x80000001, EDX, 22, "mmxext")        \
    FEATURE(PDPE1GB,   0x80000001, EDX, 26, "pdpe1gb")       \
    FEATURE(RDTSCP,    0x80000001, EDX, 27, "rdtscp")        \
    FEATURE(INVTSC,    0x80000007, EDX,  8, "invtsc")
/* clang-format on */

enum feature {
    FEAT_NONE,
#define FEATURE(id, leaf, reg, bit, name) FEAT_##id,
    FEATURES(FEATURE)
#undef FEATURE
    NR_FEATURES
};
_Static_assert(NR_FEATURES <= 64, "struct cpu keeps the set in 64 bits");

#endif
