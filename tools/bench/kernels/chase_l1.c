/* A chain of pointers through 16 KiB: nothing but the latency of a load that hits. */
#include "tools/bench/kernels/kernel.h"

enum { NODES = 2048, STEPS = 1024 };

void setup_chase_l1(u8 *arena)
{
    u64 random = 7;
    u8 **node = (u8 **)arena;
    u16 order[NODES]; /* Sattolo: one cycle through all */

    for (u32 i = 0; i < NODES; i++)
        order[i] = (u16)i;
    for (u32 i = NODES - 1; i; i--) {
        u32 j = next_random(&random) % i;
        u16 t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (u32 i = 0; i < NODES; i++)
        node[i] = arena + 8u * order[i];
}

u64 kernel_chase_l1(u8 *arena, u64 iterations)
{
    u8 *p = arena;

    while (iterations--)
        for (u32 i = 0; i < STEPS; i++)
            p = *(u8 **)p;
    return mix(1, (u64)(p - arena));
}
