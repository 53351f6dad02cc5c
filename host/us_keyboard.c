/*
 * See host/us_keyboard.h. IBM PC/AT keyboard, scan code set 1.
 */
#include "host/us_keyboard.h"

/* Each row of keys from its first scan code, plain and with shift. */
static const struct key_row {
    u8 first;
    const char *plain, *shifted;
} us_rows[] = {
    {0x02, "1234567890-=", "!@#$%^&*()_+"},
    {0x10, "qwertyuiop[]", "QWERTYUIOP{}"},
    {0x1e, "asdfghjkl;'`", "ASDFGHJKL:\"~"},
    {0x2b, "\\zxcvbnm,./", "|ZXCVBNM<>?"},
    {0x39, " ", " "},
    {0x0e, "\b\t", "\b\t"},
    {0x1c, "\n", "\n"},
    {0x01, "\x1b", "\x1b"},
};

u16 us_key_code(char c, bool *shift)
{
    *shift = false;
    if (!c)
        return 0;
    for (unsigned i = 0; i < ARRAY_LEN(us_rows); i++) {
        const char *p = strchr(us_rows[i].plain, c);
        const char *s = strchr(us_rows[i].shifted, c);
        *shift = !p;
        if (p)
            return us_rows[i].first + (u16)(p - us_rows[i].plain);
        if (s)
            return us_rows[i].first + (u16)(s - us_rows[i].shifted);
    }
    return 0;
}
