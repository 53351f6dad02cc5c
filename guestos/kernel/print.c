/* Formatted text: the part of printf that the kernel uses. */
#include "guestos/kernel/console.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"

struct spec {
    bool left, zero, is_long;
    u32 width;
};

static void pad(char c, u32 count)
{
    while (count--) {
        console_put(c);
    }
}

static void put_field(const struct spec *spec, const char *text, u32 len, bool negative)
{
    u32 total = len + negative;
    u32 fill = spec->width > total ? spec->width - total : 0;

    if (!spec->left && !spec->zero) {
        pad(' ', fill);
    }
    if (negative) {
        console_put('-');
    }
    if (!spec->left && spec->zero) {
        pad('0', fill);
    }
    for (u32 i = 0; i < len; i++) {
        console_put(text[i]);
    }
    if (spec->left) {
        pad(' ', fill);
    }
}

static void put_number(const struct spec *spec, u64 value, u32 base, bool negative)
{
    char digits[20]; /* 2^64 has 20 decimal digits */
    u32 at = sizeof digits;

    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    put_field(spec, digits + at, sizeof digits - at, negative);
}

static void put_string(const struct spec *spec, const char *s)
{
    u32 len = 0;

    while (s[len]) {
        len++;
    }
    put_field(spec, s, len, false);
}

static const char *read_spec(const char *format, struct spec *spec)
{
    *spec = (struct spec){0};
    for (; *format == '-' || *format == '0'; format++) {
        spec->left |= *format == '-';
        spec->zero |= *format == '0';
    }
    for (; *format >= '0' && *format <= '9'; format++) {
        spec->width = spec->width * 10 + (u32)(*format - '0');
    }
    if (*format == 'l') {
        spec->is_long = true;
        format++;
    }
    return format;
}

void vprint(const char *format, va_list args)
{
    struct spec spec;

    for (; *format; format++) {
        if (*format != '%') {
            console_put(*format);
            continue;
        }
        format = read_spec(format + 1, &spec);
        switch (*format) {
        case 'c': {
            char c = (char)va_arg(args, int);
            put_field(&spec, &c, 1, false);
            break;
        }
        case 's': put_string(&spec, va_arg(args, const char *)); break;
        case 'd': {
            long v = spec.is_long ? va_arg(args, long) : va_arg(args, int);
            put_number(&spec, v < 0 ? 0ul - (u64)v : (u64)v, 10, v < 0);
            break;
        }
        case 'u':
        case 'x': {
            u64 v = spec.is_long ? va_arg(args, u64) : va_arg(args, u32);
            put_number(&spec, v, *format == 'u' ? 10 : 16, false);
            break;
        }
        default: console_put(*format); break; /* %% */
        }
    }
}

void print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprint(format, args);
    va_end(args);
}

void panic(const char *format, ...)
{
    va_list args;

    __asm__ volatile("cli");
    print("\nEmber stops: ");
    va_start(args, format);
    vprint(format, args);
    va_end(args);
    print("\n");
    print_callers((u64)__builtin_frame_address(0));
    halt_forever();
}
