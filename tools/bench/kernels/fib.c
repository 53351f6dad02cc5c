/* Fibonacci numbers by recursion: calls and returns. */
#include "tools/bench/kernels/kernel.h"

void setup_fib(u8 *arena)
{
    arena[0] = 0;
}

static NO_INLINE u64 fib(u64 n)
{
    if (n < 2)
        return n;
    u64 before = fib(n - 1);
    return before + fib(n - 2);
}

u64 kernel_fib(u8 *arena, u64 iterations)
{
    u64 sum = arena[0];

    while (iterations--)
        sum = mix(sum, fib(16 + (sum & 1)));
    return sum;
}
