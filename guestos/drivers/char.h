/* Character devices without hardware. */
#ifndef GUESTOS_DRIVERS_CHAR_H
#define GUESTOS_DRIVERS_CHAR_H

#include "guestos/kernel/types.h"

void char_devices_init(void); /* null, zero, full */

#endif
