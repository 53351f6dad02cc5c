/*
 * kiln bench DISK --until ...: the disk under both engines, in turns, each from power-on to the same
 * point (options.c has seen that there is one). Writes stay in memory, and HLT does not wait, so each run does the same.
 *
 * For --sym and --html one more round looks: who ran the instructions, and in which functions the time goes.
 * It is not among the times, and must come to the same state as the others.
 */
#include "host/bench_disk.h"
#include "host/bench.h"
#include "host/run_loop.h"
#include "host/session.h"
#include "host/stop_signal.h"
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum { STATUS_BAD = 1, STATUS_DIFFERS = 72 };

static double cpu_seconds(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

double bench_disk_seconds(const struct bench_disk_runs *r)
{
    return bench_median(r->seconds, r->nr);
}

double bench_disk_mips(const struct bench_disk_runs *r)
{
    double seconds = bench_disk_seconds(r);
    return seconds > 0 ? (double)r->insns / seconds / 1e6 : 0;
}

/* ---- the round that looks ---- */

struct look {
    struct interpreted interpreted;
    struct tiers *tiers;
    struct profile *profile; /* NULL: no --sym */
    double start;
};

/* Between two slices. */
static void look_on(void *h, struct machine *m)
{
    struct look *l = h;
    struct tier_counts now = {machine_icount(m), l->interpreted.insns, cpu_seconds() - l->start};
    tiers_visit(l->tiers, machine_ticks(m), &now);
    if (l->profile)
        profile_collect(l->profile);
}

/* ---- runs ---- */

/* What run_once() is to do beside running. */
struct task {
    struct bench_disk_results *b;
    struct bench_disk_runs *r;
    bool looks;
};

static bool begin_look(struct look *l, struct session *s, const struct task *t)
{
    char err[MACHINE_ERR_LEN];
    t->r->tiers = (struct tiers){0};
    l->tiers = &t->r->tiers;
    s->between = look_on;
    s->between_h = l;
    if (t->b->o->nr_symbol_files && !(l->profile = profile_create(s->m, err))) {
        fprintf(stderr, "kiln: bench: %s\n", err);
        return false;
    }
    return true;
}

static void keep(const struct task *t, struct session *s, struct look *l, double seconds)
{
    struct bench_disk_runs *r = t->r;
    u64 insns = machine_icount(s->m), hash = machine_state_hash(s->m);
    if ((r->nr || r->looked) && (insns != r->insns || hash != r->hash))
        t->b->repeats = false;
    r->insns = insns;
    r->hash = hash;
    r->guest_seconds = (double)machine_now_ns(s->m) / 1e9;
    if (!t->looks) {
        r->seconds[r->nr++] = seconds;
        return;
    }
    r->looked = true;
    r->look_seconds = seconds;
    r->interpreted = l->interpreted.insns;
    if (l->profile)
        function_times_add(&t->b->functions, (enum bench_place)(r - t->b->runs), l->profile, seconds);
}

/* One run. false: it could not begin, or a signal has ended it; that has been said. */
static bool run_once(const struct task *t)
{
    struct options o = *t->b->o;
    struct look look = {0};
    struct session s;
    bool good = false;
    o.engine = t->r->name;
    if (t->looks)
        o.engine_options.interpreted = &look.interpreted;
    if (session_open(&s, &o) == 0 && (!t->looks || begin_look(&look, &s, t))) {
        look.start = cpu_seconds();
        t->r->status = run_loop(&s);
        double seconds = cpu_seconds() - look.start;
        if (look.profile)
            profile_stop(look.profile);
        keep(t, &s, &look, seconds);
        good = !stop_signal_pending();
    }
    profile_destroy(look.profile);
    session_close(&s);
    return good;
}

/* A round of the engines that were asked for. Returns the status: 0, or what has ended it. */
static int run_round(struct bench_disk_results *b, bool looks, const char *which)
{
    for (unsigned e = 0; e < NR_ENGINES; e++) {
        const struct task t = {b, &b->runs[e], looks};
        if (!bench_runs_in(b->o, e))
            continue;
        fprintf(stderr, "kiln bench: %s, %s\n", which, t.r->name);
        if (!run_once(&t))
            return STATUS_BAD;
        if (t.r->status) {
            fprintf(stderr, "kiln: bench: the run under %s has ended with status %d\n", t.r->name, t.r->status);
            return t.r->status;
        }
    }
    return 0;
}

static int run_all(struct bench_disk_results *b)
{
    char which[48];
    for (unsigned round = 0; round < b->o->bench.runs; round++) {
        snprintf(which, sizeof(which), "round %u of %u", round + 1, b->o->bench.runs);
        int status = run_round(b, false, which);
        if (status)
            return status;
    }
    if (b->o->bench.html || b->o->nr_symbol_files)
        return run_round(b, true, "a round that looks");
    return 0;
}

/* ---- the report ---- */

static void print(const struct bench_disk_results *b)
{
    printf("%-8s%16s%10s%10s%9s  %s\n", "engine", "instructions", "seconds", "MIPS", "spread", "state hash");
    for (unsigned e = 0; e < NR_ENGINES; e++) {
        const struct bench_disk_runs *r = &b->runs[e];
        if (r->nr)
            printf("%-8s%16" PRIu64 "%10.3f%10.1f%8.0f%%  %016" PRIx64 "\n", r->name, r->insns, bench_disk_seconds(r),
                   bench_disk_mips(r), bench_spread(r->seconds, r->nr) * 100, r->hash);
    }
    for (unsigned e = 0; e < NR_ENGINES; e++) {
        const struct bench_disk_runs *r = &b->runs[e];
        if (r->looked && r->insns)
            printf("%s%s: %.2f%% of the instructions interpreted, the rest in translated code\n", e ? "" : "\n", r->name,
                   100 * (double)r->interpreted / (double)r->insns);
    }
    if (b->o->nr_symbol_files)
        function_times_print(&b->functions);
}

static int report(struct bench_disk_results *b, struct html_page *page)
{
    const struct bench_disk_runs *jit = &b->runs[PLACE_JIT], *interp = &b->runs[PLACE_INTERP];
    char err[MACHINE_ERR_LEN];
    b->equal = jit->hash == interp->hash && jit->insns == interp->insns;
    function_times_sort(&b->functions);
    print(b);
    if (!b->repeats)
        printf("\nruns of one engine differ\n");
    if (jit->nr && interp->nr)
        printf("\ninterp : jit %.2f; states %s\n", bench_disk_seconds(interp) / bench_disk_seconds(jit), b->equal ? "equal" : "differ");
    else
        b->equal = true;
    if (page->f && !bench_disk_html(b, page, err, sizeof(err))) {
        fprintf(stderr, "kiln: --html: %s\n", err);
        return STATUS_BAD;
    }
    return b->equal && b->repeats ? 0 : STATUS_DIFFERS;
}

int bench_disk(struct options *o, struct html_page *page)
{
    struct bench_disk_results *b = calloc(1, sizeof(*b));
    int status;
    if (!b)
        abort();
    *b = (struct bench_disk_results){.o = o, .repeats = true,
                                     .runs = {[PLACE_JIT] = {.name = "jit"}, [PLACE_INTERP] = {.name = "interp"}}};
    for (unsigned i = 0; i < MAX_DISKS; i++)
        o->drive[i].snapshot = true;
    o->real_time = OFF;
    status = run_all(b);
    if (!status)
        status = report(b, page);
    function_times_free(&b->functions);
    free(b);
    return status;
}
