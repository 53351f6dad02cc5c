/* `rep movsb` and `rep stosb` of one size; the kernels movs_* and stos_* differ by it alone. */
#ifndef TOOLS_BENCH_STRING_OPS_H
#define TOOLS_BENCH_STRING_OPS_H

#include "tools/bench/kernels/kernel.h"

/* Blocks walk round this much memory, so that short ones stay in the first cache. */
#define STRING_WINDOW(bytes) ((bytes) > 16384 ? (bytes) : 16384)

static inline void string_setup(u8 *arena, u64 bytes)
{
    u64 random = 11;

    for (u64 i = 0; i < STRING_WINDOW(bytes); i += 4) {
        *(u32 *)(arena + i) = next_random(&random);
        *(u32 *)(arena + 8 * MIB + i) = 0;
    }
}

static inline u64 string_movs(u8 *arena, u64 bytes, u64 iterations)
{
    u64 sum = 0, at = 0, window = STRING_WINDOW(bytes);

    while (iterations--) {
        u8 *from = arena + at, *to = arena + 8 * MIB + at;
        u64 n = bytes;

        *(u64 *)from += sum;
        __asm__ volatile("rep movsb" : "+S"(from), "+D"(to), "+c"(n) : : "memory");
        sum = mix(sum, *(u64 *)(arena + 8 * MIB + at)) + *(u64 *)(arena + 8 * MIB + at + bytes - 8);
        at = (at + bytes) % window;
    }
    return sum;
}

static inline u64 string_stos(u8 *arena, u64 bytes, u64 iterations)
{
    u64 sum = 1, at = 0, window = STRING_WINDOW(bytes);

    while (iterations--) {
        u8 *to = arena + at;
        u64 n = bytes;

        __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(sum) : "memory");
        sum = mix(sum, arena[at]) + *(u64 *)(arena + at + bytes - 8);
        at = (at + bytes) % window;
    }
    return sum;
}

#endif
