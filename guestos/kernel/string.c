/* Memory and strings: what lib/memory.c does not have. */
#include "guestos/kernel/string.h"

void *memmove(void *to, const void *from, size_t len_bytes)
{
    void *start = to;

    if ((u64)to - (u64)from >= len_bytes) {
        return memcpy(to, from, len_bytes);
    }
    to = (u8 *)to + len_bytes - 1;
    from = (const u8 *)from + len_bytes - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(to), "+S"(from), "+c"(len_bytes) : : "memory");
    return start;
}

int strcmp(const char *a, const char *b)
{
    for (; *a && *a == *b; a++, b++) {
    }
    return (u8)*a - (u8)*b;
}

void string_copy(char *to, const char *from, size_t size)
{
    for (; size > 1 && *from; size--) {
        *to++ = *from++;
    }
    *to = 0;
}

bool string_to_u64(const char *s, u64 *value)
{
    u64 base = 10;

    if (s[0] == '0' && (s[1] | 0x20) == 'x') {
        base = 16;
        s += 2;
    }
    *value = 0;
    if (!*s) {
        return false;
    }
    for (; *s; s++) {
        u8 c = (u8)*s;
        u64 digit = c >= '0' && c <= '9' ? c - 0ul - '0' : (c | 0x20u) - 'a' + 10ul;
        if (digit >= base || (c > '9' && (c | 0x20) < 'a') || *value > (~0ul - digit) / base) {
            return false;
        }
        *value = *value * base + digit;
    }
    return true;
}

int strncmp(const char *a, const char *b, size_t len)
{
    for (; len && *a && *a == *b; a++, b++) {
        len--;
    }
    return len ? (u8)*a - (u8)*b : 0;
}

size_t strlen(const char *s)
{
    size_t len = 0;

    while (s[len]) {
        len++;
    }
    return len;
}

char *strchr(const char *s, int c)
{
    for (; *s; s++) {
        if (*s == (char)c) {
            return (char *)s;
        }
    }
    return c ? NULL : (char *)s;
}
