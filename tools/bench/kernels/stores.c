/* Stores of 8, 4, 2 and 1 bytes and read-modify-writes over 32 KiB, four to a turn. */
#include "tools/bench/kernels/kernel.h"

enum { BYTES = 32768 };

void setup_stores(u8 *arena)
{
    for (u32 i = 0; i < BYTES + 64; i++)
        arena[i] = 0;
}

u64 kernel_stores(u8 *arena, u64 iterations)
{
    u64 v = 1, sum = 0;

    while (iterations--) {
        for (u32 i = 0; i < BYTES; i += 32) {
            *(u64 *)(arena + i) = v;
            *(u32 *)(arena + i + 8) = (u32)v;
            *(u16 *)(arena + i + 12) = (u16)v;
            arena[i + 14] = (u8)v;
            *(u64 *)(arena + i + 16) += v;
            *(u32 *)(arena + i + 24) ^= i;
            v += v << 1;
        }
        sum = mix(sum, *(u64 *)(arena + (v >> 50)));
    }
    return sum;
}
