/*
 * Local APIC, xAPIC and x2APIC. SDM 3A chapter 10; MSRs: 10.12.
 *
 * Priorities are kept by class: a request waits while its class is not above that of the task
 * priority and of what is in service. ExtINT, the 8259's way through LINT0, knows no priority.
 *
 * DEVIATION: out of reset LINT0 and LINT1 are as firmware sets them, ExtINT and NMI, and not
 * masked: firmware and guests that know no APIC have the interrupts of their 8259, as with QEMU.
 * DEVIATION: where the guest moves the page over RAM, the RAM stays.
 * DEVIATION: APR reads as TPR, and RRD as 0; nothing has used them since the Pentium.
 */
#include "devices/lapic.h"

enum { VERSION = 0x00050014 /* entries of the LVT less one, and a version with x2APIC's */ };
enum lapic_offset { /* table 10-1, of 16 bytes; MSR 800h + n */
    REG_ID = 0x02, REG_VERSION = 0x03, REG_TPR = 0x08, REG_APR = 0x09, REG_PPR = 0x0a, REG_EOI = 0x0b,
    REG_RRD = 0x0c, REG_LDR = 0x0d, REG_DFR = 0x0e, REG_SVR = 0x0f, REG_ISR = 0x10, REG_TMR = 0x18,
    REG_IRR = 0x20, REG_ESR = 0x28, REG_ICR = 0x30, REG_ICR_HIGH = 0x31, REG_LVT = 0x32,
    REG_INITIAL = 0x38, REG_CURRENT = 0x39, REG_DIVIDE = 0x3e, REG_SELF_IPI = 0x3f,
};
enum lapic_error { /* figure 10-9 */
    ERROR_SEND_VECTOR = 1 << 5, ERROR_RECEIVED_VECTOR = 1 << 6, ERROR_REGISTER = 1 << 7,
};
enum { MSR_APIC_BASE = 0x1b, MSR_TSC_DEADLINE = 0x6e0, MSR_X2APIC = 0x800 };
enum { SHORT_NONE, SHORT_SELF, SHORT_ALL, SHORT_OTHERS };
enum { ICR_LOGICAL = 1 << 11, ICR_ASSERT = 1 << 14, ICR_LEVEL = 1 << 15 };

/* Who may do what with a register; a write's other bits are ignored, and in x2APIC mode #GP. */
enum { R = 1, W = 2, R_XAPIC = 4, W_XAPIC = 8, W_X2APIC = 16 };
static const struct lapic_reg {
    u8 first, count, may;
    u32 bits;
} regs[] = {
    { REG_ID, 1, R | W_XAPIC, 0xff000000 }, { REG_VERSION, 1, R, 0 },
    { REG_TPR, 1, R | W, 0xff }, { REG_APR, 1, R_XAPIC, 0 }, { REG_PPR, 1, R, 0 },
    { REG_EOI, 1, W, 0 }, { REG_RRD, 1, R_XAPIC, 0 }, { REG_LDR, 1, R | W_XAPIC, 0xff000000 },
    { REG_DFR, 1, R_XAPIC | W_XAPIC, 0xf0000000 }, { REG_SVR, 1, R | W, 0x1ff },
    { REG_ISR, 24, R, 0 }, { REG_ESR, 1, R | W, 0 },
    { REG_ICR, 1, R | W, 0xccfff }, { REG_ICR_HIGH, 1, R_XAPIC | W_XAPIC, 0xff000000 },
    { REG_LVT + LVT_TIMER, 1, R | W, 0x700ff }, { REG_LVT + LVT_THERMAL, 1, R | W, 0x107ff },
    { REG_LVT + LVT_PERFORMANCE, 1, R | W, 0x107ff }, { REG_LVT + LVT_LINT0, 2, R | W, 0x1a7ff },
    { REG_LVT + LVT_ERROR, 1, R | W, 0x100ff }, { REG_INITIAL, 1, R | W, 0xffffffff },
    { REG_CURRENT, 1, R, 0 }, { REG_DIVIDE, 1, R | W, 0xb }, { REG_SELF_IPI, 1, W_X2APIC, 0xff },
};

static bool enabled(const struct lapic *l)
{
    return l->base & APIC_BASE_ENABLE;
}

static bool x2apic(const struct lapic *l)
{
    return l->base & APIC_BASE_X2APIC;
}

/* ---- vectors ---- */

