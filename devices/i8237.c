/*
 * See devices/i8237.h. Intel 8237A data sheet (231466); page registers: IBM PC/AT Technical
 * Reference, "System Board", DMA page registers.
 *
 * Device transfers happen at once, whatever the transfer mode; priorities cannot show.
 */
#include "devices/i8237.h"

enum { REG_STATUS_COMMAND = 8, REG_REQUEST, REG_MASK, REG_MODE, REG_FLIP_FLOP, REG_TEMP_CLEAR, REG_CLEAR_MASK, REG_ALL_MASK };
enum { CMD_MEM_TO_MEM = 1, CMD_DISABLE = 4 };
enum { MODE_TYPE = 0x0c, MODE_TO_MEMORY = 4, MODE_FROM_MEMORY = 8, MODE_AUTO = 0x10, MODE_DOWN = 0x20, MODE_CASCADE = 0xc0 };
enum { CASCADE = 4 };

/* Where each channel's page register lies, from 80h. */
static const u8 page_of[I8237_CHANNELS] = { 7, 3, 1, 2, 15, 11, 9, 10 };

static bool open(const struct i8237 *d, unsigned n)
{
    const struct i8237_chip *c = &d->chip[n >> 2];

    return !(c->command & CMD_DISABLE) && !(c->mask >> (n & 3) & 1);
}

/* The first controller's request goes through channel 4. */
static void grant(struct i8237 *d)
{
    for (unsigned n = 0; n < I8237_CHANNELS; n++) {
        bool level = n != CASCADE && (d->dreq >> n & 1) && open(d, n) && (n > 3 || open(d, CASCADE));

        if (level == (d->granted >> n & 1))
            continue;
        d->granted ^= (u8)(1 << n);
        irq_set(&d->cfg.dack[n], level);
    }
}

void i8237_set_dreq(void *sink, unsigned channel, bool level)
{
    struct i8237 *d = sink;

    d->dreq = (u8)((d->dreq & ~(1 << channel)) | level << channel);
    grant(d);
}

/* One byte, or word, less to go. True: that was the last. */
static bool step(struct i8237_channel *ch)
{
    ch->addr = (u16)(ch->mode & MODE_DOWN ? ch->addr - 1 : ch->addr + 1);
    return ch->count-- == 0;
}

u32 i8237_move(struct i8237 *d, unsigned n, u8 *bytes, u32 len, bool to_memory, bool *tc)
{
    struct i8237_channel *ch = &d->chip[n >> 2].ch[n & 3];
    unsigned unit = n > 3 ? 2 : 1, wanted = to_memory ? MODE_TO_MEMORY : MODE_FROM_MEMORY;
    u64 page = (u64)(d->page[page_of[n]] & (n > 3 ? 0xfe : 0xff)) << 16;
    u32 moved = 0;

    *tc = false;
    while (moved + unit <= len && (d->granted >> n & 1) && !*tc) {
        u64 pa = page + (u32)ch->addr * unit;

        if ((ch->mode & MODE_TYPE) == wanted) { /* otherwise only counted: verify */
            if (to_memory)
                dma_write(d->dev.env.dma, pa, bytes + moved, unit);
            else if (dma_read(d->dev.env.dma, pa, bytes + moved, unit))
                memset(bytes + moved, 0xff, unit);
        }
        moved += unit;
        *tc = step(ch);
    }
    if (*tc) {
        d->chip[n >> 2].status |= (u8)(1 << (n & 3));
        if (ch->mode & MODE_AUTO) {
            ch->addr = ch->base_addr;
            ch->count = ch->base_count;
        } else {
            d->chip[n >> 2].mask |= (u8)(1 << (n & 3));
            grant(d);
        }
    }
    return moved;
}

/* ---- registers ---- */

/* Sixteen bits through an eight-bit port: the flip-flop says which half is next. */
static u8 read_half(struct i8237_chip *c, u16 v)
{
    c->flip_flop ^= 1;
    return (u8)(c->flip_flop ? v : v >> 8);
}

static void write_half(struct i8237_chip *c, u16 *base, u16 *now, u8 v)
{
    c->flip_flop ^= 1;
    *base = (u16)(c->flip_flop ? (*base & 0xff00) | v : (*base & 0xff) | v << 8);
    *now = *base;
}

static u64 chip_read(struct i8237 *d, unsigned which, unsigned reg)
{
    struct i8237_chip *c = &d->chip[which];
    u8 v;

    if (reg < 8)
        return read_half(c, reg & 1 ? c->ch[reg >> 1].count : c->ch[reg >> 1].addr);
    switch (reg) {
    case REG_STATUS_COMMAND:
        v = (u8)(c->status | (d->dreq >> (4 * which) & 15) << 4);
        c->status = 0;
        return v;
    case REG_ALL_MASK: return c->mask | 0xf0; /* as the PIIX3's; the 8237A has no such read */
    default: return 0; /* the temporary register: of memory-to-memory transfers */
    }
}

static void master_clear(struct i8237_chip *c)
{
    c->command = c->request = c->status = c->flip_flop = 0;
    c->mask = 15;
}

