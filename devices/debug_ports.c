/* See devices/debug_ports.h. */
#include "devices/debug_ports.h"

static u64 debugcon_read(void *dev, u64 off, unsigned size)
{
    (void)dev;
    (void)off;
    (void)size;
    return 0xe9;
}

static void debugcon_write(void *dev, u64 off, u64 v, unsigned size)
{
    (void)off;
    (void)size;
    chardev_put(((struct debugcon *)dev)->cfg.out, (u8)v);
}

static int debugcon_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { debugcon_read, debugcon_write, 1 };
    struct debugcon *d = CONTAINER_OF(dev, struct debugcon, dev);

    (void)err;
    d->cfg = *(const struct debugcon_cfg *)cfg;
    d->region = (struct bus_region){ .base = d->cfg.port, .len = 1, .ops = &ops, .dev = d, .name = "debugcon" };
    return bus_map(dev->env.io, &d->region);
}

static const struct state_field no_fields[] = { STATE_END };
static const struct state_desc debugcon_state = { "debugcon", 1, no_fields };
const struct dev_class debugcon_class = { "debugcon", debugcon_init, NULL, NULL, NULL,
                                          &debugcon_state, NULL };

static u64 exit_read(void *dev, u64 off, unsigned size)
{
    (void)dev;
    (void)off;
    (void)size;
    return 0;
}

static void exit_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct exit_port *d = dev;

    (void)off;
    (void)size;
    d->cfg.power.request(d->cfg.power.sink, POWER_EXIT, (u32)(v << 1) | 1);
}

static int exit_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { exit_read, exit_write, 1 | 2 | 4 };
    struct exit_port *d = CONTAINER_OF(dev, struct exit_port, dev);

    d->cfg = *(const struct exit_port_cfg *)cfg;
    d->region = (struct bus_region){ .base = d->cfg.port, .len = d->cfg.size, .ops = &ops, .dev = d, .name = "isa-debug-exit" };
    if (bus_map(dev->env.io, &d->region) == 0)
        return 0;
    snprintf(err, 160, "isa-debug-exit does not fit at port %#x, size %u", d->cfg.port, d->cfg.size);
    return -1;
}

static const struct state_desc exit_state = { "isa_debug_exit", 1, no_fields };
const struct dev_class exit_port_class = { "isa-debug-exit", exit_init, NULL, NULL, NULL,
                                           &exit_state, NULL };

static u64 post_read(void *dev, u64 off, unsigned size)
{
    (void)off;
    (void)size;
    return ((struct post_port *)dev)->code;
}

static void post_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct post_port *d = dev;

    (void)off;
    (void)size;
    d->code = (u8)v;
    TRACE(d->dev.env.trace, post_code, v);
}

static int post_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { post_read, post_write, 1 };
    struct post_port *d = CONTAINER_OF(dev, struct post_port, dev);

    (void)cfg;
    (void)err;
    d->region = (struct bus_region){ .base = 0x80, .len = 1, .ops = &ops, .dev = d, .name = "post" };
    return bus_map(dev->env.io, &d->region);
}

static void post_reset(struct dev *dev, enum reset_kind kind)
{
    (void)kind;
    CONTAINER_OF(dev, struct post_port, dev)->code = 0;
}

static const struct state_field post_fields[] = { STATE(struct post_port, code), STATE_END };
static const struct state_desc post_state = { "post", 1, post_fields };
const struct dev_class post_port_class = { "post", post_init, post_reset, NULL, NULL,
                                           &post_state, NULL };
