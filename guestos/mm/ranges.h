/* The ranges of usable memory, for the frame allocator. */
#ifndef GUESTOS_MM_RANGES_H
#define GUESTOS_MM_RANGES_H

#include "guestos/mm/frames.h"

void ranges_init(const struct boot_info *);
u64 ranges_take_early(void);             /* a frame, its bytes undefined; NO_FRAME: none is left */
struct frame_range *ranges_all(u32 *nr); /* sorted, disjoint */

#endif