static void chip_write(struct i8237 *d, unsigned which, unsigned reg, u8 v)
{
    struct i8237_chip *c = &d->chip[which];

    if (reg < 8) {
        struct i8237_channel *ch = &c->ch[reg >> 1];

        write_half(c, reg & 1 ? &ch->base_count : &ch->base_addr, reg & 1 ? &ch->count : &ch->addr, v);
        return;
    }
    switch (reg) {
    case REG_STATUS_COMMAND:
        if (v & CMD_MEM_TO_MEM)
            unimplemented(d->dev.env.log, "i8237: memory-to-memory transfers");
        c->command = v;
        break;
    case REG_REQUEST:
        if (v & 4)
            unimplemented(d->dev.env.log, "i8237: requests by software");
        c->request = (u8)((c->request & ~(1 << (v & 3))) | (v >> 2 & 1) << (v & 3));
        break;
    case REG_MASK: c->mask = (u8)((c->mask & ~(1 << (v & 3))) | (v >> 2 & 1) << (v & 3)); break;
    case REG_MODE: c->ch[v & 3].mode = v & 0xfc; break;
    case REG_FLIP_FLOP: c->flip_flop = 0; break;
    case REG_TEMP_CLEAR: master_clear(c); break;
    case REG_CLEAR_MASK: c->mask = 0; break;
    case REG_ALL_MASK: c->mask = v & 15; break;
    }
    grant(d);
}

static u64 first_read(void *dev, u64 off, unsigned size)
{
    (void)size;
    return chip_read(dev, 0, (unsigned)off);
}

static void first_write(void *dev, u64 off, u64 v, unsigned size)
{
    (void)size;
    chip_write(dev, 0, (unsigned)off, (u8)v);
}

/* The second one's registers are two ports apart. */
static u64 second_read(void *dev, u64 off, unsigned size)
{
    (void)size;
    return chip_read(dev, 1, (unsigned)off >> 1);
}

static void second_write(void *dev, u64 off, u64 v, unsigned size)
{
    (void)size;
    chip_write(dev, 1, (unsigned)off >> 1, (u8)v);
}

static u64 page_read(void *dev, u64 off, unsigned size)
{
    (void)size;
    return ((struct i8237 *)dev)->page[off + 1];
}

static void page_write(void *dev, u64 off, u64 v, unsigned size)
{
    (void)size;
    ((struct i8237 *)dev)->page[off + 1] = (u8)v;
}

/* ---- the class ---- */

static int i8237_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops first = { first_read, first_write, 1 }, second = { second_read, second_write, 1 };
    static const struct bus_ops page = { page_read, page_write, 1 };
    struct i8237 *d = CONTAINER_OF(dev, struct i8237, dev);

    (void)err;
    d->cfg = *(const struct i8237_cfg *)cfg;
    d->chip_ports[0] = (struct bus_region){ .base = 0x00, .len = 16, .ops = &first, .dev = d, .name = "dma1" };
    d->chip_ports[1] = (struct bus_region){ .base = 0xc0, .len = 32, .ops = &second, .dev = d, .name = "dma2" };
    d->page_ports = (struct bus_region){ .base = 0x81, .len = 15, .ops = &page, .dev = d, .name = "dma page" };
    return bus_map(dev->env.io, &d->chip_ports[0]) | bus_map(dev->env.io, &d->chip_ports[1]) |
           bus_map(dev->env.io, &d->page_ports);
}

static void i8237_reset(struct dev *dev, enum reset_kind kind)
{
    struct i8237 *d = CONTAINER_OF(dev, struct i8237, dev);

    (void)kind;
    for (unsigned i = 0; i < 2; i++) {
        memset(d->chip[i].ch, 0, sizeof(d->chip[i].ch));
        master_clear(&d->chip[i]);
    }
    memset(d->page, 0, sizeof(d->page));
    grant(d);
}

static const struct state_field channel_fields[] = {
    STATE(struct i8237_channel, base_addr), STATE(struct i8237_channel, base_count),
    STATE(struct i8237_channel, addr), STATE(struct i8237_channel, count),
    STATE(struct i8237_channel, mode), STATE_END,
};
static const struct state_field chip_fields[] = {
    STATE(struct i8237_chip, command), STATE_UPTO(struct i8237_chip, mask, 15),
    STATE_UPTO(struct i8237_chip, request, 15), STATE_UPTO(struct i8237_chip, status, 15),
    STATE_UPTO(struct i8237_chip, flip_flop, 1), STATE_STRUCTS(struct i8237_chip, ch, channel_fields), STATE_END,
};
static const struct state_field i8237_fields[] = {
    STATE_STRUCTS(struct i8237, chip, chip_fields), STATE_BYTES(struct i8237, page),
    STATE(struct i8237, dreq), STATE(struct i8237, granted), STATE_END,
};
static const struct state_desc i8237_state = { "i8237", 1, i8237_fields };
const struct dev_class i8237_class = { "i8237", i8237_init, i8237_reset, NULL, NULL, &i8237_state, NULL };
