/*
 * 16550 (National Semiconductor PC16550D data sheet, 8.0). What programs write waits in a ring and
 * leaves by interrupts, a FIFO at a time; what the kernel prints is polled out, behind it.
 *
 * For the kernel's prompt what a terminal sends for cursor keys (ECMA-48: ESC [ letter) becomes the
 * keyboard's KEY_ values; a tty gets the bytes as they are.
 */
#include "guestos/drivers/serial.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/lock.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"
#include "guestos/tty/tty.h"

/* offsets of the registers */
enum {
    DATA,
    IER,
    IIR,
    FCR = IIR,
    LCR,
    MCR,
    LSR,
    SCRATCH = 7,
    DIVISOR_LOW = DATA,
    DIVISOR_HIGH = IER
};

#define IER_RX      0x01
#define IER_TX      0x02
#define IIR_NONE    0x01
#define IIR_FIFO    0xC0 /* both: the FIFOs work */
#define FCR_ENABLE  0x01
#define LCR_8N1     0x03
#define LCR_DLAB    0x80
#define MCR_DTR_RTS 0x03
#define MCR_OUT2    0x08 /* on a PC: lets the interrupt through */
#define LSR_DATA    0x01
#define LSR_THRE    0x20
#define DIVISOR     1 /* 115200 baud */
#define FIFO_BYTES  16u
#define MAX_POLLS   100000u /* a transmitter that is stuck must not stop the machine */
#define MAX_ROUNDS  64u     /* of one interrupt */
#define RING_BYTES  4096u   /* a power of two */
#define RING_LOW    1024u   /* writers are woken when so little is left */

#define ESCAPE 0x1B
#define DELETE 0x7F

struct serial_port {
    const char *name;
    u16 base;
    u8 irq;
    bool present, has_fifo, registered;
    struct spinlock lock; /* the ring and the port; inside tty->lock */
    char ring[RING_BYTES];
    u32 head, tail; /* put at head, sent from tail; both only grow */
    bool sending;   /* the transmitter's interrupt is on */
    enum { PLAIN, AFTER_ESCAPE, IN_SEQUENCE } state;
    struct tty tty;
};

static struct serial_port ports[] = {
    {.name = "ttyS0", .base = 0x3F8, .irq = 4},
    {.name = "ttyS1", .base = 0x2F8, .irq = 3},
};

static void init_port(struct serial_port *p)
{
    spin_init(&p->lock, p->name);
    out8(p->base + SCRATCH, 0x5A);
    p->present = in8(p->base + SCRATCH) == 0x5A;
    out8(p->base + SCRATCH, 0xA5);
    p->present = p->present && in8(p->base + SCRATCH) == 0xA5;
    if (!p->present) {
        return;
    }
    out8(p->base + IER, 0);
    out8(p->base + LCR, LCR_DLAB);
    out8(p->base + DIVISOR_LOW, DIVISOR & 0xFF);
    out8(p->base + DIVISOR_HIGH, DIVISOR >> 8);
    out8(p->base + LCR, LCR_8N1);
    out8(p->base + FCR, FCR_ENABLE); /* what has been typed meanwhile stays */
    p->has_fifo = (in8(p->base + IIR) & IIR_FIFO) == IIR_FIFO;
    out8(p->base + MCR, MCR_DTR_RTS | MCR_OUT2);
}

void serial_init(void)
{
    for (u32 i = 0; i < ARRAY_LEN(ports); i++) {
        init_port(&ports[i]);
    }
}

/* ---- out; the port's lock is held */

static void enable(struct serial_port *p, bool sending)
{
    if (p->sending != sending) {
        p->sending = sending;
        out8(p->base + IER, sending ? IER_RX | IER_TX : IER_RX);
    }
}

/* Fills the transmitter, if that is empty. */
static void send(struct serial_port *p)
{
    if (!(in8(p->base + LSR) & LSR_THRE)) {
        return;
    }
    for (u32 n = p->has_fifo ? FIFO_BYTES : 1; n && p->tail != p->head; n--) {
        out8(p->base + DATA, (u8)p->ring[p->tail++ % RING_BYTES]);
    }
}

