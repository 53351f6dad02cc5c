/*
 * 16550A UART. National Semiconductor PC16550D data sheet, tables I to IV.
 *
 * Bytes leave at the programmed rate in virtual time. The modem lines of the other side are
 * always on: CTS, DSR, DCD.
 *
 * DEVIATION: received bytes carry no parity, framing or break errors.
 * DEVIATION: a byte reaches the host when it is written, not when it has been shifted out, and
 * even when the transmitter was full: small kernels write without asking, and users want to see
 * what a guest said before it died. The status bits and interrupts keep the line's time.
 */
#include "devices/uart.h"

enum ier { IER_RDA = 1, IER_THRE = 2, IER_LINE = 4, IER_MODEM = 8 };
enum fcr { FCR_ENABLE = 1, FCR_RX_RESET = 2, FCR_TX_RESET = 4 };
enum lcr { LCR_STOP2 = 4, LCR_PARITY = 8, LCR_DLAB = 0x80 };
enum mcr { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 0x10 };
enum lsr { LSR_DR = 1, LSR_OE = 2, LSR_THRE = 0x20, LSR_TEMT = 0x40 };
enum iir { IIR_NONE = 1, IIR_MODEM = 0, IIR_THRE = 2, IIR_RDA = 4, IIR_LINE = 6, IIR_TIMEOUT = 0xc };

static bool fifo(const struct uart *u)
{
    return u->fcr & FCR_ENABLE;
}

static unsigned capacity(const struct uart *u)
{
    return fifo(u) ? UART_FIFO : 1;
}

static unsigned trigger(const struct uart *u)
{
    static const u8 level[4] = { 1, 4, 8, 14 };
    return fifo(u) ? level[u->fcr >> 6] : 1;
}

/* One character: start, data, parity and stop bits at 1.8432 MHz / 16 / divisor. */
static u64 char_ns(const struct uart *u)
{
    unsigned bits_per_char = 1 + 5 + (u->lcr & 3) + (u->lcr & LCR_PARITY ? 1 : 0) + 1 + (u->lcr & LCR_STOP2 ? 1 : 0);
    return clock_muldiv(bits_per_char * 16ull * (u->divisor ? u->divisor : 1), NS_PER_SEC, 1843200);
}

static u8 modem_lines(const struct uart *u)
{
    if (u->mcr & MCR_LOOP) /* RTS, DTR, OUT1, OUT2 come back as CTS, DSR, RI, DCD */
        return (u8)((u->mcr & MCR_RTS) << 3 | (u->mcr & MCR_DTR) << 5 | (u->mcr & MCR_OUT1) << 4 |
                    (u->mcr & MCR_OUT2) << 4);
    return 0xb0;
}

/* The pending interrupt of highest priority (data sheet, table IV). */
static u8 pending(const struct uart *u)
{
    if ((u->ier & IER_LINE) && (u->lsr & LSR_OE))
        return IIR_LINE;
    if ((u->ier & IER_RDA) && u->rx_count >= trigger(u))
        return IIR_RDA;
    if ((u->ier & IER_RDA) && u->timeout_pending)
        return IIR_TIMEOUT;
    if ((u->ier & IER_THRE) && u->thre_pending)
        return IIR_THRE;
    if ((u->ier & IER_MODEM) && u->msr_delta)
        return IIR_MODEM;
    return IIR_NONE;
}

static bool wants_interrupt(const struct uart *u)
{
    /* OUT2 gates the interrupt line on a PC; not in loopback, where it is held off. */
    return (u->mcr & (MCR_OUT2 | MCR_LOOP)) == MCR_OUT2 && pending(u) != IIR_NONE;
}

static void drive(struct uart *u)
{
    u->driven = wants_interrupt(u);
    irq_set(&u->cfg.irq, u->driven);
}

/* PERF: guests that poll would drive what is driven already, at each access, through both controllers. */
static void update(struct uart *u)
{
    if (wants_interrupt(u) != u->driven)
        drive(u);
}

static void arm_timeout(struct uart *u)
{
    if (fifo(u) && u->rx_count)
        timer_arm(&u->rx_timeout, clock_now(u->dev.env.clk) + 4 * char_ns(u));
    else
        timer_cancel(&u->rx_timeout);
}

