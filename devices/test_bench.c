/* See devices/test_bench.h. */
#include "devices/test_bench.h"
#include <stdlib.h>

static void wire_set(void *sink, unsigned pin, bool level)
{
    struct bench *b = sink;

    ASSERT(pin < BENCH_WIRES);
    b->rises[pin] += level && !b->level[pin];
    b->level[pin] = level;
}

static void power_request(void *sink, enum power_request what, u32 code)
{
    struct bench *b = sink;

    b->nr_power++;
    b->power = what;
    b->power_code = code;
}

struct irq_line bench_wire(struct bench *b, unsigned n)
{
    return (struct irq_line){ wire_set, b, n };
}

struct power_switch bench_power(struct bench *b)
{
    return (struct power_switch){ power_request, b };
}

static void show_apic(void *cpu, u64 apic_base, u8 cr8)
{
    struct bench *b = cpu;

    b->apic_base = apic_base;
    b->cr8 = cr8;
}

static u64 tsc(const void *cpu)
{
    const struct bench *b = cpu;

    return clock_ticks(&b->clk) + b->tsc_offset;
}

static void init_cpu(void *cpu)
{
    ((struct bench *)cpu)->nr_inits++;
}

struct apic_cpu bench_cpu(struct bench *b)
{
    return (struct apic_cpu){ show_apic, tsc, init_cpu, b };
}

void bench_init(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    b->quiet = fopen("/dev/null", "w");
    ASSERT(b->quiet);
    log_init(&b->log, b->quiet, 0);
    clock_init(&b->clk);
    trace_init(&b->trace, b->quiet, &b->clk);
    bus_init(&b->io, "io", 0x10000, 1000, &b->clk, &b->log, &b->trace);
    bus_init(&b->mem, "mem", 0, 200, &b->clk, &b->log, &b->trace);
    ASSERT(mem_view_init(&b->view, BENCH_RAM, &b->mem, &b->trace) == 0);
    mem_view_add(&b->view, (struct mem_overlay){ "ram", 0, BENCH_RAM, 0, 0, 0, true });
    b->dma.view = &b->view;
    b->env = (struct dev_env){ &b->io, &b->mem, &b->dma, &b->clk, &b->log, &b->trace };
    b->pci = (struct pci_bus){ .io = &b->io, .mem = &b->mem, .trace = &b->trace };
}

void bench_fini(struct bench *b)
{
    mem_view_fini(&b->view);
    bus_fini(&b->io);
    bus_fini(&b->mem);
    clock_fini(&b->clk);
    log_fini(&b->log);
    fclose(b->quiet);
}

void bench_attach(struct bench *b, struct dev *d, const struct dev_class *class, const void *cfg)
{
    char err[160];

    ASSERT(dev_init(d, class, &b->env, cfg, err) == 0);
    dev_reset(d, RESET_POWER_ON);
}

u32 bench_in(struct bench *b, u16 port, unsigned size)
{
    u32 v = (u32)bus_read(&b->io, port, size);

    clock_fire_due(&b->clk);
    return v;
}

void bench_out(struct bench *b, u16 port, u32 value, unsigned size)
{
    bus_write(&b->io, port, value, size);
    clock_fire_due(&b->clk);
}

u8 bench_get(struct bench *b, u16 index_port, u8 index)
{
    bench_out(b, index_port, index, 1);
    return (u8)bench_in(b, index_port + 1, 1);
}

void bench_put(struct bench *b, u16 index_port, u8 index, u8 value)
{
    bench_out(b, index_port, index, 1);
    bench_out(b, index_port + 1, value, 1);
}

void bench_pass(struct bench *b, u64 ns)
{
    u64 end = clock_ticks(&b->clk) + ns;

    for (;;) {
        u64 next = clock_next_deadline(&b->clk);

        if (next > end)
            break;
        clock_skip_to(&b->clk, next);
        clock_fire_due(&b->clk);
    }
    clock_skip_to(&b->clk, end);
}

/* ---- the disk ---- */

static u8 *place(struct bench_disk *d, u64 lba, u32 n)
{
    ASSERT(lba < d->dev.nr_sectors && n <= d->dev.nr_sectors - lba);
    return d->sectors + lba * SECTOR_SIZE;
}

static int disk_read(void *h, u64 lba, u32 n, void *dst)
{
    struct bench_disk *d = h;

    memcpy(dst, place(d, lba, n), (size_t)n * SECTOR_SIZE);
    return d->fail;
}

static int disk_write(void *h, u64 lba, u32 n, const void *src)
{
    struct bench_disk *d = h;
    u8 *p = place(d, lba, n);

    ASSERT(!d->dev.readonly);
    if (!d->fail)
        memcpy(p, src, (size_t)n * SECTOR_SIZE);
    return d->fail;
}

static int disk_flush(void *h)
{
    struct bench_disk *d = h;

    d->nr_flushes++;
    return d->fail;
}

void bench_disk_init(struct bench_disk *d, u64 nr_sectors)
{
    *d = (struct bench_disk){ .dev = { .read = disk_read, .write = disk_write, .flush = disk_flush,
                                       .nr_sectors = nr_sectors, .h = d } };
    d->sectors = calloc(nr_sectors, SECTOR_SIZE);
    ASSERT(d->sectors);
    for (u64 i = 0; i < nr_sectors; i++) /* each sector starts with its own number */
        store_le(d->sectors + i * SECTOR_SIZE, i, 8);
}

void bench_disk_fini(struct bench_disk *d)
{
    free(d->sectors);
}
