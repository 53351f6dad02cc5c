/*
 * Saved machines that somebody has altered: none may harm the host, and each must come to an end.
 *
 * A boot is saved at some points. Each case takes one of the files and alters bytes of sections'
 * contents, with the sums made good again, so that what is altered reaches the loaders; or of the
 * file as it is; or cuts it off. A child process loads it into a fresh machine and, if it is
 * taken, runs that for a while. Signals (a crash, a sanitizer's abort, the alarm) and exit statuses
 * that the child does not give are failures. Meant for a build with -DCMAKE_BUILD_TYPE=Sanitize.
 *
 *     mutants SPARK VGABIOS DISK COUNT SEED [FIRST]
 */
#define _GNU_SOURCE
#include "host/disk.h"
#include "machine/identity.h"
#include "machine/snapshot.h"
#include "machine/snapshot_file.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POINTS = 24, POINT_INSNS = 110000, RUN_INSNS = 300000, SECONDS = 10 };
#define RUN_TICKS 3000000000ull
enum verdict { TAKEN = 10, REFUSED = 11 };

static char dir[] = "/tmp/kiln-mutants-XXXXXX", err[MACHINE_ERR_LEN];

static u64 rnd(u64 *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s * 0x2545f4914f6cdd1dull >> 16;
}

static const char *name(const char *what, unsigned n)
{
    static char text[2][80];
    static unsigned turn;

    snprintf(text[turn ^= 1], sizeof(text[0]), "%s/%s%u", dir, what, n);
    return text[turn];
}

static void die(const char *why)
{
    fprintf(stderr, "mutants: %s\n", why);
    exit(2);
}

static void run(struct machine *m, u64 insns)
{
    struct machine_limit limit = { .max_ticks = machine_ticks(m) + RUN_TICKS,
                                   .max_icount = machine_icount(m) + insns, .until_port = -1 };

    while (machine_run(m, &limit) == MACHINE_RESET)
        ;
}

/* ---- altering ---- */

static u8 odd_byte(u64 *s, u8 old)
{
    switch (rnd(s) % 5) {
    case 0: return 0xff;
    case 1: return 0;
    case 2: return old ^ (u8)(1u << rnd(s) % 8);
    case 3: return (u8)(old + 1);
    default: return (u8)rnd(s);
    }
}

/* Memory is most of a file and least of the trouble; so is what follows a device's registers. */
static bool worth_it(const struct section *s, u64 *r)
{
    return strcmp(s->tag, "memory") ? rnd(r) % 4 == 0 : rnd(r) % 200 == 0;
}

static void alter_section(struct section *s, u8 *copy, u64 *r)
{
    size_t most = strcmp(s->tag, "device") || s->len < 40000 ? s->len : 1500;

    for (unsigned n = 1 + (unsigned)(rnd(r) % 4); n && most; n--) {
        size_t at = rnd(r) % most;

        copy[at] = odd_byte(r, copy[at]);
    }
    if (rnd(r) % 30 == 0 && s->len)
        s->len -= 1 + rnd(r) % (s->len < 16 ? s->len : 16);
    if (rnd(r) % 60 == 0)
        memcpy(s->tag, rnd(r) % 2 ? "device" : "disk", 5);
}

static void alter_sections(const char *from, const char *to, u64 *r)
{
    const u8 *start;
    size_t len;
    struct section s;
    struct section_reader *in = section_reader_open(from, &start, &len, err, sizeof(err));
    struct state_reader head = { .data = start, .len = len };
    struct section_writer *out;
    bool any = false;

    if (!in || identity_check(&head, IDENTITY_STATE, err))
        die(err);
    section_reader_errors(in, err, sizeof(err));
    out = section_writer_open(to, start, head.pos, err, sizeof(err));
    if (!out || section_reader_rewind(in, head.pos))
        die(err);
    while (section_read(in, &s) > 0) {
        u8 *copy = malloc(s.len + 1);

        memcpy(copy, s.data, s.len);
        if (worth_it(&s, r) && (!any || rnd(r) % 4 == 0)) {
            alter_section(&s, copy, r);
            any = true;
        }
        for (unsigned times = rnd(r) % 500 ? 1 : 2 * (rnd(r) % 2); times; times--)
            if (section_write(out, s.tag, copy, s.len))
                die(err);
        free(copy);
    }
    section_reader_close(in);
    if (section_writer_close(out, true))
        die(err);
}

