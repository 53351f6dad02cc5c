/*
 * PIIX3 ISA bridge. Data sheet 290550: PIRQRC[A:D] (60h to 63h), RC (CF9h), coprocessor error (F0h).
 */
#include "devices/piix3.h"

enum { PIRQRC = 0x60, PIRQ_OFF = 0x80, RC_FULL = 2, RC_RESET = 4 };
enum { ROUTABLE = 0xdef8 }; /* interrupts 3 to 7, 9 to 12, 14, 15; other values are reserved */

/* Wires PIRQs to the interrupt controller: several may share an input. */
static void route(struct piix3 *p)
{
    u16 now = 0, changed;

    for (unsigned i = 0; i < 4; i++) {
        u8 r = p->func.config[PIRQRC + i];
        if ((p->pirq_level >> i & 1) && !(r & PIRQ_OFF))
            now |= (u16)(1 << (r & 15) & ROUTABLE);
    }
    changed = now ^ p->driven;
    p->driven = now;
    for (unsigned n = 0; n < 16; n++)
        if (changed >> n & 1)
            irq_set(&(struct irq_line){ p->cfg.pic.set, p->cfg.pic.sink, p->cfg.pic.pin + n }, now >> n & 1);
}

static void set_pirq(void *sink, unsigned pirq, bool level)
{
    struct piix3 *p = sink;

    p->pirq_level = (u8)(level ? p->pirq_level | 1 << pirq : p->pirq_level & ~(1 << pirq));
    route(p);
}

static void written(void *dev, unsigned reg, unsigned size)
{
    if (reg + size > PIRQRC && reg < PIRQRC + 4)
        route(dev);
}

static u64 reset_read(void *dev, u64 off, unsigned size)
{
    (void)off;
    (void)size;
    return ((struct piix3 *)dev)->reset_control;
}

static void reset_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct piix3 *p = dev;
    bool rising = (v & RC_RESET) && !(p->reset_control & RC_RESET);

    (void)off;
    (void)size;
    p->reset_control = v & (RC_FULL | RC_RESET);
    if (rising)
        p->cfg.power.request(p->cfg.power.sink, POWER_RESET, 0);
}

/* Coprocessor errors: FERR# raises IRQ 13; a write to port F0h takes that back and asserts IGNNE#, for
 * as long as FERR# stays (290550, 3.4.2; SDM 1, 8.7.2). */
static void drive_error(struct piix3 *p)
{
    irq_set(&p->cfg.irq13, p->ferr && !p->error_seen);
    irq_set(&p->cfg.ignne, p->ferr && p->error_seen);
}

void piix3_set_ferr(void *piix3, unsigned pin, bool level)
{
    struct piix3 *p = piix3;

    (void)pin;
    p->ferr = level;
    p->error_seen = false;
    drive_error(p);
}

static u64 error_read(void *dev, u64 off, unsigned size)
{
    (void)dev;
    (void)off;
    (void)size;
    return 0xff;
}

static void error_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct piix3 *p = dev;

    (void)off;
    (void)v;
    (void)size;
    p->error_seen = p->ferr;
    drive_error(p);
}

static int piix3_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { reset_read, reset_write, 1 };
    static const struct bus_ops error_ops = { error_read, error_write, 1 };
    struct piix3 *p = CONTAINER_OF(dev, struct piix3, dev);

    (void)err;
    p->cfg = *(const struct piix3_cfg *)cfg;
    pci_add(p->cfg.bus, 1 << 3, &p->func, p);
    pci_header(&p->func, 0x8086, 0x7000, 0x060100, 0x00);
    pci_set(&p->func, PCI_HEADER_TYPE, 1, 0x80);
    pci_writable(&p->func, PCI_COMMAND, 2, 0x0008);
    pci_writable(&p->func, PIRQRC, 4, 0x8f8f8f8f);
    pci_writable(&p->func, 0x4c, 4, 0xffffffff); /* IORT and XBCS: ISA timing and chip selects */
    p->func.written = written;
    p->cfg.bus->pirq = set_pirq;
    p->cfg.bus->pirq_sink = p;
    p->reset_region = (struct bus_region){ .base = 0xcf9, .len = 1, .ops = &ops, .dev = p, .name = "reset control", .priority = 1 };
    p->error_region = (struct bus_region){ .base = 0xf0, .len = 1, .ops = &error_ops, .dev = p, .name = "coprocessor error" };
    if (bus_map(dev->env.io, &p->error_region))
        return -1;
    return bus_map(dev->env.io, &p->reset_region);
}

static void piix3_reset(struct dev *dev, enum reset_kind kind)
{
    struct piix3 *p = CONTAINER_OF(dev, struct piix3, dev);

    (void)kind;
    pci_set(&p->func, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
    pci_set(&p->func, PCI_STATUS, 2, 0x0200);
    pci_set(&p->func, 0x4c, 4, 0x0003004d);
    pci_set(&p->func, PIRQRC, 4, 0x80808080);
    pci_set(&p->func, PCI_IRQ_LINE, 1, 0);
    p->pirq_level = p->reset_control = 0;
    p->ferr = p->error_seen = false;
    drive_error(p);
    route(p);
}

static void piix3_loaded(struct dev *dev)
{
    struct piix3 *p = CONTAINER_OF(dev, struct piix3, dev);

    p->driven = 0;
    route(p);
    drive_error(p);
}

static const struct state_field piix3_fields[] = {
    STATE_STRUCT(struct piix3, func, pci_func_fields), STATE(struct piix3, pirq_level),
    STATE(struct piix3, reset_control), STATE_UPTO(struct piix3, ferr, 1),
    STATE_UPTO(struct piix3, error_seen, 1), STATE_END,
};
static const struct state_desc piix3_state = { "piix3", 2, piix3_fields };
const struct dev_class piix3_class = { "piix3", piix3_init, piix3_reset, piix3_loaded, NULL,
                                       &piix3_state, NULL };
