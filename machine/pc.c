/*
 * The motherboard of an i440FX/PIIX3 PC, in one straight function: reading pc_init() is reading
 * the board. Devices get their wires here and nowhere else.
 */
#include "machine/pc.h"
#include "machine/acpi_tables.h"
#include "machine/rom_file.h"
#include "machine/smbios_tables.h"
#include <stdlib.h>

#define KIB(n) ((u64)(n) << 10)
#define MIB(n) ((u64)(n) << 20)
#define GIB(n) ((u64)(n) << 30)

enum {
    PORT_ACCESS_NS = 1000, /* what an access costs in virtual time: DESIGN of time, decision 001 */
    MMIO_ACCESS_NS = 200,
    BIOS_MAX = 256 << 10,
    OPTION_ROM_MAX = 128 << 10,
};

enum pci_slot { SLOT_AHCI = 4, SLOT_TESTDEV }; /* 0 host bridge, 1 PIIX3, 2 display; 3 is a network card's */

/* The order of memory overlays, later ones above. */
enum priority { PRIO_FRAME_BUFFER, PRIO_RAM, PRIO_HOLE, PRIO_PAM, PRIO_ROM };

static struct irq_line wire(void (*set)(void *, unsigned, bool), void *sink, unsigned pin)
{
    return (struct irq_line){ set, sink, pin };
}

static struct irq_line irq(struct pc *pc, unsigned n)
{
    return wire(pic_set_irq, &pc->pic, n);
}

/* ISA interrupts reach the I/O APIC, too: the timer's on input 2, where the 8259s have their cascade
 * (MultiProcessor Specification 1.4, 3.6.2.3). */
static void set_ioapic(void *sink, unsigned irq, bool level)
{
    if (irq != 2)
        ioapic_set_irq(sink, IOAPIC_ISA + (irq ? irq : 2), level);
}

static void set_a20(void *sink, unsigned pin, bool level)
{
    (void)pin;
    mem_view_set_a20(sink, level);
}

static void power_requested(void *sink, enum power_request what, u32 code)
{
    struct pc *pc = sink;

    pc->power = what;
    pc->power_code = code;
    cpu_request_stop(&pc->cpu);
}

/* PAM: a segment below 1 MiB reads from RAM or what lies below, and so do writes. */
static void set_pam(void *sink, unsigned segment, bool read_ram, bool write_ram)
{
    struct pc *pc = sink;
    struct mem_overlay *o = pc->pam[segment];

    o->read_off = read_ram ? o->pa : MEM_PASS;
    o->write_off = write_ram ? o->pa : MEM_PASS;
    mem_view_update(&pc->view);
}

static void vram_wrote(void *sink, u32 off, u32 len)
{
    struct pc *pc = sink;

    mem_view_wrote(&pc->view, pc->vram_off + off, len);
}

static void place_frame_buffer(void *sink, u64 pa, bool on)
{
    struct pc *pc = sink;
    struct mem_overlay *o = pc->frame_buffer;

    if (o->on == on && (o->pa == pa || !on))
        return;
    o->pa = pa;
    o->on = on;
    mem_view_update(&pc->view);
}

/* Puts devices on the board, until one fails. */
struct attach {
    struct pc *pc;
    char *err;
    int failed;
};

static void attach(struct attach *a, struct dev *d, const struct dev_class *class, const void *cfg)
{
    if (!a->failed)
        a->failed = dev_init(d, class, &a->pc->env, cfg, a->err);
    if (a->failed)
        return;
    ASSERT(a->pc->nr_devices < MAX_DEVICES);
    a->pc->devices[a->pc->nr_devices++] = d;
}

/* ---- memory ---- */

static void overlay(struct pc *pc, const char *name, u64 pa, u64 len, u64 read_off, u64 write_off,
                    enum priority priority)
{
    if (len)
        mem_view_add(&pc->view, (struct mem_overlay){ name, pa, len, read_off, write_off,
                                                      (int)priority, true });
}

