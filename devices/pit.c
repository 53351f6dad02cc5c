/*
 * 8254 interval timer. Intel data sheet 231164: modes 0 to 5, figures 16 to 21, latch and
 * read-back commands. Port 61h: PIIX3 (290550, NMISC).
 *
 * A counter is never ticked: its value follows from the clock and the moment it was loaded. A
 * timer is armed for the next edge of OUT 0 alone, the one that is an interrupt.
 *
 * DEVIATION: a count is taken at once, not one CLK after the write; in modes 2 and 3 a new count
 * takes effect at once too, not at the end of the period.
 */
#include "devices/pit.h"

#define PIT_HZ 1193182ull
enum { REFRESH_NS = 15085 };

static u64 pit_clk(const struct pit *p)
{
    return clock_muldiv(clock_now(p->dev.env.clk), PIT_HZ, NS_PER_SEC);
}

/* First nanosecond at which the PIT's clock has reached clk. */
static u64 clk_to_ns(u64 clk)
{
    return (u64)(((unsigned __int128)clk * NS_PER_SEC + PIT_HZ - 1) / PIT_HZ);
}

static u64 elapsed(const struct pit *p, const struct pit_channel *c)
{
    return p->cfg.broken ? 0 : pit_clk(p) - c->start;
}

static u32 modulus(const struct pit_channel *c)
{
    return c->bcd ? 10000 : 65536;
}

/* The counting element's value. */
static u16 value(const struct pit *p, const struct pit_channel *c)
{
    u64 e;

    if (!c->running)
        return c->frozen;
    e = elapsed(p, c);
    switch (c->mode) {
    case 2: return (u16)(c->count - e % c->count);
    case 3: /* counts by two, twice a period */
        return (u16)(c->count - (2 * e) % c->count);
    default: /* goes on below zero, from the top */
        return (u16)((c->count + modulus(c) - e % modulus(c)) % modulus(c));
    }
}

static u16 to_bcd(u16 v)
{
    return (u16)(v / 1000 % 10 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10);
}

static u16 from_bcd(u16 v)
{
    return (u16)((v >> 12) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 + (v & 15));
}

/* The level of OUT (data sheet, "Mode definitions"). */
static bool out_level(const struct pit *p, const struct pit_channel *c)
{
    u64 e;

    if (!c->running)
        return c->mode == 0 ? c->expired : true;
    e = elapsed(p, c);
    switch (c->mode) {
    case 0: case 1: return e >= c->count;
    case 2: return e % c->count != c->count - 1;
    case 3: return e % c->count < (c->count + 1) / 2;
    default: return e != c->count; /* one low CLK at the terminal count */
    }
}

/* PIT clock of the next change of OUT; false: it stays. */
static bool next_edge(const struct pit *p, const struct pit_channel *c, u64 *at)
{
    u64 e = elapsed(p, c), period = e - (c->count ? e % c->count : 0), half;

    if (!c->running || p->cfg.broken)
        return false;
    switch (c->mode) {
    case 0: case 1:
        *at = c->start + c->count;
        return e < c->count;
    case 2:
        *at = c->start + period + (e % c->count < c->count - 1 ? c->count - 1 : c->count);
        return true;
    case 3:
        half = (c->count + 1) / 2;
        *at = c->start + period + (e % c->count < half ? half : c->count);
        return true;
    default:
        *at = c->start + c->count + (e >= c->count);
        return e <= c->count;
    }
}

static void drive(struct pit *p)
{
    struct pit_channel *c = &p->ch[0];
    u64 at;

    c->out = out_level(p, c);
    irq_set(&p->cfg.irq0, c->out);
    if (next_edge(p, c, &at))
        timer_arm(&p->edge, clk_to_ns(at));
    else
        timer_cancel(&p->edge);
}

static void drive_channel(struct pit *p, unsigned n)
{
    if (n == 0)
        drive(p);
    else if (n == 2)
        irq_set(&p->cfg.speaker, p->speaker_data && out_level(p, &p->ch[2]));
}

static void edge_fired(void *dev, u64 now_ns)
{
    struct pit *p = dev;
    struct pit_channel *c = &p->ch[0];
    bool level = out_level(p, c);

    (void)now_ns;
    /* A count of 1 or 2, or a late slice: the pulse between is an edge all the same. */
    if (level && c->out)
        irq_set(&p->cfg.irq0, false);
    drive(p);
}

