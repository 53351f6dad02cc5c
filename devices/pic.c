/*
 * 8259A pair. Intel 8259A data sheet (231468): ICW1 to ICW4, OCW1 to OCW3, figures 7 to 9.
 * The edge/level control registers are the PIIX3's (290550, 4D0h and 4D1h).
 *
 * DEVIATION: buffered mode and the MCS-80 vectors of ICW4 are accepted and mean nothing here.
 */
#include "devices/pic.h"

enum { CASCADE_IRQ = 2, SPURIOUS = 7 };
enum icw1 { ICW1_IC4 = 1, ICW1_SINGLE = 2, ICW1_LEVEL = 8, ICW1 = 0x10 };
enum icw4 { ICW4_AEOI = 2, ICW4_SFNM = 0x10 };
enum ocw3 { OCW3_RIS = 1, OCW3_RR = 2, OCW3_POLL = 4, OCW3 = 8, OCW3_SMM = 0x20, OCW3_ESMM = 0x40 };

/* The highest-priority bit of a set, counting from the input behind the lowest; 8: none. */
static unsigned highest(const struct pic *p, u8 set)
{
    for (unsigned i = 1; i <= 8; i++) {
        unsigned n = (p->lowest + i) & 7;
        if (set >> n & 1)
            return i - 1;
    }
    return 8;
}

static unsigned input_at(const struct pic *p, unsigned rank)
{
    return (p->lowest + 1 + rank) & 7;
}

/* The input that requests service now, or 8. */
static unsigned requesting(const struct pic *p, bool master)
{
    unsigned want = highest(p, p->irr & ~p->imr), busy;
    u8 in_service = p->isr;

    if (p->special_mask)
        in_service &= ~p->imr;
    if (p->fully_nested && master)
        in_service &= (u8)~(1 << CASCADE_IRQ); /* the slave may interrupt its own service */
    busy = highest(p, in_service);
    return want < busy ? input_at(p, want) : 8;
}

static void set_input(struct pic *p, unsigned n, bool level)
{
    u8 bit = (u8)(1 << n);

    if (p->elcr & bit) {
        p->irr = level ? p->irr | bit : p->irr & ~bit;
    } else if (level && !(p->line & bit)) {
        p->irr |= bit;
    } else if (!level) {
        p->irr &= ~bit; /* an edge must be held until it is acknowledged (data sheet, "IR inputs") */
    }
    p->line = level ? p->line | bit : p->line & ~bit;
}

/* Drives the cascade and the processor's line from the chips' state. */
static void update(struct pic_pair *pp)
{
    set_input(&pp->chip[0], CASCADE_IRQ, requesting(&pp->chip[1], false) < 8);
    irq_set(&pp->cfg.intr, requesting(&pp->chip[0], true) < 8);
}

void pic_set_irq(void *pic, unsigned pin, bool level)
{
    struct pic_pair *pp = pic;
    unsigned irq = pin & 15;
    u16 bit = (u16)(1 << irq), *driven = &pp->driven[pin >> 4], any = 0;

    *driven = level ? *driven | bit : *driven & (u16)~bit;
    for (unsigned i = 0; i < PIC_SOURCES; i++)
        any |= pp->driven[i];
    level = any & bit;
    TRACE(pp->dev.env.trace, irq, "pic", (u64)irq, (u64)level);
    set_input(&pp->chip[irq >> 3], irq & 7, level);
    update(pp);
    irq_set(&(struct irq_line){ pp->cfg.also.set, pp->cfg.also.sink, pp->cfg.also.pin + irq }, level);
}

/* Moves a request into service. */
static void acknowledge(struct pic *p, unsigned n)
{
    u8 bit = (u8)(1 << n);

    if (p->auto_eoi) {
        if (p->rotate_aeoi)
            p->lowest = (u8)n;
    } else {
        p->isr |= bit;
    }
    if (!(p->elcr & bit))
        p->irr &= ~bit;
}

