/* The screen and the keyboard as a terminal: tty1, and where print() writes. */
#ifndef GUESTOS_TTY_VT_H
#define GUESTOS_TTY_VT_H

#include "guestos/kernel/types.h"

void vt_init(void);     /* before anything is printed */
void vt_register(void); /* makes tty1 */
void vt_print(char c);  /* for print(): at once, '\n' begins a line; in any context */
void vt_clear(void);    /* for the kernel's prompt */
/* A key of enum console_key or a character, from the keyboard; in interrupts. */
void vt_key(u16 key, bool alt);
void vt_look_back(i32 pages); /* Shift-PgUp, Shift-PgDn (negative) */

#endif
