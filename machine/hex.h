/* Digits by hand: the instruction trace writes a hundred million of them a second. */
#ifndef MACHINE_HEX_H
#define MACHINE_HEX_H

#include "core/types.h"

static inline char *put_hex(char *p, u64 v, unsigned digits)
{
    for (unsigned i = digits; i-- > 0; v >>= 4)
        p[i] = "0123456789abcdef"[v & 15];
    return p + digits;
}

/* Without leading zeros. */
static inline char *put_hex_short(char *p, u64 v)
{
    unsigned digits = v ? (67u - (unsigned)__builtin_clzll(v)) / 4 : 1;

    return put_hex(p, v, digits);
}

static inline char *put_text(char *p, const char *s, size_t len)
{
    memcpy(p, s, len);
    return p + len;
}

static inline char *put_blanks(char *p, char *to)
{
    while (p < to)
        *p++ = ' ';
    return p;
}

#endif
