/* A chain of pointers through 64 MiB, a cache line each: the host's memory, its TLB and ours. */
#include "tools/bench/kernels/kernel.h"

enum { LINE = 64, NODES = 1 << 20, STEPS = 256 };

struct node {
    u8 *next;
    u64 unused[LINE / 8 - 1];
};

void setup_chase_dram(u8 *arena)
{
    u64 random = 3;
    struct node *node = (struct node *)arena;

    for (u32 i = 0; i < NODES; i++)
        node[i].next = (u8 *)&node[i];
    for (u32 i = NODES - 1; i; i--) { /* Sattolo: one cycle through all */
        u32 j = (u32)((u64)next_random(&random) * i >> 31);
        u8 *t = node[i].next;
        node[i].next = node[j].next;
        node[j].next = t;
    }
}

u64 kernel_chase_dram(u8 *arena, u64 iterations)
{
    u8 *p = arena;

    while (iterations--)
        for (u32 i = 0; i < STEPS; i++)
            p = ((struct node *)p)->next;
    return mix(1, (u64)(p - arena));
}
