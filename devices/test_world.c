/* See devices/test_world.h. */
#include "devices/test_world.h"
#include <stdlib.h>

enum { AHCI_SLOT = 4, AHCI_ABAR = 0xf0000000 };

/* ---- a world for each class: how it is wired ---- */

static void attach(struct world *w, struct dev *d, const struct dev_class *class, const void *cfg)
{
    bench_attach(&w->b, d, class, cfg);
    w->devs[w->nr_devs++] = d;
}

static struct irq_line irq(struct world *w, unsigned n)
{
    return w->with_pic ? (struct irq_line){ pic_set_irq, &w->pic, n } : bench_wire(&w->b, n);
}

static void pam_set(void *sink, unsigned segment, bool read_ram, bool write_ram)
{
    (void)sink;
    (void)read_ram;
    (void)write_ram;
    ASSERT(segment < 13);
}

static void make_pic(struct world *w)
{
    attach(w, &w->pic.dev, &pic_class, &(struct pic_cfg){ .intr = bench_wire(&w->b, 16), .also = { w->nr_devs ? ioapic_set_irq : NULL, &w->ioapic, 0 } });
}

static u8 no_pic(void *source)
{
    (void)source;
    return 0x55;
}

static void make_lapic(struct world *w)
{
    attach(w, &w->lapic.dev, &lapic_class,
           &(struct lapic_cfg){ .bsp = true, .bus = &w->apic_bus, .intr = bench_wire(&w->b, 19),
                                .nmi = bench_wire(&w->b, 20), .pic = { no_pic, NULL },
                                .cpu = bench_cpu(&w->b) });
}

static void make_ioapic(struct world *w)
{
    attach(w, &w->ioapic.dev, &ioapic_class, &(struct ioapic_cfg){ .bus = &w->apic_bus });
}

/* With it and a local APIC: what one sends arrives at the other. */
static void make_apics(struct world *w)
{
    make_lapic(w);
    make_ioapic(w);
}

static void make_hpet(struct world *w)
{
    attach(w, &w->hpet.dev, &hpet_class,
           &(struct hpet_cfg){ .irq0 = irq(w, 0), .irq8 = irq(w, 8),
                               .pin = { w->with_pic ? ioapic_set_irq : bench_wire(&w->b, 0).set,
                                        w->with_pic ? (void *)&w->ioapic : &w->b,
                                        w->with_pic ? IOAPIC_HPET + HPET_PIN : 21 } });
}

static void make_test_devices(struct world *w)
{
    attach(w, &w->pc_testdev.dev, &pc_testdev_class,
           &(struct pc_testdev_cfg){ .irq = irq(w, w->with_pic ? PIC_TEST : 0) });
    attach(w, &w->pci_testdev.dev, &pci_testdev_class,
           &(struct pci_testdev_cfg){ .bus = w->pci, .slot = 9 });
}

/* The 8254's and the RTC's outputs pass through the HPET, if there is one. */
static struct irq_line legacy(struct world *w, unsigned n)
{
    return w->with_pic ? (struct irq_line){ hpet_set_legacy, &w->hpet, n } : irq(w, 8 * n);
}

static void make_pit(struct world *w)
{
    attach(w, &w->pit.dev, &pit_class, &(struct pit_cfg){ .irq0 = legacy(w, 0), .speaker = bench_wire(&w->b, 17) });
}

static void make_rtc(struct world *w)
{
    attach(w, &w->rtc.dev, &rtc_class, &(struct rtc_cfg){ .irq8 = legacy(w, 1), .start_seconds = 951782399 });
}

static void make_i8042(struct world *w)
{
    attach(w, &w->kbc.dev, &i8042_class,
           &(struct i8042_cfg){ .irq1 = irq(w, 1), .irq12 = irq(w, 12), .a20 = bench_wire(&w->b, 18), .power = bench_power(&w->b) });
}

static void make_uart(struct world *w)
{
    attach(w, &w->uart.dev, &uart_class, &(struct uart_cfg){ .base = 0x3f8, .irq = irq(w, 4) });
}

static void make_i440fx(struct world *w)
{
    attach(w, &w->host.dev, &i440fx_class, &(struct i440fx_cfg){ .pam = { pam_set, NULL } });
    w->pci = &w->host.bus;
}

static void make_piix3(struct world *w)
{
    attach(w, &w->isa.dev, &piix3_class, &(struct piix3_cfg){ .bus = w->pci, .pic = irq(w, w->with_pic ? PIC_PIRQ : 0), .power = bench_power(&w->b) });
}

static void make_piix4_pm(struct world *w)
{
    attach(w, &w->pm.dev, &piix4_pm_class, &(struct piix4_pm_cfg){ .bus = w->pci, .sci = irq(w, w->with_pic ? PIC_SCI + 9 : 9), .power = bench_power(&w->b) });
}

