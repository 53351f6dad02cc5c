/* What a compiler calls by itself, for the loader and the kernel alike: memory by the string
 * instructions, which are short and, with ERMS, as fast as anything. */
#include <stddef.h>

void *memset(void *to, int value, size_t len_bytes);
void *memcpy(void *to, const void *from, size_t len_bytes);
int memcmp(const void *a, const void *b, size_t len_bytes);

void *memset(void *to, int value, size_t len_bytes)
{
    void *start = to;

    __asm__ volatile("rep stosb" : "+D"(to), "+c"(len_bytes) : "a"(value) : "memory");
    return start;
}

void *memcpy(void *to, const void *from, size_t len_bytes)
{
    void *start = to;

    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(len_bytes) : : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t len_bytes)
{
    const unsigned char *x = a;
    const unsigned char *y = b;

    for (; len_bytes; len_bytes--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}