static bool bit_get(const u32 set[8], u8 n)
{
    return set[n >> 5] >> (n & 31) & 1;
}

static void bit_put(u32 set[8], u8 n, bool on)
{
    u32 bit = 1u << (n & 31);

    set[n >> 5] = on ? set[n >> 5] | bit : set[n >> 5] & ~bit;
}

/* The highest vector of a set; 0: none, since vectors below 16 are never in it. */
static u8 highest(const u32 set[8])
{
    for (unsigned i = 8; i--;)
        if (set[i])
            return (u8)(32 * i + 31 - (unsigned)__builtin_clz(set[i]));
    return 0;
}

/* PPR (figure 10-19): the task's priority, or the class of what is in service. */
u8 lapic_priority(const struct lapic *l)
{
    u8 service = highest(l->isr) & 0xf0, task = (u8)l->tpr;

    return (task & 0xf0) >= service ? task : service;
}

static bool request_is_due(const struct lapic *l)
{
    return (highest(l->irr) & 0xf0) > (lapic_priority(l) & 0xf0);
}

bool lapic_is_requested(const struct lapic *l, u8 vector)
{
    return vector < 16 ? l->errors & ERROR_RECEIVED_VECTOR : bit_get(l->irr, vector);
}

static unsigned lvt_mode(const struct lapic *l, enum lapic_lvt n)
{
    return l->lvt[n] >> LVT_MODE_SHIFT & 7;
}

/* Whether the 8259's request goes through to the processor. */
static bool ext_int(const struct lapic *l)
{
    if (!enabled(l))
        return l->lint & 1; /* the pin is INTR, as if there was no APIC (10.4.3) */
    return (l->lint & 1) && !(l->lvt[LVT_LINT0] & LVT_MASKED) && lvt_mode(l, LVT_LINT0) == APIC_EXTINT;
}

static void drive(struct lapic *l)
{
    bool level = ext_int(l) || (enabled(l) && request_is_due(l));

    if (level != l->intr) {
        l->intr = level;
        irq_set(&l->cfg.intr, level);
    }
}

static void show(struct lapic *l)
{
    l->cfg.cpu.show(l->cfg.cpu.cpu, l->base, (u8)(l->tpr >> 4));
}

static void set_error(struct lapic *l, u32 error)
{
    l->errors |= error;
    lapic_local_interrupt(l, LVT_ERROR);
}

/* A fixed interrupt arrives. A vector that an exception could have is an error (10.5.2). */
static void request(struct lapic *l, u8 vector, bool level)
{
    if (vector < 16) {
        if (!lapic_is_requested(l, vector))
            set_error(l, ERROR_RECEIVED_VECTOR);
        return;
    }
    bit_put(l->irr, vector, true);
    bit_put(l->tmr, vector, level);
    drive(l);
}

u8 lapic_ack(void *lapic)
{
    struct lapic *l = lapic;
    u8 vector;

    if (enabled(l) && request_is_due(l)) {
        vector = highest(l->irr);
        bit_put(l->irr, vector, false);
        bit_put(l->isr, vector, true);
        if (vector == (u8)l->lvt[LVT_TIMER] && !timer_armed(&l->expiry))
            lapic_timer_arm(l);
    } else if (ext_int(l)) {
        return l->cfg.pic.vector(l->cfg.pic.source); /* which lowers its wire */
    } else {
        vector = (u8)l->svr; /* spurious (10.9) */
    }
    drive(l);
    return vector;
}

static void nmi(struct lapic *l)
{
    irq_set(&l->cfg.nmi, true);
    irq_set(&l->cfg.nmi, false);
}

/* Registers after RESET; INIT leaves the ID alone (10.4.7). */
static void clear(struct lapic *l, bool init)
{
    if (!init)
        l->id = x2apic(l) ? l->cfg.id : l->cfg.id & 0xff;
    l->ldr = l->tpr = 0;
    l->dfr = 0xffffffff;
    l->svr = 0xff;
    memset(l->isr, 0, sizeof(l->isr));
    memset(l->irr, 0, sizeof(l->irr));
    memset(l->tmr, 0, sizeof(l->tmr));
    l->esr = l->errors = 0;
    l->icr = 0;
    for (unsigned i = 0; i < NR_LVTS; i++)
        l->lvt[i] = LVT_MASKED;
    if (l->cfg.bsp) {
        l->lvt[LVT_LINT0] = APIC_EXTINT << LVT_MODE_SHIFT;
        l->lvt[LVT_LINT1] = APIC_NMI << LVT_MODE_SHIFT;
    }
    lapic_timer_reset(l);
}