static int init_memory(struct pc *pc, const struct machine_config *cfg, char *err)
{
    u64 ram = cfg->ram_bytes;
    size_t bios_len;
    void *bios = rom_file_read(cfg->bios_path, BIOS_MAX, &bios_len, err, MACHINE_ERR_LEN);

    if (!bios)
        return -1;
    if (bios_len != KIB(64) && bios_len != KIB(128) && bios_len != KIB(256)) {
        snprintf(err, MACHINE_ERR_LEN,
                 "%s has %zu bytes; a BIOS image has 64, 128 or 256 KiB, since it ends at 4 GiB",
                 cfg->bios_path, bios_len);
        free(bios);
        return -1;
    }
    if (mem_view_init(&pc->view, ram + BIOS_MAX + VGA_VRAM, &pc->mem, &pc->trace)) {
        snprintf(err, MACHINE_ERR_LEN, "the host has no memory for a guest with %llu MiB; try -m",
                 (unsigned long long)(ram >> 20));
        free(bios);
        return -1;
    }
    pc->bios_off = ram;
    pc->bios_len = bios_len;
    pc->vram_off = ram + BIOS_MAX;
    memcpy(pc->view.backing + pc->bios_off, bios, bios_len);
    free(bios);

    pc->low_ram = ram <= GIB(3) + MIB(512) ? ram : GIB(3);
    pc->high_ram = ram - pc->low_ram;
    overlay(pc, "low ram", 0, pc->low_ram, 0, 0, PRIO_RAM);
    overlay(pc, "high ram", GIB(4), pc->high_ram, pc->low_ram, pc->low_ram, PRIO_RAM);
    overlay(pc, "vga window", 0xa0000, 0x20000, MEM_BUS, MEM_BUS, PRIO_HOLE);
    overlay(pc, "expansion rom space", 0xc0000, 0x40000, MEM_BUS, MEM_DROP, PRIO_HOLE);
    {
        u64 low = bios_len < KIB(128) ? bios_len : KIB(128);
        u64 off = pc->bios_off + bios_len - low;
        overlay(pc, "bios below 1 MiB", MIB(1) - low, low, off, MEM_DROP, PRIO_HOLE);
    }
    for (unsigned i = 0; i < PAM_SEGMENTS; i++) {
        u64 pa = i == 0 ? 0xf0000 : 0xc0000 + (i - 1) * KIB(16), len = i == 0 ? KIB(64) : KIB(16);

        pc->pam[i] = mem_view_add(&pc->view, (struct mem_overlay){ "pam", pa, len, MEM_PASS,
                                                                   MEM_PASS, PRIO_PAM, true });
    }
    overlay(pc, "bios", GIB(4) - bios_len, bios_len, pc->bios_off, MEM_DROP, PRIO_ROM);
    pc->frame_buffer = mem_view_add(&pc->view, (struct mem_overlay){
        "vga frame buffer", 0, VGA_VRAM, pc->vram_off, pc->vram_off, PRIO_FRAME_BUFFER, false });
    pc->dma.view = &pc->view;
    return 0;
}

/* A letter of the boot order as CMOS has it. */
static u8 boot_code(char letter)
{
    return letter == 'a' ? 1 : letter == 'c' ? 2 : letter == 'd' ? 3 : 0;
}

/* What firmware learns of the board from CMOS: memory sizes and boot order, at the places that
 * QEMU and Bochs use. Other cells are as the battery has kept them. */
static void fill_cmos(struct pc *pc, const struct machine_config *cfg)
{
    const u8 *nvram = cfg->nvram;
    const char *order = cfg->boot_order ? cfg->boot_order : "cad";
    u8 boot[3] = { 0 }, floppy_a = pc->fdc.drive[0].format.cmos, floppy_b = pc->fdc.drive[1].format.cmos;
    unsigned floppies = (floppy_a != 0) + (floppy_b != 0);
    u64 ext_kib = (pc->low_ram >> 10) - 1024, above_16m = 0, high = pc->high_ram >> 16;
    u64 ext_capped = ext_kib > 65535 ? 65535 : ext_kib;

    if (pc->low_ram > MIB(16))
        above_16m = (pc->low_ram - MIB(16)) >> 16;
    if (above_16m > 65535)
        above_16m = 65535;
    for (unsigned i = 0; i < 3 && order[i]; i++)
        boot[i] = boot_code(order[i]);
    const struct { u8 index; u64 value; } cells[] = {
        { 0x10, floppy_a << 4 | floppy_b },
        { 0x14, 0x04 | (floppies ? (floppies - 1) << 6 | 1 : 0) }, /* equipment */
        { 0x15, 640 & 255 }, { 0x16, 640 >> 8 },
        { 0x17, ext_capped }, { 0x18, ext_capped >> 8 },
        { 0x30, ext_capped }, { 0x31, ext_capped >> 8 },
        { 0x34, above_16m }, { 0x35, above_16m >> 8 },
        { 0x38, boot[2] << 4 | 0x01 }, /* third boot device; no signature check on floppies */
        { 0x3d, boot[1] << 4 | boot[0] },
        { 0x5b, high }, { 0x5c, high >> 8 }, { 0x5d, high >> 16 },
    };

    if (nvram)
        rtc_set_battery(&pc->rtc, nvram);
    for (unsigned i = 0; i < ARRAY_LEN(cells); i++)
        rtc_set_cmos(&pc->rtc, cells[i].index, (u8)cells[i].value);
    rtc_set_cmos(&pc->rtc, 0x12, cfg->disk[0] && !(cfg->cdroms & 1) ? 0xf0 : 0);
}

