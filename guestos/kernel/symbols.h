/* Names for the kernel's code addresses, for backtraces. The table is made after a first link. */
#ifndef GUESTOS_KERNEL_SYMBOLS_H
#define GUESTOS_KERNEL_SYMBOLS_H

#include "guestos/kernel/types.h"

/* The function that holds address, and how far into it; NULL: none of the kernel's code. */
const char *symbol_of(u64 address, u64 *offset);

#endif