static void init(struct lapic *l)
{
    clear(l, true);
    show(l);
    drive(l);
    l->cfg.cpu.init(l->cfg.cpu.cpu);
}

/* ---- local interrupts ---- */

void lapic_local_interrupt(struct lapic *l, enum lapic_lvt n)
{
    u32 lvt = l->lvt[n];

    if (lvt & LVT_MASKED)
        return;
    switch (n == LVT_TIMER || n == LVT_ERROR ? APIC_FIXED : lvt_mode(l, n)) {
    case APIC_FIXED: request(l, (u8)lvt, (lvt & LVT_LEVEL) != 0); break;
    case APIC_NMI: nmi(l); break;
    case APIC_INIT: init(l); break;
    case APIC_SMI: unimplemented(l->dev.env.log, "lapic: system management interrupts"); break;
    default: break;
    }
}

/* A pin whose entry is level-sensitive asks once until its end of interrupt (figure 10-8). */
static void look_at_pin(struct lapic *l, unsigned pin, bool rises)
{
    u32 *lvt = &l->lvt[LVT_LINT0 + pin];
    bool level = pin == 0 && (*lvt & LVT_LEVEL) && lvt_mode(l, LVT_LINT0) == APIC_FIXED;

    if (!(l->lint >> pin & 1) || (*lvt & LVT_MASKED))
        return;
    if (level ? (*lvt & LVT_REMOTE_IRR) : !rises)
        return;
    if (level)
        *lvt |= LVT_REMOTE_IRR;
    lapic_local_interrupt(l, (enum lapic_lvt)(LVT_LINT0 + pin));
}

void lapic_set_lint(void *lapic, unsigned pin, bool level)
{
    struct lapic *l = lapic;
    u8 bit = (u8)(1 << pin);
    bool rises = level && !(l->lint & bit);

    l->lint = level ? l->lint | bit : l->lint & (u8)~bit;
    if (enabled(l))
        look_at_pin(l, pin, rises);
    else if (pin == 1 && rises)
        nmi(l); /* the pin is NMI */
    drive(l);
}

static void end_of_interrupt(struct lapic *l)
{
    u8 vector = highest(l->isr);
    u32 *lint0 = &l->lvt[LVT_LINT0];

    if (!vector)
        return;
    bit_put(l->isr, vector, false);
    if (bit_get(l->tmr, vector)) {
        if (vector == (u8)*lint0 && (*lint0 & LVT_REMOTE_IRR)) {
            *lint0 &= ~(u32)LVT_REMOTE_IRR;
            look_at_pin(l, 0, false);
        }
        apic_bus_eoi(l->cfg.bus, vector);
    }
    drive(l);
}

/* ---- messages ---- */

static bool is_meant_logically(const struct lapic *l, u32 dest)
{
    if (x2apic(l))
        return dest >> 16 == l->ldr >> 16 && (dest & l->ldr & 0xffff);
    if (l->dfr >> 28 == 0xf)
        return dest & (l->ldr >> 24); /* flat */
    return (dest >> 4 == l->ldr >> 28 || dest >> 4 == 0xf) && (dest & (l->ldr >> 24) & 0xf);
}

bool lapic_is_meant(const struct lapic *l, const struct apic_message *m)
{
    if (!enabled(l))
        return false;
    if (m->dest == APIC_EVERYBODY)
        return true;
    return m->logical ? is_meant_logically(l, m->dest) : m->dest == l->id;
}

bool lapic_takes(const struct lapic *l)
{
    return enabled(l) && (l->svr & APIC_SOFTWARE_ENABLE);
}

bool lapic_accept(struct lapic *l, const struct apic_message *m)
{
    switch (m->mode) {
    case APIC_FIXED: case APIC_LOWEST:
        if (!lapic_takes(l))
            return false;
        request(l, m->vector, m->level);
        return true;
    case APIC_NMI: nmi(l); return true;
    case APIC_INIT: init(l); return true;
    case APIC_STARTUP: return true; /* for a processor that waits for it: none does */
    case APIC_SMI: unimplemented(l->dev.env.log, "lapic: system management interrupts"); return true;
    case APIC_EXTINT: unimplemented(l->dev.env.log, "lapic: ExtINT by message"); return true;
    default: return false;
    }
}

