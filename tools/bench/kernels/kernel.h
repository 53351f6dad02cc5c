/*
 * What a benchmark kernel is. Each is one object file, compiled once, which is linked into the guest
 * and into the program that runs it on the host, so that both run the same bytes.
 *
 *     kernel_NAME(arena, iterations) does its work so many times and returns a checksum;
 *     setup_NAME(arena) makes the data that it works on, before the clock starts.
 *
 * A kernel has no data of its own but constants, calls nothing, and returns the same checksum
 * wherever the arena lies. The list of them is kernels.def.
 */
#ifndef TOOLS_BENCH_KERNEL_H
#define TOOLS_BENCH_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/* Kernels may use this much memory. It begins at a multiple of 4 MiB. */
#define ARENA_BYTES (80ull << 20)
#define MIB         (1ull << 20)

#if defined(__clang__)
#define NO_INLINE __attribute__((noinline))
#else
#define NO_INLINE __attribute__((noipa)) /* nor cloned, nor inlined into itself */
#endif

/* The same numbers everywhere (Knuth's MMIX constants). */
static inline u32 next_random(u64 *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (u32)(*state >> 33);
}

static inline u64 mix(u64 sum, u64 value)
{
    return (sum ^ value) * 0x9e3779b97f4a7c15ull;
}

#endif
