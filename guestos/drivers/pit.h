/* The 8254's channel 0, which gives the ticks, and channel 2, which measures other clocks. */
#ifndef GUESTOS_DRIVERS_PIT_H
#define GUESTOS_DRIVERS_PIT_H

#include "guestos/kernel/types.h"

void pit_start(u32 hz, void (*tick)(void *)); /* tick is called in interrupts */
u64 pit_measure_tsc(void);                    /* the TSC's frequency in Hz; takes 3 * 10 ms */

#endif
