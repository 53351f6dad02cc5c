/* Formatted text: the part of printf that the kernel uses. */
#include "guestos/kernel/format.h"

struct spec {
    bool left, zero, is_long;
    u32 width;
};

static void pad(struct format_sink *sink, char c, u32 count)
{
    while (count--) {
        sink->put(sink, c);
    }
}

static void put_field(struct format_sink *sink, const struct spec *spec, const char *text, u32 len,
                      bool negative)
{
    u32 total = len + negative;
    u32 fill = spec->width > total ? spec->width - total : 0;

    if (!spec->left && !spec->zero) {
        pad(sink, ' ', fill);
    }
    if (negative) {
        sink->put(sink, '-');
    }
    if (!spec->left && spec->zero) {
        pad(sink, '0', fill);
    }
    for (u32 i = 0; i < len; i++) {
        sink->put(sink, text[i]);
    }
    if (spec->left) {
        pad(sink, ' ', fill);
    }
}

static void put_number(struct format_sink *sink, const struct spec *spec, u64 value, u32 base,
                       bool negative)
{
    char digits[20]; /* 2^64 has 20 decimal digits */
    u32 at = sizeof digits;

    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    put_field(sink, spec, digits + at, sizeof digits - at, negative);
}

static void put_string(struct format_sink *sink, const struct spec *spec, const char *s)
{
    u32 len = 0;

    while (s[len]) {
        len++;
    }
    put_field(sink, spec, s, len, false);
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

void vformat(struct format_sink *sink, const char *format, va_list args)
{
    struct spec spec;

    for (; *format; format++) {
        if (*format != '%') {
            sink->put(sink, *format);
            continue;
        }
        format = read_spec(format + 1, &spec);
        switch (*format) {
        case 'c': {
            char c = (char)va_arg(args, int);
            put_field(sink, &spec, &c, 1, false);
            break;
        }
        case 's': put_string(sink, &spec, va_arg(args, const char *)); break;
        case 'd': {
            long v = spec.is_long ? va_arg(args, long) : va_arg(args, int);
            put_number(sink, &spec, v < 0 ? 0ul - (u64)v : (u64)v, 10, v < 0);
            break;
        }
        case 'u':
        case 'x': {
            u64 v = spec.is_long ? va_arg(args, u64) : va_arg(args, u32);
            put_number(sink, &spec, v, *format == 'u' ? 10 : 16, false);
            break;
        }
        default: sink->put(sink, *format); break; /* %% */
        }
    }
}
