/* The first serial port (COM1, 16550), 115200 8N1: the console's other half. */
#ifndef GUESTOS_DRIVERS_SERIAL_H
#define GUESTOS_DRIVERS_SERIAL_H

#include "guestos/kernel/types.h"

void serial_init(void); /* output works after this, input needs serial_enable_input */
void serial_enable_input(void);
void serial_put(char c);
bool serial_present(void);

#endif
