/*
 * Processor models: what a guest is told by CPUID, and may rely on.
 *
 * A model is a name and a set of features. It never depends on the host, so that runs repeat: a
 * host that lacks what a model needs of it is refused.
 */
#ifndef CPU_CPU_MODEL_H
#define CPU_CPU_MODEL_H

#include "cpu/feature.h"

struct cpu;

#define CPU_SIGNATURE 0x00060fb1 /* family 15, model 107, stepping 1: as QEMU's 64-bit models */

struct cpu_model {
    const char *name; /* as -cpu has it */
    const char *what; /* for people */
    u64 features;     /* bit per enum feature; to be masked with cpu_features_there() */
};

extern const struct cpu_model cpu_models[]; /* the first is the default; the last has no name */

extern const char *const cpu_feature_names[NR_FEATURES]; /* [FEAT_NONE] is NULL */

/* Where CPUID reports each. */
struct cpu_feature_place {
    u32 leaf;
    enum cpuid_reg reg;
    unsigned bit;
};
extern const struct cpu_feature_place cpu_feature_places[NR_FEATURES];

/* What is complete, so that a guest can be told of it. */
u64 cpu_features_there(void);

/* Of a set: the features for which the interpreter runs the host's own instruction, and which this
 * host has not. */
u64 cpu_features_host_lacks(u64 set);

/* The features of the host's processor. Only for what runs the host's own instructions: rows of
 * the interpreter that need the silicon, and tests. Asking costs microseconds under a hypervisor. */
u64 cpu_host_features(void);

/* CPUID as the guest sees it now: eax, ebx, ecx, edx. */
void cpu_cpuid(const struct cpu *, u32 leaf, u32 subleaf, u32 out[4]);

#endif
