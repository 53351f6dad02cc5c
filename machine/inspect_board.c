/*
 * Chips and address maps as text, in QEMU's formats; and the registers.
 */
#include "machine/cpu_dump.h"
#include "machine/inspect.h"
#include "machine/pc.h"
#include <inttypes.h>

void inspect_registers(struct machine *m, FILE *f)
{
    fputs("\nCPU#0\n", f);
    cpu_dump(f, &machine_pc(m)->cpu, DUMP_FLOATING);
}

void inspect_pic(struct machine *m, FILE *f)
{
    inspect_ioapic(m, f);
    for (int i = 1; i >= 0; i--) {
        const struct pic *p = &machine_pc(m)->pic.chip[i];

        fprintf(f,
                "pic%d: irr=%02x imr=%02x isr=%02x hprio=%d irq_base=%02x rr_sel=%d elcr=%02x "
                "fnm=%d\n",
                i, p->irr, p->imr, p->isr, (p->lowest + 1) & 7, p->vector, p->read_isr, p->elcr,
                p->fully_nested);
    }
}

void inspect_cdrom(struct machine *m, FILE *f, unsigned place)
{
    const struct pc *pc = machine_pc(m);
    const struct ata_drive *d = place < DISK_AHCI ? &pc->ide.ch[place / 2].drive[place % 2]
                                                  : &pc->ahci.port[place - DISK_AHCI].drive;

    fprintf(f, "    Removable device: %s, tray %s\n", d->atapi.locked ? "locked" : "not locked",
            d->atapi.tray_open ? "open" : "closed");
}

/* ---- PCI ---- */

static void put_class(FILE *f, u16 class)
{
    static const struct {
        u16 class;
        const char *name;
    } names[] = {{0x0101, "IDE controller"},      {0x0106, "SATA controller"},
                 {0x0200, "Ethernet controller"}, {0x0300, "VGA controller"},
                 {0x0600, "Host bridge"},         {0x0601, "ISA bridge"},
                 {0x0604, "PCI bridge"},          {0x0680, "Bridge"},
                 {0x0c03, "USB controller"},      {0x0c05, "SMBus"}};

    for (unsigned i = 0; i < ARRAY_LEN(names); i++)
        if (names[i].class == class) {
            fprintf(f, "    %s: ", names[i].name);
            return;
        }
    fprintf(f, "    Class %04x: ", class);
}

static void put_bar(FILE *f, unsigned n, const struct pci_bar *b, const struct pci_func *func)
{
    u64 base = b->region->on ? b->region->base : ~0ull;
    bool prefetch = n != PCI_ROM && (pci_get(func, PCI_BAR0 + 4 * n, 4) & 8);

    if (b->io)
        fprintf(f, "      BAR%u: I/O at 0x%04" PRIx64 " [0x%04" PRIx64 "].\n", n, base,
                base + b->size - 1);
    else
        fprintf(f, "      BAR%u: 32 bit%s memory at 0x%08" PRIx64 " [0x%08" PRIx64 "].\n", n,
                prefetch ? " prefetchable" : "", base, base + b->size - 1);
}

void inspect_pci(struct machine *m, FILE *f)
{
    const struct pci_bus *bus = &machine_pc(m)->host_bridge.bus;

    for (unsigned i = 0; i < PCI_FUNCTIONS; i++) {
        const struct pci_func *func = bus->func[i];

        if (!func)
            continue;
        fprintf(f, "  Bus  0, device %3u, function %u:\n", i >> 3, i & 7);
        put_class(f, (u16)pci_get(func, PCI_CLASS + 1, 2));
        fprintf(f, "PCI device %04x:%04x\n", pci_get(func, PCI_VENDOR, 2),
                pci_get(func, PCI_DEVICE, 2));
        if (pci_get(func, PCI_SUBSYSTEM_VENDOR, 2))
            fprintf(f, "      PCI subsystem %04x:%04x\n", pci_get(func, PCI_SUBSYSTEM_VENDOR, 2),
                    pci_get(func, PCI_SUBSYSTEM, 2));
        if (pci_get(func, PCI_IRQ_PIN, 1))
            fprintf(f, "      IRQ %u, pin %c\n", pci_get(func, PCI_IRQ_LINE, 1),
                    (char)('A' + pci_get(func, PCI_IRQ_PIN, 1) - 1));
        for (unsigned n = 0; n < PCI_SLOTS; n++)
            if (func->bar[n].region)
                put_bar(f, n, &func->bar[n], func);
        fprintf(f, "      id \"\"\n");
    }
}

/* ---- address maps ---- */

static void put_range(FILE *f, u64 first, u64 len, int priority, const char *kind, const char *name)
{
    fprintf(f, "    %016" PRIx64 "-%016" PRIx64 " (prio %d, %s): %s\n", first, first + len - 1,
            priority, kind, name);
}

static void put_regions(FILE *f, const struct bus *b)
{
    for (unsigned i = 0; i < b->nr_regions; i++) {
        const struct bus_region *r = b->regions[i];

        if (r->on)
            put_range(f, r->base, r->len, r->priority, "i/o", r->name);
    }
}

void inspect_mtree(struct machine *m, FILE *f)
{
    const struct pc *pc = machine_pc(m);
    const struct mem_view *v = &pc->view;

    fputs("address-space: memory\n  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n", f);
    for (unsigned i = 0; i < v->nr_overlays; i++) {
        const struct mem_overlay *o = &v->overlays[i];

        if (!o->on || (o->read_off == MEM_PASS && o->write_off == MEM_PASS))
            continue;
        put_range(f, o->pa, o->len, o->priority,
                  o->read_off >= MEM_PASS    ? "i/o"
                  : o->write_off >= MEM_PASS ? "rom"
                                             : "ram",
                  o->name);
    }
    put_regions(f, &pc->mem);
    fputs("\naddress-space: I/O\n  0000000000000000-000000000000ffff (prio 0, i/o): io\n", f);
    put_regions(f, &pc->io);
    fprintf(f, "\nA20 gate: %s\n",
            v->a20_mask == ~0ull ? "open" : "closed, address bit 20 reads 0");
}