static void make_ide(struct world *w)
{
    attach(w, &w->ide.dev, &ide_class,
           &(struct ide_cfg){ .bus = w->pci, .irq14 = irq(w, 14), .irq15 = irq(w, 15),
                              .disk = { &w->disk[0].dev, &w->disk[1].dev, NULL, NULL } });
}

static void make_ide_slave(struct world *w)
{
    w->disk[1].dev.readonly = true;
    attach(w, &w->ide.dev, &ide_class,
           &(struct ide_cfg){ .bus = w->pci, .irq14 = irq(w, 14), .irq15 = irq(w, 15),
                              .disk = { NULL, &w->disk[0].dev, &w->disk[1].dev, NULL } });
}

/* A CD and an empty drive behind a disk. */
static void make_ide_cd(struct world *w)
{
    attach(w, &w->ide.dev, &ide_class,
           &(struct ide_cfg){ .bus = w->pci, .irq14 = irq(w, 14), .irq15 = irq(w, 15),
                              .disk = { &w->disk[0].dev, &w->disk[1].dev, NULL, NULL },
                              .cdrom = { false, true, true, false } });
}

static void make_ahci(struct world *w)
{
    attach(w, &w->ahci.dev, &ahci_class,
           &(struct ahci_cfg){ .bus = w->pci, .slot = AHCI_SLOT,
                               .disk = { &w->disk[0].dev, &w->disk[1].dev, NULL },
                               .cdrom = { false, true, true } });
}

static void make_i8237(struct world *w)
{
    attach(w, &w->dma.dev, &i8237_class, &(struct i8237_cfg){ .dack = { [2] = { fdc_dack, &w->fdc, 0 } } });
}

/* Two floppies, cut short, and the DMA controller that serves them. */
static void make_fdc(struct world *w)
{
    make_i8237(w);
    attach(w, &w->fdc.dev, &fdc_class,
           &(struct fdc_cfg){ .irq6 = irq(w, 6), .dma = &w->dma, .dreq = { i8237_set_dreq, &w->dma, 2 },
                              .disk = { &w->disk[0].dev, &w->disk[1].dev } });
}

static void make_vga(struct world *w)
{
    static const u8 rom[3000] = { 0x55, 0xaa };

    attach(w, &w->vga.dev, &vga_class, &(struct vga_cfg){ .bus = w->pci, .rom = rom, .rom_len = sizeof(rom) });
}

static void make_fw_cfg(struct world *w)
{
    static const u8 file[5000] = { 1, 2, 3 };

    attach(w, &w->fw_cfg.dev, &fw_cfg_class, &(struct fw_cfg_cfg){ 0 });
    ASSERT(fw_cfg_add_file(&w->fw_cfg, "etc/test", file, sizeof(file)) == 0);
}

static void make_debug_ports(struct world *w)
{
    attach(w, &w->debugcon.dev, &debugcon_class, &(struct debugcon_cfg){ .port = 0xe9 });
    attach(w, &w->exit_port.dev, &exit_port_class, &(struct exit_port_cfg){ .port = 0xf4, .size = 4, .power = bench_power(&w->b) });
    attach(w, &w->post.dev, &post_port_class, &(struct post_port_cfg){ 0 });
}

static void make_board(struct world *w)
{
    make_apics(w);
    make_pic(w);
    w->with_pic = true;
    make_hpet(w);
    make_pit(w);
    make_rtc(w);
    make_i8042(w);
    make_uart(w);
    make_i440fx(w);
    make_piix3(w);
    make_piix4_pm(w);
    make_ide(w);
    make_ahci(w);
    make_fdc(w);
    make_vga(w);
    make_fw_cfg(w);
    make_debug_ports(w);
    make_test_devices(w);
}

const struct world_row world_rows[] = {
    { "pic", make_pic, true, false },
    { "lapic", make_lapic, true, false },
    { "ioapic", make_ioapic, true, false },
    { "apics", make_apics, true, false },
    { "hpet", make_hpet, true, false },
    { "test_devices", make_test_devices, false, true },
    { "pit", make_pit, false, false },
    { "rtc", make_rtc, true, false },
    { "i8042", make_i8042, false, false },
    { "uart", make_uart, false, false },
    { "i440fx", make_i440fx, false, false },
    { "piix3", make_piix3, false, false },
    { "piix4_pm", make_piix4_pm, false, false },
    { "ide", make_ide, false, false },
    { "ide_slave", make_ide_slave, false, false },
    { "ide_cd", make_ide_cd, false, false },
    { "ahci", make_ahci, false, true },
    { "fdc", make_fdc, false, false },
    { "vga", make_vga, false, true },
    { "fw_cfg", make_fw_cfg, false, false },
    { "debug_ports", make_debug_ports, false, false },
    { "board", make_board, true, true },
    { NULL, NULL, false, false },
};

