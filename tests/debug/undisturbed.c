/*
 * A debugger does not change what it looks at: the state hash after N instructions of a boot is
 * the same with any number of breakpoints, watchpoints, steps and stops on the way.
 *
 *     undisturbed SPARK.bin VGABIOS.bin DISK.img [SEED [INSTRUCTIONS]]
 */
#include "machine/debug.h"
#include "tests/boot_rig.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static u64 rng;

static u64 below(u64 n)
{
    return random_below(&rng, n);
}

/* Up to an instruction count; returns why it stopped before, or MACHINE_SLICE_DONE there. */
static enum machine_stop run(struct boot_rig *r, u64 icount)
{
    enum machine_stop stop;

    do {
        struct machine_limit limit = {UINT64_MAX, icount, false, -1};

        stop = machine_run(r->m, &limit);
    } while (stop == MACHINE_RESET);
    return stop;
}

static struct debug_point random_point(struct boot_rig *r)
{
    static const u8 access[] = {DEBUG_EXEC, DEBUG_EXEC, DEBUG_WRITE, DEBUG_READ,
                                DEBUG_READ | DEBUG_WRITE};
    struct debug_point p = {.access = access[below(ARRAY_LEN(access))], .len = 1};

    if (p.access & DEBUG_EXEC) { /* near the present instruction: likely to be met */
        p.lin = machine_reg(r->m, DR_PC) + below(64);
    } else {
        p.lin = machine_reg(r->m, DR_SS_BASE) + machine_reg(r->m, DR_RSP) - 32 + below(64);
        p.len = 1 + below(16);
    }
    return p;
}

static u64 nr_stops[4];

/* Goes on from one stop after the other until the count is reached. */
static void run_disturbed(struct boot_rig *r, u64 icount)
{
    u64 stops = 0;

    while (machine_icount(r->m) < icount) {
        u64 until = machine_icount(r->m) + 1 + below(20000);
        enum machine_stop stop;

        if (below(4) == 0)
            machine_debug_clear(r->m);
        for (u64 n = below(3); n; n--) {
            struct debug_point p = random_point(r);

            machine_debug_insert(r->m, &p);
        }
        machine_debug_resume(r->m, below(3) == 0);
        while ((stop = run(r, until < icount ? until : icount)) == MACHINE_DEBUG) {
            nr_stops[machine_debug_hit(r->m).why]++;
            if (++stops % 50 == 0) /* a loop full of points: leave it */
                machine_debug_clear(r->m);
            machine_debug_resume(r->m, below(2));
        }
        if (stop != MACHINE_SLICE_DONE) {
            fprintf(stderr, "undisturbed: the machine stopped with %d\n", stop);
            exit(1);
        }
    }
    machine_debug_clear(r->m);
}

int main(int argc, char **argv)
{
    u64 seed = argc > 4 ? strtoull(argv[4], NULL, 0) : 1;
    u64 icount = argc > 5 ? strtoull(argv[5], NULL, 0) : 20000000, expected, got;
    struct machine_config cfg = {0};
    struct boot_rig r;

    if (argc < 4) {
        fprintf(stderr, "usage: undisturbed BIOS VGABIOS DISK [SEED [INSTRUCTIONS]]\n");
        return 2;
    }
    machine_config_defaults(&cfg);
    cfg.ram_bytes = 64 << 20;
    boot_rig_start(&r, argv + 1, &cfg);
    run(&r, icount);
    expected = machine_state_hash(r.m);
    boot_rig_end(&r);

    rng = random_state(seed);
    boot_rig_start(&r, argv + 1, &cfg);
    run_disturbed(&r, icount);
    got = machine_state_hash(r.m);
    boot_rig_end(&r);

    printf("%" PRIu64 " breakpoints, %" PRIu64 " watchpoints, %" PRIu64 " steps: %016" PRIx64
           ", undisturbed %016" PRIx64 "\n",
           nr_stops[DEBUG_BREAK], nr_stops[DEBUG_WATCH], nr_stops[DEBUG_STEP], got, expected);
    if (nr_stops[DEBUG_BREAK] < 100 || nr_stops[DEBUG_WATCH] < 100 || nr_stops[DEBUG_STEP] < 100) {
        fprintf(stderr, "undisturbed: too few stops to prove anything\n");
        return 1;
    }
    return got != expected;
}
