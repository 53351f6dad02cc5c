/*
 * The only ways into user memory. Bad addresses give -EFAULT, whatever they are; the page is made
 * present if it can be, so these sleep: no spinlock may be held. The current thread's process.
 */
#ifndef GUESTOS_MM_USER_H
#define GUESTOS_MM_USER_H

#include "guestos/kernel/types.h"

int copy_from_user(void *to, u64 from, size_t len_bytes); /* 0 or -EFAULT */
int copy_to_user(u64 to, const void *from, size_t len_bytes);
int clear_user(u64 to, size_t len_bytes);
/* A string with its end into to[size]; its length, or -EFAULT, or -ENAMETOOLONG. */
long string_from_user(char *to, u64 from, size_t size);
bool user_range_ok(u64 begin, u64 len_bytes); /* lies in user space (may be unmapped) */

#define GET_USER(variable, from) copy_from_user(&(variable), (from), sizeof(variable))
#define PUT_USER(to, variable)   copy_to_user((to), &(variable), sizeof(variable))

/* futex: *(u32 *)at, compared and swapped in one step; 0 and *old, or -EFAULT. */
int user_compare_exchange(u64 at, u32 expected, u32 new_value, u32 *old);

#endif