static void set_gate(struct pit *p, unsigned n, bool gate)
{
    struct pit_channel *c = &p->ch[n];
    bool rising = gate && !c->gate;

    if (gate == c->gate)
        return;
    if (!gate && (c->mode == 0 || c->mode == 4 || c->mode == 2 || c->mode == 3)) {
        c->frozen = value(p, c);
        c->expired = out_level(p, c);
        c->running = 0;
    }
    c->gate = gate;
    if (rising && c->count && !c->null_count) {
        c->start = pit_clk(p);
        if (c->mode == 0 || c->mode == 4) /* goes on where it stopped */
            c->start -= (c->count + modulus(c) - c->frozen) % modulus(c);
        c->running = 1;
    }
    drive_channel(p, n);
}

static void load(struct pit *p, unsigned n, u16 v)
{
    struct pit_channel *c = &p->ch[n];

    if (c->bcd)
        v = from_bcd(v);
    c->count = v ? v : modulus(c);
    if ((c->mode == 2 || c->mode == 3) && c->count == 1)
        c->count = 2; /* 1 is not allowed (data sheet, "minimum count") */
    c->null_count = 0;
    c->start = pit_clk(p);
    c->frozen = (u16)c->count;
    c->expired = 0;
    /* Modes 1 and 5 wait for a rising gate. */
    c->running = c->mode == 1 || c->mode == 5 ? 0 : c->gate;
    drive_channel(p, n);
}

static void latch_count(struct pit *p, struct pit_channel *c)
{
    if (c->latch_bytes)
        return;
    c->latched = c->bcd ? to_bcd(value(p, c)) : value(p, c);
    c->latch_bytes = c->access == 3 ? 2 : 1;
}

static void latch_status(struct pit *p, struct pit_channel *c)
{
    if (c->status_latched)
        return;
    c->status = (u8)(out_level(p, c) << 7 | c->null_count << 6 | c->access << 4 | c->mode << 1 | c->bcd);
    c->status_latched = 1;
}

static void write_control(struct pit *p, u8 v)
{
    unsigned n = v >> 6;
    struct pit_channel *c;

    if (n == 3) { /* read-back */
        for (unsigned i = 0; i < 3; i++) {
            if (!(v >> (i + 1) & 1))
                continue;
            if (!(v & 0x20))
                latch_count(p, &p->ch[i]);
            if (!(v & 0x10))
                latch_status(p, &p->ch[i]);
        }
        return;
    }
    c = &p->ch[n];
    if ((v & 0x30) == 0) {
        latch_count(p, c);
        return;
    }
    c->frozen = value(p, c);
    c->access = v >> 4 & 3;
    c->mode = v >> 1 & 7;
    if (c->mode > 5)
        c->mode &= 3;
    c->bcd = v & 1;
    c->running = c->expired = 0;
    c->null_count = 1;
    c->write_high = c->read_high = c->latch_bytes = c->status_latched = 0;
    drive_channel(p, n);
}

static void pit_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct pit *p = dev;
    struct pit_channel *c = &p->ch[off];

    (void)size;
    if (off == 3) {
        write_control(p, (u8)v);
        return;
    }
    switch (c->access) {
    case 1: load(p, (unsigned)off, (u8)v); break;
    case 2: load(p, (unsigned)off, (u16)(v << 8)); break;
    case 3:
        if (!c->write_high) {
            c->written = (u8)v;
            c->write_high = 1;
            if (c->mode == 0) { /* the first byte stops counting */
                c->frozen = value(p, c);
                c->running = 0;
                drive_channel(p, (unsigned)off);
            }
        } else {
            c->write_high = 0;
            load(p, (unsigned)off, (u16)(c->written | v << 8));
        }
        break;
    default: guest_error(p->dev.env.log, "pit: count for a channel without a control word"); break;
    }
}

static u64 pit_read(void *dev, u64 off, unsigned size)
{
    struct pit *p = dev;
    struct pit_channel *c = &p->ch[off];
    u16 v;
    bool high;

    (void)size;
    if (off == 3)
        return 0xff; /* no register there (data sheet, figure 14) */
    if (c->status_latched) {
        c->status_latched = 0;
        return c->status;
    }
    if (c->latch_bytes) {
        v = c->latched;
        high = c->access == 2 || (c->access == 3 && c->latch_bytes == 1);
        c->latch_bytes--;
    } else {
        v = c->bcd ? to_bcd(value(p, c)) : value(p, c);
        high = c->access == 2 || (c->access == 3 && c->read_high);
        if (c->access == 3)
            c->read_high ^= 1;
    }
    return high ? v >> 8 : v & 0xff;
}

