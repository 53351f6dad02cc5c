/* What the screen's font has for a character. */
#ifndef GUESTOS_TTY_CP437_H
#define GUESTOS_TTY_CP437_H

#include "guestos/kernel/types.h"

u8 cp437_of(u32 code_point); /* of Unicode; '?' if the font has nothing for it */
u8 cp437_graphics(u8 c);     /* of DEC's special graphics */

#endif
