/* The 8254's channel 0 as the kernel's clock. */
#ifndef GUESTOS_DRIVERS_PIT_H
#define GUESTOS_DRIVERS_PIT_H

#include "guestos/kernel/types.h"

void pit_init(void);
u64 uptime_ms(void);   /* since pit_init */
void sleep_ms(u32 ms); /* at least that long; interrupts must be on */

#endif