/* Port 61h: 0 gate 2, 1 speaker data, 4 refresh toggle, 5 OUT 2. */
static void port61_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct pit *p = dev;

    (void)off;
    (void)size;
    p->speaker_data = v >> 1 & 1;
    set_gate(p, 2, v & 1);
    drive_channel(p, 2);
}

static u64 port61_read(void *dev, u64 off, unsigned size)
{
    struct pit *p = dev;
    u64 refresh = clock_now(p->dev.env.clk) / REFRESH_NS & 1;

    (void)off;
    (void)size;
    return p->ch[2].gate | (u64)p->speaker_data << 1 | refresh << 4 |
           (u64)out_level(p, &p->ch[2]) << 5;
}

static int pit_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { pit_read, pit_write, 1 };
    static const struct bus_ops ops61 = { port61_read, port61_write, 1 };
    struct pit *p = CONTAINER_OF(dev, struct pit, dev);

    (void)err;
    p->cfg = *(const struct pit_cfg *)cfg;
    timer_init(&p->edge, dev->env.clk, edge_fired, p);
    p->region = (struct bus_region){ .base = 0x40, .len = 4, .ops = &ops, .dev = p, .name = "pit" };
    p->port61 = (struct bus_region){ .base = 0x61, .len = 1, .ops = &ops61, .dev = p, .name = "port 61h" };
    return bus_map(dev->env.io, &p->region) | bus_map(dev->env.io, &p->port61);
}

static void pit_reset(struct dev *dev, enum reset_kind kind)
{
    struct pit *p = CONTAINER_OF(dev, struct pit, dev);

    (void)kind;
    for (unsigned i = 0; i < 3; i++)
        p->ch[i] = (struct pit_channel){ .gate = i != 2, .count = 65536, .mode = 3, .null_count = 1, .access = 3 };
    p->speaker_data = 0;
    drive(p);
    drive_channel(p, 2);
}

/* Counts are divided by, and an edge that is due in the past would be due again for ever. */
static int pit_check(const struct dev *dev, char err[160])
{
    const struct pit *p = CONTAINER_OF(dev, struct pit, dev);

    for (unsigned i = 0; i < 3; i++) {
        const struct pit_channel *c = &p->ch[i];

        /* A counter that went on after a pause began that much before its start. */
        if (c->count && pit_clk(p) - c->start <= pit_clk(p) + 65536)
            continue;
        snprintf(err, 160, "i8254: counter %u has %s", i,
                 c->count ? "begun in the future" : "no count");
        return -1;
    }
    return 0;
}

static void pit_fini(struct dev *dev)
{
    timer_cancel(&CONTAINER_OF(dev, struct pit, dev)->edge);
}

static const struct state_field channel_fields[] = {
    STATE(struct pit_channel, start), STATE_UPTO(struct pit_channel, count, 65536),
    STATE(struct pit_channel, latched), STATE(struct pit_channel, written),
    STATE(struct pit_channel, frozen), STATE_UPTO(struct pit_channel, mode, 5),
    STATE_UPTO(struct pit_channel, bcd, 1), STATE_UPTO(struct pit_channel, access, 3),
    STATE_UPTO(struct pit_channel, gate, 1), STATE_UPTO(struct pit_channel, running, 1),
    STATE_UPTO(struct pit_channel, null_count, 1), STATE_UPTO(struct pit_channel, write_high, 1),
    STATE_UPTO(struct pit_channel, read_high, 1), STATE_UPTO(struct pit_channel, latch_bytes, 2),
    STATE_UPTO(struct pit_channel, status_latched, 1), STATE(struct pit_channel, status),
    STATE_UPTO(struct pit_channel, out, 1), STATE_UPTO(struct pit_channel, expired, 1), STATE_END,
};
static const struct state_field pit_fields[] = {
    STATE_STRUCTS(struct pit, ch, channel_fields), STATE_UPTO(struct pit, speaker_data, 1),
    STATE_TIMER(struct pit, edge), STATE_END,
};
static const struct state_desc pit_state = { "i8254", 1, pit_fields };
const struct dev_class pit_class = { "i8254", pit_init, pit_reset, NULL, pit_fini,
                                     &pit_state, pit_check };
