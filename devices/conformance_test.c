/*
 * What every device promises, for all of them, and for a board of all of them:
 *   - a reset is idempotent, and after power-on nothing is left of what was before;
 *   - save, load, save gives the same bytes, and a loaded device goes on as the saved one does;
 *   - any number of random accesses does no harm to the host: the disk is never asked for a sector
 *     beyond its end, ASSERTs and sanitizers see the rest;
 *   - two instances do not meet.
 *
 *     conformance_test [STEPS [SEED]]
 *
 * A step is a port, memory or configuration access with a value that is random or likely to mean
 * something, an input from outside, memory filled with what a descriptor may look like, or time.
 */
#include "devices/debug_ports.h"
#include "devices/fw_cfg.h"
#include "devices/i440fx.h"
#include "devices/i8042.h"
#include "devices/ide.h"
#include "devices/pic.h"
#include "devices/piix3.h"
#include "devices/piix4_pm.h"
#include "devices/pit.h"
#include "devices/rtc.h"
#include "devices/test_bench.h"
#include "devices/uart.h"
#include "devices/vga.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAX_DEVS = 16, DISK_SECTORS = 300 };
static struct { u64 steps, seed; } options = { 100000, 1 };

struct world {
    struct bench b;
    struct bench_disk disk[2];
    struct pic_pair pic;
    struct pit pit;
    struct rtc rtc;
    struct i8042 kbc;
    struct uart uart;
    struct i440fx host;
    struct piix3 isa;
    struct piix4_pm pm;
    struct ide ide;
    struct vga vga;
    struct fw_cfg fw_cfg;
    struct debugcon debugcon;
    struct exit_port exit_port;
    struct post_port post;
    struct dev *devs[MAX_DEVS];
    unsigned nr_devs;
    struct pci_bus *pci;
    bool with_pic; /* interrupts go to it, and not to the bench */
    u64 digest;    /* of everything that was read */
};

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
    attach(w, &w->pic.dev, &pic_class, &(struct pic_cfg){ .intr = bench_wire(&w->b, 16) });
}

static void make_pit(struct world *w)
{
    attach(w, &w->pit.dev, &pit_class, &(struct pit_cfg){ .irq0 = irq(w, 0), .speaker = bench_wire(&w->b, 17) });
}

static void make_rtc(struct world *w)
{
    attach(w, &w->rtc.dev, &rtc_class, &(struct rtc_cfg){ .irq8 = irq(w, 8), .start_seconds = 951782399 });
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
    make_pic(w);
    w->with_pic = true;
    make_pit(w);
    make_rtc(w);
    make_i8042(w);
    make_uart(w);
    make_i440fx(w);
    make_piix3(w);
    make_piix4_pm(w);
    make_ide(w);
    make_vga(w);
    make_fw_cfg(w);
    make_debug_ports(w);
}

static const struct row {
    const char *name;
    void (*make)(struct world *);
    bool keeps; /* something over power-off: a battery's, or the level of its inputs */
} rows[] = {
    { "pic", make_pic, true },           { "pit", make_pit, false },
    { "rtc", make_rtc, true },            { "i8042", make_i8042, false },
    { "uart", make_uart, false },         { "i440fx", make_i440fx, false },
    { "piix3", make_piix3, false },       { "piix4_pm", make_piix4_pm, false },
    { "ide", make_ide, false },           { "ide, slave alone", make_ide_slave, false },
    { "vga", make_vga, false },           { "fw_cfg", make_fw_cfg, false },
    { "debug ports", make_debug_ports, false }, { "board", make_board, true },
};

static struct world *world_new(const struct row *row)
{
    struct world *w = calloc(1, sizeof(*w));

    ASSERT(w);
    bench_init(&w->b);
    w->pci = &w->b.pci;
    for (unsigned i = 0; i < 2; i++)
        bench_disk_init(&w->disk[i], DISK_SECTORS);
    row->make(w);
    return w;
}

static void world_free(struct world *w)
{
    while (w->nr_devs)
        dev_fini(w->devs[--w->nr_devs]);
    for (unsigned i = 0; i < 2; i++)
        bench_disk_fini(&w->disk[i]);
    bench_fini(&w->b);
    free(w);
}

/* ---- random steps ---- */

static u64 rnd(u64 *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s * 0x2545f4914f6cdd1dull >> 16;
}

/* Any value, or one that registers and descriptors tend to hold: bits, small numbers, addresses
 * of RAM in either byte order, commands of disks. */
