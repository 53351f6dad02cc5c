/*
 * Processor models: what a guest is told by CPUID, and may rely on.
 */
#ifndef CPU_CPU_MODEL_H
#define CPU_CPU_MODEL_H

#include "cpu/feature.h"

/* The features of the host's processor, bit per enum feature. Models never depend on it; it matters
 * where the host runs an instruction itself: rows of the interpreter that need the silicon, and
 * tests. Asking costs microseconds under a hypervisor. */
u64 cpu_host_features(void);

#endif
