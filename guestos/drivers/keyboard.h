/* The PS/2 keyboard behind the 8042; US layout. Keys go to console_input(),
 * for the kernel's prompt, or to the screen's tty. */
#ifndef GUESTOS_DRIVERS_KEYBOARD_H
#define GUESTOS_DRIVERS_KEYBOARD_H

#include "guestos/kernel/types.h"

bool keyboard_init(void);        /* false: no controller answers */
void keyboard_to_tty(void);      /* from now on */
void keyboard_pulse_reset(void); /* asks the controller to reset the machine */

#endif
