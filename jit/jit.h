/*
 * The JIT: an engine that translates blocks of guest code to host code and runs that.
 */
#ifndef JIT_JIT_H
#define JIT_JIT_H

#include "cpu/cpu.h"

extern const struct engine jit_engine;

#endif
