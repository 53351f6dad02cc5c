/* `rep movsb` of 4096 bytes. */
#include "tools/bench/kernels/string_ops.h"

void setup_movs_4k(u8 *arena)
{
    string_setup(arena, 4096);
}

u64 kernel_movs_4k(u8 *arena, u64 iterations)
{
    return string_movs(arena, 4096, iterations);
}
