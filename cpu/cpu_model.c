/*
 * Processor models: see cpu/cpu_model.h.
 */
#include "cpu/cpu_model.h"
#include <cpuid.h>

#define F(id) BIT(FEAT_##id)

/* Not there yet, or not complete: neither offered nor accepted. */
static const u64 not_there = F(SSE4A);

/* Rows of these run the host's instruction. SSE2 is in every host. */
static const u64 by_the_host = F(SSE3) | F(PCLMUL) | F(SSSE3) | F(SSE41) | F(SSE42) | F(AES) |
                               F(SHA) | F(SSE4A);

/* QEMU's qemu64 has no more than these, but for SVM. */
#define QEMU64                                                                                     \
    (F(FPU) | F(MCE) | F(APIC) | F(MCA) | F(MMX) | F(FXSR) | F(SSE) | F(SSE2) | F(SSE3) | F(CX16) | F(X2APIC) |      \
     F(HYPERVISOR) | F(SYSCALL) | F(NX) | F(LAHF_LM) | F(PREFETCHW))

/* The level of that name in the System V ABI, and what a kernel can use beside it. */
#define X86_64_V2                                                                                  \
    (QEMU64 | F(SSSE3) | F(SSE41) | F(SSE42) | F(POPCNT) | F(MONITOR) | F(PCID) | F(INVPCID) |     \
     F(SMEP) | F(SMAP) | F(UMIP) | F(ERMS) | F(FSRM) | F(TSC_DEADLINE) | F(ARAT) | F(PDPE1GB) |    \
     F(RDTSCP) | F(INVTSC))

const struct cpu_model cpu_models[] = {
    { "x86-64-v2", "the default: SSE4.2 and POPCNT, SMEP, SMAP, PCID", X86_64_V2 },
    { "qemu64", "as little as QEMU's of that name, without SVM", QEMU64 },
    { "max", "all that is there, which grows with versions", ~1ull },
    { NULL, NULL, 0 },
};

const struct cpu_feature_place cpu_feature_places[NR_FEATURES] = {
#define FEATURE(id, leaf, reg, bit, name) [FEAT_##id] = { leaf, CPUID_##reg, bit },
    FEATURES(FEATURE)
#undef FEATURE
};

const char *const cpu_feature_names[NR_FEATURES] = {
#define FEATURE(id, leaf, reg, bit, name) [FEAT_##id] = name,
    FEATURES(FEATURE)
#undef FEATURE
};

u64 cpu_features_there(void)
{
    return ((1ull << (NR_FEATURES - 1) << 1) - 1) & ~1ull & ~not_there;
}

u64 cpu_host_features(void)
{
    u64 set = 0;

    for (unsigned f = FEAT_NONE + 1; f < NR_FEATURES; f++) {
        const struct cpu_feature_place *p = &cpu_feature_places[f];
        u32 r[4];

        if (__get_cpuid_count(p->leaf, 0, &r[0], &r[1], &r[2], &r[3]) && (r[p->reg] >> p->bit & 1))
            set |= BIT(f);
    }
    return set;
}

u64 cpu_features_host_lacks(u64 set)
{
    set &= by_the_host;
    return set ? set & ~cpu_host_features() : 0;
}