struct world *world_new(const struct world_row *row)
{
    struct world *w = calloc(1, sizeof(*w));

    ASSERT(w);
    bench_init(&w->b);
    w->pci = &w->b.pci;
    for (unsigned i = 0; i < 2; i++)
        bench_disk_init(&w->disk[i], WORLD_DISK_SECTORS);
    row->make(w);
    return w;
}

void world_free(struct world *w)
{
    while (w->nr_devs)
        dev_fini(w->devs[--w->nr_devs]);
    for (unsigned i = 0; i < 2; i++)
        bench_disk_fini(&w->disk[i]);
    bench_fini(&w->b);
    free(w);
}

/* ---- drawing ---- */

struct draw draw_seed(u64 seed)
{
    return (struct draw){ .state = seed * 0x9e3779b97f4a7c15ull | 1 };
}

struct draw draw_bytes(const u8 *p, size_t len)
{
    return (struct draw){ .p = p, .end = p + len };
}

/* A number of at least this many bytes. */
static u32 draw_raw(struct draw *d, unsigned bytes)
{
    u32 v = 0;

    if (!d->p) {
        d->state ^= d->state << 13;
        d->state ^= d->state >> 7;
        d->state ^= d->state << 17;
        return (u32)(d->state * 0x2545f4914f6cdd1dull >> 32);
    }
    if ((size_t)(d->end - d->p) < bytes) {
        d->dry = true;
        d->p = d->end;
        return 0;
    }
    memcpy(&v, d->p, bytes);
    d->p += bytes;
    return v;
}

u32 draw_below(struct draw *d, u32 n)
{
    return draw_raw(d, n <= 1u << 8 ? 1 : n <= 1u << 16 ? 2 : 4) % n;
}

u32 draw_any(struct draw *d)
{
    return draw_raw(d, 4);
}

/* Once in n times. */
static bool once(struct draw *d, u32 n)
{
    return draw_below(d, n) == n - 1; /* not when dry */
}

/* Any value, or one that registers and descriptors tend to hold: bits, small numbers, addresses
 * of RAM in either byte order, commands of disks. */
static u32 likely(struct draw *d)
{
    static const u8 commands[] = { 0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0xc4, 0xc5, 0xc6,
                                   0xc8, 0xca, 0xec, 0xef, 0x90, 0x91, 0xe7, 0x40, 0xf8, 0x08, 0xa0, 0xb0 };

    switch (draw_below(d, 8)) {
    case 0: return 1u << draw_below(d, 32);
    case 1: return draw_below(d, 16);
    case 2: return commands[draw_below(d, sizeof(commands))];
    case 3: return draw_below(d, BENCH_RAM) & ~3u;
    case 4: return __builtin_bswap32(draw_below(d, BENCH_RAM) & ~3u);
    case 5: return draw_below(d, 256);
    default: return draw_any(d);
    }
}

/* ---- steps ---- */

static void look(struct world *w, struct bus *bus, u64 addr, unsigned size)
{
    w->digest = (w->digest ^ bus_read(bus, addr, size)) * 0x100000001b3ull;
}

static void put(struct world *w, u16 port, u32 value, unsigned size)
{
    bus_write(&w->b.io, port, value, size);
}

static void scribble(struct world *w, struct draw *d)
{
    u8 *p = w->b.view.backing + (draw_below(d, BENCH_RAM - 256) & ~3u);

    for (unsigned i = 0; i < 256 && !d->dry; i += 4)
        store_le(p + i, likely(d), 4);
}

static void access_region(struct world *w, struct draw *d)
{
    bool mem = w->b.io.nr_regions == 0 || (w->b.mem.nr_regions && once(d, 4));
    struct bus *bus = mem ? &w->b.mem : &w->b.io;
    const struct bus_region *r = bus->regions[draw_below(d, bus->nr_regions)];
    u64 addr = r->base + draw_below(d, (u32)r->len);
    unsigned size = draw_below(d, 16);

    addr -= size == 15; /* over the edge */
    size = 1u << size % (bus == &w->b.io ? 3 : 4);
    if (draw_below(d, 2))
        bus_write(bus, addr, likely(d) | (size == 8 ? (u64)likely(d) << 32 : 0), size);
    else
        look(w, bus, addr, size);
    clock_fire_due(&w->b.clk);
}

static void configure(struct world *w, struct draw *d)
{
    unsigned size = 1u << draw_below(d, 3), reg = draw_below(d, 256) & ~(size - 1);

    for (unsigned i = 0; i < PCI_FUNCTIONS; i++)
        if (w->pci->func[i] && draw_below(d, 2)) {
            /* Half of the writes only switch things on. */
            if (draw_below(d, 2))
                pci_config_write(w->pci, i, PCI_COMMAND, 7, 2);
            else
                pci_config_write(w->pci, i, reg, likely(d), size);
            pci_config_read(w->pci, i, reg, size);
            if (pci_get(w->pci->func[i], PCI_IRQ_PIN, 1))
                pci_set_intx(w->pci->func[i], draw_below(d, 2));
        }
}

