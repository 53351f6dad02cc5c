/*
 * What a processor may offer: one row for each CPUID feature that a guest can be given or denied.
 *
 * FEATURE(id, leaf, register, bit, name): CPUID.leaf (subleaf 0) reports it there; the name is
 * that of -cpu's +name and -name, QEMU's and Linux' spelling. SDM 2A CPUID, APM 3 appendix E.
 */
#ifndef CPU_FEATURE_H
#define CPU_FEATURE_H

#include "core/types.h"

enum cpuid_reg { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };

/* clang-format off */
#define FEATURES(FEATURE)                                    \
    FEATURE(FPU,       1,          EDX,  0, "fpu")           \
    FEATURE(MMX,       1,          EDX, 23, "mmx")           \
    FEATURE(FXSR,      1,          EDX, 24, "fxsr")          \
    FEATURE(SSE,       1,          EDX, 25, "sse")           \
    FEATURE(SSE2,      1,          EDX, 26, "sse2")          \
    FEATURE(SSE3,      1,          ECX,  0, "sse3")          \
    FEATURE(PCLMUL,    1,          ECX,  1, "pclmulqdq")     \
    FEATURE(SSSE3,     1,          ECX,  9, "ssse3")         \
    FEATURE(SSE41,     1,          ECX, 19, "sse4.1")        \
    FEATURE(SSE42,     1,          ECX, 20, "sse4.2")        \
    FEATURE(MOVBE,     1,          ECX, 22, "movbe")         \
    FEATURE(POPCNT,    1,          ECX, 23, "popcnt")        \
    FEATURE(AES,       1,          ECX, 25, "aes")           \
    FEATURE(XSAVE,     1,          ECX, 26, "xsave")         \
    FEATURE(RDRAND,    1,          ECX, 30, "rdrand")        \
    FEATURE(FSGSBASE,  7,          EBX,  0, "fsgsbase")      \
    FEATURE(BMI1,      7,          EBX,  3, "bmi1")          \
    FEATURE(BMI2,      7,          EBX,  8, "bmi2")          \
    FEATURE(RDSEED,    7,          EBX, 18, "rdseed")        \
    FEATURE(ADX,       7,          EBX, 19, "adx")           \
    FEATURE(CLFLUSHOPT, 7,         EBX, 23, "clflushopt")    \
    FEATURE(CLWB,      7,          EBX, 24, "clwb")          \
    FEATURE(SHA,       7,          EBX, 29, "sha-ni")        \
    FEATURE(RDPID,     7,          ECX, 22, "rdpid")         \
    FEATURE(LZCNT,     0x80000001, ECX,  5, "lzcnt")         \
    FEATURE(SSE4A,     0x80000001, ECX,  6, "sse4a")         \
    FEATURE(MMXEXT,    0x80000001, EDX, 22, "mmxext")
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
