/*
 * fw_cfg over ports 510h to 51Bh: selector, data, and the DMA interface. QEMU's specification
 * docs/specs/fw_cfg.txt. Writes of items are not offered.
 */
#include "devices/fw_cfg.h"
#include <stdlib.h>

enum { KEY_SIGNATURE = 0, KEY_ID = 1, KEY_DIRECTORY = 0x19, KEY_ARCH_LOCAL = 0x8000, ID_TRADITIONAL = 1, ID_DMA = 2 };
enum dma_control { DMA_ERROR = 1, DMA_READ = 2, DMA_SKIP = 4, DMA_SELECT = 8, DMA_WRITE = 16 };

static u64 swap(u64 v, unsigned size)
{
    return __builtin_bswap64(v) >> (64 - 8 * size);
}

static struct fw_cfg_item *find(struct fw_cfg *f, u16 key)
{
    for (unsigned i = 0; i < f->nr_items; i++)
        if (f->items[i].key == (key & 0xbfff))
            return &f->items[i];
    return NULL;
}

int fw_cfg_add(struct fw_cfg *f, u16 key, const void *data, u32 len)
{
    struct fw_cfg_item *it;

    if (f->nr_items == FW_CFG_ITEMS)
        return -1;
    it = &f->items[f->nr_items];
    it->data = malloc(len ? len : 1);
    if (!it->data)
        return -1;
    memcpy(it->data, data, len);
    it->key = key;
    it->len = len;
    f->nr_items++;
    return 0;
}

/* The directory: a count and 64-byte entries {size, key, reserved, name}, big-endian. */
static int rebuild_directory(struct fw_cfg *f)
{
    struct fw_cfg_item *dir = find(f, KEY_DIRECTORY);
    u32 len = 4 + 64 * f->nr_files, n = 0;
    u8 *p = calloc(1, len);

    if (!p)
        return -1;
    store_le(p, swap(f->nr_files, 4), 4);
    for (unsigned i = 0; i < f->nr_items; i++) {
        const struct fw_cfg_item *it = &f->items[i];
        u8 *e = p + 4 + 64 * n;

        if (it->key < FW_CFG_FIRST_FILE || it->key >= KEY_ARCH_LOCAL)
            continue;
        store_le(e, swap(it->len, 4), 4);
        store_le(e + 4, swap(it->key, 2), 2);
        memcpy(e + 8, it->name, sizeof(it->name));
        n++;
    }
    free(dir->data);
    dir->data = p;
    dir->len = len;
    return 0;
}

int fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *data, u32 len)
{
    if (fw_cfg_add(f, (u16)(FW_CFG_FIRST_FILE + f->nr_files), data, len))
        return -1;
    snprintf(f->items[f->nr_items - 1].name, sizeof(f->items[0].name), "%s", name);
    f->nr_files++;
    return rebuild_directory(f);
}

static u8 next_byte(struct fw_cfg *f)
{
    const struct fw_cfg_item *it = find(f, f->selected);

    return it && f->pos < it->len ? it->data[f->pos++] : 0;
}

static void dma_run(struct fw_cfg *f)
{
    u8 desc[16];
    u32 control, len, result = 0;
    u64 to;

    if (dma_read(f->dev.env.dma, f->dma_address, desc, sizeof(desc))) {
        guest_error(f->dev.env.log, "fw_cfg: DMA descriptor outside of memory");
        return;
    }
    control = (u32)swap(load_le(desc, 4), 4);
    len = (u32)swap(load_le(desc + 4, 4), 4);
    to = swap(load_le(desc + 8, 8), 8);
    if (control & DMA_SELECT) {
        f->selected = (u16)(control >> 16);
        f->pos = 0;
    }
    if (control & DMA_WRITE) {
        result = DMA_ERROR;
    } else if (control & (DMA_READ | DMA_SKIP)) {
        const struct fw_cfg_item *it = find(f, f->selected);
        u32 have = it && f->pos < it->len ? it->len - f->pos : 0, n = len < have ? len : have;

        if (control & DMA_READ) {
            static const u8 zeros[4096];

            if (n && dma_write(f->dev.env.dma, to, it->data + f->pos, n))
                result = DMA_ERROR;
            for (u64 at = n; at < len && !result; at += sizeof(zeros)) {
                u64 part = len - at < sizeof(zeros) ? len - at : sizeof(zeros);
                if (dma_write(f->dev.env.dma, to + at, zeros, part))
                    result = DMA_ERROR;
            }
        }
        f->pos += n;
    }
    result = (u32)swap(result, 4);
    dma_write(f->dev.env.dma, f->dma_address, &result, 4);
}

static u64 port_read(void *dev, u64 off, unsigned size)
{
    (void)size;
    return off == 1 ? next_byte(dev) : 0xff;
}

static void port_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct fw_cfg *f = dev;

    if (off == 0 && size == 2) {
        f->selected = (u16)v;
        f->pos = 0;
    }
}

/* The address register is big-endian; writing its low half starts the transfer. */
static u64 dma_port_read(void *dev, u64 off, unsigned size)
{
    static const u8 signature[8] = { 'Q', 'E', 'M', 'U', ' ', 'C', 'F', 'G' };

    (void)dev;
    return load_le(signature + off, size);
}

static void dma_port_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct fw_cfg *f = dev;

    if (size != 4)
        return;
    if (off == 0) {
        f->dma_address = swap(v, 4) << 32;
    } else {
        f->dma_address |= swap(v, 4);
        dma_run(f);
        f->dma_address = 0;
    }
}

static int fw_cfg_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ops = { port_read, port_write, 1 | 2 };
    static const struct bus_ops dma_ops = { dma_port_read, dma_port_write, 1 | 2 | 4 };
    struct fw_cfg *f = CONTAINER_OF(dev, struct fw_cfg, dev);
    u32 id = ID_TRADITIONAL | ID_DMA, none = 0;

    (void)cfg;
    (void)err;
    f->region = (struct bus_region){ .base = 0x510, .len = 2, .ops = &ops, .dev = f, .name = "fw_cfg" };
    f->dma_region = (struct bus_region){ .base = 0x514, .len = 8, .ops = &dma_ops, .dev = f, .name = "fw_cfg dma" };
    return fw_cfg_add(f, KEY_SIGNATURE, "QEMU", 4) | fw_cfg_add(f, KEY_ID, &id, 4) |
           fw_cfg_add(f, KEY_DIRECTORY, &none, 4) | bus_map(dev->env.io, &f->region) |
           bus_map(dev->env.io, &f->dma_region);
}

static void fw_cfg_reset(struct dev *dev, enum reset_kind kind)
{
    struct fw_cfg *f = CONTAINER_OF(dev, struct fw_cfg, dev);

    (void)kind;
    f->selected = 0;
    f->pos = 0;
    f->dma_address = 0;
}

static void fw_cfg_fini(struct dev *dev)
{
    struct fw_cfg *f = CONTAINER_OF(dev, struct fw_cfg, dev);

    for (unsigned i = 0; i < f->nr_items; i++)
        free(f->items[i].data);
    f->nr_items = 0;
}

static const struct state_field fw_cfg_fields[] = {
    STATE(struct fw_cfg, selected), STATE(struct fw_cfg, pos), STATE(struct fw_cfg, dma_address),
    STATE_END,
};
static const struct state_desc fw_cfg_state = { "fw_cfg", 1, fw_cfg_fields };
const struct dev_class fw_cfg_class = { "fw_cfg", fw_cfg_init, fw_cfg_reset, NULL, fw_cfg_fini,
                                        &fw_cfg_state, NULL };