static u32 likely(u64 *s)
{
    static const u8 commands[] = { 0x20, 0x24, 0x25, 0x29, 0x30, 0x34, 0x35, 0x39, 0xc4, 0xc5, 0xc6,
                                   0xc8, 0xca, 0xec, 0xef, 0x90, 0x91, 0xe7, 0x40, 0xf8, 0x08, 0xa0, 0xb0 };

    switch (rnd(s) & 7) {
    case 0: return 1u << (rnd(s) & 31);
    case 1: return rnd(s) & 15;
    case 2: return commands[rnd(s) % sizeof(commands)];
    case 3: return rnd(s) % BENCH_RAM & ~3u;
    case 4: return __builtin_bswap32(rnd(s) % BENCH_RAM & ~3u);
    default: return (u32)rnd(s);
    }
}

static void look(struct world *w, struct bus *bus, u64 addr, unsigned size)
{
    w->digest = (w->digest ^ bus_read(bus, addr, size)) * 0x100000001b3ull;
}

static void scribble(struct world *w, u64 *s)
{
    u8 *p = w->b.view.backing + (rnd(s) % (BENCH_RAM - 256) & ~3u);

    for (unsigned i = 0; i < 256; i += 4)
        store_le(p + i, likely(s), 4);
}

static void access_region(struct world *w, u64 *s)
{
    struct bus *bus = w->b.mem.nr_regions && rnd(s) % 4 == 0 ? &w->b.mem : &w->b.io;
    const struct bus_region *r = bus->regions[rnd(s) % bus->nr_regions];
    u64 addr = r->base + rnd(s) % r->len - (rnd(s) % 32 == 0);
    unsigned size = 1u << rnd(s) % (bus == &w->b.io ? 3 : 4);

    if (rnd(s) & 1)
        bus_write(bus, addr, likely(s) | (u64)likely(s) << 32, size);
    else
        look(w, bus, addr, size);
    clock_fire_due(&w->b.clk);
}

static void configure(struct world *w, u64 *s)
{
    unsigned size = 1u << rnd(s) % 3, reg = rnd(s) & 0xff & ~(size - 1);

    for (unsigned i = 0; i < PCI_FUNCTIONS; i++)
        if (w->pci->func[i] && rnd(s) & 1) {
            /* Half of the writes only switch things on. */
            if (rnd(s) & 1)
                pci_config_write(w->pci, i, PCI_COMMAND, 7, 2);
            else
                pci_config_write(w->pci, i, reg, likely(s), size);
            pci_config_read(w->pci, i, reg, size);
            if (pci_get(w->pci->func[i], PCI_IRQ_PIN, 1))
                pci_set_intx(w->pci->func[i], rnd(s) & 1);
        }
}

/* What a driver does, nearly right: chance alone hardly ever starts a transfer. */
static void drive_ide(struct world *w, u64 *s)
{
    static const u8 commands[] = { 0xc8, 0xca, 0x25, 0x35, 0xc4, 0xc5, 0x20, 0x30, 0xec, 0xc6, 0x29, 0x39 };
    struct bus *io = &w->b.io;
    unsigned ch = rnd(s) & 1, port = ch ? 0x170 : 0x1f0, bm = 0xc000 + 8 * ch;
    u32 table = rnd(s) % (BENCH_RAM - 256) & ~3u;
    u64 words;

    pci_config_write(w->pci, 1 << 3 | 1, PCI_COMMAND, rnd(s) % 8 ? 7 : 3, 2);
    pci_config_write(w->pci, 1 << 3 | 1, PCI_BAR0 + 16, 0xc001, 4);
    for (unsigned i = 0; i < 8; i++) {
        store_le(w->b.view.backing + table + 8 * i, rnd(s) % (rnd(s) % 8 ? BENCH_RAM : 1u << 31), 4);
        store_le(w->b.view.backing + table + 8 * i + 4, (rnd(s) % 4 ? 0 : 1u << 31) | (rnd(s) & 0xfff), 4);
    }
    bus_write(io, port + 0x206, rnd(s) % 16 ? 0 : likely(s), 1);
    bus_write(io, bm, 0, 1);
    bus_write(io, bm + 4, table, 4);
    bus_write(io, bm + 2, 6, 1);
    bus_write(io, port + 6, 0xe0 | (rnd(s) & 1) << 4, 1);
    bus_write(io, port + 2, rnd(s) % 8, 1);
    bus_write(io, port + 3, rnd(s), 1);
    bus_write(io, port + 4, rnd(s) % 8 == 0, 1);
    bus_write(io, port + 5, rnd(s) % 32 == 0, 1);
    bus_write(io, port + 7, commands[rnd(s) % sizeof(commands)], 1);
    if (rnd(s) % 4)
        bus_write(io, bm, 1 | (rnd(s) & 8), 1);
    for (unsigned blocks = rnd(s) % 4; blocks; blocks--) {
        bench_pass(&w->b, rnd(s) % 100000);
        for (words = rnd(s) % 4 ? 256 : rnd(s) % 5000; words; words--)
            if (rnd(s) & 64)
                bus_write(io, port, rnd(s), 2);
            else
                look(w, io, port, rnd(s) & 32 ? 2 : 4);
        look(w, io, port + 7, 1);
    }
}

