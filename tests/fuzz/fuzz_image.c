/*
 * Mutated disk images in a machine: opened as the command line does, read by Spark, started if
 * Spark finds them fit, run for a while. Nothing on a disk may harm the host or the image under
 * -snapshot, and Spark comes to a decision: a sector without 55 AA is not started, and the screen
 * says so.
 *
 * --only DIR: where spark.bin, vgabios.bin and guestos/prompt.img are. An input is flags and edits of
 * prompt.img: area, offset, number of bytes, bytes.
 */
#include "cpu/cpu.h"
#include "host/disk.h"
#include "machine/machine.h"
#include "tests/fuzz/fuzz.h"
#include <sys/stat.h>
#include <unistd.h>

enum { CAP = 512, TO_PROMPT = 2000000, TO_DECISION = 12000000, EDIT_HEAD = 5 };
enum { SLICE = 100000 /* ticks */, MOST_SLICES = 400, MOST_EVENTS = 300000 };
enum flag { SNAPSHOT = 1, READONLY = 2, SECOND = 4 };
enum area { TABLE, MBR, START, FILE_SYSTEM, ANYWHERE, CUT, NR_AREAS };

static char spark[4096], vgabios[4096];
static u8 *image, *now;
static size_t image_len;

static void open_images(const char *only)
{
    char path[4096];
    FILE *f;
    struct stat st;

    if (!only) {
        fprintf(stderr, "--only DIR says where spark.bin, vgabios.bin and guestos/prompt.img are\n");
        exit(2);
    }
    snprintf(spark, sizeof(spark), "%s/spark.bin", only);
    snprintf(vgabios, sizeof(vgabios), "%s/vgabios.bin", only);
    snprintf(path, sizeof(path), "%s/guestos/prompt.img", only);
    f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &st)) {
        fprintf(stderr, "cannot open %s\n", path);
        exit(2);
    }
    image_len = (size_t)st.st_size;
    image = malloc(image_len);
    now = malloc(image_len);
    ASSERT(image && now && fread(image, 1, image_len, f) == image_len);
    fclose(f);
}

/* Where the first partition begins (MBR, bytes 454 to 457), if that is within the image. */
static size_t partition(void)
{
    size_t at = load_le(image + 454, 4) * SECTOR_SIZE;

    return at < image_len ? at : 0;
}

/* Applies the edits to `now`; returns its length. */
static size_t edit(const u8 *p, size_t len)
{
    size_t size = image_len;

    memcpy(now, image, image_len);
    while (len >= EDIT_HEAD) {
        size_t off = load_le(p + 1, 3), n = p[4] % 16 + 1;

        n = n < len - EDIT_HEAD ? n : len - EDIT_HEAD;
        switch (p[0] % NR_AREAS) {
        case TABLE: off = 446 + off % 66; break;
        case MBR: off %= 512; break;
        case START: off %= 64 * SECTOR_SIZE; break;
        case FILE_SYSTEM: off = partition() + off % 16384; break;
        case CUT: size = 1 + off % image_len; break;
        default: off %= image_len; break;
        }
        if (p[0] % NR_AREAS != CUT && off + n <= image_len)
            memcpy(now + off, p + EDIT_HEAD, n);
        p += EDIT_HEAD + n;
        len -= EDIT_HEAD + n;
    }
    return size;
}

/* To icount, or until the guest has used up what it gets: a storm of faults retires nothing, and a
 * repeated string instruction is one instruction however long it is. Halted time costs nothing. */
static void run_to(struct machine *m, u64 icount)
{
    struct machine_limit limit = { 0, icount, false, -1 };
    const struct cpu *c = machine_cpu(m);
    enum machine_stop stop;
    u64 busy = 0;

    do {
        limit.max_ticks = machine_ticks(m) + SLICE;
        stop = machine_run(m, &limit);
        busy += !c->halted;
    } while ((stop == MACHINE_SLICE_DONE || stop == MACHINE_RESET) && machine_icount(m) < icount &&
             busy < MOST_SLICES && c->nr_events < MOST_EVENTS);
}

static void decide(struct machine *m, bool fit)
{
    static char text[65536];

    run_to(m, TO_PROMPT);
    machine_screen_text(m, text, sizeof(text));
    if (fit)
        return;
    for (u64 at = TO_PROMPT; at < TO_DECISION && !strstr(text, "55 AA"); at += TO_PROMPT) {
        run_to(m, at);
        machine_screen_text(m, text, sizeof(text));
    }
    FUZZ_CHECK(strstr(text, "nothing to boot from") && strstr(text, "not in 55 AA"));
}

static u64 run(const u8 *bytes, size_t len)
{
    struct machine_config cfg = { 0 };
    char err[DISK_ERR_LEN] = "";
    struct disk_request r = { .boots = true };
    struct fuzz_file f;
    struct machine *m;
    struct disk *d;
    size_t size;
    u64 done = 0;

    if (len < 1)
        return 0;
    stderr = fuzz_quiet();
    size = edit(bytes + 1, len - 1);
    f = fuzz_file(now, size);
    r.path = f.path;
    r.snapshot = bytes[0] & SNAPSHOT;
    r.readonly = bytes[0] & READONLY;
    d = disk_open(&r, fuzz_quiet(), err);
    FUZZ_CHECK(d || strlen(err) > 10);
    if (d) {
        machine_config_defaults(&cfg);
        cfg.ram_bytes = 8 << 20;
        cfg.bios_path = spark;
        cfg.vgabios_path = vgabios;
        cfg.log_file = fuzz_quiet();
        cfg.disk[bytes[0] & SECOND ? 2 : 0] = disk_blockdev(d);
        m = machine_create(&cfg, err);
        ASSERT(m);
        decide(m, size >= SECTOR_SIZE && now[510] == 0x55 && now[511] == 0xaa);
        done = machine_icount(m);
        machine_destroy(m);
    }
    disk_close(d);
    if (r.snapshot || r.readonly) {
        u8 *after = malloc(size);

        ASSERT(after && pread(f.fd, after, size, 0) == (ssize_t)size);
        FUZZ_CHECK(!memcmp(after, now, size));
        free(after);
    }
    fuzz_file_close(&f);
    return done;
}

static size_t make(u64 *rng, u8 *out)
{
    static const u8 areas[] = { TABLE, TABLE, TABLE, MBR, START, FILE_SYSTEM, FILE_SYSTEM, ANYWHERE, CUT };
    size_t len = 1;

    out[0] = (u8)fuzz_below(rng, 8);
    for (unsigned n = 1 + fuzz_below(rng, 4); n; n--) {
        fuzz_fill(rng, out + len, EDIT_HEAD + 16);
        out[len] = areas[fuzz_below(rng, sizeof(areas) - (fuzz_below(rng, 4) != 0))];
        if (fuzz_below(rng, 2)) /* a field of zeros or ones */
            memset(out + len + EDIT_HEAD, fuzz_below(rng, 2) ? 0xff : 0, 16);
        len += EDIT_HEAD + out[len + 4] % 16 + 1;
    }
    return len;
}

const struct fuzz_target fuzz_target = { "image", "instructions", CAP, open_images, run, make };
