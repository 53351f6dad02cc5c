/*
 * Output goes to both places as it comes; input of both goes through one ring. Escape sequences of
 * serial terminals (cursor keys) are understood by drivers/serial.c, so that keys are keys here.
 */
#include "guestos/kernel/console.h"
#include "guestos/drivers/serial.h"
#include "guestos/drivers/vga_text.h"
#include "guestos/kernel/x86.h"

#define QUEUE_KEYS 128 /* a power of two */

static volatile u16 queue[QUEUE_KEYS];
static volatile u32 head, tail; /* written at head, read at tail; both only grow */

void console_init(void)
{
    vga_text_init();
    serial_init();
}

void console_put(char c)
{
    vga_text_put(c);
    if (c == '\n') {
        serial_put('\r');
    }
    serial_put(c);
}

void console_input(u16 key)
{
    if (head - tail < QUEUE_KEYS) {
        queue[head % QUEUE_KEYS] = key;
        head++;
    }
}

u16 console_get(void)
{
    for (;;) {
        u64 flags = irq_save();
        if (head != tail) {
            u16 key = queue[tail % QUEUE_KEYS];
            tail++;
            irq_restore(flags);
            return key;
        }
        irq_enable_and_halt();
    }
}
