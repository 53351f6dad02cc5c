/* `rep movsb` of 64 bytes. */
#include "tools/bench/kernels/string_ops.h"

void setup_movs_64(u8 *arena)
{
    string_setup(arena, 64);
}

u64 kernel_movs_64(u8 *arena, u64 iterations)
{
    return string_movs(arena, 64, iterations);
}