static void send(struct lapic *l)
{
    u32 low = (u32)l->icr, high = (u32)(l->icr >> 32);
    struct apic_message m = {
        .vector = (u8)low, .mode = low >> 8 & 7, .logical = low & ICR_LOGICAL,
        .dest = x2apic(l) ? high : apic_dest8((u8)(high >> 24)),
    };
    unsigned shorthand = low >> 18 & 3;

    if ((m.mode == APIC_FIXED || m.mode == APIC_LOWEST) && m.vector < 16) {
        set_error(l, ERROR_SEND_VECTOR);
        return;
    }
    if (m.mode == APIC_INIT && (low & ICR_LEVEL) && !(low & ICR_ASSERT))
        return; /* a de-assert sets arbitration IDs: there are none to set (10.6.1) */
    if (shorthand == SHORT_SELF) {
        /* Table 10-3 wants fixed alone here; what hypervisors and emulators let NMI and INIT do, too. */
        if (m.mode == APIC_FIXED || m.mode == APIC_NMI || m.mode == APIC_INIT)
            lapic_accept(l, &m);
        else
            guest_error(l->dev.env.log, "lapic: self shorthand with delivery mode %u", m.mode);
        return;
    }
    if (shorthand != SHORT_NONE) {
        m.dest = APIC_EVERYBODY;
        m.logical = false;
    }
    apic_bus_send(l->cfg.bus, &m, shorthand == SHORT_OTHERS ? l : NULL);
}

/* ---- registers ---- */

static const struct lapic_reg *find(unsigned n)
{
    for (unsigned i = 0; i < ARRAY_LEN(regs); i++)
        if (n - regs[i].first < regs[i].count)
            return &regs[i];
    return NULL;
}

static u64 get(const struct lapic *l, unsigned n)
{
    switch (n) {
    case REG_ID: return x2apic(l) ? l->id : l->id << 24;
    case REG_VERSION: return VERSION;
    case REG_TPR: case REG_APR: return l->tpr;
    case REG_PPR: return lapic_priority(l);
    case REG_LDR: return l->ldr;
    case REG_DFR: return l->dfr;
    case REG_SVR: return l->svr;
    case REG_ESR: return l->esr;
    case REG_ICR: return x2apic(l) ? l->icr : (u32)l->icr;
    case REG_ICR_HIGH: return l->icr >> 32;
    case REG_INITIAL: return l->initial;
    case REG_CURRENT: return lapic_timer_count(l);
    case REG_DIVIDE: return l->divide;
    default: break;
    }
    if (n >= REG_LVT && n < REG_LVT + NR_LVTS)
        return l->lvt[n - REG_LVT];
    if (n >= REG_ISR && n < REG_TMR)
        return l->isr[n - REG_ISR];
    if (n >= REG_TMR && n < REG_IRR)
        return l->tmr[n - REG_TMR];
    return n >= REG_IRR && n < REG_ESR ? l->irr[n - REG_IRR] : 0;
}

static void put_svr(struct lapic *l, u32 v)
{
    l->svr = v;
    if (v & APIC_SOFTWARE_ENABLE)
        return;
    for (unsigned i = 0; i < NR_LVTS; i++) /* all are masked, and stay so (10.4.7.2) */
        l->lvt[i] |= LVT_MASKED;
    lapic_timer_arm(l);
}

static void put_lvt(struct lapic *l, enum lapic_lvt n, u32 v)
{
    u32 old = l->lvt[n];

    v &= ~(u32)LVT_STATUS;
    if (!(l->svr & APIC_SOFTWARE_ENABLE))
        v |= LVT_MASKED;
    if (v & LVT_LEVEL)
        v |= old & LVT_REMOTE_IRR;
    l->lvt[n] = v;
    if (n == LVT_TIMER)
        lapic_timer_lvt(l, old);
    if (n == LVT_LINT0)
        look_at_pin(l, 0, false);
}

