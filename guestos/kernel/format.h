/* Formatted text, to wherever the sink puts it. */
#ifndef GUESTOS_KERNEL_FORMAT_H
#define GUESTOS_KERNEL_FORMAT_H

#include "guestos/kernel/types.h"

#include <stdarg.h>

struct format_sink {
    void (*put)(struct format_sink *, char c);
};

/* %c %s %d %u %x %lx %lu %ld, with width, '0' and '-'; nothing else. */
void vformat(struct format_sink *, const char *format, va_list args);

#endif