/* ---- what a driver does, nearly right: chance alone hardly ever starts a transfer ---- */

/* Packet commands; of half of them the parameters are nothing but drawn. */
static void draw_packet(struct draw *d, u8 packet[16])
{
    static const u8 opcodes[] = { 0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x28, 0x2b, 0x43, 0x43,
                                  0x46, 0x4a, 0x51, 0x5a, 0xa8, 0xbb, 0xbd, 0xbe };

    memset(packet, 0, 16);
    packet[0] = opcodes[draw_below(d, sizeof(opcodes))];
    for (unsigned i = 1; i < 12; i++)
        packet[i] = (u8)(once(d, 4) ? draw_below(d, 256) : 0);
    if (draw_below(d, 2)) {
        packet[5] = (u8)draw_below(d, 80);
        packet[8] = (u8)draw_below(d, 80);
        packet[4] = (u8)draw_below(d, 40);
    }
}

/* Packets to one drive, each with its data: whoever asks more than once hears more than "unit attention". */
static void drive_packets(struct world *w, struct draw *d, unsigned port)
{
    u8 packet[16], slave = (u8)(draw_below(d, 2) << 4);

    put(w, port + 0x206, 0, 1);
    for (unsigned n = draw_below(d, 8); n; n--) {
        put(w, port + 6, 0xa0 | slave, 1);
        put(w, port + 1, once(d, 4), 1);
        put(w, port + 4, draw_below(d, 256), 1);
        put(w, port + 5, draw_below(d, 16), 1);
        put(w, port + 7, 0xa0, 1);
        draw_packet(d, packet);
        for (unsigned i = 0; i < 12; i += 2)
            put(w, port, packet[i] | packet[i + 1] << 8, 2);
        for (unsigned blocks = 1 + draw_below(d, 3); blocks; blocks--) {
            bench_pass(&w->b, 100000);
            for (unsigned words = once(d, 8) ? 1024 : draw_below(d, 40); words; words--)
                look(w, &w->b.io, port, 2);
        }
        if (once(d, 8))
            put(w, port + 7, 0x08, 1);
    }
}

static void drive_ide(struct world *w, struct draw *d)
{
    static const u8 commands[] = { 0xa0, 0xa0, 0xa1, 0xc8, 0xca, 0x25, 0x35, 0xc4, 0xc5, 0x20, 0x30, 0xec, 0xc6, 0x29, 0x39 };
    unsigned ch = draw_below(d, 2), port = ch ? 0x170 : 0x1f0, bm = 0xc000 + 8 * ch;
    u32 table = draw_below(d, BENCH_RAM - 256) & ~3u;
    u8 command;

    pci_config_write(w->pci, 1 << 3 | 1, PCI_COMMAND, once(d, 8) ? 3 : 7, 2);
    pci_config_write(w->pci, 1 << 3 | 1, PCI_BAR0 + 16, 0xc001, 4);
    for (unsigned i = 0; i < 8; i++) {
        store_le(w->b.view.backing + table + 8 * i, once(d, 8) ? draw_any(d) : draw_below(d, BENCH_RAM), 4);
        store_le(w->b.view.backing + table + 8 * i + 4, (draw_below(d, 4) ? 0 : 1u << 31) | draw_below(d, 0x1000), 4);
    }
    put(w, port + 0x206, once(d, 16) ? likely(d) : 0, 1);
    put(w, bm, 0, 1);
    put(w, bm + 4, table, 4);
    put(w, bm + 2, 6, 1);
    put(w, port + 6, 0xe0 | draw_below(d, 2) << 4, 1);
    put(w, port + 2, draw_below(d, 8), 1);
    put(w, port + 3, draw_below(d, 256), 1);
    put(w, port + 4, once(d, 8), 1);
    put(w, port + 5, once(d, 32), 1);
    command = commands[draw_below(d, sizeof(commands))];
    if (command == 0xa0 && draw_below(d, 4)) {
        u8 packet[16];

        draw_packet(d, packet);
        put(w, port + 1, draw_below(d, 2), 1);
        put(w, port + 4, draw_below(d, 256), 1);
        put(w, port + 5, draw_below(d, 64), 1);
        put(w, port + 7, command, 1);
        for (unsigned i = 0; i < 12; i += 2)
            put(w, port, packet[i] | packet[i + 1] << 8, 2);
    } else {
        put(w, port + 7, command, 1);
    }
    if (draw_below(d, 4))
        put(w, bm, 1 | (draw_below(d, 2) << 3), 1);
    for (unsigned blocks = draw_below(d, 4); blocks; blocks--) {
        u32 words, way;

        bench_pass(&w->b, draw_below(d, 100000));
        words = once(d, 4) ? draw_below(d, 5000) : 256;
        for (way = draw_below(d, 4); words; words--)
            if (way == 0)
                put(w, port, words * 0x9e37, 2);
            else if (way == 1)
                put(w, port, words * 0x9e3779b9, 4);
            else
                look(w, &w->b.io, port, way == 2 ? 2 : 4);
        look(w, &w->b.io, port + 7, 1);
    }
}

