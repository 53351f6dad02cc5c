/*
 * High precision event timers. IA-PC HPET specification 1.0a, chapter 2; capabilities as QEMU's
 * board has them: vendor 8086h, 10 ns, legacy replacement, every timer periodic and 64 bits wide,
 * and the I/O APIC's input 2 alone to choose from.
 *
 * The counter follows from the clock; a timer is armed for its next match alone. Legacy lines also
 * go to the 8259s, which want an edge held until it is acknowledged: it stays until the next one.
 * The I/O APIC latches edges, so that elsewhere an edge is a pulse.
 *
 * DEVIATION: matches of a periodic timer that are nearer than 1 us fall into one.
 */
#include "devices/hpet.h"

enum { NS_PER_COUNT = 10, NEAREST = 100 /* counts */ };
enum { OFF_CONFIG = 0x10, OFF_STATUS = 0x20, OFF_COUNTER = 0xf0, OFF_TIMERS = 0x100, TIMER_LEN = 0x20 };
enum { T_CONFIG = 0, T_COMPARE = 8 };
enum { COUNTS = 1, LEGACY = 2 }; /* general configuration */
enum {
    LEVEL = 1 << 1, ENABLED = 1 << 2, PERIODIC = 1 << 3, CAN_BE_PERIODIC = 1 << 4, IS_64 = 1 << 5,
    SET_VALUE = 1 << 6, AS_32 = 1 << 8, ROUTE_SHIFT = 9, ROUTE = 31 << ROUTE_SHIFT,
    WRITABLE = LEVEL | ENABLED | PERIODIC | SET_VALUE | AS_32 | ROUTE,
};
#define CAPABILITIES (0x8086a201ull | 10000000ull << 32) /* femtoseconds a count */
#define ROUTES       (1ull << HPET_PIN << 32)

static u64 counter(const struct hpet *h)
{
    if (!(h->general & COUNTS))
        return h->count;
    return h->count + (clock_now(h->dev.env.clk) - h->start_ns) / NS_PER_COUNT;
}

static bool is_legacy(const struct hpet *h, unsigned n)
{
    return n < HPET_LEGACY && (h->general & LEGACY);
}

static bool stands(const struct hpet *h, unsigned n)
{
    return (h->status >> n & 1) && (h->timer[n].config & ENABLED);
}

static bool at_pin(const struct hpet *h, unsigned n)
{
    return !is_legacy(h, n) && (h->timer[n].config & ROUTE) >> ROUTE_SHIFT == HPET_PIN;
}

static void drive_legacy(struct hpet *h, unsigned n)
{
    bool ours = h->timer[n].config & LEVEL ? stands(h, n) : h->held >> n & 1;

    irq_set(n ? &h->cfg.irq8 : &h->cfg.irq0, is_legacy(h, n) ? ours : h->input >> n & 1);
}

static void drive(struct hpet *h)
{
    bool pin = false;

    for (unsigned n = 0; n < HPET_TIMERS; n++)
        pin = pin || (at_pin(h, n) && stands(h, n));
    irq_set(&h->cfg.pin, pin);
    for (unsigned n = 0; n < HPET_LEGACY; n++) {
        if (!is_legacy(h, n) || !(h->timer[n].config & ENABLED))
            h->held &= (u8)~(1 << n);
        drive_legacy(h, n);
    }
}

void hpet_set_legacy(void *hpet, unsigned pin, bool level)
{
    struct hpet *h = hpet;
    u8 bit = (u8)(1 << pin);

    h->input = level ? h->input | bit : h->input & (u8)~bit;
    if (!is_legacy(h, pin))
        drive_legacy(h, pin);
}

static void edge(struct hpet *h, unsigned n)
{
    if (is_legacy(h, n)) {
        h->held &= (u8)~(1 << n);
        drive_legacy(h, n);
        h->held |= (u8)(1 << n);
        drive_legacy(h, n);
    } else if (at_pin(h, n)) {
        irq_set(&h->cfg.pin, true);
        drive(h);
    }
}

/* ---- matches ---- */

static u64 width(const struct hpet_timer *t)
{
    return t->config & AS_32 ? 0xffffffff : ~0ull;
}

