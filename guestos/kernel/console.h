/*
 * The console: text out to the screen and the first serial port; for the kernel's prompt also
 * characters in, from the keyboard and that port. Characters are ASCII; keys without one are the
 * KEY_ values. Once there are ttys, these get the keys instead (tty/vt.c, drivers/serial.c).
 */
#ifndef GUESTOS_KERNEL_CONSOLE_H
#define GUESTOS_KERNEL_CONSOLE_H

#include "guestos/kernel/types.h"

#include <stdarg.h>

enum console_key { /* ORDER: tty/vt.c */
                   KEY_UP = 0x100,
                   KEY_DOWN,
                   KEY_LEFT,
                   KEY_RIGHT,
                   KEY_HOME,
                   KEY_END,
                   KEY_PAGE_UP,
                   KEY_PAGE_DOWN,
                   KEY_INSERT,
                   KEY_DELETE,
                   KEY_ENTER, /* these two are '\n' and '\b' to console_get() */
                   KEY_BACKSPACE,
                   KEY_BACK_TAB, /* Shift-Tab */
                   KEY_NUL,      /* Ctrl-Space */
                   KEY_F1,       /* to F12 */
                   KEY_F12 = KEY_F1 + 11,
};

void console_init(void);
void console_put(char c);

/* Called by the drivers, in interrupts. A full queue drops the key. */
void console_input(u16 key);
/* The next key; sleeps until there is one. */
u16 console_get(void);

/* %c %s %d %u %x %lx %lu %ld, with width, '0' and '-'; nothing else. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void vprint(const char *format, va_list args);

#endif