/* Channel 2 set up for a sector or so, or not quite. */
static void drive_dma(struct world *w, struct draw *d)
{
    u32 at = draw_below(d, BENCH_RAM);

    put(w, 0xd4, once(d, 16) ? 4 : 0, 1);
    put(w, 0x0a, 6, 1);
    put(w, 0x0c, 0, 1);
    put(w, 0x0b, 2 | (draw_below(d, 4) ? 0x40 : 0) | draw_below(d, 16) << 2, 1);
    put(w, 0x04, at & 255, 1), put(w, 0x04, at >> 8 & 255, 1);
    put(w, 0x81, at >> 16, 1);
    put(w, 0x05, draw_below(d, 2) ? 0xff : draw_below(d, 256), 1), put(w, 0x05, draw_below(d, 8), 1);
    if (draw_below(d, 8))
        put(w, 0x0a, 2, 1);
    look(w, &w->b.io, 8, 1);
}

static void drive_fdc(struct world *w, struct draw *d)
{
    static const u8 commands[] = { 0xe6, 0xe6, 0x46, 0xc5, 0x45, 0x4c, 0x49, 0x42, 0x4a, 0x4d, 0x4d, 0xd1, 0xd9, 0xdd,
                                   0x16, 0x07, 0x0f, 0x8f, 0xcf, 0x08, 0x08, 0x03, 0x04, 0x0e, 0x10, 0x12, 0x13, 0x14, 0x94 };
    u8 command = commands[draw_below(d, sizeof(commands))], unit = (u8)draw_below(d, once(d, 8) ? 8 : 2);
    u8 sector = (u8)(1 + draw_below(d, 20));

    if (once(d, 16))
        put(w, 0x3f2, draw_below(d, 256), 1);
    put(w, 0x3f2, once(d, 8) ? 0x14 : 0x1c, 1);
    put(w, 0x3f7, once(d, 8) ? draw_below(d, 4) : 0, 1);
    bench_pass(&w->b, 50000);
    drive_dma(w, d);
    put(w, 0x3f5, command, 1);
    put(w, 0x3f5, command == 0x03 ? 0xdf : unit, 1);
    put(w, 0x3f5, once(d, 4) ? draw_below(d, 256) : 0, 1);
    put(w, 0x3f5, command == 0x4d ? draw_below(d, 4) : unit >> 2, 1);
    for (unsigned n = draw_below(d, 8) ? 5 : draw_below(d, 8); n; n--)
        put(w, 0x3f5, n == 5 ? sector : n == 4 ? 2 : n == 3 ? 18 : draw_below(d, 256), 1);
    for (unsigned n = draw_below(d, 4); n; n--) {
        bench_pass(&w->b, draw_below(d, 2000000));
        for (unsigned bytes = once(d, 4) ? draw_below(d, 1200) : 8; bytes; bytes--)
            if (look(w, &w->b.io, 0x3f4, 1), draw_below(d, 2))
                look(w, &w->b.io, 0x3f5, 1);
            else if (once(d, 4))
                put(w, 0x3f5, bytes, 1);
    }
}

static void abar(struct world *w, u32 reg, u32 v)
{
    bus_write(&w->b.mem, AHCI_ABAR + reg, v, 4);
}

/* A command in a slot, its table, a few regions. */
static void fill_slot(struct world *w, struct draw *d, u8 *header, u32 table)
{
    static const u8 commands[] = { 0x60, 0x61, 0x60, 0x61, 0xc8, 0xca, 0x25, 0x35, 0x20, 0x30, 0x24, 0xc6, 0xc4,
                                   0xc5, 0xec, 0xa0, 0xa0, 0xa0, 0xa1, 0x2f, 0xe7, 0x08, 0x90 };
    u8 *t = w->b.view.backing + table, command = commands[draw_below(d, sizeof(commands))];
    unsigned regions = draw_below(d, 9), slot = draw_below(d, 8);

    header += slot * 32;
    store_le(header, 5 | regions << 16 | (draw_below(d, 8) ? 0 : draw_below(d, 0x800)), 4);
    store_le(header + 8, once(d, 16) ? draw_any(d) : table, 8);
    memset(t, 0, 0x80);
    t[0] = (u8)(once(d, 16) ? draw_below(d, 256) : 0x27);
    t[1] = draw_below(d, 8) ? 0x80 : 0;
    t[2] = command;
    t[3] = (u8)draw_below(d, 8);
    t[4] = (u8)draw_below(d, 256);
    t[7] = 0x40;
    t[12] = (u8)(draw_below(d, 4) ? slot << 3 : draw_below(d, 40));
    t[15] = draw_below(d, 2) ? 4 : 0;
    draw_packet(d, t + 0x40);
    for (unsigned i = 0; i < regions; i++) {
        store_le(t + 0x80 + 16 * i, once(d, 16) ? draw_any(d) : draw_below(d, BENCH_RAM - 4096), 8);
        store_le(t + 0x80 + 16 * i + 12, draw_below(d, 4096) | (u32)draw_below(d, 2) << 31, 4);
    }
}

