/* A 64-bit hash of 4 KiB in four lanes: multiplications, rotations, loads; and of its bytes, one by one. */
#include "tools/bench/kernels/kernel.h"

enum { BYTES = 4096, TAIL = 256 };

void setup_hash64(u8 *arena)
{
    u64 random = 29;

    for (u32 i = 0; i < BYTES; i += 4)
        *(u32 *)(arena + i) = next_random(&random);
}

static u64 lane(u64 h, u64 v)
{
    h += v * 0xc2b2ae3d27d4eb4full;
    h = h << 31 | h >> 33;
    return h * 0x9e3779b185ebca87ull;
}

u64 kernel_hash64(u8 *arena, u64 iterations)
{
    u64 a = 1, b = 2, c = 3, d = 4;

    while (iterations--) {
        for (u32 i = 0; i < BYTES; i += 32) {
            const u64 *p = (const u64 *)(arena + i);
            a = lane(a, p[0]);
            b = lane(b, p[1]);
            c = lane(c, p[2]);
            d = lane(d, p[3]);
        }
        for (u32 i = 0; i < TAIL; i++) /* FNV-1a */
            a = (a ^ arena[i]) * 0x100000001b3ull;
    }
    return a ^ b ^ c ^ d;
}