/* least: counts that must pass before; 0 or 1. */
static void arm(struct hpet *h, unsigned n, u64 least)
{
    struct hpet_timer *t = &h->timer[n];
    u64 now = counter(h), left = (t->compare - now) & width(t);

    if (left < least)
        left = t->config & AS_32 ? 1ull << 32 : ~0ull; /* once round */
    if (!(h->general & COUNTS) || left >= CLOCK_END / 2 / NS_PER_COUNT) {
        timer_cancel(&t->match);
        return;
    }
    timer_arm(&t->match, h->start_ns + (now + left - h->count) * NS_PER_COUNT);
}

static void arm_all(struct hpet *h)
{
    for (unsigned n = 0; n < HPET_TIMERS; n++)
        arm(h, n, 0);
}

static void matched(struct hpet *h, unsigned n)
{
    struct hpet_timer *t = &h->timer[n];

    if ((t->config & PERIODIC) && t->period) {
        u64 behind = (counter(h) - t->compare) & width(t), steps = behind / t->period + 1;

        if (t->period < NEAREST)
            steps += NEAREST / t->period;
        t->compare = (t->compare + steps * t->period) & width(t);
    }
    arm(h, n, 1);
    if (t->config & LEVEL) {
        h->status |= 1u << n;
        drive(h);
    } else if (t->config & ENABLED) {
        edge(h, n);
    }
}

static void matched_0(void *hpet, u64 now_ns)
{
    (void)now_ns;
    matched(hpet, 0);
}

static void matched_1(void *hpet, u64 now_ns)
{
    (void)now_ns;
    matched(hpet, 1);
}

static void matched_2(void *hpet, u64 now_ns)
{
    (void)now_ns;
    matched(hpet, 2);
}

/* An access lasts longer than an instruction: what was due before it comes before it. */
static void catch_up(struct hpet *h)
{
    u64 now = clock_now(h->dev.env.clk);

    for (unsigned n = 0; n < HPET_TIMERS; n++)
        if (timer_armed(&h->timer[n].match) && h->timer[n].match.when_ns <= now) {
            timer_cancel(&h->timer[n].match);
            matched(h, n);
        }
}

/* ---- registers, 64 bits each ---- */

static u64 get(const struct hpet *h, u64 off)
{
    const struct hpet_timer *t;

    switch (off) {
    case 0: return CAPABILITIES;
    case OFF_CONFIG: return h->general;
    case OFF_STATUS: return h->status;
    case OFF_COUNTER: return counter(h);
    default: break;
    }
    if (off < OFF_TIMERS || off >= OFF_TIMERS + HPET_TIMERS * TIMER_LEN)
        return 0;
    t = &h->timer[(off - OFF_TIMERS) / TIMER_LEN];
    switch (off % TIMER_LEN) {
    case T_CONFIG: return (t->config & ~(u32)SET_VALUE) | CAN_BE_PERIODIC | IS_64 | ROUTES;
    case T_COMPARE: return t->compare;
    default: return 0; /* no messages of its own */
    }
}

static void put_general(struct hpet *h, u64 v)
{
    u64 now = counter(h);

    h->general = v & (COUNTS | LEGACY);
    h->count = now;
    h->start_ns = clock_now(h->dev.env.clk);
    arm_all(h);
    drive(h);
}

static void put_config(struct hpet *h, unsigned n, u64 v)
{
    struct hpet_timer *t = &h->timer[n];
    u32 route = (u32)v & ROUTE;

    v &= WRITABLE & ~ROUTE;
    if (route >> ROUTE_SHIFT != HPET_PIN && route) /* what it cannot have is not taken (2.3.8) */
        route = t->config & ROUTE;
    t->config = (u32)v | route;
    t->compare &= width(t);
    t->period &= width(t);
    if (!(v & LEVEL))
        h->status &= ~(1u << n);
    arm(h, n, 0);
    drive(h);
}

/* A periodic timer's first write behind SET_VALUE sets where it begins and its period, any other
 * one the period (2.3.9.2.2). */
static void put_compare(struct hpet *h, unsigned n, u64 v, u64 mask)
{
    struct hpet_timer *t = &h->timer[n];

    if (!(t->config & PERIODIC) || (t->config & SET_VALUE))
        t->compare = ((t->compare & ~mask) | (v & mask)) & width(t);
    if (t->config & PERIODIC)
        t->period = ((t->period & ~mask) | (v & mask)) & width(t);
    t->config &= ~(u32)SET_VALUE;
    arm(h, n, 0);
}

