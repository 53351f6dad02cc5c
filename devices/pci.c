/* See devices/pci.h. PCI Local Bus Specification 2.1, 6.1, 6.2. */
#include "devices/pci.h"

void pci_set(struct pci_func *f, unsigned reg, unsigned size, u32 value)
{
    store_le(f->config + reg, value, size);
}

u32 pci_get(const struct pci_func *f, unsigned reg, unsigned size)
{
    return (u32)load_le(f->config + reg, size);
}

void pci_writable(struct pci_func *f, unsigned reg, unsigned size, u32 mask)
{
    store_le(f->writable + reg, mask, size);
}

void pci_header(struct pci_func *f, u16 vendor, u16 device, u32 class_code, u8 revision)
{
    pci_set(f, PCI_VENDOR, 2, vendor);
    pci_set(f, PCI_DEVICE, 2, device);
    pci_set(f, PCI_REVISION, 1, revision);
    pci_set(f, PCI_CLASS, 1, class_code & 0xff);
    pci_set(f, PCI_CLASS + 1, 2, class_code >> 8);
    /* Who built the board: firmware that knows QEMU's machine looks for these. */
    pci_set(f, PCI_SUBSYSTEM_VENDOR, 2, 0x1af4);
    pci_set(f, PCI_SUBSYSTEM, 2, 0x1100);
    pci_writable(f, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEM | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_OFF);
    pci_writable(f, PCI_IRQ_LINE, 1, 0xff);
}

static unsigned bar_reg(unsigned n)
{
    return n == PCI_ROM ? PCI_ROM_BAR : PCI_BAR0 + 4 * n;
}

int pci_add_bar(struct pci_func *f, unsigned n, struct bus_region *r, u32 size, bool io)
{
    u32 mask = ~(size - 1);

    f->bar[n] = (struct pci_bar){ r, size, io };
    r->len = size;
    if (bus_map(io ? f->bus->io : f->bus->mem, r))
        return -1;
    r->on = false;
    if (n == PCI_ROM)
        mask |= 1; /* the enable bit */
    /* DEVIATION: an I/O BAR decodes all 32 bits, where the PIIX3 leaves the upper half 0: firmware
     * in the field sizes BARs with one 32-bit subtraction. */
    pci_writable(f, bar_reg(n), 4, mask);
    return 0;
}

void pci_add(struct pci_bus *b, unsigned devfn, struct pci_func *f, void *dev)
{
    f->bus = b;
    f->devfn = (u8)devfn;
    f->dev = dev;
    b->func[devfn] = f;
}

void pci_update_bars(struct pci_func *f)
{
    u16 command = (u16)pci_get(f, PCI_COMMAND, 2);

    for (unsigned n = 0; n < PCI_SLOTS; n++) {
        struct pci_bar *bar = &f->bar[n];
        u32 v = pci_get(f, bar_reg(n), 4), base = v & ~(bar->size - 1);
        bool on = command & (bar->io ? PCI_COMMAND_IO : PCI_COMMAND_MEM);

        if (!bar->region)
            continue;
        if (n == PCI_ROM)
            on = on && (v & 1);
        bus_move(bar->io ? f->bus->io : f->bus->mem, bar->region, base, on && base);
    }
    if (f->bars_placed)
        f->bars_placed(f->dev);
}

void pci_func_reset(struct pci_func *f)
{
    pci_set(f, PCI_COMMAND, 2, 0);
    for (unsigned n = 0; n < PCI_SLOTS; n++)
        if (f->bar[n].region)
            pci_set(f, bar_reg(n), 4, f->bar[n].io ? 1 : 0);
    pci_set(f, PCI_IRQ_LINE, 1, 0);
    pci_set_intx(f, false);
    pci_update_bars(f);
}

/* Pin INTA of slot s arrives at PIRQ (s - 1) mod 4 on this board, later pins one further. */
void pci_set_intx(struct pci_func *f, bool level)
{
    unsigned pin = f->config[PCI_IRQ_PIN], pirq;
    bool any = false;

    f->intx = level;
    if (pin == 0)
        return;
    pirq = ((f->devfn >> 3) + pin - 1 + 3) & 3;
    for (unsigned i = 0; i < PCI_FUNCTIONS; i++) {
        const struct pci_func *g = f->bus->func[i];
        if (g && g->config[PCI_IRQ_PIN] && ((i >> 3) + g->config[PCI_IRQ_PIN] - 1u + 3) % 4 == pirq)
            any = any || (g->intx && !(pci_get(g, PCI_COMMAND, 2) & PCI_COMMAND_INTX_OFF));
    }
    if (f->bus->pirq)
        f->bus->pirq(f->bus->pirq_sink, pirq, any);
}

u32 pci_config_read(struct pci_bus *b, unsigned devfn, unsigned reg, unsigned size)
{
    const struct pci_func *f = b->func[devfn & 0xff];

    return f ? pci_get(f, reg, size) : (u32)size_mask(size);
}

void pci_config_write(struct pci_bus *b, unsigned devfn, unsigned reg, u32 v, unsigned size)
{
    struct pci_func *f = b->func[devfn & 0xff];

    if (!f)
        return;
    TRACE(b->trace, pci_config, "config", (u64)(devfn << 8 | reg), (u64)v, (u64)size);
    for (unsigned i = 0; i < size; i++) {
        u8 mask = f->writable[reg + i];
        f->config[reg + i] = (u8)((f->config[reg + i] & ~mask) | ((v >> (8 * i)) & mask));
    }
    if (reg < PCI_IRQ_LINE)
        pci_update_bars(f);
    if (reg <= PCI_COMMAND + 1 && f->config[PCI_IRQ_PIN])
        pci_set_intx(f, f->intx);
    if (f->written)
        f->written(f->dev, reg, size);
}

const struct state_field pci_func_fields[] = {
    STATE_BYTES(struct pci_func, config), STATE_UPTO(struct pci_func, intx, 1), STATE_END,
};
