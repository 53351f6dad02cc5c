/* ACPI tables: RSDP, RSDT, XSDT, FADT, FACS, MADT, HPET, and the DSDT of dsdt.asl (ACPI 6.4,
 * chapter 5; the fixed hardware is ACPI 1.0b's, that of the PIIX4).
 *
 * QEMU offers tables of its own by fw_cfg (etc/acpi/..., with a linker script). They are not used:
 * docs/decisions/008-firmware-tables-of-our-own.md.
 *
 * MADT and HPET are there if the chips are. Interrupt overrides: IRQ 0 is at pin 2; the SCI and what
 * PCI links can be set to are level-triggered, active high, as these boards' I/O APIC sees them. */
#include "bda.h"
#include "board.h"
#include "chips.h"
#include "disk.h"
#include "entry.h"
#include "kbd.h"
#include "memory.h"
#include "pci.h"
#include "tables.h"

enum { AREA = 64 * 1024, NVS = 4096, SCI = 9, PM = 0x600, APM_PORT = 0xB2, ACPI_ON = 0xF1,
       ACPI_OFF = 0xF0, RESET_PORT = 0xCF9, CMOS_CENTURY = 0x32 };

struct PACKED header {
    char signature[4];
    u32 length;
    u8 revision, checksum;
    char oem[6], table[8];
    u32 oem_revision;
    char creator[4];
    u32 creator_revision;
};

struct PACKED gas { u8 space, bits, offset, access; u64 address; }; /* generic address */

struct PACKED rsdp {
    char signature[8];
    u8 checksum;
    char oem[6];
    u8 revision;
    u32 rsdt, length;
    u64 xsdt;
    u8 checksum_all, reserved[3];
};

struct PACKED fadt { /* revision 3: ACPI 2.0 */
    struct header h;
    u32 facs, dsdt;
    u8 reserved1, profile;
    u16 sci;
    u32 smi_port;
    u8 acpi_on, acpi_off, s4bios, pstate;
    u32 pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer, gpe0, gpe1;
    u8 pm1_event_len, pm1_control_len, pm2_control_len, pm_timer_len, gpe0_len, gpe1_len, gpe1_base;
    u8 cstate;
    u16 c2_latency, c3_latency, flush_size, flush_stride;
    u8 duty_offset, duty_width, day_alarm, month_alarm, century;
    u16 boot_arch;
    u8 reserved2;
    u32 flags;
    struct gas reset;
    u8 reset_value, reserved3[3];
    u64 x_facs, x_dsdt;
    struct gas x_pm1a_event, x_pm1b_event, x_pm1a_control, x_pm1b_control, x_pm2_control, x_pm_timer,
        x_gpe0, x_gpe1;
};

enum { /* flags; boot_arch */
    WBINVD = 1 << 0,
    PROC_C1 = 1 << 2,
    SLP_BUTTON = 1 << 5, /* no sleep button among the fixed events */
    RESET_REG = 1 << 10,
    LEGACY_DEVICES = 1 << 0,
    HAS_8042 = 1 << 1,
};

#define HEADER(sig, rev)                                                                           \
    {.signature = sig, .revision = rev, .oem = "KILN  ", .table = "SPARK   ", .oem_revision = 1,   \
     .creator = "KILN", .creator_revision = 1}
#define IO_GAS(width, at) {.space = 1, .bits = width, .address = at}

/* ORDER: field BOAR of dsdt.asl */
struct PACKED acpi_info { u8 cpus, hpet, com1, com2, floppy, keyboard, mouse, ioapic, reserved[8]; };
struct PACKED nvs { /* the FACS wants 64 bytes of alignment */
    char signature[4];
    u32 length;
    u8 rest[56];
    struct acpi_info info;
};

extern u8 dsdt_aml[]; /* entry.S */
static u32 area, next_pa;
static u8 buffer[384];

static u32 publish(struct header *h, u32 len)
{
    u32 pa = next_pa;
    h->length = len;
    h->checksum = 0;
    h->checksum = sum_of(h, len);
    flat_put(pa, h, (len + 3) & ~3u);
    next_pa = (pa + len + 15) & ~15u;
    return pa;
}

static u32 build_facs(u32 pa)
{
    const struct board *b = board_get();
    struct nvs n = {.signature = "FACS", .length = 64};
    n.info.cpus = b->nr_cpus;
    n.info.hpet = b->hpet_id != 0;
    n.info.com1 = bda16(BDA_COM) == 0x3F8;
    n.info.com2 = bda16(BDA_COM) == 0x2F8 || bda16(BDA_COM + 2) == 0x2F8;
    n.info.floppy = b->floppy;
    n.info.keyboard = kbc_ok();
    n.info.mouse = (bda16(BDA_EQUIPMENT) & 4) != 0;
    n.info.ioapic = b->ioapic;
    flat_put(pa, &n, sizeof n);
    return pa;
}

/* INFO of dsdt.asl is 'Name (INFO, dword)': 08h, "INFO", 0Ch, and the value. */
static u32 build_dsdt(u32 info_pa)
{
    struct header *h = (struct header *)dsdt_aml;
    for (u32 i = sizeof *h; i < h->length - 10; i++) {
        u8 *p = dsdt_aml + i;
        if (p[0] == 0x08 && *(u32 *)(p + 1) == 0x4F464E49 && p[5] == 0x0C)
            *(u32 *)(p + 6) = info_pa;
    }
    return publish(h, h->length);
}