static void drive_mouse(struct world *w, u64 *s)
{
    bus_write(&w->b.io, 0x64, 0xd4, 1);
    bus_write(&w->b.io, 0x60, 0xe0 | rnd(s), 1);
}

static void drive_pm(struct world *w, u64 *s)
{
    unsigned devfn = 1 << 3 | 3;

    pci_config_write(w->pci, devfn, 0x40, 0xb001, 4);
    pci_config_write(w->pci, devfn, 0x80, 1, 1);
    bus_write(&w->b.io, 0xb000 + rnd(s) % 12, likely(s), 1u << rnd(s) % 3);
    look(w, &w->b.io, 0xb000 + rnd(s) % 12, 1u << rnd(s) % 3);
}

static void poke(struct world *w, u64 *s)
{
    for (unsigned i = 0; i < w->nr_devs; i++)
        if (w->devs[i] == &w->pic.dev) {
            if (!w->with_pic) /* then the devices drive its inputs */
                pic_set_irq(&w->pic, rnd(s) % (16 * PIC_SOURCES), rnd(s) & 1);
            if (rnd(s) & 1)
                pic_ack(&w->pic);
        } else if (w->devs[i] == &w->kbc.dev) {
            i8042_key(&w->kbc, (u16)likely(s), rnd(s) & 1);
            i8042_mouse(&w->kbc, (i16)likely(s), (i16)likely(s), (i8)likely(s), (u8)rnd(s));
            drive_mouse(w, s);
        } else if (w->devs[i] == &w->ide.dev) {
            drive_ide(w, s);
        } else if (w->devs[i] == &w->pm.dev) {
            drive_pm(w, s);
        } else if (w->devs[i] == &w->uart.dev) {
            uart_receive(&w->uart, (u8)rnd(s));
        } else if (w->devs[i] == &w->vga.dev && rnd(s) % 64 == 0) {
            static u32 px[800 * 600]; /* read by nobody */
            unsigned pw, ph;
            char text[300];

            vga_render(&w->vga, px, 800, 600, &pw, &ph);
            ASSERT(pw <= 800 && ph <= 600);
            ASSERT(vga_text(&w->vga, text, sizeof(text)) < sizeof(text));
        }
    for (unsigned i = 0; i < 2; i++)
        w->disk[i].fail = rnd(s) % 16 ? 0 : -5;
}

static void step(struct world *w, u64 *s)
{
    switch (rnd(s) & 63) {
    case 0: scribble(w, s); break;
    case 1: configure(w, s); break;
    case 2: poke(w, s); break;
    case 3: bench_pass(&w->b, rnd(s) % 64 ? rnd(s) % 200000 : rnd(s) % 2000000000); break;
    default: access_region(w, s); break;
    }
}

static void run(struct world *w, u64 steps, u64 seed)
{
    u64 s = seed * 0x9e3779b97f4a7c15ull | 1;

    while (steps--)
        step(w, &s);
}

/* ---- comparing ---- */

/* Devices; with memory, also all that they can reach, and what was seen of them. */
static struct state_buf save(const struct world *w, bool memory)
{
    struct state_buf b = { 0 };

    for (unsigned i = 0; i < w->nr_devs; i++)
        state_save(&b, w->devs[i]->class->state, w->devs[i]);
    if (memory) {
        state_put(&b, &w->digest, sizeof(w->digest));
        state_put(&b, w->b.view.backing, BENCH_RAM);
        for (unsigned i = 0; i < 2; i++)
            state_put(&b, w->disk[i].sectors, DISK_SECTORS * SECTOR_SIZE);
    }
    return b;
}

/* Frees a and b. w and v, where both are given, say which fields differ. */
static void same(const char *what, const struct row *row, struct state_buf a, struct state_buf b,
                 const struct world *w, const struct world *v)
{
    bool equal = a.len == b.len && !memcmp(a.data, b.data, a.len);

    if (!equal) {
        printf("%s: %s\n", row->name, what);
        for (unsigned i = 0; v && i < w->nr_devs; i++)
            state_diff(stdout, w->devs[i]->class->name, w->devs[i]->class->state, w->devs[i], v->devs[i]);
    }
    free(a.data);
    free(b.data);
    assert_true(equal);
}

