/*
 * PCI Local Bus Specification 3.0: 3.2.2.3.2 (configuration mechanism 1), 6.1 (headers), 6.2.5
 * (base addresses), appendix D (classes); PCI-to-PCI Bridge Architecture 1.1, 3.2.5 (bus numbers).
 */
#include "guestos/drivers/pci.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/x86.h"

#define CONFIG_ADDRESS 0xCF8
#define CONFIG_DATA    0xCFC
#define CONFIG_ENABLE  0x80000000u
#define NO_DEVICE      0xFFFF
#define MULTIFUNCTION  0x80
#define HEADER_BRIDGE  1
#define MAX_DEPTH      8 /* of bridges; a bus number that loops must not loop us */

u32 pci_read(struct pci_function at, u8 reg)
{
    out32(CONFIG_ADDRESS, CONFIG_ENABLE | (u32)at.bus << 16 | (u32)at.device << 11 |
                              (u32)at.function << 8 | (reg & 0xFCu));
    return in32(CONFIG_DATA);
}

void pci_write(struct pci_function at, u8 reg, u32 value)
{
    out32(CONFIG_ADDRESS, CONFIG_ENABLE | (u32)at.bus << 16 | (u32)at.device << 11 |
                              (u32)at.function << 8 | (reg & 0xFCu));
    out32(CONFIG_DATA, value);
}

static u8 header_type(struct pci_function at)
{
    return (u8)(pci_read(at, PCI_HEADER) >> 16);
}

static bool scan_bus(u8 bus, u32 depth, pci_visitor visit, void *arg)
{
    for (u8 device = 0; device < 32; device++) {
        struct pci_function at = {bus, device, 0};
        if ((pci_read(at, PCI_ID) & 0xFFFF) == NO_DEVICE) {
            continue;
        }
        u8 nr_functions = header_type(at) & MULTIFUNCTION ? 8 : 1;
        for (; at.function < nr_functions; at.function++) {
            if ((pci_read(at, PCI_ID) & 0xFFFF) == NO_DEVICE) {
                continue;
            }
            if (visit(at, arg)) {
                return true;
            }
            u8 secondary = (u8)(pci_read(at, PCI_BUSES) >> 8);
            if ((header_type(at) & ~MULTIFUNCTION) == HEADER_BRIDGE && secondary > bus &&
                depth < MAX_DEPTH && scan_bus(secondary, depth + 1, visit, arg)) {
                return true;
            }
        }
    }
    return false;
}

bool pci_scan(pci_visitor visit, void *arg)
{
    return scan_bus(0, 0, visit, arg);
}

struct search {
    u32 id;
    struct pci_function *found;
};

static bool match(struct pci_function at, void *arg)
{
    struct search *s = arg;

    if (pci_read(at, PCI_ID) != s->id) {
        return false;
    }
    *s->found = at;
    return true;
}

bool pci_find(u16 vendor, u16 device, struct pci_function *found)
{
    struct search s = {(u32)device << 16 | vendor, found};

    return pci_scan(match, &s);
}

static const char *class_name(u16 class)
{
    static const struct {
        u16 class;
        const char *name;
    } names[] = {
        {0x0001, "VGA (old)"},   {0x0100, "SCSI"},        {0x0101, "IDE"},
        {0x0106, "SATA"},        {0x0108, "NVM"},         {0x0200, "Ethernet"},
        {0x0300, "VGA"},         {0x0401, "audio"},       {0x0403, "HD audio"},
        {0x0600, "host bridge"}, {0x0601, "ISA bridge"},  {0x0604, "PCI bridge"},
        {0x0680, "bridge"},      {0x0700, "serial port"}, {0x0C03, "USB"},
        {0x0C05, "SMBus"},
    };

    for (u32 i = 0; i < ARRAY_LEN(names); i++) {
        if (names[i].class == class) {
            return names[i].name;
        }
    }
    return "";
}

static void print_bars(struct pci_function at, u32 nr_bars)
{
    for (u32 i = 0; i < nr_bars; i++) {
        u32 bar = pci_read(at, (u8)(PCI_BAR0 + 4 * i));
        if (bar & 1) {
            if (bar & ~3u) {
                print(" io %04x", bar & ~3u);
            }
            continue;
        }
        u64 base = bar & ~15u;
        if ((bar & 6) == 4 && i + 1 < nr_bars) { /* 64 bits wide: the next register belongs to it */
            i++;
            base |= (u64)pci_read(at, (u8)(PCI_BAR0 + 4 * i)) << 32;
        }
        if (base) {
            print(" mem %08lx", base);
        }
    }
}

static bool print_function(struct pci_function at, void *arg)
{
    u32 id = pci_read(at, PCI_ID);
    u32 class = pci_read(at, PCI_CLASS);
    u32 irq = pci_read(at, PCI_IRQ);

    (void)arg;
    print("  %02x:%02x.%u  %04x:%04x  class %06x  %-12s", at.bus, at.device, at.function,
          id & 0xFFFF, id >> 16, class >> 8, class_name((u16)(class >> 16)));
    print_bars(at, (header_type(at) & ~MULTIFUNCTION) == HEADER_BRIDGE ? 2 : 6);
    if (irq >> 8 & 0xFF) {
        print(" irq %u", irq & 0xFF);
    }
    print("\n");
    return false;
}

void pci_list(void)
{
    pci_scan(print_function, NULL);
}
