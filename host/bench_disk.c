/*
 * kiln bench DISK --until ...: the disk under both engines, in turns, each from power-on to the same
 * point (options.c has seen that there is one). Writes stay in memory, and HLT does not wait, so each run does the same.
 */
#include "host/bench.h"
#include "host/run_loop.h"
#include "host/session.h"
#include "host/stop_signal.h"
#include <inttypes.h>
#include <time.h>

enum { JIT, INTERP, NR_ENGINES };
enum { STATUS_BAD = 1, STATUS_DIFFERS = 72 };

struct runs {
    const char *name;
    double seconds[BENCH_MAX_RUNS];
    unsigned nr;
    u64 insns, hash;
    int status; /* of the guest */
};

static double cpu_seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* One run. false: it could not begin, or a signal has ended it; that has been said. */
static bool run_once(const struct options *given, struct runs *r, bool *repeats)
{
    struct options o = *given;
    struct session s;
    bool good = false;
    o.engine = r->name;
    if (session_open(&s, &o) == 0) {
        double start = cpu_seconds();
        int status = run_loop(&s);
        double seconds = cpu_seconds() - start;
        u64 insns = machine_icount(s.m), hash = machine_state_hash(s.m);
        if (r->nr && (insns != r->insns || hash != r->hash))
            *repeats = false;
        r->seconds[r->nr++] = seconds;
        r->insns = insns;
        r->hash = hash;
        r->status = status;
        good = !stop_signal_pending();
    }
    session_close(&s);
    return good;
}

static void print(struct runs *r, unsigned nr)
{
    printf("%-8s%16s%10s%10s%9s  %s\n", "engine", "instructions", "seconds", "MIPS", "spread", "state hash");
    for (unsigned i = 0; i < nr; i++, r++) {
        double median = bench_median(r->seconds, r->nr);
        printf("%-8s%16" PRIu64 "%10.3f%10.1f%8.0f%%  %016" PRIx64 "\n", r->name, r->insns, median,
               median > 0 ? (double)r->insns / median / 1e6 : 0, bench_spread(r->seconds, r->nr) * 100, r->hash);
    }
}

int bench_disk(struct options *o)
{
    struct runs runs[NR_ENGINES] = {{.name = "jit"}, {.name = "interp"}};
    struct runs *first = o->bench.engine && !strcmp(o->bench.engine, "interp") ? &runs[INTERP] : &runs[JIT];
    unsigned nr = o->bench.engine ? 1 : NR_ENGINES;
    bool repeats = true;
    for (unsigned i = 0; i < MAX_DISKS; i++)
        o->drive[i].snapshot = true;
    o->real_time = OFF;
    for (unsigned round = 0; round < o->bench.runs; round++) {
        for (unsigned e = 0; e < nr; e++) {
            fprintf(stderr, "kiln bench: round %u of %u, %s\n", round + 1, o->bench.runs, first[e].name);
            if (!run_once(o, &first[e], &repeats))
                return STATUS_BAD;
            if (first[e].status) {
                fprintf(stderr, "kiln: bench: the run under %s has ended with status %d\n", first[e].name,
                        first[e].status);
                return first[e].status;
            }
        }
    }
    print(first, nr);
    if (!repeats)
        printf("\nruns of one engine differ\n");
    if (nr == 1)
        return repeats ? 0 : STATUS_DIFFERS;
    bool equal = runs[JIT].hash == runs[INTERP].hash && runs[JIT].insns == runs[INTERP].insns;
    double times = bench_median(runs[INTERP].seconds, runs[INTERP].nr) / bench_median(runs[JIT].seconds, runs[JIT].nr);
    printf("\ninterp : jit %.2f; states %s\n", times, equal ? "equal" : "differ");
    return equal && repeats ? 0 : STATUS_DIFFERS;
}