static void put(struct hpet *h, u64 off, u64 v, u64 mask)
{
    u64 whole = (get(h, off) & ~mask) | (v & mask);
    unsigned n = (unsigned)((off - OFF_TIMERS) / TIMER_LEN);

    switch (off) {
    case 0: return;
    case OFF_CONFIG: put_general(h, whole); return;
    case OFF_STATUS:
        h->status &= ~(u32)(v & mask);
        drive(h);
        return;
    case OFF_COUNTER:
        h->count = whole;
        h->start_ns = clock_now(h->dev.env.clk);
        arm_all(h);
        return;
    default: break;
    }
    if (off < OFF_TIMERS || n >= HPET_TIMERS)
        return;
    if (off % TIMER_LEN == T_CONFIG)
        put_config(h, n, whole);
    else if (off % TIMER_LEN == T_COMPARE)
        put_compare(h, n, v, mask);
}

static u64 hpet_read(void *dev, u64 off, unsigned size)
{
    struct hpet *h = dev;

    catch_up(h);
    return get(h, off & ~7ull) >> 8 * (off & 7) & size_mask(size);
}

static void hpet_write(void *dev, u64 off, u64 v, unsigned size)
{
    unsigned shift = 8 * (off & 7);

    catch_up(dev);
    put(dev, off & ~7ull, v << shift, size_mask(size) << shift);
}

/* ---- as a device ---- */

static int hpet_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { hpet_read, hpet_write, 4 | 8 };
    static void (*const fire[HPET_TIMERS])(void *, u64) = { matched_0, matched_1, matched_2 };
    struct hpet *h = CONTAINER_OF(dev, struct hpet, dev);

    (void)err;
    h->cfg = *(const struct hpet_cfg *)cfg;
    for (unsigned n = 0; n < HPET_TIMERS; n++)
        timer_init(&h->timer[n].match, dev->env.clk, fire[n], h);
    h->region = (struct bus_region){ .base = 0xfed00000, .len = 0x400, .ops = &ops, .dev = h, .name = "hpet" };
    return bus_map(dev->env.mem, &h->region);
}

static void hpet_reset(struct dev *dev, enum reset_kind kind)
{
    struct hpet *h = CONTAINER_OF(dev, struct hpet, dev);

    (void)kind;
    h->general = 0;
    h->status = 0;
    h->count = h->start_ns = 0;
    for (unsigned n = 0; n < HPET_TIMERS; n++) {
        struct hpet_timer *t = &h->timer[n];

        t->config = 0;
        t->compare = ~0ull;
        t->period = 0;
        timer_cancel(&t->match);
    }
    drive(h);
}

static int hpet_check(const struct dev *dev, char err[160])
{
    const struct hpet *h = CONTAINER_OF(dev, struct hpet, dev);
    const char *why = h->start_ns > clock_now(dev->env.clk) ? "has begun in the future" : NULL;

    for (unsigned n = 0; n < HPET_TIMERS; n++) {
        const struct hpet_timer *t = &h->timer[n];
        u32 route = (t->config & ROUTE) >> ROUTE_SHIFT;

        if ((t->config & ~(u32)WRITABLE) || (route && route != HPET_PIN) ||
            ((t->compare | t->period) & ~width(t)) || (timer_armed(&t->match) && !(h->general & COUNTS)))
            why = "has a timer that cannot be";
    }
    if (why)
        snprintf(err, 160, "hpet: it %s", why);
    return why ? -1 : 0;
}

static void hpet_loaded(struct dev *dev)
{
    drive(CONTAINER_OF(dev, struct hpet, dev));
}

static void hpet_fini(struct dev *dev)
{
    for (unsigned n = 0; n < HPET_TIMERS; n++)
        timer_cancel(&CONTAINER_OF(dev, struct hpet, dev)->timer[n].match);
}

static const struct state_field timer_fields[] = {
    STATE(struct hpet_timer, config), STATE(struct hpet_timer, compare),
    STATE(struct hpet_timer, period), STATE_TIMER(struct hpet_timer, match), STATE_END,
};
static const struct state_field hpet_fields[] = {
    STATE_UPTO(struct hpet, general, COUNTS | LEGACY), STATE_UPTO(struct hpet, status, 7),
    STATE(struct hpet, count), STATE(struct hpet, start_ns),
    STATE_STRUCTS(struct hpet, timer, timer_fields), STATE_UPTO(struct hpet, input, 3),
    STATE_UPTO(struct hpet, held, 3), STATE_END,
};
static const struct state_desc hpet_state = { "hpet", 1, hpet_fields };
const struct dev_class hpet_class = { "hpet", hpet_init, hpet_reset, hpet_loaded, hpet_fini,
                                      &hpet_state, hpet_check };
