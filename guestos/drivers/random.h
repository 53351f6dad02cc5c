/* Random bytes for the kernel, /dev/random and getrandom(2): as good as a cipher can make them. */
#ifndef GUESTOS_DRIVERS_RANDOM_H
#define GUESTOS_DRIVERS_RANDOM_H

#include "guestos/kernel/types.h"

void random_init(void);                        /* seeds the generator; makes the /dev nodes */
void random_bytes(void *to, size_t len_bytes); /* never sleeps */
void random_add(u64 event); /* something that nobody can foresee has happened; in any context */

#endif
