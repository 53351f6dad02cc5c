/*
 * Damaged input logs, in one process: a log of a short run with every kind of event is mutated,
 * most mutants get right sums again, so that what they say is believed, and each is read and
 * replayed for a while. No fault of ours may come of it; and a mutant whose sums are wrong must
 * be refused. With a name alone it gives a file right sums: mutants --resum FILE.
 *
 *     mutants SPARK.bin VGABIOS.bin DISK.img SEED COUNT
 */
#include "core/irq.h"
#include "machine/identity.h"
#include "machine/record.h"
#include "machine/replay.h"
#include "tests/boot_rig.h"
#include "tests/replay/log_sums.h"
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum { RAM_MIB = 4 };

static u64 rng;

static u64 below(u64 n)
{
    return random_below(&rng, n);
}

/* What the guest and the loaders say is not of interest. */
static void start(struct boot_rig *r, char **argv)
{
    static FILE *quiet;
    struct machine_config cfg = {0};

    if (!quiet)
        quiet = fopen("/dev/null", "w");
    machine_config_defaults(&cfg);
    cfg.ram_bytes = RAM_MIB << 20;
    cfg.log_file = quiet;
    boot_rig_start(r, argv + 1, &cfg);
}

static void run_to(struct machine *m, u64 ticks)
{
    while (machine_ticks(m) < ticks)
        if (machine_run(m, &(struct machine_limit){ticks, UINT64_MAX, false, -1}) > MACHINE_RESET)
            return;
}

static struct state_buf record_run(char **argv)
{
    static const char *const args[] = {"-m", "4"};
    struct boot_rig rig;
    struct state_buf log = {0};
    char err[MACHINE_ERR_LEN];
    struct machine *m;
    struct record *r;

    start(&rig, argv);
    m = rig.m;
    r = record_begin(m, &(struct record_setup){args, 2, NULL}, err);
    if (!r)
        exit(1);
    for (u64 t = 1; t <= 30; t++) {
        struct input_log *in = machine_input(m);

        run_to(m, t * 100000);
        input_push(in, INPUT_KEY, (u16)(t + 1), t & 1, 0);
        input_push(in, INPUT_MOUSE, t & 7, (i64)(t * 0x10003 & 0xffffffff), -1);
        input_push(in, INPUT_SERIAL, t & 1, (i64)t, 0);
        if (t % 10 == 0)
            machine_reset(m);
        if (t % 5 == 0)
            record_cut(r);
    }
    record_end(r, 3);
    state_put(&log, record_bytes(r)->data, record_bytes(r)->len);
    record_free(r);
    boot_rig_end(&rig);
    return log;
}

static size_t mutate(u8 *p, size_t len, size_t cap)
{
    size_t head = log_head_length(p, len);

    for (u64 n = 1 + below(3) * !below(3); n; n--) {
        size_t at = below(8) ? head + below(len - head) : below(len), run = 1 + below(12);

        run = run < len - at ? run : len - at;
        switch (below(12)) {
        case 0: p[at] ^= (u8)(1u << below(8)); break;
        case 1: p[at] = (u8)below(256); break;
        case 2: memset(p + at, below(2) ? 0xff : 0, run); break;
        case 3: /* cut out */
            memmove(p + at, p + at + run, len - at - run);
            len -= run;
            break;
        case 4: /* repeat */
            if (len + run <= cap) {
                memmove(p + at + run, p + at, len - at);
                len += run;
            }
            break;
        default: p[at] = (u8)(p[at] + below(5) - 2); break;
        case 6: len = below(6) ? len : at; break;
        }
        if (len <= head + 32)
            break;
    }
    return len;
}

static int resum_file(const char *path)
{
    FILE *f = fopen(path, "r+b");
    static u8 bytes[1 << 20];
    size_t len = f ? fread(bytes, 1, sizeof(bytes), f) : 0;

    if (!len)
        return 1;
    log_set_sums(bytes, len);
    rewind(f);
    return fwrite(bytes, 1, len, f) != len || fclose(f);
}

int main(int argc, char **argv)
{
    u64 count, refused = 0, other = 0, diverged = 0, done = 0, cut = 0, slowest = 0;
    struct state_buf log;

    if (argc == 3 && !strcmp(argv[1], "--resum"))
        return resum_file(argv[2]);
    if (argc < 6) {
        fprintf(stderr, "usage: mutants BIOS VGABIOS DISK SEED COUNT\n");
        return 2;
    }
    rng = random_state(strtoull(argv[4], NULL, 0));
    count = strtoull(argv[5], NULL, 0);
    log = record_run(argv);
    for (u64 i = 0; i <= count; i++) { /* the first as it is */
        size_t cap = log.len + 256, len = log.len;
        u8 *bytes = malloc(cap);
        char err[MACHINE_ERR_LEN];
        bool fixed = below(8);
        struct timespec from, to;
        struct replay *r;

        clock_gettime(CLOCK_MONOTONIC, &from);
        memcpy(bytes, log.data, log.len);
        if (i)
            len = mutate(bytes, len, cap);
        if (fixed)
            log_set_sums(bytes, len);
        bytes = realloc(bytes, len ? len : 1); /* so that a read behind its end is seen */
        r = replay_read(bytes, len, below(2), err);
        if (r && !fixed && i && !replay_is_partial(r) &&
            (len != log.len || memcmp(bytes, log.data, len))) {
            printf("FAILED: case %" PRIu64 ": a wrong sum is believed\n", i);
            return 1;
        }
        if (!r) {
            refused++;
            if (!*err) {
                printf("FAILED: case %" PRIu64 ": refused without a reason\n", i);
                return 1;
            }
        } else {
            struct boot_rig rig;
            struct machine *m;
            enum replay_state state = REPLAY_GOES_ON;

            start(&rig, argv);
            m = rig.m;
            if (replay_begin(r, m, err)) {
                other++;
            } else {
                enum machine_stop stop = MACHINE_SLICE_DONE;

                while ((state = replay_step(r, m, stop)) == REPLAY_GOES_ON &&
                       machine_icount(m) < 4000000) {
                    u64 until = replay_next_tick(r);

                    stop = machine_run(m, &(struct machine_limit){until, 4000000, false, -1});
                }
                diverged += state == REPLAY_DIVERGED;
                done += state == REPLAY_DONE;
                cut += state == REPLAY_GOES_ON;
            }
            if (i == 0 && state != REPLAY_DONE) {
                printf("FAILED: the log itself does not replay: %s%s\n", err, replay_trouble(r));
                return 1;
            }
            boot_rig_end(&rig);
        }
        replay_free(r);
        free(bytes);
        clock_gettime(CLOCK_MONOTONIC, &to);
        u64 ms = (u64)((to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
        slowest = ms > slowest ? ms : slowest;
    }
    printf("%" PRIu64 " mutants: %" PRIu64 " refused, %" PRIu64 " of another machine, %" PRIu64
           " diverged, %" PRIu64 " replayed, %" PRIu64 " ended by the test; the slowest took %"
           PRIu64 " ms\n", count, refused, other, diverged, done - 1, cut, slowest);
    free(log.data);
    return refused < count / 10 || diverged < count / 50;
}
