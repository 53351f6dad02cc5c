/* The pair of 8259A interrupt controllers, as a PC wires them: 16 lines, the second at line 2. */
#ifndef GUESTOS_DRIVERS_PIC_H
#define GUESTOS_DRIVERS_PIC_H

#include "guestos/kernel/types.h"

void pic_init(u8 first_vector); /* every line masked */
void pic_unmask(u8 irq);
bool pic_is_spurious(u8 irq); /* and acknowledges what must be */
void pic_end_of_interrupt(u8 irq);

#endif
