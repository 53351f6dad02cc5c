/* `rep stosb` of 1048576 bytes. */
#include "tools/bench/kernels/string_ops.h"

void setup_stos_1m(u8 *arena)
{
    string_setup(arena, 1048576);
}

u64 kernel_stos_1m(u8 *arena, u64 iterations)
{
    return string_stos(arena, 1048576, iterations);
}
