/*
 * The loader's messages: INT 10h AH=0Eh on the screen, and the same bytes on COM1 if a 16550
 * answers there, so that a machine without a screen says why it does not boot. 16550: National
 * Semiconductor PC16550D data sheet, 8.0.
 */
#include "guestos/boot/loader.h"

#include <stdarg.h>

#define COM1        0x3F8
#define COM_DATA    (COM1 + 0)
#define COM_IER     (COM1 + 1)
#define COM_FCR     (COM1 + 2)
#define COM_LCR     (COM1 + 3)
#define COM_MCR     (COM1 + 4)
#define COM_LSR     (COM1 + 5)
#define COM_SCRATCH (COM1 + 7)
#define LSR_THRE    0x20

static bool has_serial;

void screen_init(void)
{
    out8(COM_SCRATCH, 0x5A);
    has_serial = in8(COM_SCRATCH) == 0x5A;
    if (!has_serial) {
        return;
    }
    out8(COM_IER, 0);
    out8(COM_LCR, 0x80); /* divisor latch: 115200 baud */
    out8(COM_DATA, 1);
    out8(COM_IER, 0);
    out8(COM_LCR, 0x03); /* 8 data bits, no parity, 1 stop bit */
    out8(COM_FCR, 0x07); /* FIFOs on and empty */
    out8(COM_MCR, 0x03); /* DTR, RTS */
}

static void put(char c)
{
    if (c == '\n') {
        put('\r');
    }
    struct bios_regs r = {.eax = 0x0E00 | (uint8_t)c, .ebx = 0x0007};
    bios_call(0x10, &r);
    if (has_serial) {
        for (uint32_t i = 0; i < 100000 && !(in8(COM_LSR) & LSR_THRE); i++) {
        }
        out8(COM_DATA, (uint8_t)c);
    }
}

static void put_number(uint32_t value, uint32_t base)
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

static void vsay(const char *format, va_list args)
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
        case 'u': put_number(va_arg(args, uint32_t), 10); break;
        case 'x': put_number(va_arg(args, uint32_t), 16); break;
        default: put(*format); break;
        }
    }
}

void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsay(format, args);
    va_end(args);
}

void fail(const char *format, ...)
{
    va_list args;

    say("\nEmber loader: cannot boot: ");
    va_start(args, format);
    vsay(format, args);
    va_end(args);
    say("\n");
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

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
    const uint8_t *x = a;
    const uint8_t *y = b;

    for (; len_bytes; len_bytes--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}
