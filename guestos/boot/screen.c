/*
 * The loader's screen: 80 by 25 characters through INT 10h, and the same on COM1 if a 16550 answers
 * there, so that a machine without a screen has its menu too. On COM1 a row is placed by the
 * control sequences of ECMA-48 (CUP, EL, SGR), which terminals know. 16550: National Semiconductor
 * PC16550D data sheet, 8.0.
 */
#include "guestos/boot/loader.h"

#define COLUMNS 80u
#define ROWS    25u

#define ATTRIBUTE_NORMAL 0x07 /* grey on black */
#define ATTRIBUTE_BRIGHT 0x70 /* black on grey: the chosen row */

#define COM1        0x3F8
#define COM_DATA    (COM1 + 0)
#define COM_IER     (COM1 + 1)
#define COM_FCR     (COM1 + 2)
#define COM_LCR     (COM1 + 3)
#define COM_MCR     (COM1 + 4)
#define COM_LSR     (COM1 + 5)
#define COM_SCRATCH (COM1 + 7)
#define LSR_DR      0x01
#define LSR_THRE    0x20

static bool has_serial;
static uint32_t column; /* of the row that screen_row() writes */

static bool serial_there(void)
{
    out8(COM_SCRATCH, 0x5A);
    if (in8(COM_SCRATCH) != 0x5A) {
        return false;
    }
    out8(COM_SCRATCH, 0xA5);
    return in8(COM_SCRATCH) == 0xA5;
}

void screen_init(void)
{
    struct bios_regs r = {.eax = 0x0F00};

    has_serial = serial_there();
    if (has_serial) {
        out8(COM_IER, 0);
        out8(COM_LCR, 0x80); /* divisor latch: 115200 baud */
        out8(COM_DATA, 1);
        out8(COM_IER, 0);
        out8(COM_LCR, 0x03); /* 8 data bits, no parity, 1 stop bit */
        out8(COM_FCR, 0x07); /* FIFOs on and empty */
        out8(COM_MCR, 0x03); /* DTR, RTS */
    }
    bios_call(0x10, &r);
    uint8_t mode = r.eax & 0x7F;
    if (mode != 2 && mode != 3 && mode != 7) {
        r = (struct bios_regs){.eax = 0x0003};
        bios_call(0x10, &r);
    }
}

static void serial_put(char c)
{
    if (has_serial) {
        for (uint32_t i = 0; i < 100000 && !(in8(COM_LSR) & LSR_THRE); i++) {
        }
        out8(COM_DATA, (uint8_t)c);
    }
}

bool serial_get(uint8_t *byte)
{
    if (!has_serial || !(in8(COM_LSR) & LSR_DR)) {
        return false;
    }
    *byte = in8(COM_DATA);
    return true;
}

static void put(char c)
{
    if (c == '\n') {
        put('\r');
    }
    struct bios_regs r = {.eax = 0x0E00 | (uint8_t)c, .ebx = 0x0007};
    bios_call(0x10, &r);
    serial_put(c);
}

void say(const char *text, ...)
{
    va_list args;

    va_start(args, text);
    format(put, text, args);
    va_end(args);
}

void fail(const char *text, ...)
{
    va_list args;

    say("\nEmber loader: cannot boot: ");
    va_start(args, text);
    format(put, text, args);
    va_end(args);
    say("\n");
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}

static void serial_say(const char *text, ...)
{
    va_list args;

    va_start(args, text);
    format(serial_put, text, args);
    va_end(args);
}

void screen_cursor(uint32_t row, uint32_t at)
{
    struct bios_regs r = {.eax = 0x0200, .edx = row << 8 | at};

    bios_call(0x10, &r);
    serial_say("\033[%u;%uH", row + 1, at + 1);
}

void screen_clear(void)
{
    struct bios_regs r = {
        .eax = 0x0600, .ebx = ATTRIBUTE_NORMAL << 8, .edx = (ROWS - 1) << 8 | (COLUMNS - 1)};

    bios_call(0x10, &r);
    serial_say("\033[0m\033[2J");
    screen_cursor(0, 0);
}

/* A character of a row; the last column stays empty, since teletype output would scroll there. */
static void put_in_row(char c)
{
    if (column < COLUMNS - 1) {
        column++;
        put((uint8_t)c < ' ' ? '?' : c);
    }
}

void screen_row(uint32_t row, bool bright, const char *text, ...)
{
    uint32_t attribute = bright ? ATTRIBUTE_BRIGHT : ATTRIBUTE_NORMAL;
    va_list args;

    screen_cursor(row, 0);
    serial_say(bright ? "\033[7m" : "\033[0m");
    /* Blanks in the colour wanted; teletype output then keeps the colour that it finds. */
    struct bios_regs r = {.eax = 0x0900 | ' ', .ebx = attribute, .ecx = COLUMNS};
    bios_call(0x10, &r);
    column = 0;
    va_start(args, text);
    format(put_in_row, text, args);
    va_end(args);
    serial_say("\033[0m\033[K");
}
