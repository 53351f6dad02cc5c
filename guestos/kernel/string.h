/* Memory and strings. The compiler calls the first three by itself too. */
#ifndef GUESTOS_KERNEL_STRING_H
#define GUESTOS_KERNEL_STRING_H

#include "guestos/kernel/types.h"

void *memset(void *to, int value, size_t len_bytes);
void *memcpy(void *to, const void *from, size_t len_bytes);
void *memmove(void *to, const void *from, size_t len_bytes);
int memcmp(const void *a, const void *b, size_t len_bytes);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t len);
size_t strlen(const char *s);
char *strchr(const char *s, int c); /* NULL: not in it */
/* At most size - 1 characters, always terminated. */
void string_copy(char *to, const char *from, size_t size);
/* All of s is a number, decimal or with 0x hexadecimal, below 2^64. */
bool string_to_u64(const char *s, u64 *value);

#endif