bool uart_can_receive(const struct uart *u)
{
    return !(u->mcr & MCR_LOOP) && u->rx_count < capacity(u);
}

static void receive(struct uart *u, u8 byte)
{
    if (u->rx_count >= capacity(u)) {
        u->lsr |= LSR_OE;
        if (!fifo(u))
            u->rx[u->rx_head] = byte; /* the holding register is overwritten */
    } else {
        u->rx[(u->rx_head + u->rx_count++) % UART_FIFO] = byte;
        u->lsr |= LSR_DR;
    }
    u->timeout_pending = 0;
    arm_timeout(u);
    update(u);
}

void uart_receive(struct uart *u, u8 byte)
{
    if (!(u->mcr & MCR_LOOP))
        receive(u, byte);
}

static void start_shift(struct uart *u)
{
    if (u->shifting || !u->tx_count)
        return;
    u->shift = u->tx[u->tx_head];
    u->tx_head = (u->tx_head + 1) % UART_FIFO;
    u->tx_count--;
    u->shifting = 1;
    if (u->tx_count == 0) {
        u->lsr |= LSR_THRE;
        u->thre_pending = 1;
    }
    timer_arm(&u->tx_done, clock_now(u->dev.env.clk) + char_ns(u));
}

static void shifted(void *dev, u64 now_ns)
{
    struct uart *u = dev;

    (void)now_ns;
    u->shifting = 0;
    if (u->mcr & MCR_LOOP)
        receive(u, u->shift);
    start_shift(u);
    if (!u->shifting)
        u->lsr |= LSR_TEMT;
    update(u);
}

static void timed_out(void *dev, u64 now_ns)
{
    struct uart *u = dev;

    (void)now_ns;
    u->timeout_pending = 1;
    update(u);
}

static u8 read_rx(struct uart *u)
{
    u8 v = u->rx[u->rx_head];

    if (u->rx_count) {
        u->rx_count--;
        u->rx_head = (u->rx_head + 1) % UART_FIFO;
    }
    if (!u->rx_count)
        u->lsr &= (u8)~LSR_DR;
    u->timeout_pending = 0;
    arm_timeout(u);
    return v;
}

static void write_tx(struct uart *u, u8 v)
{
    if (!(u->mcr & MCR_LOOP))
        chardev_put(u->cfg.out, v);
    if (u->tx_count == capacity(u)) {
        guest_error(u->dev.env.log, "uart: a byte was written while the transmitter was full (line "
                                    "status bit 5 clear); a real port loses it");
        return;
    }
    u->tx[(u->tx_head + u->tx_count++) % UART_FIFO] = v;
    u->lsr &= (u8) ~(LSR_THRE | LSR_TEMT);
    u->thre_pending = 0;
    start_shift(u);
}

static void write_fcr(struct uart *u, u8 v)
{
    if ((v ^ u->fcr) & FCR_ENABLE)
        v |= FCR_RX_RESET | FCR_TX_RESET;
    if (v & FCR_RX_RESET) {
        u->rx_count = u->timeout_pending = 0;
        u->lsr &= (u8) ~(LSR_DR | LSR_OE);
        timer_cancel(&u->rx_timeout);
    }
    if (v & FCR_TX_RESET) {
        u->tx_count = 0;
        u->lsr |= LSR_THRE | (u->shifting ? 0 : LSR_TEMT);
    }
    u->fcr = v & 0xc9;
}

static u64 uart_read(void *dev, u64 off, unsigned size)
{
    struct uart *u = dev;
    bool dlab = u->lcr & LCR_DLAB;
    u8 v = 0xff;

    (void)size;
    switch (off) {
    case 0: v = dlab ? (u8)u->divisor : read_rx(u); break;
    case 1: v = dlab ? (u8)(u->divisor >> 8) : u->ier; break;
    case 2:
        v = pending(u);
        if (v == IIR_THRE)
            u->thre_pending = 0;
        v |= fifo(u) ? 0xc0 : 0;
        break;
    case 3: v = u->lcr; break;
    case 4: v = u->mcr; break;
    case 5:
        v = u->lsr;
        u->lsr &= (u8)~LSR_OE;
        break;
    case 6:
        v = modem_lines(u) | u->msr_delta;
        u->msr_delta = 0;
        break;
    case 7: v = u->scr; break;
    }
    update(u);
    return v;
}

