/* POST's messages: a small printf onto INT 10h teletype, or onto COM1 when no video BIOS exists.
 *
 * COM1 stays silent on a machine with video: a guest's serial log must carry the guest's bytes
 * only. Messages before the video BIOS runs are kept in `early` and come out with console_open. */
#include "console.h"
#include "bda.h"
#include "entry.h"

enum { PLAIN = 0x07 };
enum { COM1 = 0x3F8, LSR = 5, LSR_THRE = 0x20, EARLY_SIZE = 512, FAILED_MAX = 8 };

static enum console_target target;
static char early[EARLY_SIZE];
static u16 early_len;
static const char *failed_parts[FAILED_MAX];
static unsigned nr_failed;
static u8 attribute = PLAIN;

static void serial_put(char c)
{
    for (unsigned i = 0; i < 20000 && !(inb(COM1 + LSR) & LSR_THRE); i++)
        ;
    outb(COM1, (u8)c);
}

static void put(char c)
{
    if (c == '\n')
        put('\r');
    if (target == CONSOLE_VIDEO) {
        if (attribute != PLAIN && c >= ' ') { /* teletype output keeps the cell's attribute */
            struct call_regs cell = {.eax = 0x0920, .ebx = attribute, .ecx = 1};
            call_int(0x10, &cell);
        }
        struct call_regs r = {.eax = 0x0E00u | (u8)c, .ebx = 0x0007};
        call_int(0x10, &r);
    } else if (target == CONSOLE_SERIAL) {
        serial_put(c);
    } else if (early_len < EARLY_SIZE) {
        early[early_len++] = c;
    }
}

static void put_number(u32 v, unsigned base, unsigned width, char pad)
{
    char digits[12];
    unsigned n = 0;
    do {
        digits[n++] = "0123456789ABCDEF"[v % base];
        v /= base;
    } while (v != 0);
    for (unsigned i = n; i < width; i++)
        put(pad);
    while (n > 0)
        put(digits[--n]);
}

static void print(const char *fmt, __builtin_va_list ap)
{
    for (; *fmt != 0; fmt++) {
        if (*fmt != '%') {
            put(*fmt);
            continue;
        }
        char pad = ' ';
        unsigned width = 0;
        if (*++fmt == '0')
            pad = '0';
        for (; *fmt >= '0' && *fmt <= '9'; fmt++)
            width = width * 10 + (unsigned)(*fmt - '0');
        switch (*fmt) {
        case 's':
            for (const char *s = __builtin_va_arg(ap, const char *); *s != 0; s++)
                put(*s);
            break;
        case 'c': put((char)__builtin_va_arg(ap, int)); break;
        case 'd':
        case 'u': put_number(__builtin_va_arg(ap, u32), 10, width, pad); break;
        case 'x':
        case 'X': put_number(__builtin_va_arg(ap, u32), 16, width, pad); break;
        default: put(*fmt); break;
        }
    }
}

void con_printf(const char *fmt, ...)
{
    __builtin_va_list ap;
    __builtin_va_start(ap, fmt);
    print(fmt, ap);
    __builtin_va_end(ap);
}

void con_at(u8 row, u8 column, u8 attr)
{
    attribute = attr;
    if (target == CONSOLE_VIDEO) {
        struct call_regs r = {.eax = 0x0200, .edx = (u32)row << 8 | column};
        call_int(0x10, &r);
    }
}

void con_fill(u8 column)
{
    while (target == CONSOLE_VIDEO && bda8(BDA_CURSOR) < column)
        put(' ');
}

bool con_has_screen(void)
{
    return target == CONSOLE_VIDEO;
}

void console_clear(void)
{
    attribute = PLAIN;
    if (target == CONSOLE_VIDEO) {
        struct call_regs r = {.eax = 0x0003};
        call_int(0x10, &r);
    } else {
        con_printf("\n");
    }
}

void console_open(enum console_target t)
{
    target = t;
    if (t == CONSOLE_SERIAL) {
        outb(COM1 + 1, 0);
        outb(COM1 + 3, 0x83); /* DLAB, 8 bits, no parity, 1 stop */
        outb(COM1 + 0, 1);    /* 115200 baud */
        outb(COM1 + 1, 0);
        outb(COM1 + 3, 0x03);
        outb(COM1 + 4, 0x03); /* DTR, RTS */
    }
    if (t == CONSOLE_VIDEO)
        console_clear(); /* also sets text mode: a video BIOS need not have */
    u16 n = early_len;
    early_len = 0;
    for (u16 i = 0; i < n; i++) {
        if (early[i] != '\r')
            put(early[i]);
    }
}

void post_fail(const char *part, const char *fmt, ...)
{
    __builtin_va_list ap;
    bool known = false;
    for (unsigned i = 0; i < nr_failed; i++)
        known = known || failed_parts[i] == part;
    if (!known && nr_failed < FAILED_MAX)
        failed_parts[nr_failed++] = part;
    con_printf("POST: %s failed: ", part);
    __builtin_va_start(ap, fmt);
    print(fmt, ap);
    __builtin_va_end(ap);
    con_printf("\n");
}

void post_list_failures(void)
{
    if (nr_failed != 0)
        con_printf("\n  Failed in the self test:");
    for (unsigned i = 0; i < nr_failed; i++)
        con_printf(" %s", failed_parts[i]);
    if (nr_failed != 0)
        con_printf("\n");
}
