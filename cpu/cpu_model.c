/*
 * Processor models: see cpu/cpu_model.h.
 */
#include "cpu/cpu_model.h"
#include <cpuid.h>

static const struct {
    u32 leaf;
    enum cpuid_reg reg;
    unsigned bit;
    const char *name;
} features[NR_FEATURES] = {
#define FEATURE(id, leaf, reg, bit, name) [FEAT_##id] = { leaf, CPUID_##reg, bit, name },
    FEATURES(FEATURE)
#undef FEATURE
};

u64 cpu_host_features(void)
{
    u64 set = 0;

    for (unsigned f = FEAT_NONE + 1; f < NR_FEATURES; f++) {
        u32 r[4];

        if (__get_cpuid_count(features[f].leaf, 0, &r[0], &r[1], &r[2], &r[3]) &&
            (r[features[f].reg] >> features[f].bit & 1))
            set |= BIT(f);
    }
    return set;
}
