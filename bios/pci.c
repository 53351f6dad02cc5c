/* PCI configuration access, and the PCI BIOS services of INT 1Ah AH=B1h (PCI BIOS 2.1). */
#include "pci.h"
#include "io.h"
#include "tables.h"

enum {
    ADDRESS = 0xCF8,
    DATA = 0xCFC,
    SUCCESS = 0x00,
    NOT_SUPPORTED = 0x81,
    BAD_VENDOR = 0x83,
    NOT_FOUND = 0x86,
    BAD_REGISTER = 0x87,
    BUFFER_TOO_SMALL = 0x89
};

static u8 last_bus;
static bool present;

static void select(u16 bdf, u8 reg)
{
    outl(ADDRESS, 0x80000000u | (u32)bdf << 8 | (reg & 0xFC));
}

u8 pci_read8(u16 bdf, u8 reg)
{
    select(bdf, reg);
    return inb((u16)(DATA + (reg & 3)));
}
u16 pci_read16(u16 bdf, u8 reg)
{
    select(bdf, reg);
    return inw((u16)(DATA + (reg & 2)));
}
u32 pci_read32(u16 bdf, u8 reg)
{
    select(bdf, reg);
    return inl(DATA);
}
void pci_write8(u16 bdf, u8 reg, u8 v)
{
    select(bdf, reg);
    outb((u16)(DATA + (reg & 3)), v);
}
void pci_write16(u16 bdf, u8 reg, u16 v)
{
    select(bdf, reg);
    outw((u16)(DATA + (reg & 2)), v);
}
void pci_write32(u16 bdf, u8 reg, u32 v)
{
    select(bdf, reg);
    outl(DATA, v);
}

bool pci_present(void)
{
    return present;
}

u8 pci_last_bus(void)
{
    return last_bus;
}

/* In configuration order. A device without function 0 has no others. */
u16 pci_next(u16 from)
{
    u32 bdf = from;
    do {
        bool others = pci_read16((u16)(bdf & ~7u), PCI_ID) != 0xFFFF &&
                      pci_read8((u16)(bdf & ~7u), PCI_HEADER) & 0x80;
        bdf = others ? bdf + 1 : (bdf | 7) + 1;
        if (bdf >> 8 > last_bus)
            return 0xFFFF;
    } while (pci_read16((u16)bdf, PCI_ID) == 0xFFFF);
    return (u16)bdf;
}

u16 pci_first(void)
{
    outl(ADDRESS, 0x80000000u);
    present = inl(ADDRESS) == 0x80000000u && pci_read16(0, PCI_ID) != 0xFFFF;
    return present ? 0 : 0xFFFF;
}

void pci_set_last_bus(u8 bus)
{
    last_bus = bus;
}

static void find(struct regs *r, bool by_class)
{
    u16 index = r->si;
    u32 want = by_class ? r->ecx & 0xFFFFFF : (u32)r->cx << 16 | r->dx;
    for (u16 bdf = pci_first(); bdf != 0xFFFF; bdf = pci_next(bdf)) {
        u32 have = by_class ? pci_read32(bdf, PCI_CLASS) >> 8 : pci_read32(bdf, PCI_ID);
        if (have == want && index-- == 0) {
            r->bx = bdf;
            r->ah = SUCCESS;
            return;
        }
    }
    r->ah = NOT_FOUND;
}

static u8 check(u16 reg, unsigned size)
{
    return reg > 0xFF || (reg & (size - 1)) != 0 ? BAD_REGISTER : SUCCESS;
}

/* At ES:DI: a word, the size of the caller's buffer, and a far pointer to it. */
static void irq_routing(struct regs *r)
{
    u16 size, room = peek16(r->es, r->di), off = peek16(r->es, (u16)(r->di + 2));
    u16 seg = peek16(r->es, (u16)(r->di + 4));
    u16 from = pir_slots(&size);
    poke16(r->es, r->di, size);
    r->ah = room < size ? BUFFER_TOO_SMALL : SUCCESS;
    if (room < size)
        return;
    for (u16 i = 0; i < size; i++)
        poke8(seg, (u16)(off + i), peek8(0xF000, (u32)from + i));
    r->bx = 1 << 10 | 1 << 11; /* what only PCI uses */
}

void pci_services(struct regs *r)
{
    u8 function = r->al & 0x7F; /* 81h..: the 32-bit entry's numbers */
    u16 reg = r->di;
    if (!present) {
        r->ah = NOT_SUPPORTED;
        set_cf(r, true);
        return;
    }
    switch (function) {
    case 0x01:
        r->ax = 0x0001; /* mechanism 1, no special cycles */
        r->bx = 0x0210;
        r->cx = (u16)((r->cx & 0xFF00) | last_bus);
        r->edx = 0x20494350; /* "PCI " */
        break;
    case 0x02:
        if (r->dx == 0xFFFF)
            r->ah = BAD_VENDOR;
        else
            find(r, false);
        break;
    case 0x03: find(r, true); break;
    case 0x08:
        r->cl = pci_read8(r->bx, (u8)reg);
        r->ah = SUCCESS;
        break;
    case 0x09:
        if ((r->ah = check(reg, 2)) == SUCCESS)
            r->cx = pci_read16(r->bx, (u8)reg);
        break;
    case 0x0A:
        if ((r->ah = check(reg, 4)) == SUCCESS)
            r->ecx = pci_read32(r->bx, (u8)reg);
        break;
    case 0x0C:
        if ((r->ah = check(reg, 2)) == SUCCESS)
            pci_write16(r->bx, (u8)reg, r->cx);
        break;
    case 0x0D:
        if ((r->ah = check(reg, 4)) == SUCCESS)
            pci_write32(r->bx, (u8)reg, r->ecx);
        break;
    case 0x0E: irq_routing(r); break;
    case 0x0B:
        pci_write8(r->bx, (u8)reg, r->cl);
        r->ah = SUCCESS;
        break;
    default: r->ah = NOT_SUPPORTED; break;
    }
    set_cf(r, r->ah != SUCCESS);
}
