/*
 * 16550 (National Semiconductor PC16550D data sheet, 8.0). Output polls, input interrupts. What a
 * terminal sends for cursor keys (ECMA-48: ESC [ letter) becomes the keyboard's KEY_ values.
 */
#include "guestos/drivers/serial.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"

#define COM1        0x3F8
#define COM1_IRQ    4
#define COM_DATA    (COM1 + 0)
#define COM_IER     (COM1 + 1)
#define COM_IIR     (COM1 + 2)
#define COM_FCR     (COM1 + 2)
#define COM_LCR     (COM1 + 3)
#define COM_MCR     (COM1 + 4)
#define COM_LSR     (COM1 + 5)
#define COM_SCRATCH (COM1 + 7)
#define IER_RX      0x01
#define IIR_NONE    0x01
#define LCR_8N1     0x03
#define LCR_DLAB    0x80
#define MCR_DTR_RTS 0x03
#define MCR_OUT2    0x08 /* on a PC: lets the interrupt through */
#define LSR_DATA    0x01
#define LSR_THRE    0x20
#define DIVISOR     1       /* 115200 baud */
#define MAX_POLLS   100000u /* a transmitter that is stuck must not stop the machine */

#define ESCAPE 0x1B
#define DELETE 0x7F

static bool present;
static enum { PLAIN, AFTER_ESCAPE, IN_SEQUENCE } state;

void serial_init(void)
{
    out8(COM_SCRATCH, 0x5A);
    present = in8(COM_SCRATCH) == 0x5A;
    out8(COM_SCRATCH, 0xA5);
    present = present && in8(COM_SCRATCH) == 0xA5;
    if (!present) {
        return;
    }
    out8(COM_IER, 0);
    out8(COM_LCR, LCR_DLAB);
    out8(COM_DATA, DIVISOR & 0xFF);
    out8(COM_IER, DIVISOR >> 8);
    out8(COM_LCR, LCR_8N1);
    out8(COM_FCR, 0x01); /* FIFOs on; what has been typed meanwhile stays */
    out8(COM_MCR, MCR_DTR_RTS | MCR_OUT2);
}

void serial_put(char c)
{
    if (!present) {
        return;
    }
    for (u32 i = 0; i < MAX_POLLS && !(in8(COM_LSR) & LSR_THRE); i++) {
    }
    out8(COM_DATA, (u8)c);
}

bool serial_present(void)
{
    return present;
}

static void receive(u8 c)
{
    static const u16 cursor[] = {KEY_UP, KEY_DOWN, KEY_RIGHT, KEY_LEFT}; /* A to D */

    switch (state) {
    case AFTER_ESCAPE: state = c == '[' ? IN_SEQUENCE : PLAIN; return;
    case IN_SEQUENCE:
        if (c >= 'A' && c < 'A' + ARRAY_LEN(cursor)) {
            console_input(cursor[c - 'A']);
        }
        if (c >= 0x40) { /* the final byte of a sequence; parameters come before it */
            state = PLAIN;
        }
        return;
    case PLAIN: break;
    }
    if (c == ESCAPE) {
        state = AFTER_ESCAPE;
    } else {
        console_input(c == '\r' ? '\n' : c == DELETE ? '\b' : c);
    }
}

static void interrupt(void *unused)
{
    (void)unused;
    while (!(in8(COM_IIR) & IIR_NONE)) {
        while (in8(COM_LSR) & LSR_DATA) {
            receive(in8(COM_DATA));
        }
    }
}

void serial_enable_input(void)
{
    if (present) {
        irq_attach(COM1_IRQ, interrupt, NULL);
        out8(COM_IER, IER_RX);
    }
}