u8 pic_ack(void *pic)
{
    struct pic_pair *pp = pic;
    struct pic *m = &pp->chip[0], *s = &pp->chip[1];
    unsigned n = requesting(m, true);
    u8 vector;

    if (n == 8) {
        vector = m->vector + SPURIOUS;
    } else {
        acknowledge(m, n);
        vector = m->vector + (u8)n;
        if (n == CASCADE_IRQ) {
            unsigned k = requesting(s, false);
            if (k < 8)
                acknowledge(s, k);
            vector = s->vector + (u8)(k < 8 ? k : SPURIOUS);
        }
    }
    update(pp);
    return vector;
}

static void start_init(struct pic *p, u8 v)
{
    u8 line = p->line, elcr = p->elcr;

    *p = (struct pic){ .line = line, .elcr = elcr, .lowest = 7, .icw_step = 2,
                       .need_icw4 = v & ICW1_IC4 };
    p->irr = line & elcr;
}

static void end_of_interrupt(struct pic *p, u8 v)
{
    u8 command = v >> 5, level = v & 7;
    unsigned rank;

    switch (command) {
    case 0: p->rotate_aeoi = 0; break;
    case 4: p->rotate_aeoi = 1; break;
    case 1: case 5: /* non-specific, and with rotation */
        rank = highest(p, p->special_mask ? p->isr & ~p->imr : p->isr);
        if (rank < 8) {
            unsigned n = input_at(p, rank);
            p->isr &= (u8)~(1 << n);
            if (command == 5)
                p->lowest = (u8)n;
        }
        break;
    case 3: case 7: /* specific, and with rotation */
        p->isr &= (u8)~(1 << level);
        if (command == 7)
            p->lowest = level;
        break;
    case 6: p->lowest = level; break; /* set priority */
    default: break;                   /* no operation */
    }
}

static void write_command(struct pic_pair *pp, struct pic *p, u8 v)
{
    if (v & ICW1) {
        start_init(p, v);
        if (v & ICW1_SINGLE)
            unimplemented(pp->dev.env.log, "pic: single mode (ICW1 %02x)", v);
    } else if (v & OCW3) {
        if (v & OCW3_ESMM)
            p->special_mask = (v & OCW3_SMM) != 0;
        if (v & OCW3_RR)
            p->read_isr = v & OCW3_RIS;
        p->poll = (v & OCW3_POLL) != 0;
    } else {
        end_of_interrupt(p, v);
    }
}

static void write_data(struct pic *p, u8 v)
{
    switch (p->icw_step) {
    case 2:
        p->vector = v & 0xf8;
        p->icw_step = 3;
        break;
    case 3:
        p->cascade = v;
        p->icw_step = p->need_icw4 ? 4 : 0;
        break;
    case 4:
        p->auto_eoi = (v & ICW4_AEOI) != 0;
        p->fully_nested = (v & ICW4_SFNM) != 0;
        p->icw_step = 0;
        break;
    default: p->imr = v; break;
    }
}

static void chip_write(struct pic_pair *pp, struct pic *p, u64 off, u64 v)
{
    if (off == 0)
        write_command(pp, p, (u8)v);
    else
        write_data(p, (u8)v);
    update(pp);
}

static u64 chip_read(struct pic_pair *pp, struct pic *p, u64 off)
{
    if (p->poll) { /* a poll acknowledges, as an INTA cycle would (data sheet, "Poll command") */
        unsigned n = requesting(p, p == &pp->chip[0]);

        p->poll = 0;
        if (n < 8)
            acknowledge(p, n);
        update(pp);
        return n < 8 ? 0x80 | n : 0;
    }
    if (off == 1)
        return pp->cfg.broken ? 0 : p->imr;
    return p->read_isr ? p->isr : p->irr;
}

static void master_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct pic_pair *pp = dev;

    (void)size;
    chip_write(pp, &pp->chip[0], off, v);
}