/* fw_cfg: QEMU's public interface for the same facts, and more of them. */
static int fill_fw_cfg(struct pc *pc, bool nvram_kept, bool hpet)
{
    u8 map[2 * 20], *p = map;
    u64 ram = pc->low_ram + pc->high_ram;
    u16 one = 1, zero = 0;
    u8 kept = nvram_kept;

    store_le(p, 0, 8), store_le(p + 8, pc->low_ram, 8), store_le(p + 16, 1, 4);
    p += 20;
    if (pc->high_ram) {
        store_le(p, GIB(4), 8), store_le(p + 8, pc->high_ram, 8), store_le(p + 16, 1, 4);
        p += 20;
    }
    return fw_cfg_add(&pc->fw_cfg, 0x03, &ram, sizeof(ram)) ||   /* RAM size */
           fw_cfg_add(&pc->fw_cfg, 0x04, &zero, sizeof(zero)) || /* not without graphics */
           fw_cfg_add(&pc->fw_cfg, 0x05, &one, sizeof(one)) ||   /* processors */
           fw_cfg_add(&pc->fw_cfg, 0x0f, &one, sizeof(one)) ||   /* at most */
           fw_cfg_add(&pc->fw_cfg, 0x8002, &one, 1) || /* IRQ 0 is the I/O APIC's input 2 */
           fw_cfg_add_file(&pc->fw_cfg, "etc/e820", map, (u32)(p - map)) ||
           acpi_tables_add(&pc->fw_cfg, hpet) ||
           smbios_tables_add(&pc->fw_cfg, &pc->cpu, pc->low_ram, pc->high_ram) ||
           fw_cfg_add_file(&pc->fw_cfg, "opt/kiln/nvram", &kept, 1); /* for set-up's words */
}

void pc_input(struct pc *pc, const struct input_event *e)
{
    switch ((enum input_kind)e->kind) {
    case INPUT_KEY: i8042_key(&pc->kbc, e->code, e->value != 0); break;
    case INPUT_MOUSE:
        i8042_mouse(&pc->kbc, (i16)e->value, (i16)(e->value >> 16), e->extra, e->code);
        break;
    case INPUT_SERIAL: uart_receive(&pc->uart[e->code & 1], (u8)e->value); break;
    case INPUT_DATE: break; /* a board gets its date at power-on: machine_config.rtc_seconds */
    case INPUT_POWER: power_requested(pc, (enum power_request)e->code, 0); break;
    case INPUT_NMI: /* a pulse; port 70h's mask is for the board's own sources, of which none is there */
        lapic_set_lint(&pc->lapic, 1, true);
        lapic_set_lint(&pc->lapic, 1, false);
        break;
    }
}

static bool broken(const struct machine_config *cfg, const char *what)
{
    return cfg->break_device && !strcmp(cfg->break_device, what);
}

static struct ide_cfg ide_cfg(struct pc *pc, const struct machine_config *cfg)
{
    struct ide_cfg c = { .bus = &pc->host_bridge.bus, .irq14 = irq(pc, 14), .irq15 = irq(pc, 15),
                         .broken = broken(cfg, "ide") };

    for (unsigned i = 0; i < 4; i++) {
        c.disk[i] = cfg->disk[DISK_IDE + i];
        c.cdrom[i] = cfg->cdroms >> (DISK_IDE + i) & 1;
    }
    return c;
}

static struct ahci_cfg ahci_cfg(struct pc *pc, const struct machine_config *cfg)
{
    struct ahci_cfg c = { .bus = &pc->host_bridge.bus, .slot = SLOT_AHCI };

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        c.disk[i] = cfg->disk[DISK_AHCI + i];
        c.cdrom[i] = cfg->cdroms >> (DISK_AHCI + i) & 1;
    }
    return c;
}

/* The 8254's and the RTC's outputs pass through the HPET, which can take their place. */
static struct irq_line legacy(struct pc *pc, const struct machine_config *cfg, unsigned n)
{
    return cfg->no_hpet ? irq(pc, 8 * n) : wire(hpet_set_legacy, &pc->hpet, n);
}

