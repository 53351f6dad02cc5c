/*
 * pc-testdev. E0h to E3h: 32 bits to write and read; E8h to EBh: the same, byte by byte; E4h: a page's
 * address, that a hypervisor would forget and map again, so nothing here; 2000h + n: the level of
 * interrupt n; FF000000h: 64 KiB that are no RAM.
 */
#include "devices/test_devices.h"

static u64 scratch_read(void *dev, u64 off, unsigned size)
{
    return ((struct pc_testdev *)dev)->scratch >> 8 * off & size_mask(size);
}

static void scratch_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct pc_testdev *d = dev;
    u32 mask = (u32)(size_mask(size) << 8 * off);

    d->scratch = (d->scratch & ~mask) | ((u32)(v << 8 * off) & mask);
}

static u64 nothing_read(void *dev, u64 off, unsigned size)
{
    (void)dev;
    (void)off;
    (void)size;
    return 0;
}

static void nothing_write(void *dev, u64 off, u64 v, unsigned size)
{
    (void)dev;
    (void)off;
    (void)v;
    (void)size;
}

static void irq_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct pc_testdev *d = dev;
    u16 bit = (u16)(1 << off);

    (void)size;
    d->driven = v ? d->driven | bit : d->driven & (u16)~bit;
    irq_set(&(struct irq_line){ d->cfg.irq.set, d->cfg.irq.sink, d->cfg.irq.pin + (unsigned)off }, v != 0);
}

static u64 memory_read(void *dev, u64 off, unsigned size)
{
    return load_le(((struct pc_testdev *)dev)->memory + off, size);
}

static void memory_write(void *dev, u64 off, u64 v, unsigned size)
{
    store_le(((struct pc_testdev *)dev)->memory + off, v, size);
}

static int pc_testdev_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops scratch = { scratch_read, scratch_write, 1 | 2 | 4 };
    static const struct bus_ops bytes = { scratch_read, scratch_write, 1 };
    static const struct bus_ops flush = { nothing_read, nothing_write, 1 | 2 | 4 };
    static const struct bus_ops irqs = { nothing_read, irq_write, 1 };
    static const struct bus_ops memory = { memory_read, memory_write, 1 | 2 | 4 };
    struct pc_testdev *d = CONTAINER_OF(dev, struct pc_testdev, dev);

    (void)err;
    d->cfg = *(const struct pc_testdev_cfg *)cfg;
    d->scratch_region = (struct bus_region){ .base = 0xe0, .len = 4, .ops = &scratch, .dev = d, .name = "pc-testdev scratch" };
    d->flush_region = (struct bus_region){ .base = 0xe4, .len = 4, .ops = &flush, .dev = d, .name = "pc-testdev flush" };
    d->byte_region = (struct bus_region){ .base = 0xe8, .len = 4, .ops = &bytes, .dev = d, .name = "pc-testdev bytes" };
    d->irq_region = (struct bus_region){ .base = 0x2000, .len = PC_TESTDEV_IRQS, .ops = &irqs, .dev = d, .name = "pc-testdev irq" };
    d->memory_region = (struct bus_region){ .base = 0xff000000, .len = PC_TESTDEV_MEMORY, .ops = &memory, .dev = d, .name = "pc-testdev memory" };
    return bus_map(dev->env.io, &d->scratch_region) | bus_map(dev->env.io, &d->flush_region) |
           bus_map(dev->env.io, &d->byte_region) | bus_map(dev->env.io, &d->irq_region) |
           bus_map(dev->env.mem, &d->memory_region);
}

static void pc_testdev_reset(struct dev *dev, enum reset_kind kind)
{
    struct pc_testdev *d = CONTAINER_OF(dev, struct pc_testdev, dev);

    (void)kind;
    d->scratch = 0;
    memset(d->memory, 0, sizeof(d->memory));
    for (unsigned n = 0; n < PC_TESTDEV_IRQS; n++)
        irq_write(d, n, 0, 1);
}

static const struct state_field pc_testdev_fields[] = {
    STATE(struct pc_testdev, scratch), STATE(struct pc_testdev, driven),
    STATE_BYTES(struct pc_testdev, memory), STATE_END,
};
static const struct state_desc pc_testdev_state = { "pc-testdev", 1, pc_testdev_fields };
const struct dev_class pc_testdev_class = { "pc-testdev", pc_testdev_init, pc_testdev_reset, NULL,
                                            NULL, &pc_testdev_state, NULL };
