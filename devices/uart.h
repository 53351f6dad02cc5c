/* A 16550A serial port: National Semiconductor PC16550D data sheet. */
#ifndef DEVICES_UART_H
#define DEVICES_UART_H

#include "core/backend.h"
#include "core/dev.h"

enum { UART_FIFO = 16 };

struct uart_cfg {
    u16 base;
    struct irq_line irq;
    struct chardev *out; /* NULL: bytes go nowhere */
};

struct uart {
    struct dev dev;
    struct uart_cfg cfg;
    struct bus_region region;
    struct timer tx_done;    /* the shift register becomes empty */
    struct timer rx_timeout; /* four character times without a read or an arrival */
    u8 ier, fcr, lcr, mcr, lsr, scr;
    u8 msr_delta, timeout_pending, thre_pending;
    u16 divisor;
    u8 rx[UART_FIFO], rx_head, rx_count;
    u8 tx[UART_FIFO], tx_head, tx_count; /* waiting for the shift register */
    u8 shift, shifting;
    bool driven; /* the wire's level; not saved */
};

extern const struct dev_class uart_class;

/* A byte arrives on the line. Overrun when there is no room. */
void uart_receive(struct uart *, u8 byte);
bool uart_can_receive(const struct uart *);

#endif
