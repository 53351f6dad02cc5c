/*
 * Physical memory in frames of 4 KiB. The usable ranges of the loader's map, without the first
 * MiB and the kernel's image, are handed out from the bottom; freed frames come first.
 */
#ifndef GUESTOS_MM_FRAMES_H
#define GUESTOS_MM_FRAMES_H

#include "guestos/kernel/boot_info.h"

#define NO_FRAME 0ul

struct frame_range {
    u64 begin, end; /* physical, page-aligned */
};

void frames_init(const struct boot_info *boot);
u64 frame_alloc(void); /* the physical address of a zeroed frame; NO_FRAME when there is none */
void frame_free(u64 pa);
u64 frames_total(void);
u64 frames_free(void);
const struct frame_range *frames_ranges(u32 *nr_ranges); /* sorted, disjoint */

#endif