static void alter_file(const char *from, const char *to, u64 *r)
{
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    u8 *bytes = malloc(8 << 20);
    size_t len;

    if (!in || !out || !bytes)
        die("cannot copy a file");
    len = fread(bytes, 1, 8 << 20, in);
    if (rnd(r) % 3 == 0)
        len = rnd(r) % len;
    else
        for (unsigned n = 1 + (unsigned)(rnd(r) % 8); n; n--) {
            size_t at = rnd(r) % (rnd(r) % 2 ? len : 1200);

            bytes[at] = odd_byte(r, bytes[at]);
        }
    fwrite(bytes, 1, len, out);
    fclose(in);
    fclose(out);
    free(bytes);
}

/* ---- cases ---- */

/* In a child: what became of the file. */
static _Noreturn void try(struct machine *m, const char *path)
{
    alarm(SECONDS);
    if (snapshot_load(m, path, err)) {
        if (getenv("SHOW"))
            fprintf(stderr, "%s\n", err);
        _exit(*err ? REFUSED : 1);
    }
    run(m, RUN_INSNS);
    _exit(TAKEN);
}

static int judge(struct machine *m, const char *path)
{
    int status;
    pid_t child = fork();

    if (child < 0)
        die("cannot fork");
    if (child == 0)
        try(m, path);
    if (waitpid(child, &status, 0) < 0)
        die("a child is lost");
    return status;
}

int main(int argc, char **argv)
{
    unsigned taken = 0, refused = 0, failed = 0, first, count;
    struct machine_config cfg = { 0 };
    struct disk_request disk = { .path = argc > 3 ? argv[3] : NULL, .snapshot = true };
    char why[DISK_ERR_LEN];
    struct machine *m;
    struct disk *d;
    FILE *quiet = fopen("/dev/null", "w");

    if (argc < 6 || !quiet || !mkdtemp(dir))
        die("usage: mutants SPARK VGABIOS DISK COUNT SEED [FIRST]");
    count = (unsigned)atoi(argv[4]);
    first = argc > 6 ? (unsigned)atoi(argv[6]) : 0;
    machine_config_defaults(&cfg);
    cfg.ram_bytes = 16 << 20;
    cfg.bios_path = argv[1];
    cfg.vgabios_path = argv[2];
    cfg.log_file = quiet;
    d = disk_open(&disk, quiet, why);
    if (!d)
        die(why);
    cfg.disk[0] = disk_blockdev(d);
    m = machine_create(&cfg, err);
    if (!m)
        die(err);
    for (unsigned i = 0; i < POINTS; i++) {
        run(m, POINT_INSNS);
        if (snapshot_save(m, name("state", i), err))
            die(err);
    }
    machine_destroy(m);
    m = machine_create(&cfg, err);
    if (!m || (freopen("/dev/null", "r", stdin) == NULL))
        die("no second machine");
    for (unsigned i = first; i < first + count; i++) {
        u64 r = ((u64)atoi(argv[5]) << 32 | i) * 0x9e3779b97f4a7c15ull | 1;
        const char *from = name("state", (unsigned)(rnd(&r) % POINTS)), *to = name("altered", 0);
        int status;

        (rnd(&r) % 5 ? alter_sections : alter_file)(from, to, &r);
        status = judge(m, to);
        taken += status == TAKEN << 8;
        refused += status == REFUSED << 8;
        if (status != TAKEN << 8 && status != REFUSED << 8) {
            failed++;
            printf("FAILED: case %u: %s %d\n", i, WIFSIGNALED(status) ? "signal" : "status",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        }
    }
    printf("%u altered states, seed %s: %u refused, %u taken and run, %u failed\n", count, argv[5],
           refused, taken, failed);
    for (unsigned i = 0; i < POINTS; i++)
        unlink(name("state", i));
    unlink(name("altered", 0));
    rmdir(dir);
    machine_destroy(m);
    disk_close(d);
    fclose(quiet);
    return failed || taken < count / 20 || refused < count / 20;
}
