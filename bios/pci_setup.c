/* PCI enumeration: bus numbers, BARs, interrupt lines, and what the PIIX chips need.
 *
 * I/O ports are given out from C000h, memory from E0000000h (below the I/O APIC at FEC00000h).
 * Interrupts: PIRQA to PIRQD go to IRQ 10, 10, 11, 11 on PIIX3; pin and slot choose the PIRQ as on
 * the 440FX boards: (slot - 1 + pin) mod 4. Both IRQs are level-triggered in the ELCR.
 * Documents: PCI 2.1, 82371SB (PIIX3) and 82371AB (PIIX4) data sheets.
 * UNIMPL: devices behind bridges get bus numbers, but bridges' windows are left closed. */
#include "pci.h"
#include "io.h"
#include "memory.h"

enum {
    IO_START = 0xC000,
    MEM_START = 0xE0000000u,
    MEM_END = 0xFEC00000u,
    PM_BASE = 0x600,
    SMB_BASE = 0x700,
    ELCR1 = 0x4D0,
    ELCR2 = 0x4D1
};

static const u8 pirq_irq[4] = {10, 10, 11, 11};
static u32 next_io, next_mem;

u16 pci_find_class(u16 class_subclass)
{
    for (u16 bdf = pci_first(); bdf != 0xFFFF; bdf = pci_next(bdf)) {
        if (pci_read32(bdf, PCI_CLASS) >> 16 == class_subclass)
            return bdf;
    }
    return 0xFFFF;
}

u16 pci_find_id(u32 device_vendor)
{
    for (u16 bdf = pci_first(); bdf != 0xFFFF; bdf = pci_next(bdf)) {
        if (pci_read32(bdf, PCI_ID) == device_vendor)
            return bdf;
    }
    return 0xFFFF;
}

u32 pci_mem_free(u32 align)
{
    return (next_mem + align - 1) & ~(align - 1);
}

static void assign_bar(u16 bdf, u8 reg, bool *wide)
{
    u32 old = pci_read32(bdf, reg);
    pci_write32(bdf, reg, 0xFFFFFFFF);
    u32 v = pci_read32(bdf, reg);
    pci_write32(bdf, reg, old);
    *wide = false;
    if (v == 0 || v == 0xFFFFFFFF)
        return;
    if (v & 1) {
        u32 mask = (v & 0xFFFC) | 0xFFFF0000u;
        u32 size = ~mask + 1;
        u32 at = (next_io + size - 1) & ~(size - 1);
        if (size == 0 || at + size > 0x10000)
            return;
        pci_write32(bdf, reg, at);
        next_io = at + size;
        return;
    }
    *wide = (v & 6) == 4;
    u32 size = ~(v & ~0xFu) + 1;
    u32 at = pci_mem_free(size);
    if (size == 0 || at < next_mem || at > MEM_END || size > MEM_END - at)
        return; /* UNIMPL: BARs beyond 4 GiB; the BAR stays as it was */
    pci_write32(bdf, reg, at);
    if (*wide)
        pci_write32(bdf, (u8)(reg + 4), 0);
    next_mem = at + size;
}

static void assign_bars(u16 bdf)
{
    u32 class_code = pci_read32(bdf, PCI_CLASS) >> 8;
    u8 header = pci_read8(bdf, PCI_HEADER) & 0x7F;
    unsigned nr = header == 0 ? 6 : header == 1 ? 2 : 0;
    if (class_code >> 8 == 0x0600)
        return; /* host bridge */
    pci_write16(bdf, PCI_COMMAND, pci_read16(bdf, PCI_COMMAND) & (u16)~3);
    for (unsigned i = 0; i < nr; i++) {
        /* An IDE function in legacy mode answers at 1F0h and 170h; only BAR4 is its own. */
        bool wide, legacy_ide = class_code >> 8 == 0x0101 && !(class_code & 5);
        if (legacy_ide && i < 4)
            continue;
        assign_bar(bdf, (u8)(PCI_BAR0 + i * 4), &wide);
        if (wide)
            i++;
    }
    pci_write16(bdf, PCI_COMMAND,
                pci_read16(bdf, PCI_COMMAND) | PCI_CMD_IO | PCI_CMD_MEM | PCI_CMD_MASTER);
}

static void route_irq(u16 bdf)
{
    u8 pin = pci_read8(bdf, PCI_IRQ_PIN);
    if (pin == 0 || pin > 4)
        return;
    pci_write8(bdf, PCI_IRQ_LINE, pirq_irq[((bdf >> 3 & 31) - 1u + pin - 1u) & 3]);
}

static void set_up_chip(u16 bdf)
{
    switch (pci_read32(bdf, PCI_ID)) {
    case 0x70008086: /* PIIX3 ISA bridge */
    case 0x71108086: /* PIIX4 */
        for (u8 i = 0; i < 4; i++)
            pci_write8(bdf, (u8)(0x60 + i), pirq_irq[i]);
        outb(ELCR1, 0);
        outb(ELCR2, 1 << (10 - 8) | 1 << (11 - 8));
        break;
    case 0x70108086: /* PIIX3 IDE */
    case 0x71118086:
        pci_write16(bdf, 0x40, 0x8000); /* decode the primary channel */
        pci_write16(bdf, 0x42, 0x8000);
        break;
    case 0x71138086: /* PIIX4 power management */
        pci_write8(bdf, PCI_IRQ_LINE, 9);
        pci_write32(bdf, 0x40, PM_BASE | 1);
        pci_write8(bdf, 0x80, 1); /* PMREGMISC: PM ports on */
        pci_write32(bdf, 0x90, SMB_BASE | 1);
        pci_write8(bdf, 0xD2, 0x09); /* SMBus on, IRQ 9 */
        break;
    }
}

/* Depth-first bus numbers, so that configuration cycles reach devices behind bridges. */
static void number_buses(u8 bus)
{
    for (u16 dev = 0; dev < 32; dev++) {
        u16 bdf = (u16)(bus << 8 | dev << 3);
        if (pci_read16(bdf, PCI_ID) == 0xFFFF || (pci_read8(bdf, PCI_HEADER) & 0x7F) != 1)
            continue;
        u8 child = (u8)(pci_last_bus() + 1);
        pci_set_last_bus(child);
        pci_write8(bdf, 0x18, bus);
        pci_write8(bdf, 0x19, child);
        pci_write8(bdf, 0x1A, 0xFF);
        number_buses(child);
        pci_write8(bdf, 0x1A, pci_last_bus());
    }
}

void pci_setup(void)
{
    next_io = IO_START;
    next_mem = MEM_START;
    if (pci_first() == 0xFFFF)
        return;
    number_buses(0);
    for (u16 bdf = pci_first(); bdf != 0xFFFF; bdf = pci_next(bdf)) {
        assign_bars(bdf);
        route_irq(bdf);
        set_up_chip(bdf);
    }
}