static void drive_ahci(struct world *w, struct draw *d)
{
    u32 port = 0x100 + 0x80 * draw_below(d, 3), list = draw_below(d, BENCH_RAM - 8192) & ~0x3ffu;

    pci_config_write(w->pci, AHCI_SLOT << 3, PCI_BAR0 + 20, AHCI_ABAR, 4);
    pci_config_write(w->pci, AHCI_SLOT << 3, PCI_COMMAND, once(d, 8) ? 2 : 6, 2);
    for (unsigned n = draw_below(d, 4); n; n--)
        fill_slot(w, d, w->b.view.backing + list, (draw_below(d, BENCH_RAM - 1024) & ~0x7fu));
    if (once(d, 4)) {
        abar(w, port + 0x18, 0);
        if (draw_below(d, 2))
            abar(w, port + 0x2c, 0x301), abar(w, port + 0x2c, 0x300);
        abar(w, port + 0x18, draw_below(d, 2) ? 8 : 0);
    }
    if (once(d, 64))
        abar(w, 4, 1);
    abar(w, 4, 0x80000002);
    abar(w, port, once(d, 32) ? draw_any(d) : list);
    abar(w, port + 8, once(d, 32) ? draw_any(d) : draw_below(d, BENCH_RAM - 512));
    abar(w, port + 0x14, draw_any(d));
    abar(w, port + 0x18, 0x11);
    abar(w, port + 0x34, draw_below(d, 256));
    abar(w, port + 0x38, draw_below(d, 256));
    for (unsigned n = draw_below(d, 4); n; n--) {
        bench_pass(&w->b, draw_below(d, 500000));
        look(w, &w->b.mem, AHCI_ABAR + port + 0x20, 4);
        look(w, &w->b.mem, AHCI_ABAR + port + 0x10, 4);
    }
    abar(w, port + 0x10, draw_any(d));
}

/* Commands of keyboard, mouse and controller, with parameters that may be wrong. */
static void drive_ps2(struct world *w, struct draw *d)
{
    static const u8 to_device[] = { 0xed, 0xee, 0xf0, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xfe, 0xff,
                                    0xe6, 0xe7, 0xe8, 0xe9, 0xea, 0xeb, 0xec };
    static const u8 to_controller[] = { 0x20, 0x60, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xad, 0xae, 0xc0,
                                        0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xe0, 0x21, 0x7f, 0xfe };

    switch (draw_below(d, 4)) {
    case 0: put(w, 0x64, 0xd4, 1); /* fall through */
    case 1: put(w, 0x60, to_device[draw_below(d, sizeof(to_device))], 1); break;
    case 2: put(w, 0x64, to_controller[draw_below(d, sizeof(to_controller))], 1); break;
    default: put(w, 0x64, 0x60, 1), put(w, 0x60, 0x47, 1); break;
    }
    bench_pass(&w->b, draw_below(d, 256) * 10000);
    if (draw_below(d, 2))
        put(w, 0x60, draw_below(d, 256), 1);
    look(w, &w->b.io, 0x60, 1);
}

static void drive_pm(struct world *w, struct draw *d)
{
    unsigned devfn = 1 << 3 | 3;

    pci_config_write(w->pci, devfn, 0x40, 0xb001, 4);
    pci_config_write(w->pci, devfn, 0x80, 1, 1);
    put(w, 0xb000 + draw_below(d, 12), likely(d), 1u << draw_below(d, 3));
    look(w, &w->b.io, 0xb000 + draw_below(d, 12), 1u << draw_below(d, 3));
}

