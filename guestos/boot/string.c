/* Text: what a C library would bring. Memory is lib/memory.c. */
#include "guestos/boot/loader.h"

static char error_buffer[240];
static uint32_t error_len;

static void put_number(void (*put)(char c), uint32_t value, uint32_t base)
{
    char digits[12];
    uint32_t n = 0;

    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n) {
        put(digits[--n]);
    }
}

void format(void (*put)(char c), const char *format, va_list args)
{
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        switch (*++format) {
        case 's':
            for (const char *s = va_arg(args, const char *); *s; s++) {
                put(*s);
            }
            break;
        case 'u': put_number(put, va_arg(args, uint32_t), 10); break;
        case 'x': put_number(put, va_arg(args, uint32_t), 16); break;
        default: put(*format); break;
        }
    }
}

static void put_error(char c)
{
    if (error_len < sizeof error_buffer - 1) {
        error_buffer[error_len++] = c;
    }
}

bool error(const char *text, ...)
{
    va_list args;

    error_len = 0;
    va_start(args, text);
    format(put_error, text, args);
    va_end(args);
    error_buffer[error_len] = 0;
    return false;
}

const char *error_text(void)
{
    return error_buffer;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n]) {
        n++;
    }
    return n;
}