static struct world *copy_of(const struct row *row, const struct world *w)
{
    struct world *c = world_new(row);
    struct state_buf b = save(w, false);
    struct state_reader r = { .data = b.data, .len = b.len };

    c->digest = w->digest;
    clock_skip_to(&c->b.clk, clock_ticks(&w->b.clk));
    clock_fire_due(&c->b.clk);
    memcpy(c->b.view.backing, w->b.view.backing, BENCH_RAM);
    for (unsigned i = 0; i < 2; i++) {
        memcpy(c->disk[i].sectors, w->disk[i].sectors, DISK_SECTORS * SECTOR_SIZE);
        c->disk[i].fail = w->disk[i].fail;
    }
    for (unsigned i = 0; i < c->nr_devs; i++)
        if (state_load(&r, c->devs[i]->class->state, c->devs[i])) {
            printf("%s: %s\n", row->name, r.error);
            fail();
        }
    for (unsigned i = 0; i < c->nr_devs; i++)
        dev_loaded(c->devs[i]);
    assert_int_equal(r.pos, b.len);
    free(b.data);
    return c;
}

static void reset(struct world *w, enum reset_kind kind)
{
    for (unsigned i = w->nr_devs; i--;) /* interrupt controllers last: they see the others' edges */
        dev_reset(w->devs[i], kind);
}

/* ---- the promises ---- */

static void random_accesses_do_no_harm(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct world *w = world_new(&rows[i]);

        run(w, options.steps, options.seed);
        world_free(w);
    }
}

static void reset_is_idempotent(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        for (enum reset_kind kind = RESET_POWER_ON; kind <= RESET_HARD; kind++) {
            struct world *w = world_new(&rows[i]);
            struct state_buf once;

            run(w, options.steps / 20, options.seed + 1);
            reset(w, kind);
            once = save(w, false);
            reset(w, kind);
            same("a second reset changes", &rows[i], once, save(w, false), w, NULL);
            world_free(w);
        }
}

static void power_on_forgets(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct world *w = world_new(&rows[i]), *fresh = world_new(&rows[i]);

        if (!rows[i].keeps) {
            run(w, options.steps / 20, options.seed + 2);
            reset(w, RESET_POWER_ON);
            bench_pass(&fresh->b, clock_ticks(&w->b.clk) - clock_ticks(&fresh->b.clk));
            reset(fresh, RESET_POWER_ON);
            same("power-on leaves something behind", &rows[i], save(w, false), save(fresh, false), w, fresh);
        }
        world_free(w);
        world_free(fresh);
    }
}

static void loaded_goes_on_as_saved(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        for (unsigned round = 0; round < (rows[i].make == make_vga || rows[i].make == make_board ? 4 : 24); round++) {
            struct world *w = world_new(&rows[i]), *c;

            run(w, options.steps / 200 + round, options.seed + 10 + round);
            c = copy_of(&rows[i], w);
            same("save, load, save", &rows[i], save(w, true), save(c, true), w, c);
            run(w, options.steps / 200, options.seed + 20);
            run(c, options.steps / 200, options.seed + 20);
            same("a loaded device goes on otherwise", &rows[i], save(w, true), save(c, true), w, c);
            world_free(w);
            world_free(c);
        }
}

static void two_instances_do_not_meet(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct world *a = world_new(&rows[i]), *b = world_new(&rows[i]);
        struct state_buf before;

        run(b, options.steps / 40, options.seed + 3);
        before = save(b, true);
        run(a, options.steps / 40, options.seed + 4);
        same("one instance changed the other", &rows[i], before, save(b, true), b, NULL);
        run(b, options.steps / 40, options.seed + 5);
        run(a, options.steps / 40, options.seed + 6);
        world_free(a);
        a = world_new(&rows[i]);
        run(a, options.steps / 40, options.seed + 3);
        run(a, options.steps / 40, options.seed + 5);
        same("the same accesses lead elsewhere", &rows[i], save(a, true), save(b, true), a, b);
        world_free(a);
        world_free(b);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_accesses_do_no_harm), cmocka_unit_test(reset_is_idempotent),
        cmocka_unit_test(power_on_forgets), cmocka_unit_test(loaded_goes_on_as_saved),
        cmocka_unit_test(two_instances_do_not_meet),
    };

    if (argc > 1)
        options.steps = strtoull(argv[1], NULL, 0);
    if (argc > 2)
        options.seed = strtoull(argv[2], NULL, 0);
    printf("%llu steps, seed %llu\n", (unsigned long long)options.steps, (unsigned long long)options.seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