static void drive_fw_cfg(struct world *w, struct draw *d)
{
    u32 at = draw_below(d, BENCH_RAM - 16);
    u8 *p = w->b.view.backing + at;

    store_le(p, __builtin_bswap32(draw_below(d, 64) << 16 | draw_below(d, 32)), 4);
    store_le(p + 4, __builtin_bswap32(once(d, 8) ? draw_any(d) : draw_below(d, 10000)), 4);
    store_le(p + 8, once(d, 16) ? draw_below(d, 256) : 0, 4);
    store_le(p + 12, __builtin_bswap32(once(d, 16) ? draw_any(d) : draw_below(d, BENCH_RAM)), 4);
    put(w, 0x510, once(d, 8) ? draw_below(d, 0x10000) : draw_below(d, 0x30), 2);
    put(w, 0x514, once(d, 32) ? draw_below(d, 256) : 0, 4);
    put(w, 0x518, __builtin_bswap32(once(d, 16) ? draw_any(d) : at), 4);
    for (unsigned n = draw_below(d, 64); n; n--)
        look(w, &w->b.io, 0x511, 1);
}

/* Registers, the processor's side and the pins; IPIs to itself; vectors are taken and ended. */
static void drive_lapic(struct world *w, struct draw *d)
{
    static const u8 regs[] = { 0x02, 0x08, 0x0b, 0x0d, 0x0e, 0x0f, 0x28, 0x30, 0x31, 0x32, 0x35, 0x36,
                               0x37, 0x38, 0x39, 0x3e };
    static const u16 msrs[] = { 0x1b, 0x6e0, 0x80b, 0x80f, 0x830, 0x832, 0x838, 0x83f };
    struct apic_port port = lapic_port(&w->lapic);
    u64 v = likely(d), base = 0xfee00000 | (once(d, 8) ? draw_below(d, 16) << 8 : 0x900);

    for (unsigned n = draw_below(d, 8); n; n--)
        bus_write(&w->b.mem, 0xfee00000u + 16 * regs[draw_below(d, sizeof(regs))], likely(d), 4);
    switch (draw_below(d, 8)) {
    case 0: port.write_msr(port.apic, 0x1b, base | (draw_below(d, 2) ? 0x400 : 0)); break;
    case 1:
        port.write_msr(port.apic, msrs[draw_below(d, ARRAY_LEN(msrs))],
                       draw_below(d, 2) ? v : clock_ticks(&w->b.clk) + (u32)v % 100000);
        break;
    case 2: port.set_cr8(port.apic, (u8)draw_below(d, 16)); break;
    case 3: w->b.tsc_offset = v; port.tsc_moved(port.apic); break;
    case 4:
        bus_write(&w->b.mem, 0xfee000f0, 0x1ff, 4);
        bus_write(&w->b.mem, 0xfee00320, draw_below(d, 256) | draw_below(d, 4) << 17, 4);
        bus_write(&w->b.mem, 0xfee00380, draw_any(d) >> draw_below(d, 32), 4);
        break;
    case 5: lapic_set_lint(&w->lapic, draw_below(d, 2), draw_below(d, 2)); break;
    default: break;
    }
    for (unsigned i = 0; i < ARRAY_LEN(msrs); i++)
        if (port.read_msr(port.apic, msrs[i], &v))
            w->digest = (w->digest ^ v) * 0x100000001b3ull;
    if (draw_below(d, 2))
        w->digest = (w->digest ^ lapic_ack(&w->lapic)) * 0x100000001b3ull;
    if (draw_below(d, 2))
        bus_write(&w->b.mem, 0xfee000b0, 0, 4);
}

/* An entry that is likely to do something, and inputs. */
static void drive_ioapic(struct world *w, struct draw *d)
{
    unsigned pin = draw_below(d, IOAPIC_PINS);

    bus_write(&w->b.mem, 0xfec00000, 0x10 + 2 * pin + once(d, 8), 4);
    bus_write(&w->b.mem, 0xfec00010,
              draw_below(d, 256) | (once(d, 4) ? likely(d) & 0xffffff00 : draw_below(d, 2) << 15), 4);
    for (unsigned n = draw_below(d, 8); n; n--)
        ioapic_set_irq(&w->ioapic,
                       (draw_below(d, 4) ? pin : draw_below(d, IOAPIC_PINS)) +
                           (w->with_pic || draw_below(d, 2) ? IOAPIC_HPET : IOAPIC_ISA), draw_below(d, 2));
}

/* Timers that run, with matches near and far; what the legacy lines carry. */
static void drive_hpet(struct world *w, struct draw *d)
{
    u64 base = 0xfed00000, timer = base + 0x100 + 0x20 * draw_below(d, HPET_TIMERS);
    u64 near = bus_read(&w->b.mem, base + 0xf0, 8) + (draw_any(d) >> draw_below(d, 32));

    bus_write(&w->b.mem, base + 0x10, once(d, 4) ? 0 : 1 | draw_below(d, 2) << 1, 4);
    bus_write(&w->b.mem, timer, (draw_any(d) & 0x14e) | (draw_below(d, 2) ? 2 << 9 : draw_below(d, 32) << 9), 4);
    bus_write(&w->b.mem, timer + 8, once(d, 8) ? likely(d) : near, once(d, 2) ? 4 : 8);
    if (draw_below(d, 2)) /* a period */
        bus_write(&w->b.mem, timer + 8, once(d, 8) ? draw_below(d, 16) : draw_below(d, 100000), 4);
    if (draw_below(d, 2))
        bus_write(&w->b.mem, base + 0x20, draw_below(d, 8), 4);
    if (!w->with_pic)
        hpet_set_legacy(&w->hpet, draw_below(d, 2), draw_below(d, 2));
}

