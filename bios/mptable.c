/* The MP floating pointer and configuration table (MultiProcessor Specification 1.4, chapter 4), and
 * the $PIR table of PCI interrupt routing (PCI IRQ Routing Table Specification 1.0).
 * Interrupts are described as in acpi.c: PCI interrupts come in at the pins of their ISA numbers. */
#include "board.h"
#include "io.h"
#include "pci.h"
#include "tables.h"

enum { PROCESSOR, BUS, IOAPIC, IO_INTERRUPT, LOCAL_INTERRUPT };
enum { INT, NMI, SMI, EXTINT };
enum { ACTIVE_HIGH = 1, LEVEL_HIGH = 0x0D, CPU_ENABLED = 1, CPU_BOOT = 2 };

struct PACKED floating {
    char signature[4];
    u32 table;
    u8 paragraphs, revision, checksum, features[5];
};
struct PACKED config {
    char signature[4];
    u16 length;
    u8 revision, checksum;
    char oem[8], product[12];
    u32 oem_table;
    u16 oem_size, entries;
    u32 lapic;
    u16 ext_length;
    u8 ext_checksum, reserved;
};
struct PACKED interrupt { u8 type, kind; u16 flags; u8 bus, irq, apic, pin; };

static u8 *at;
static u16 nr_entries;

static void put(const void *entry, u32 len)
{
    copy_bytes(at, entry, len);
    at += len;
    nr_entries++;
}

static void put_interrupt(u8 type, u8 kind, u16 flags, u8 bus, u8 irq, u8 apic, u8 pin)
{
    struct interrupt e = {type, kind, flags, bus, irq, apic, pin};
    put(&e, sizeof e);
}

/* One entry for each pin that a function of a device uses; the ISA interrupts that are PCI's. */
static u16 put_pci_interrupts(u8 ioapic)
{
    u16 taken = 0;
    u32 seen = 0, device = 0;
    for (u16 bdf = pci_first(); bdf != 0xFFFF; bdf = pci_next(bdf)) {
        u8 pin = pci_read8(bdf, PCI_IRQ_PIN), line = pci_read8(bdf, PCI_IRQ_LINE);
        if (bdf >> 3 != device) {
            device = bdf >> 3;
            seen = 0;
        }
        if (bdf >> 8 != 0 || pin == 0 || pin > 4 || line == 0 || line > 15 || seen >> pin & 1)
            continue;
        seen |= 1u << pin;
        taken |= (u16)(1u << line);
        put_interrupt(IO_INTERRUPT, INT, line == 9 ? LEVEL_HIGH : ACTIVE_HIGH, 0,
                      (u8)(device << 2 | (pin - 1u)), ioapic, line);
    }
    return taken;
}

void mp_build(void)
{
    const struct board *b = board_get();
    struct config *c = table_alloc(1024);
    if (c == 0)
        return;
    static const struct config head = {.signature = "PCMP", .revision = 4, .oem = "KILN    ",
                                       .product = "SPARK       ", .lapic = LAPIC_PA};
    copy_bytes(c, &head, sizeof head);
    at = (u8 *)(c + 1);
    nr_entries = 0;
    for (u8 i = 0; i < b->nr_cpus; i++) {
        struct PACKED { u8 type, id, version, flags; u32 signature, features, reserved[2]; } e = {
            PROCESSOR, b->apic_id[i], b->lapic_version, CPU_ENABLED | (i == 0 ? CPU_BOOT : 0),
            b->cpu_signature, b->cpu_features, {0, 0}};
        put(&e, sizeof e);
    }
    u8 isa = (u8)(pci_last_bus() + 1);
    for (u8 i = 0; i <= isa; i++) {
        struct PACKED { u8 type, id; char name[6]; } e = {BUS, i, "PCI   "};
        if (i == isa)
            copy_bytes(e.name, "ISA   ", 6);
        put(&e, sizeof e);
    }
    struct PACKED { u8 type, id, version, flags; u32 pa; } io = {
        IOAPIC, b->ioapic_id, b->ioapic_version, 1, IOAPIC_PA};
    put(&io, sizeof io);
    u16 taken = put_pci_interrupts(b->ioapic_id);
    for (u8 irq = 0; irq < 16; irq++) {
        if (irq != 2 && !(taken >> irq & 1))
            put_interrupt(IO_INTERRUPT, INT, 0, isa, irq, b->ioapic_id, irq == 0 ? 2 : irq);
    }
    put_interrupt(LOCAL_INTERRUPT, EXTINT, 0, isa, 0, 0xFF, 0);
    put_interrupt(LOCAL_INTERRUPT, NMI, 0, isa, 0, 0xFF, 1);
    c->length = (u16)(at - (u8 *)c);
    c->entries = nr_entries;
    c->checksum = sum_of(c, c->length);

    struct floating f = {.signature = "_MP_", .table = table_pa(c), .paragraphs = 1, .revision = 4};
    f.checksum = sum_of(&f, sizeof f);
    anchor_put((u16)(u32)anchor_mp, &f, sizeof f);
}

enum { PIR_SLOTS = 6, PIR_IRQS = 1 << 5 | 1 << 10 | 1 << 11 };

/* Slots 1 to 6; the link value is the router's register, 60h to 63h. */
void pir_build(void)
{
    struct PACKED {
        char signature[4];
        u16 version, size;
        u8 router_bus, router_devfn;
        u16 exclusive;
        u32 router_id, miniport;
        u8 reserved[11], checksum;
        struct PACKED { u8 bus, devfn; struct PACKED { u8 link; u16 irqs; } pin[4]; u8 slot, reserved; } slot[PIR_SLOTS];
    } t = {.signature = "$PIR", .version = 0x0100, .size = sizeof t, .router_devfn = 1 << 3,
           .router_id = 0x122E8086}; /* the PIIX, to which the PIIX3's router is compatible */
    for (u8 i = 0; i < PIR_SLOTS; i++) {
        t.slot[i].devfn = (u8)((i + 1) << 3);
        t.slot[i].slot = i; /* 0: on the board */
        for (u8 pin = 0; pin < 4; pin++) {
            t.slot[i].pin[pin].link = (u8)(0x60 + ((i + pin) & 3));
            t.slot[i].pin[pin].irqs = PIR_IRQS;
        }
    }
    t.checksum = sum_of(&t, sizeof t);
    anchor_put((u16)(u32)anchor_pir, &t, sizeof t);
}

u16 pir_slots(u16 *bytes)
{
    u16 at_pir = (u16)(u32)anchor_pir;
    *bytes = peek32(0xF000, at_pir) == 0x52495024 ? PIR_SLOTS * 16 : 0; /* $PIR */
    return (u16)(at_pir + 32);
}
