/* Off and on again. */
#ifndef GUESTOS_DRIVERS_POWER_H
#define GUESTOS_DRIVERS_POWER_H

void power_off(void); /* comes back, having said why, if that did not work */
_Noreturn void power_reset(void);

#endif