static void put(struct lapic *l, unsigned n, u64 v)
{
    switch (n) {
    case REG_ID: l->id = (u32)v >> 24; break;
    case REG_TPR: l->tpr = (u32)v; show(l); break;
    case REG_EOI: end_of_interrupt(l); break;
    case REG_LDR: l->ldr = (u32)v; break;
    case REG_DFR: l->dfr = (u32)v | 0x0fffffff; break;
    case REG_SVR: put_svr(l, (u32)v); break;
    case REG_ESR:
        l->esr = l->errors;
        l->errors = 0;
        lapic_timer_arm(l); /* an error is news again */
        break;
    case REG_ICR: l->icr = x2apic(l) ? v : (l->icr & ~0xffffffffull) | v; send(l); break;
    case REG_ICR_HIGH: l->icr = (u32)l->icr | v << 32; break;
    case REG_INITIAL: lapic_timer_start(l, (u32)v); break;
    case REG_DIVIDE: lapic_timer_divide(l, (u32)v); break;
    case REG_SELF_IPI:
        lapic_accept(l, &(struct apic_message){ .vector = (u8)v, .mode = APIC_FIXED });
        break;
    default: put_lvt(l, (enum lapic_lvt)(n - REG_LVT), (u32)v); break;
    }
    drive(l);
}

/* An access lasts longer than an instruction: what was due before it comes before it. */
static void catch_up(struct lapic *l)
{
    u64 now = clock_now(l->dev.env.clk);

    if (timer_armed(&l->expiry) && l->expiry.when_ns <= now) {
        timer_cancel(&l->expiry);
        l->expiry.fire(l, now);
    }
}

static u64 lapic_read(void *dev, u64 off, unsigned size)
{
    struct lapic *l = dev;
    const struct lapic_reg *r = off & 15 ? NULL : find((unsigned)off >> 4);

    (void)size;
    catch_up(l);
    if (r && (r->may & (R | R_XAPIC)))
        return get(l, (unsigned)off >> 4);
    if (!(off & 15) && !(r && r->may == W))
        set_error(l, ERROR_REGISTER);
    return 0;
}

static void lapic_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct lapic *l = dev;
    const struct lapic_reg *r = off & 15 ? NULL : find((unsigned)off >> 4);

    (void)size;
    catch_up(l);
    if (r && (r->may & (W | W_XAPIC)))
        put(l, (unsigned)off >> 4, v & r->bits);
    else if (!(off & 15) && (!r || r->may == W_X2APIC))
        set_error(l, ERROR_REGISTER);
}

/* ---- the processor's side ---- */

static void place(struct lapic *l)
{
    bus_move(l->dev.env.mem, &l->region, l->base & ~0xfffull, enabled(l) && !x2apic(l));
}

/* Figure 10-27: off to xAPIC to x2APIC; back only to off, which forgets everything. */
static bool put_base(struct lapic *l, u64 v)
{
    const u64 modes = APIC_BASE_ENABLE | APIC_BASE_X2APIC;
    u64 from = l->base & modes, to = v & modes;

    if (v & 0x2ff)
        return false;
    if (to == APIC_BASE_X2APIC || (from == 0 && to == modes) || (from == modes && to == APIC_BASE_ENABLE))
        return false;
    l->base = v | (l->cfg.bsp ? APIC_BASE_BSP : 0);
    if (from && !to) {
        u32 tpr = l->tpr;

        clear(l, false);
        l->tpr = tpr; /* CR8 is the processor's still */
    } else if (to == modes && from != modes) { /* 10.12.10.2: the logical ID follows from the ID */
        l->id = l->cfg.id;
        l->ldr = (l->id >> 4) << 16 | 1u << (l->id & 15);
    }
    place(l);
    show(l);
    drive(l);
    return true;
}

static bool port_read(void *lapic, u32 msr, u64 *v)
{
    struct lapic *l = lapic;
    const struct lapic_reg *r;

    catch_up(l);
    if (msr == MSR_APIC_BASE || msr == MSR_TSC_DEADLINE) {
        *v = msr == MSR_APIC_BASE ? l->base : l->deadline;
        return true;
    }
    r = find(msr - MSR_X2APIC);
    if (!x2apic(l) || !r || !(r->may & R))
        return false;
    *v = get(l, msr - MSR_X2APIC);
    return true;
}

static bool port_write(void *lapic, u32 msr, u64 v)
{
    struct lapic *l = lapic;
    const struct lapic_reg *r;
    u64 bits;

    catch_up(l);
    if (msr == MSR_APIC_BASE)
        return put_base(l, v & ~(u64)APIC_BASE_BSP);
    if (msr == MSR_TSC_DEADLINE) {
        lapic_timer_deadline(l, v);
        return true;
    }
    r = find(msr - MSR_X2APIC);
    if (!x2apic(l) || !r || !(r->may & (W | W_X2APIC)))
        return false;
    bits = r->bits;
    if (r->first == REG_ICR)
        bits |= 0xffffffff00000000; /* the destination */
    if (r->first >= REG_LVT && r->first < REG_LVT + NR_LVTS)
        bits |= LVT_STATUS; /* read only, but not reserved */
    if (v & ~bits)
        return false;
    put(l, msr - MSR_X2APIC, v);
    return true;
}