static void draw_screen(struct world *w, struct draw *d)
{
    unsigned max_w = 1 + draw_below(d, 800), max_h = 1 + draw_below(d, 600), pw, ph;
    size_t cap = 1 + draw_below(d, 16384);
    u32 *px = malloc((size_t)max_w * max_h * sizeof(*px)); /* not a byte more: a sanitizer looks */
    char *text = malloc(cap);

    ASSERT(px && text);
    vga_render(&w->vga, px, max_w, max_h, &pw, &ph);
    ASSERT(pw <= max_w && ph <= max_h);
    ASSERT(vga_text(&w->vga, text, cap) < cap);
    free(px);
    free(text);
}

/* Any mode, and planar accesses of any kind behind the window. */
static void drive_vga(struct world *w, struct draw *d)
{
    static const struct { u16 index; u8 regs; } files[] = { { 0x3c4, 5 }, { 0x3ce, 9 }, { 0x3d4, 25 } };

    put(w, 0x3c2, 0x63 | draw_below(d, 256), 1);
    for (unsigned n = draw_below(d, 12); n; n--) {
        unsigned f = draw_below(d, 3);

        put(w, files[f].index, draw_below(d, files[f].regs) | draw_below(d, 256) << 8, 2);
    }
    look(w, &w->b.io, 0x3da, 1);
    put(w, 0x3c0, draw_below(d, 64), 1);
    put(w, 0x3c0, draw_below(d, 256), 1);
    for (unsigned n = draw_below(d, 16); n; n--) {
        u32 addr = 0xa0000 + draw_below(d, 0x20000), size = 1u << draw_below(d, 4);

        if (draw_below(d, 2))
            look(w, &w->b.mem, addr, size);
        else
            bus_write(&w->b.mem, addr, draw_any(d) * 0x100000001ull, size);
    }
    if (once(d, 16))
        draw_screen(w, d);
}

static void poke(struct world *w, struct draw *d)
{
    for (unsigned i = 0; i < w->nr_devs; i++)
        if (w->devs[i] == &w->pic.dev) {
            if (!w->with_pic) /* then the devices drive its inputs */
                pic_set_irq(&w->pic, draw_below(d, 16 * PIC_SOURCES), draw_below(d, 2));
            if (draw_below(d, 2))
                pic_ack(&w->pic);
        } else if (w->devs[i] == &w->lapic.dev) {
            drive_lapic(w, d);
        } else if (w->devs[i] == &w->ioapic.dev) {
            drive_ioapic(w, d);
        } else if (w->devs[i] == &w->hpet.dev) {
            drive_hpet(w, d);
        } else if (w->devs[i] == &w->kbc.dev) {
            i8042_key(&w->kbc, (u16)likely(d), draw_below(d, 2));
            i8042_mouse(&w->kbc, (i32)likely(d), (i32)likely(d), (i8)likely(d), draw_below(d, 256));
            drive_ps2(w, d);
        } else if (w->devs[i] == &w->ide.dev) {
            if (w->ide.cfg.cdrom[1] && draw_below(d, 2))
                drive_packets(w, d, draw_below(d, 2) ? 0x170 : 0x1f0);
            else
                drive_ide(w, d);
        } else if (w->devs[i] == &w->ahci.dev) {
            drive_ahci(w, d);
        } else if (w->devs[i] == &w->fdc.dev) {
            drive_fdc(w, d);
        } else if (w->devs[i] == &w->pm.dev) {
            drive_pm(w, d);
        } else if (w->devs[i] == &w->uart.dev) {
            uart_receive(&w->uart, (u8)draw_below(d, 256));
        } else if (w->devs[i] == &w->fw_cfg.dev) {
            drive_fw_cfg(w, d);
        } else if (w->devs[i] == &w->vga.dev) {
            drive_vga(w, d);
        }
    for (unsigned i = 0; i < 2; i++)
        w->disk[i].fail = once(d, 16) ? -5 : 0;
}

void world_step(struct world *w, struct draw *d)
{
    switch (draw_below(d, 64)) {
    case 1: configure(w, d); break;
    case 2: poke(w, d); break;
    case 3: bench_pass(&w->b, once(d, 64) ? draw_below(d, 2000000000) : draw_below(d, 200000)); break;
    case 4: scribble(w, d); break;
    default: access_region(w, d); break;
    }
}