static void wait_empty(const struct serial_port *p)
{
    for (u32 i = 0; i < MAX_POLLS && !(in8(p->base + LSR) & LSR_THRE); i++) {
    }
}

void serial_print(char c)
{
    struct serial_port *p = &ports[0];
    bool nested = spin_held(&p->lock); /* a panic with the lock held must be seen */

    if (!p->present) {
        return;
    }
    if (!nested) {
        spin_lock(&p->lock);
    }
    do {
        wait_empty(p);
        send(p);
    } while (p->tail != p->head);
    wait_empty(p);
    out8(p->base + DATA, (u8)c);
    if (!nested) {
        spin_unlock(&p->lock);
    }
}

/* ---- the device of a tty */

static u32 room(struct tty *t)
{
    const struct serial_port *p = t->data;

    return RING_BYTES - (p->head - p->tail);
}

static u32 pending(struct tty *t)
{
    const struct serial_port *p = t->data;

    return p->head - p->tail;
}

static void put(struct tty *t, const char *text, u32 len)
{
    struct serial_port *p = t->data;

    spin_lock(&p->lock);
    while (len--) {
        p->ring[p->head++ % RING_BYTES] = *text++;
    }
    send(p);
    enable(p, p->tail != p->head);
    spin_unlock(&p->lock);
}

static void drop(struct tty *t)
{
    struct serial_port *p = t->data;

    spin_lock(&p->lock);
    p->tail = p->head;
    spin_unlock(&p->lock);
}

static const struct tty_device device = {
    .room = room, .put = put, .pending = pending, .drop = drop};

/* ---- in */

static void receive_key(struct serial_port *p, u8 c)
{
    static const u16 cursor[] = {KEY_UP, KEY_DOWN, KEY_RIGHT, KEY_LEFT}; /* A to D */

    switch (p->state) {
    case AFTER_ESCAPE: p->state = c == '[' ? IN_SEQUENCE : PLAIN; return;
    case IN_SEQUENCE:
        if (c >= 'A' && c < 'A' + ARRAY_LEN(cursor)) {
            console_input(cursor[c - 'A']);
        }
        if (c >= 0x40) { /* the final byte of a sequence; parameters come before it */
            p->state = PLAIN;
        }
        return;
    case PLAIN: break;
    }
    if (c == ESCAPE) {
        p->state = AFTER_ESCAPE;
    } else {
        console_input(c == '\r' ? '\n' : c == DELETE ? '\b' : c);
    }
}

static void receive(struct serial_port *p)
{
    for (u32 i = 0; i < MAX_ROUNDS && (in8(p->base + LSR) & LSR_DATA); i++) {
        u8 c = in8(p->base + DATA);
        if (p->registered) {
            tty_input(&p->tty, (char)c);
        } else if (p == &ports[0]) {
            receive_key(p, c);
        }
    }
}

static void interrupt(void *argument)
{
    struct serial_port *p = argument;

    for (u32 i = 0; i < MAX_ROUNDS && !(in8(p->base + IIR) & IIR_NONE); i++) {
        receive(p);
        spin_lock(&p->lock);
        bool sending = p->sending;
        if (sending) {
            send(p);
            enable(p, p->tail != p->head);
        }
        bool low = p->head - p->tail <= RING_LOW;
        spin_unlock(&p->lock);
        if (sending && low && p->registered) {
            tty_room(&p->tty);
        }
    }
}

void serial_enable_input(void)
{
    for (u32 i = 0; i < ARRAY_LEN(ports); i++) {
        if (ports[i].present) {
            irq_attach(ports[i].irq, interrupt, &ports[i]);
            out8(ports[i].base + IER, IER_RX);
        }
    }
}

void serial_register(void)
{
    for (u32 i = 0; i < ARRAY_LEN(ports); i++) {
        struct serial_port *p = &ports[i];
        if (p->present) {
            p->tty.name = p->name;
            p->tty.rdev = 4 << 8 | (64 + i);
            p->tty.device = &device;
            p->tty.data = p;
            tty_register(&p->tty);
            p->registered = true;
        }
    }
}
