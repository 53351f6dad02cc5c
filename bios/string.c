/* What compilers call on their own for copies and initialisations of structures. */
#include "types.h"

void *memcpy(void *to, const void *from, u32 n);
void *memset(void *to, int v, u32 n);

void *memcpy(void *to, const void *from, u32 n)
{
    void *di = to;
    __asm__ volatile("rep movsb" : "+D"(di), "+S"(from), "+c"(n) : : "memory");
    return to;
}

void *memset(void *to, int v, u32 n)
{
    void *di = to;
    __asm__ volatile("rep stosb" : "+D"(di), "+c"(n) : "a"(v) : "memory");
    return to;
}
