/* See machine/bad_ram.h. */
#include "machine/bad_ram.h"

enum { STUCK_BIT = 1 << 3 };

static u64 bad_ram_read(void *dev, u64 off, unsigned size)
{
    const struct bad_ram *b = dev;

    (void)size;
    return b->bytes[off] | STUCK_BIT;
}

static void bad_ram_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct bad_ram *b = dev;

    (void)size;
    b->bytes[off] = (u8)val;
}

static int bad_ram_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { bad_ram_read, bad_ram_write, 1 };
    struct bad_ram *b = CONTAINER_OF(dev, struct bad_ram, dev);
    const struct bad_ram_cfg *c = cfg;

    (void)err;
    b->region = (struct bus_region){ .base = BAD_RAM_BASE, .len = BAD_RAM_LEN, .ops = &ops,
                                     .dev = b, .name = "bad ram" };
    mem_view_add(c->view, (struct mem_overlay){ "bad ram", BAD_RAM_BASE, BAD_RAM_LEN, MEM_BUS,
                                                MEM_BUS, 9, true });
    return bus_map(dev->env.mem, &b->region);
}

static const struct state_field bad_ram_fields[] = { STATE_BYTES(struct bad_ram, bytes),
                                                     STATE_END };
static const struct state_desc bad_ram_state = { "bad_ram", 1, bad_ram_fields };
const struct dev_class bad_ram_class = { "bad_ram", bad_ram_init, NULL, NULL, NULL,
                                         &bad_ram_state, NULL };