/* Every chip of the board with its wires. */
static int attach_devices(struct pc *pc, const struct machine_config *cfg, char *err)
{
    struct power_switch power = { power_requested, pc };
    struct pci_bus *pci = &pc->host_bridge.bus;
    const struct ide_cfg ide = ide_cfg(pc, cfg);
    const struct ahci_cfg ahci = ahci_cfg(pc, cfg);
    struct attach a = { pc, err, 0 };

    attach(&a, &pc->lapic.dev, &lapic_class,
           &(struct lapic_cfg){ .bsp = true, .bus = &pc->apic_bus,
                                .intr = wire(cpu_set_intr, &pc->cpu, 0),
                                .nmi = wire(cpu_set_nmi, &pc->cpu, 0),
                                .pic = { pic_ack, &pc->pic }, .cpu = cpu_apic_side(&pc->cpu) });
    attach(&a, &pc->pic.dev, &pic_class,
           &(struct pic_cfg){ .intr = wire(lapic_set_lint, &pc->lapic, 0),
                              .also = wire(set_ioapic, &pc->ioapic, 0),
                              .broken = broken(cfg, "pic") });
    attach(&a, &pc->ioapic.dev, &ioapic_class, &(struct ioapic_cfg){ .bus = &pc->apic_bus });
    if (!cfg->no_hpet)
        attach(&a, &pc->hpet.dev, &hpet_class,
               &(struct hpet_cfg){ .irq0 = irq(pc, 0), .irq8 = irq(pc, 8),
                                   .pin = wire(ioapic_set_irq, &pc->ioapic, IOAPIC_HPET + HPET_PIN) });
    attach(&a, &pc->pit.dev, &pit_class,
           &(struct pit_cfg){ .irq0 = legacy(pc, cfg, 0), .broken = broken(cfg, "pit") });
    attach(&a, &pc->rtc.dev, &rtc_class,
           &(struct rtc_cfg){ .irq8 = legacy(pc, cfg, 1), .start_seconds = cfg->rtc_seconds,
                              .broken = broken(cfg, "rtc") });
    attach(&a, &pc->kbc.dev, &i8042_class,
           &(struct i8042_cfg){ .irq1 = irq(pc, 1), .irq12 = irq(pc, 12),
                                .a20 = wire(set_a20, &pc->view, 0), .power = power,
                                .broken = broken(cfg, "kbd") });
    attach(&a, &pc->uart[0].dev, &uart_class,
           &(struct uart_cfg){ .base = 0x3f8, .irq = irq(pc, 4), .out = cfg->serial[0] });
    attach(&a, &pc->uart[1].dev, &uart_class,
           &(struct uart_cfg){ .base = 0x2f8, .irq = irq(pc, 3), .out = cfg->serial[1] });
    attach(&a, &pc->dma8237.dev, &i8237_class,
           &(struct i8237_cfg){ .dack = { [2] = wire(fdc_dack, &pc->fdc, 0) } });
    attach(&a, &pc->fdc.dev, &fdc_class,
           &(struct fdc_cfg){ .irq6 = irq(pc, 6), .dma = &pc->dma8237,
                              .dreq = wire(i8237_set_dreq, &pc->dma8237, 2),
                              .disk = { cfg->disk[DISK_FLOPPY], cfg->disk[DISK_FLOPPY + 1] } });
    attach(&a, &pc->host_bridge.dev, &i440fx_class,
           &(struct i440fx_cfg){ .pam = { set_pam, pc } });
    attach(&a, &pc->isa_bridge.dev, &piix3_class,
           &(struct piix3_cfg){ .bus = pci, .pic = irq(pc, PIC_PIRQ), .power = power,
                                .irq13 = irq(pc, 13),
                                .ignne = wire(cpu_set_ignne, &pc->cpu, 0) });
    attach(&a, &pc->ide.dev, &ide_class, &ide);
    if (cfg->ahci)
        attach(&a, &pc->ahci.dev, &ahci_class, &ahci);
    attach(&a, &pc->pm.dev, &piix4_pm_class,
           &(struct piix4_pm_cfg){ .bus = pci, .sci = irq(pc, PIC_SCI + 9), .power = power });
    attach(&a, &pc->vga.dev, &vga_class,
           &(struct vga_cfg){ .bus = pci,
                              .memory = { pc->view.backing + pc->vram_off, vram_wrote, place_frame_buffer, pc },
                              .rom = pc->vga_rom, .rom_len = (u32)pc->vga_rom_len });
    attach(&a, &pc->fw_cfg.dev, &fw_cfg_class, &(struct fw_cfg_cfg){ 0 });
    attach(&a, &pc->post.dev, &post_port_class, &(struct post_port_cfg){ 0 });
    if (cfg->debugcon)
        attach(&a, &pc->debugcon.dev, &debugcon_class,
               &(struct debugcon_cfg){ .port = cfg->debugcon_port, .out = cfg->debugcon });
    if (cfg->exit_device)
        attach(&a, &pc->exit_port.dev, &exit_port_class,
               &(struct exit_port_cfg){ .port = cfg->exit_port, .size = cfg->exit_size,
                                        .power = power });
    if (cfg->pc_testdev)
        attach(&a, &pc->pc_testdev.dev, &pc_testdev_class,
               &(struct pc_testdev_cfg){ .irq = irq(pc, PIC_TEST) });
    if (cfg->pci_testdev)
        attach(&a, &pc->pci_testdev.dev, &pci_testdev_class,
               &(struct pci_testdev_cfg){ .bus = pci, .slot = SLOT_TESTDEV });
    if (broken(cfg, "ram"))
        attach(&a, &pc->bad_ram.dev, &bad_ram_class, &(struct bad_ram_cfg){ .view = &pc->view });
    return a.failed;
}

