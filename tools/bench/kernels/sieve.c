/* Primes below 64 Ki by the sieve of Eratosthenes, a byte each: short loops of byte stores. */
#include "tools/bench/kernels/kernel.h"

enum { LIMIT = 65536 };

void setup_sieve(u8 *arena)
{
    arena[0] = 0;
}

u64 kernel_sieve(u8 *arena, u64 iterations)
{
    u64 sum = 0;

    while (iterations--) {
        u32 count = 0;

        for (u32 i = 2; i < LIMIT; i++)
            arena[i] = 1;
        for (u32 i = 2; i < LIMIT; i++) {
            if (!arena[i])
                continue;
            count++;
            for (u32 j = i * 2; j < LIMIT; j += i)
                arena[j] = 0;
        }
        sum = mix(sum, count);
    }
    return sum;
}
