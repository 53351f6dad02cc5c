/*
 * See bench_guest.h. The disk is the image in memory; the debug console's bytes come here one by one,
 * out of the middle of the guest's OUT, so the stamps are exact. Between kernels the machine stops at the
 * guest's write of port 80h, which the BIOS writes, too: what counts is what the console has said.
 */
#include "host/bench_guest.h"
#include "host/data_files.h"
#include "host/host_clock.h"
#include "host/stop_signal.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
    STEP_PORT = 0x80,
    SLICE_TICKS = 20 * 1000 * 1000, /* between looks at signals */
    MIN_RAM = 128 << 20,
};

struct bench_guest {
    struct machine *m;
    u8 *disk;
    u64 disk_len;
    struct blockdev blockdev;
    struct chardev console;
    char *bios, *vgabios;

    char line[256]; /* what the guest says, as far as it has come */
    unsigned len;
    u64 start_cpu, start_wall, start_icount; /* at the last B line */
    u64 end_cpu, end_wall, end_icount;       /* at the last E */
    bool heard;                              /* something to tell the caller: */
    enum bench_step step;
    struct bench_sample sample;
    char words[256]; /* of BENCH_FAILED */
};

/* ---- the disk ---- */

static int disk_read(void *h, u64 lba, u32 nr_sectors, void *dst)
{
    struct bench_guest *g = h;
    memcpy(dst, g->disk + lba * SECTOR_SIZE, (size_t)nr_sectors * SECTOR_SIZE);
    return 0;
}

static int disk_write(void *h, u64 lba, u32 nr_sectors, const void *src)
{
    (void)h, (void)lba, (void)nr_sectors, (void)src;
    return -EROFS;
}

static int disk_flush(void *h)
{
    (void)h;
    return 0;
}

/* ---- the console ---- */

static u64 cpu_now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (u64)ts.tv_sec * 1000000000ull + (u64)ts.tv_nsec;
}

static void line_ended(struct bench_guest *g)
{
    struct bench_sample *s = &g->sample;
    u64 v;
    if (sscanf(g->line, "B %23s %" SCNu64, s->name, &v) == 2) {
        g->start_icount = machine_icount(g->m);
        g->start_wall = host_now_ns();
        g->start_cpu = cpu_now_ns();
    } else if (sscanf(g->line, "E %23s %" SCNx64, s->name, &s->checksum) == 2) {
        s->cpu_ns = g->end_cpu - g->start_cpu;
        s->wall_ns = g->end_wall - g->start_wall;
        s->insns = g->end_icount - g->start_icount;
        g->step = BENCH_RAN;
        g->heard = true;
    } else if (sscanf(g->line, "S %23s", s->name) == 1) {
        g->step = BENCH_LEFT_OUT;
        g->heard = true;
    } else if (!strcmp(g->line, "END")) {
        g->step = BENCH_END;
        g->heard = true;
    } else if (g->line[0] == '!') {
        snprintf(g->words, sizeof(g->words), "the guest has ended: %.200s", g->line + 1);
        g->step = BENCH_FAILED;
        g->heard = true;
    }
}

static void console_put(void *h, u8 byte)
{
    struct bench_guest *g = h;
    if (g->len == 0 && byte == 'E') {
        g->end_cpu = cpu_now_ns();
        g->end_wall = host_now_ns();
        g->end_icount = machine_icount(g->m);
    }
    if (byte != '\n') {
        if (g->len + 1 < sizeof(g->line))
            g->line[g->len++] = (char)byte;
        return;
    }
    g->line[g->len] = 0;
    g->len = 0;
    line_ended(g);
}

/* ---- the machine ---- */

static char *firmware(const char *wanted, const char *name, const char *data_dir, char *err)
{
    return wanted ? strdup(wanted) : data_file_find(name, data_dir, err, MACHINE_ERR_LEN);
}

struct bench_guest *bench_guest_open(const struct options *o, const char *engine,
                                     const struct bench_image *im, const u64 *iterations, u32 rounds,
                                     char err[MACHINE_ERR_LEN])
{
    struct machine_config cfg = {0};
    struct bench_guest *g = calloc(1, sizeof(*g));
    if (!g)
        abort();
    g->disk = bench_image_with(im, iterations, rounds);
    g->disk_len = im->len;
    g->blockdev = (struct blockdev){.read = disk_read,
                                    .write = disk_write,
                                    .flush = disk_flush,
                                    .nr_sectors = im->len / SECTOR_SIZE,
                                    .h = g};
    g->console = (struct chardev){console_put, g};
    machine_config_defaults(&cfg);
    g->bios = firmware(o->bios, "spark.bin", o->data_dir, err);
    g->vgabios = g->bios ? firmware(o->vgabios, "vgabios.bin", o->data_dir, err) : NULL;
    cfg.bios_path = g->bios;
    cfg.vgabios_path = g->vgabios;
    cfg.ram_bytes = o->ram_bytes > MIN_RAM ? o->ram_bytes : MIN_RAM;
    cfg.processor = o->processor;
    cfg.seed = o->seed;
    cfg.engine = engine;
    cfg.engine_options = o->engine_options;
    cfg.tlb_capacity = o->tlb_capacity;
    cfg.disk[DISK_IDE] = &g->blockdev;
    cfg.debugcon = &g->console;
    cfg.log_mask = o->log_mask;
    cfg.trace_events = o->trace_events;
    if (g->vgabios)
        g->m = machine_create(&cfg, err);
    if (g->m)
        return g;
    bench_guest_close(g);
    return NULL;
}

void bench_guest_close(struct bench_guest *g)
{
    if (!g)
        return;
    if (g->m)
        machine_destroy(g->m);
    free(g->disk);
    free(g->bios);
    free(g->vgabios);
    free(g);
}

static const char *stop_words(enum machine_stop stop)
{
    switch (stop) {
    case MACHINE_POWER_OFF: return "the guest has powered off";
    case MACHINE_RESET: return "the guest has reset the machine";
    case MACHINE_TRIPLE_FAULT: return "triple fault";
    case MACHINE_HALTED: return "the guest has halted; it could not read its disk";
    case MACHINE_ERROR: return "internal fault";
    default: return "the machine has stopped";
    }
}

enum bench_step bench_guest_next(struct bench_guest *g, struct bench_sample *sample, u64 until_ns,
                                 char err[MACHINE_ERR_LEN])
{
    g->heard = false;
    while (!g->heard) {
        struct machine_limit limit = {.max_ticks = machine_ticks(g->m) + SLICE_TICKS,
                                      .max_icount = UINT64_MAX,
                                      .until_port = STEP_PORT};
        enum machine_stop stop = machine_run(g->m, &limit);
        if (stop_signal_pending() || host_now_ns() >= until_ns)
            return BENCH_STOPPED;
        if (!g->heard && stop != MACHINE_SLICE_DONE && stop != MACHINE_BREAK) {
            snprintf(err, MACHINE_ERR_LEN, "%s", stop_words(stop));
            return BENCH_FAILED;
        }
    }
    if (g->step == BENCH_FAILED)
        snprintf(err, MACHINE_ERR_LEN, "%s", g->words);
    *sample = g->sample;
    return g->step;
}

u64 bench_guest_hash(struct bench_guest *g)
{
    return machine_state_hash(g->m);
}

void bench_guest_stats(struct bench_guest *g, FILE *f)
{
    machine_print_stats(g->m, f, 0);
}