static void port_set_cr8(void *lapic, u8 class)
{
    struct lapic *l = lapic;

    l->tpr = (u32)class << 4;
    show(l);
    drive(l);
}

static void port_tsc_moved(void *lapic)
{
    struct lapic *l = lapic;

    if (lapic_timer_mode(l) == TIMER_TSC_DEADLINE)
        lapic_timer_arm(l);
}

struct apic_port lapic_port(struct lapic *l)
{
    return (struct apic_port){ port_read, port_write, port_set_cr8, port_tsc_moved, l };
}

/* ---- as a device ---- */

static int lapic_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { lapic_read, lapic_write, 4 };
    struct lapic *l = CONTAINER_OF(dev, struct lapic, dev);

    l->cfg = *(const struct lapic_cfg *)cfg;
    if (l->cfg.bus->nr_cpus == APIC_BUS_CPUS) {
        snprintf(err, 160, "an APIC bus has %u processors at most", APIC_BUS_CPUS);
        return -1;
    }
    l->cfg.bus->cpu[l->cfg.bus->nr_cpus++] = l;
    lapic_timer_init(l);
    l->region = (struct bus_region){ .base = 0xfee00000, .len = 0x1000, .ops = &ops, .dev = l, .name = "local apic", .priority = 2 };
    return bus_map(dev->env.mem, &l->region);
}

static void lapic_reset(struct dev *dev, enum reset_kind kind)
{
    struct lapic *l = CONTAINER_OF(dev, struct lapic, dev);

    (void)kind;
    l->base = 0xfee00000 | APIC_BASE_ENABLE | (l->cfg.bsp ? APIC_BASE_BSP : 0);
    clear(l, false);
    place(l);
    show(l);
    drive(l);
}

static int lapic_check(const struct dev *dev, char err[160])
{
    const struct lapic *l = CONTAINER_OF(dev, struct lapic, dev);
    const char *why = NULL;

    if ((l->base & 0x2ff) || !(l->base & APIC_BASE_BSP) == l->cfg.bsp || l->base >> 52 ||
        (x2apic(l) && !enabled(l)))
        why = "a base that cannot be";
    else if ((l->isr[0] | l->irr[0]) & 0xffff)
        why = "an interrupt of an exception's vector";
    else if (l->start_ns > clock_now(dev->env.clk))
        why = "a timer begun in the future";
    if (why)
        snprintf(err, 160, "lapic: it has %s", why);
    return why ? -1 : 0;
}

static void lapic_loaded(struct dev *dev)
{
    struct lapic *l = CONTAINER_OF(dev, struct lapic, dev);

    place(l);
    show(l);
    l->intr = false;
    irq_set(&l->cfg.intr, false);
    drive(l);
}

static void lapic_fini(struct dev *dev)
{
    timer_cancel(&CONTAINER_OF(dev, struct lapic, dev)->expiry);
}

static const struct state_field lapic_fields[] = {
    STATE(struct lapic, base), STATE(struct lapic, id), STATE(struct lapic, ldr),
    STATE(struct lapic, dfr), STATE_UPTO(struct lapic, svr, 0x1ff), STATE_UPTO(struct lapic, tpr, 0xff),
    STATE_ARRAY(struct lapic, isr), STATE_ARRAY(struct lapic, tmr), STATE_ARRAY(struct lapic, irr),
    STATE_UPTO(struct lapic, esr, 0xff), STATE_UPTO(struct lapic, errors, 0xff),
    STATE(struct lapic, icr), STATE_ARRAY_UPTO(struct lapic, lvt, 0x7ffff),
    STATE_UPTO(struct lapic, lint, 3), STATE(struct lapic, initial), STATE(struct lapic, count),
    STATE_UPTO(struct lapic, divide, 0xb), STATE(struct lapic, start_ns),
    STATE(struct lapic, deadline), STATE_TIMER(struct lapic, expiry), STATE_END,
};
static const struct state_desc lapic_state = { "lapic", 1, lapic_fields };
const struct dev_class lapic_class = { "lapic", lapic_init, lapic_reset, lapic_loaded, lapic_fini,
                                       &lapic_state, lapic_check };