static u64 master_read(void *dev, u64 off, unsigned size)
{
    struct pic_pair *pp = dev;

    (void)size;
    return chip_read(pp, &pp->chip[0], off);
}

static void slave_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct pic_pair *pp = dev;

    (void)size;
    chip_write(pp, &pp->chip[1], off, v);
}

static u64 slave_read(void *dev, u64 off, unsigned size)
{
    struct pic_pair *pp = dev;

    (void)size;
    return chip_read(pp, &pp->chip[1], off);
}

/* Timer, keyboard, cascade, RTC and the coprocessor are always edge-triggered (290550). */
static void elcr_write(void *dev, u64 off, u64 v, unsigned size)
{
    static const u8 writable[2] = { 0xf8, 0xde };
    struct pic_pair *pp = dev;
    struct pic *p = &pp->chip[off];

    (void)size;
    p->elcr = (u8)v & writable[off];
    p->irr = (u8)((p->irr & ~p->elcr) | (p->line & p->elcr)); /* a level is a request as it stands */
    update(pp);
}

static u64 elcr_read(void *dev, u64 off, unsigned size)
{
    (void)size;
    return ((struct pic_pair *)dev)->chip[off].elcr;
}

static int pic_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops master = { master_read, master_write, 1 };
    static const struct bus_ops slave = { slave_read, slave_write, 1 };
    static const struct bus_ops elcr = { elcr_read, elcr_write, 1 };
    struct pic_pair *pp = CONTAINER_OF(dev, struct pic_pair, dev);

    (void)err;
    pp->cfg = *(const struct pic_cfg *)cfg;
    pp->master_region = (struct bus_region){ .base = 0x20, .len = 2, .ops = &master, .dev = pp, .name = "pic master" };
    pp->slave_region = (struct bus_region){ .base = 0xa0, .len = 2, .ops = &slave, .dev = pp, .name = "pic slave" };
    pp->elcr_region = (struct bus_region){ .base = 0x4d0, .len = 2, .ops = &elcr, .dev = pp, .name = "pic elcr" };
    return bus_map(dev->env.io, &pp->master_region) | bus_map(dev->env.io, &pp->slave_region) |
           bus_map(dev->env.io, &pp->elcr_region);
}

static void pic_reset(struct dev *dev, enum reset_kind kind)
{
    struct pic_pair *pp = CONTAINER_OF(dev, struct pic_pair, dev);

    (void)kind;
    for (int i = 0; i < 2; i++)
        pp->chip[i] = (struct pic){ .line = pp->chip[i].line, .lowest = 7, .imr = 0xff };
    update(pp);
}

static void pic_loaded(struct dev *dev)
{
    update(CONTAINER_OF(dev, struct pic_pair, dev));
}

static const struct state_field chip_fields[] = {
    STATE(struct pic, irr), STATE(struct pic, isr), STATE(struct pic, imr), STATE(struct pic, line),
    STATE_UPTO(struct pic, icw_step, 4), STATE(struct pic, vector), STATE(struct pic, cascade),
    STATE_UPTO(struct pic, need_icw4, 1), STATE_UPTO(struct pic, auto_eoi, 1),
    STATE_UPTO(struct pic, rotate_aeoi, 1),
    STATE_UPTO(struct pic, special_mask, 1), STATE_UPTO(struct pic, fully_nested, 1),
    STATE_UPTO(struct pic, lowest, 7),
    STATE_UPTO(struct pic, read_isr, 1), STATE_UPTO(struct pic, poll, 1), STATE(struct pic, elcr), STATE_END,
};
static const struct state_field pic_fields[] = {
    STATE_STRUCTS(struct pic_pair, chip, chip_fields), STATE_ARRAY(struct pic_pair, driven),
    STATE_END,
};
static const struct state_desc pic_state = { "i8259", 1, pic_fields };
const struct dev_class pic_class = { "i8259", pic_init, pic_reset, pic_loaded, NULL,
                                     &pic_state, NULL };
