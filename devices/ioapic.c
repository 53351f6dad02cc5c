/*
 * I/O APIC. Intel 82093AA data sheet 290566: registers 3.1 and 3.2, operation 4.
 *
 * An input's edge, or its level while no interrupt of it is being served (remote IRR), becomes a
 * message to the local APICs. Edges at a masked input are lost.
 *
 * DEVIATION: the polarity bit is kept and means nothing: the board's wires say "asserted".
 */
#include "devices/ioapic.h"

enum { REG_ID, REG_VERSION, REG_ARBITRATION, REG_ENTRY = 0x10 };
enum { OFF_SELECT = 0, OFF_WINDOW = 0x10, OFF_EOI = 0x40 };

u32 ioapic_levels(const struct ioapic *a)
{
    u32 any = 0;

    for (unsigned i = 0; i < IOAPIC_SOURCES; i++)
        any |= a->driven[i];
    return any;
}

static bool send(struct ioapic *a, unsigned pin)
{
    u64 e = a->entry[pin];

    return apic_bus_send(a->cfg.bus,
                         &(struct apic_message){ .dest = apic_dest8((u8)(e >> 56)), .vector = (u8)e,
                                                 .mode = e >> 8 & 7, .logical = (e & RTE_LOGICAL) != 0,
                                                 .level = (e & RTE_LEVEL) != 0 }, NULL);
}

static bool is_level(u64 entry)
{
    return (entry & RTE_LEVEL) && (entry >> 8 & 7) <= APIC_LOWEST;
}

/* Sends what is due of the input; rises: its level has just become that. */
static void serve(struct ioapic *a, unsigned pin, bool rises)
{
    u64 *e = &a->entry[pin];

    if (!(ioapic_levels(a) >> pin & 1) || (*e & RTE_MASKED))
        return;
    if (!is_level(*e)) {
        if (rises)
            send(a, pin);
    } else if (!(*e & RTE_REMOTE_IRR) && send(a, pin)) {
        *e |= RTE_REMOTE_IRR;
    }
}

void ioapic_set_irq(void *ioapic, unsigned pin, bool level)
{
    struct ioapic *a = ioapic;
    u32 *driven = &a->driven[pin >> 5], before = ioapic_levels(a), bit;

    pin &= 31;
    bit = 1u << pin;
    *driven = level ? *driven | bit : *driven & ~bit;
    if (!(before & bit) && (*driven & bit))
        serve(a, pin, true);
}

static void end_of_interrupt(void *ioapic, u8 vector)
{
    struct ioapic *a = ioapic;

    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
        if ((a->entry[pin] & RTE_REMOTE_IRR) && (u8)a->entry[pin] == vector) {
            a->entry[pin] &= ~(u64)RTE_REMOTE_IRR;
            serve(a, pin, false);
        }
}

/* Delivery status and remote IRR are read only; an edge has no remote IRR. */
static void put_entry(struct ioapic *a, unsigned n, u32 v)
{
    u64 *e = &a->entry[n / 2];

    if (n & 1) {
        *e = (u32)*e | (u64)(v & 0xff000000) << 32;
    } else {
        u32 keep = v & RTE_LEVEL ? *e & RTE_REMOTE_IRR : 0;

        *e = (*e & 0xff00000000000000) | (v & 0x1afff) | keep;
    }
    serve(a, n / 2, false);
}

static u32 get(const struct ioapic *a)
{
    unsigned n = a->select;

    if (n == REG_ID || n == REG_ARBITRATION)
        return (u32)a->id << 24;
    if (n == REG_VERSION)
        return IOAPIC_VERSION | (IOAPIC_PINS - 1) << 16;
    if (n >= REG_ENTRY && n < REG_ENTRY + 2 * IOAPIC_PINS)
        return (u32)(a->entry[(n - REG_ENTRY) / 2] >> (n & 1 ? 32 : 0));
    return 0;
}

static u64 ioapic_read(void *dev, u64 off, unsigned size)
{
    const struct ioapic *a = dev;
    u32 v = (off & ~3ull) == OFF_SELECT ? a->select : (off & ~3ull) == OFF_WINDOW ? get(a) : 0;

    return v >> 8 * (off & 3) & size_mask(size);
}

static void ioapic_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct ioapic *a = dev;

    if (off == OFF_SELECT) {
        a->select = (u8)v;
    } else if (off == OFF_EOI) {
        end_of_interrupt(a, (u8)v);
    } else if (off == OFF_WINDOW && size == 4) {
        if (a->select == REG_ID)
            a->id = v >> 24 & 15;
        else if (a->select >= REG_ENTRY && a->select < REG_ENTRY + 2 * IOAPIC_PINS)
            put_entry(a, a->select - REG_ENTRY, (u32)v);
    }
}

static int ioapic_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { ioapic_read, ioapic_write, 1 | 4 };
    struct ioapic *a = CONTAINER_OF(dev, struct ioapic, dev);

    (void)err;
    a->cfg = *(const struct ioapic_cfg *)cfg;
    a->cfg.bus->eoi = end_of_interrupt;
    a->cfg.bus->io_apic = a;
    a->region = (struct bus_region){ .base = 0xfec00000, .len = 0x1000, .ops = &ops, .dev = a, .name = "io apic" };
    return bus_map(dev->env.mem, &a->region);
}

static void ioapic_reset(struct dev *dev, enum reset_kind kind)
{
    struct ioapic *a = CONTAINER_OF(dev, struct ioapic, dev);

    (void)kind;
    a->id = a->select = 0;
    for (unsigned i = 0; i < IOAPIC_PINS; i++)
        a->entry[i] = RTE_MASKED;
}

static int ioapic_check(const struct dev *dev, char err[160])
{
    const struct ioapic *a = CONTAINER_OF(dev, struct ioapic, dev);

    for (unsigned i = 0; i < IOAPIC_PINS; i++) {
        u64 e = a->entry[i];

        if (!(e & 0x00fffffffffe1000) && (is_level(e) || !(e & RTE_REMOTE_IRR) || (e & RTE_LEVEL)))
            continue;
        snprintf(err, 160, "ioapic: entry %u cannot hold %016llx", i, (unsigned long long)e);
        return -1;
    }
    return 0;
}

static const struct state_field ioapic_fields[] = {
    STATE_UPTO(struct ioapic, id, 15), STATE(struct ioapic, select), STATE_ARRAY(struct ioapic, entry),
    STATE_ARRAY_UPTO(struct ioapic, driven, (1u << IOAPIC_PINS) - 1), STATE_END,
};
static const struct state_desc ioapic_state = { "ioapic", 1, ioapic_fields };
const struct dev_class ioapic_class = { "ioapic", ioapic_init, ioapic_reset, NULL, NULL,
                                        &ioapic_state, ioapic_check };
