/* Four streams through buffers at equal offsets of 4 MiB: a direct-mapped TLB misses at each access. */
#include "tools/bench/kernels/kernel.h"

enum { WORDS = 2048 };

void setup_alias_copy(u8 *arena)
{
    u64 random = 5;

    for (u32 b = 0; b < 4; b++)
        for (u32 i = 0; i < WORDS; i++)
            *(u64 *)(arena + b * 4 * MIB + 8u * i) = next_random(&random);
}

u64 kernel_alias_copy(u8 *arena, u64 iterations)
{
    u64 *a = (u64 *)arena, *b = (u64 *)(arena + 4 * MIB);
    u64 *c = (u64 *)(arena + 8 * MIB), *d = (u64 *)(arena + 12 * MIB);
    u64 sum = 0;

    while (iterations--) {
        for (u32 i = 0; i < WORDS; i++) {
            sum += a[i] ^ b[i];
            c[i] = sum;
            d[i] = a[i];
        }
        b[sum % WORDS] = c[sum >> 53];
    }
    return mix(sum, d[WORDS / 2]);
}
