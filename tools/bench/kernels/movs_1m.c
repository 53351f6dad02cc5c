/* `rep movsb` of 1048576 bytes. */
#include "tools/bench/kernels/string_ops.h"

void setup_movs_1m(u8 *arena)
{
    string_setup(arena, 1048576);
}

u64 kernel_movs_1m(u8 *arena, u64 iterations)
{
    return string_movs(arena, 1048576, iterations);
}
