/*
 * 440FX host bridge: configuration mechanism 1 at CF8h and CFCh, and the PAM registers 59h to
 * 5Fh that choose between ROM and RAM below 1 MiB. Data sheet 290549, 3.2.
 *
 * UNIMPL: SMRAM (72h) is kept and does nothing; DRAM timing registers are not there.
 */
#include "devices/i440fx.h"

enum { PAM0 = 0x59, SMRAM = 0x72, ENABLE = 1u << 31 };

/* Each PAM register holds two segments, the low nibble's first; PAM0 only has its high nibble. */
static void apply_pam(struct i440fx *h)
{
    for (unsigned s = 0; s < 13; s++) {
        unsigned reg = s == 0 ? PAM0 : PAM0 + 1 + (s - 1) / 2;
        bool high = s == 0 || (s - 1) % 2;
        u8 v = (u8)(h->func.config[reg] >> (high ? 4 : 0));

        h->cfg.pam.set(h->cfg.pam.sink, s, v & 1, v & 2);
    }
}

static void written(void *dev, unsigned reg, unsigned size)
{
    struct i440fx *h = dev;

    if (reg + size > PAM0 && reg <= PAM0 + 6)
        apply_pam(h);
    if (reg <= SMRAM && reg + size > SMRAM && (h->func.config[SMRAM] & 0x08))
        unimplemented(h->dev.env.log, "i440fx: system management RAM");
}

/* CF8h answers to whole double words only; narrower accesses are other devices' ports. */
static u64 address_read(void *dev, u64 off, unsigned size)
{
    const struct i440fx *h = dev;

    return off == 0 && size == 4 ? h->address : size_mask(size);
}

static void address_write(void *dev, u64 off, u64 v, unsigned size)
{
    if (off == 0 && size == 4)
        ((struct i440fx *)dev)->address = (u32)v & 0x80fffffc;
}

static bool selected(const struct i440fx *h, unsigned *devfn)
{
    *devfn = h->address >> 8 & 0xff;
    return (h->address & ENABLE) && (h->address >> 16 & 0xff) == 0;
}

static u64 data_read(void *dev, u64 off, unsigned size)
{
    struct i440fx *h = dev;
    unsigned devfn;

    if (!selected(h, &devfn))
        return size_mask(size);
    return pci_config_read(&h->bus, devfn, (h->address & 0xfc) + (unsigned)off, size);
}

static void data_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct i440fx *h = dev;
    unsigned devfn;

    if (selected(h, &devfn))
        pci_config_write(&h->bus, devfn, (h->address & 0xfc) + (unsigned)off, (u32)v, size);
}

static int i440fx_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops address = { address_read, address_write, 1 | 2 | 4 };
    static const struct bus_ops data = { data_read, data_write, 1 | 2 | 4 };
    struct i440fx *h = CONTAINER_OF(dev, struct i440fx, dev);

    (void)err;
    h->cfg = *(const struct i440fx_cfg *)cfg;
    h->bus.io = dev->env.io;
    h->bus.mem = dev->env.mem;
    h->bus.trace = dev->env.trace;
    pci_add(&h->bus, 0, &h->func, h);
    pci_header(&h->func, 0x8086, 0x1237, 0x060000, 0x02);
    pci_writable(&h->func, PCI_COMMAND, 2, 0);
    for (unsigned i = 0; i < 7; i++)
        pci_writable(&h->func, PAM0 + i, 1, i == 0 ? 0x30 : 0x33);
    pci_writable(&h->func, SMRAM, 1, 0x78);
    h->func.written = written;
    h->address_region = (struct bus_region){ .base = 0xcf8, .len = 4, .ops = &address, .dev = h, .name = "pci address" };
    h->data_region = (struct bus_region){ .base = 0xcfc, .len = 4, .ops = &data, .dev = h, .name = "pci data" };
    return bus_map(dev->env.io, &h->address_region) | bus_map(dev->env.io, &h->data_region);
}

static void i440fx_reset(struct dev *dev, enum reset_kind kind)
{
    struct i440fx *h = CONTAINER_OF(dev, struct i440fx, dev);

    (void)kind;
    h->address = 0;
    pci_set(&h->func, PCI_COMMAND, 2, PCI_COMMAND_MEM | PCI_COMMAND_MASTER);
    pci_set(&h->func, PCI_STATUS, 2, 0x0280);
    memset(h->func.config + PAM0, 0, 7);
    pci_set(&h->func, SMRAM, 1, 0x02);
    pci_set(&h->func, PCI_IRQ_LINE, 1, 0);
    apply_pam(h);
}

static void i440fx_loaded(struct dev *dev)
{
    apply_pam(CONTAINER_OF(dev, struct i440fx, dev));
}

static const struct state_field i440fx_fields[] = {
    STATE_STRUCT(struct i440fx, func, pci_func_fields), STATE(struct i440fx, address), STATE_END,
};
static const struct state_desc i440fx_state = { "i440fx", 1, i440fx_fields };
const struct dev_class i440fx_class = { "i440fx", i440fx_init, i440fx_reset, i440fx_loaded, NULL,
                                        &i440fx_state, NULL };
