/*
 * The serial ports COM1 and COM2 (16550, 115200 8N1): ttyS0 and ttyS1. COM1 also has the kernel's
 * messages, and the kernel's prompt if that is asked for.
 */
#ifndef GUESTOS_DRIVERS_SERIAL_H
#define GUESTOS_DRIVERS_SERIAL_H

#include "guestos/kernel/types.h"

void serial_init(void); /* output works after this, input needs serial_enable_input */
void serial_enable_input(void);
void serial_register(void); /* makes ttyS0 and ttyS1, as far as they are there */
void serial_print(char c);  /* on COM1, at once; in any context */

#endif