static void uart_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct uart *u = dev;
    bool dlab = u->lcr & LCR_DLAB;
    u8 v = (u8)val;

    (void)size;
    switch (off) {
    case 0:
        if (dlab)
            u->divisor = (u16)((u->divisor & 0xff00) | v);
        else
            write_tx(u, v);
        break;
    case 1:
        if (dlab) {
            u->divisor = (u16)((u->divisor & 0xff) | v << 8);
        } else {
            /* Enabling THRE while the register is empty raises it (data sheet, 8.5). */
            if (!(u->ier & IER_THRE) && (v & IER_THRE) && (u->lsr & LSR_THRE))
                u->thre_pending = 1;
            u->ier = v & 0x0f;
        }
        break;
    case 2: write_fcr(u, v); break;
    case 3: u->lcr = v; break;
    case 4: {
        u8 before = modem_lines(u), now;
        u->mcr = v & 0x1f;
        now = modem_lines(u);
        u->msr_delta |= (u8)((before ^ now) >> 4 & 0x0b) | (u8)((before & ~now) >> 4 & 4);
        break;
    }
    case 7: u->scr = v; break;
    }
    update(u);
}

static int uart_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { uart_read, uart_write, 1 };
    struct uart *u = CONTAINER_OF(dev, struct uart, dev);

    (void)err;
    u->cfg = *(const struct uart_cfg *)cfg;
    timer_init(&u->tx_done, dev->env.clk, shifted, u);
    timer_init(&u->rx_timeout, dev->env.clk, timed_out, u);
    u->region = (struct bus_region){ .base = u->cfg.base, .len = 8, .ops = &ops, .dev = u, .name = "uart" };
    return bus_map(dev->env.io, &u->region);
}

static void uart_reset(struct dev *dev, enum reset_kind kind)
{
    struct uart *u = CONTAINER_OF(dev, struct uart, dev);

    (void)kind;
    u->ier = u->fcr = u->lcr = u->mcr = u->scr = 0;
    u->lsr = LSR_THRE | LSR_TEMT;
    u->divisor = 12;
    u->rx_count = u->tx_count = u->rx_head = u->tx_head = u->shifting = u->shift = 0;
    u->msr_delta = u->timeout_pending = u->thre_pending = 0;
    memset(u->rx, 0, sizeof(u->rx));
    memset(u->tx, 0, sizeof(u->tx));
    timer_cancel(&u->tx_done);
    timer_cancel(&u->rx_timeout);
    drive(u);
}

static void uart_loaded(struct dev *dev)
{
    drive(CONTAINER_OF(dev, struct uart, dev));
}

static void uart_fini(struct dev *dev)
{
    struct uart *u = CONTAINER_OF(dev, struct uart, dev);

    timer_cancel(&u->tx_done);
    timer_cancel(&u->rx_timeout);
}

static const struct state_field uart_fields[] = {
    STATE(struct uart, ier), STATE(struct uart, fcr), STATE(struct uart, lcr),
    STATE(struct uart, mcr), STATE(struct uart, lsr), STATE(struct uart, scr),
    STATE(struct uart, msr_delta), STATE_UPTO(struct uart, timeout_pending, 1),
    STATE_UPTO(struct uart, thre_pending, 1), STATE(struct uart, divisor), STATE_BYTES(struct uart, rx),
    STATE_UPTO(struct uart, rx_head, UART_FIFO - 1), STATE_UPTO(struct uart, rx_count, UART_FIFO), STATE_BYTES(struct uart, tx),
    STATE_UPTO(struct uart, tx_head, UART_FIFO - 1), STATE_UPTO(struct uart, tx_count, UART_FIFO), STATE(struct uart, shift),
    STATE_UPTO(struct uart, shifting, 1), STATE_TIMER(struct uart, tx_done),
    STATE_TIMER(struct uart, rx_timeout), STATE_END,
};
static const struct state_desc uart_state = { "uart16550", 1, uart_fields };
const struct dev_class uart_class = { "uart16550", uart_init, uart_reset, uart_loaded, uart_fini,
                                      &uart_state, NULL };