int pc_init(struct pc *pc, const struct machine_config *cfg, char err[MACHINE_ERR_LEN])
{
    struct cpu_config cpu_cfg = { .view = &pc->view, .io = &pc->io, .clk = &pc->clk,
                                  .log = &pc->log, .ack = { lapic_ack, &pc->lapic },
                                  .apic = lapic_port(&pc->lapic),
                                  .ferr = wire(piix3_set_ferr, &pc->isa_bridge, 0),
                                  .features = cfg->processor.features, .seed = cfg->seed,
                                  .engine = cfg->engine_options, .tlb_capacity = cfg->tlb_capacity };
    FILE *log_file = cfg->log_file ? cfg->log_file : stderr;
    char lacks[MACHINE_ERR_LEN / 4];

    memset(pc, 0, sizeof(*pc));
    log_init(&pc->log, log_file, cfg->log_mask);
    pc->log.range = cfg->log_range;
    pc->log.nr_ranges = cfg->nr_log_ranges;
    clock_init(&pc->clk);
    pc->clk.num = cfg->tick_num;
    pc->clk.den = cfg->tick_den;
    trace_init(&pc->trace, log_file, &pc->clk);
    bus_init(&pc->io, "io", 0x10000, PORT_ACCESS_NS, &pc->clk, &pc->log, &pc->trace);
    bus_init(&pc->mem, "mem", 0, MMIO_ACCESS_NS, &pc->clk, &pc->log, &pc->trace);
    if (processor_host_lacks(&cfg->processor, lacks, sizeof(lacks))) {
        snprintf(err, MACHINE_ERR_LEN, "-cpu %s: this host's processor has not what it needs: %s; "
                 "take them away, as in -cpu %s,-NAME, or try -cpu qemu64",
                 cfg->processor.model, lacks, cfg->processor.model);
        return -1;
    }
    if (init_memory(pc, cfg, err))
        return -1;
    if (cpu_init(&pc->cpu, &cpu_cfg)) {
        snprintf(err, MACHINE_ERR_LEN, "the host has no memory for a processor");
        return -1;
    }
    pc->env = (struct dev_env){ &pc->io, &pc->mem, &pc->dma, &pc->clk, &pc->log, &pc->trace };
    if (cfg->vgabios_path) {
        pc->vga_rom = rom_file_read(cfg->vgabios_path, OPTION_ROM_MAX, &pc->vga_rom_len, err,
                                    MACHINE_ERR_LEN);
        if (!pc->vga_rom)
            return -1;
    }

    if (attach_devices(pc, cfg, err))
        return -1;
    fill_cmos(pc, cfg);
    if (fill_fw_cfg(pc, cfg->nvram, !cfg->no_hpet)) {
        snprintf(err, MACHINE_ERR_LEN, "the host has no memory for fw_cfg");
        return -1;
    }
    return 0;
}

void pc_reset(struct pc *pc, enum reset_kind kind)
{
    cpu_reset(&pc->cpu); /* before its local APIC, which tells it of its registers */
    for (unsigned i = pc->nr_devices; i--;) /* the PIC last: it must not keep the others' edges */
        dev_reset(pc->devices[i], kind);
    mem_view_set_a20(&pc->view, true);
}

void pc_fini(struct pc *pc)
{
    while (pc->nr_devices)
        dev_fini(pc->devices[--pc->nr_devices]);
    cpu_fini(&pc->cpu);
    mem_view_fini(&pc->view);
    bus_fini(&pc->io);
    bus_fini(&pc->mem);
    clock_fini(&pc->clk);
    log_fini(&pc->log);
    free(pc->vga_rom);
}
