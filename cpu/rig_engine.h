/*
 * The engine that the processors of tests run in: what the environment variable KILN_ACCEL says in -accel's
 * words ("interp", "jit,hot=0,block=1"), or the interpreter. See tests/README.md.
 */
#ifndef CPU_RIG_ENGINE_H
#define CPU_RIG_ENGINE_H

#include "cpu/cpu.h"

/* Puts the options that go with it into the configuration. Ends the program where KILN_ACCEL is wrong. */
const struct engine *rig_engine(struct cpu_config *);

#endif
