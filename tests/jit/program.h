/*
 * Random programs: instructions of the ISA table in random forms, and plain random bytes.
 */
#ifndef TESTS_JIT_PROGRAM_H
#define TESTS_JIT_PROGRAM_H

#include "tests/jit/world.h"

enum { MAX_ITEMS = 48, ITEM_BYTES = 16 };

/* A few bytes of code: one instruction, or noise. */
struct item {
    u8 bytes[ITEM_BYTES];
    u8 len;
    u8 rel_size; /* the last bytes are a distance to the start of item `target` */
    bool absolute; /* or its offset */
    i8 target;
    bool gone;   /* dropped by the shrinker */
};

struct program {
    struct item item[MAX_ITEMS];
    unsigned nr;
};

struct rng {
    u64 s;
};
u64 rng_next(struct rng *);
u64 below(struct rng *, u64 n);
bool chance(struct rng *, unsigned percent);

void program_make(struct program *, struct rng *, unsigned code_size);

/* Lays it out, to begin at rip, with HLT behind; returns the length, at most cap. */
u32 program_bytes(const struct program *, u64 rip, u8 *out, u32 cap);

/* The same; where each item begins, and the HLT. */
u32 program_layout(const struct program *, u64 rip, u8 *out, u32 cap, u32 at[MAX_ITEMS + 1]);

#endif