static u32 build_fadt(u32 facs, u32 dsdt)
{
    static struct fadt f = {
        .h = HEADER("FACP", 3),
        .profile = 1, /* desktop */
        .sci = SCI,
        .smi_port = APM_PORT,
        .acpi_on = ACPI_ON,
        .acpi_off = ACPI_OFF,
        .pm1a_event = PM,
        .pm1a_control = PM + 4,
        .pm_timer = PM + 8,
        .pm1_event_len = 4,
        .pm1_control_len = 2,
        .pm_timer_len = 4,
        .c2_latency = 0x0FFF, /* no C2, no C3 */
        .c3_latency = 0x0FFF,
        .century = CMOS_CENTURY,
        .boot_arch = LEGACY_DEVICES | HAS_8042,
        .flags = WBINVD | PROC_C1 | SLP_BUTTON | RESET_REG,
        .reset = IO_GAS(8, RESET_PORT),
        .reset_value = 6,
        .x_pm1a_event = IO_GAS(32, PM),
        .x_pm1a_control = IO_GAS(16, PM + 4),
        .x_pm_timer = IO_GAS(32, PM + 8),
    };
    f.facs = facs;
    f.dsdt = dsdt;
    f.x_facs = facs;
    f.x_dsdt = dsdt;
    return publish(&f.h, sizeof f);
}

static u8 *put(u8 *at, const void *entry, u32 len)
{
    copy_bytes(at, entry, len);
    return at + len;
}

static u32 build_madt(void)
{
    const struct board *b = board_get();
    static const struct PACKED { struct header h; u32 lapic, flags; } head = {
        .h = HEADER("APIC", 3), .lapic = LAPIC_PA, .flags = 1}; /* there are 8259s too */
    static const struct { u8 irq, pin, flags; } overrides[] = {
        {0, 2, 0x00}, {5, 5, 0x0D}, {SCI, SCI, 0x0D}, {10, 10, 0x0D}, {11, 11, 0x0D}};
    u8 *at = put(buffer, &head, sizeof head);
    for (u8 i = 0; i < b->nr_cpus; i++) {
        struct PACKED { u8 type, len, processor, id; u32 flags; } e = {0, 8, i, b->apic_id[i], 1};
        at = put(at, &e, sizeof e);
    }
    struct PACKED { u8 type, len, id, reserved; u32 pa, base; } io = {1, 12, b->ioapic_id, 0, IOAPIC_PA, 0};
    at = put(at, &io, sizeof io);
    for (unsigned i = 0; i < sizeof overrides / sizeof overrides[0]; i++) {
        struct PACKED { u8 type, len, bus, irq; u32 pin; u16 flags; } e = {
            2, 10, 0, overrides[i].irq, overrides[i].pin, overrides[i].flags};
        at = put(at, &e, sizeof e);
    }
    struct PACKED { u8 type, len, processor; u16 flags; u8 lint; } nmi = {4, 6, 0xFF, 0, 1};
    at = put(at, &nmi, sizeof nmi);
    return publish((struct header *)buffer, (u32)(at - buffer));
}

static u32 build_hpet(void)
{
    static struct PACKED { struct header h; u32 id; struct gas at; u8 number; u16 min_tick; u8 protect; } t = {
        .h = HEADER("HPET", 1), .at = {.space = 0, .bits = 64, .address = HPET_PA}, .min_tick = 100};
    t.id = board_get()->hpet_id;
    return publish(&t.h, sizeof t);
}

void acpi_reserve(void)
{
    if (dseg_copy == 0xE000 && pci_find_id(0x71138086) != 0xFFFF)
        area = memory_take_top(AREA, E820_ACPI);
    if (area != 0)
        memory_retype_top(NVS, E820_NVS);
}

void acpi_build(void)
{
    u32 nvs = area + AREA - NVS, tables[4];
    unsigned n = 0;
    if (area == 0)
        return;
    next_pa = area;
    u32 facs = build_facs(nvs);
    u32 dsdt = build_dsdt(nvs + 64);
    tables[n++] = build_fadt(facs, dsdt);
    if (board_get()->lapic && board_get()->ioapic)
        tables[n++] = build_madt();
    if (board_get()->hpet_id != 0)
        tables[n++] = build_hpet();

    static struct PACKED { struct header h; u32 entry[4]; } rsdt = {.h = HEADER("RSDT", 1)};
    static struct PACKED { struct header h; u64 entry[4]; } xsdt = {.h = HEADER("XSDT", 1)};
    for (unsigned i = 0; i < n; i++) {
        rsdt.entry[i] = tables[i];
        xsdt.entry[i] = tables[i];
    }
    struct rsdp r = {.signature = "RSD PTR ", .oem = "KILN  ", .revision = 2, .length = sizeof r};
    r.rsdt = publish(&rsdt.h, sizeof rsdt.h + n * 4);
    r.xsdt = publish(&xsdt.h, sizeof xsdt.h + n * 8);
    r.checksum = sum_of(&r, 20);
    r.checksum_all = sum_of(&r, sizeof r);
    anchor_put((u16)(u32)anchor_rsdp, &r, sizeof r);
}
