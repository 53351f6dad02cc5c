/*
 * kiln bench. First the benchmark image runs in two machines, one of each engine, with the same small
 * counts; after each kernel its checksum is compared with the host's and the machines' states with each
 * other. Then for time: in each round each kernel runs under each engine and on the host, one right after
 * the other, so that a change of the host's speed meets all three. Ratios are taken within a round; the
 * medians of the rounds are printed. Seconds are processor time.
 */
#include "host/bench.h"
#include "host/bench_native.h"
#include "host/data_files.h"
#include "host/host_clock.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { PLACE_JIT, PLACE_INTERP, PLACE_NATIVE, NR_PLACES };
enum { NR_ENGINES = PLACE_NATIVE };
enum { STATUS_BAD = 1, STATUS_DIFFERS = 72, STATUS_TIMEOUT = 124 };

/* The interpreter gets a part of the iterations: it would need minutes for all. */
enum { INTERP_PART = 8 };

static const char *const engine_names[NR_ENGINES] = {"jit", "interp"};

struct row {
    bool wanted, left_out;
    const char *verdict; /* of the comparison */
    unsigned nr[NR_PLACES];
    double seconds[NR_PLACES][BENCH_MAX_RUNS]; /* of an iteration */
    double insns[NR_ENGINES];                  /* of an iteration */
};

struct bench {
    struct options *o;
    struct bench_image *image;
    struct bench_native *native; /* NULL: not there */
    struct bench_guest *guest[NR_ENGINES];
    struct row row[BENCH_KERNELS];
    u64 iterations[NR_PLACES][BENCH_KERNELS];
    u64 deadline;
    bool differs;
    int status;
    char err[MACHINE_ERR_LEN];
};

/* ---- what is to be run ---- */

static bool item_is(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = list; p; p = strchr(p, ',')) {
        p += *p == ',';
        if (!strncmp(p, word, len) && (p[len] == ',' || !p[len]))
            return true;
    }
    return false;
}

/* The kernels of --kernels, by name or group; every item must be one. */
static bool select_kernels(struct bench *b)
{
    const char *list = b->o->bench.kernels;
    unsigned nr_items = 0;
    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        const struct bench_kernel *k = &b->image->kernel[i];
        b->row[i].wanted = !list || item_is(list, k->name) || item_is(list, k->group);
    }
    for (const char *p = list; p && *p; nr_items++) {
        char word[64];
        size_t n = strcspn(p, ",");
        bool known = false;
        snprintf(word, sizeof(word), "%.*s", (int)n, p);
        for (unsigned i = 0; i < b->image->nr_kernels; i++)
            known |= !strcmp(word, b->image->kernel[i].name) || !strcmp(word, b->image->kernel[i].group);
        if (!known) {
            fprintf(stderr, "kiln: --kernels: no kernel or group '%s'; there are", word);
            for (unsigned i = 0; i < b->image->nr_kernels; i++)
                fprintf(stderr, " %s", b->image->kernel[i].name);
            fputc('\n', stderr);
            return false;
        }
        p += n + (p[n] == ',');
    }
    return true;
}

static void set_counts(struct bench *b, double ms, unsigned interp_part)
{
    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        u64 n = (u64)((double)b->image->kernel[i].millisecond * ms), part;
        n = n ? n : 1;
        part = n / interp_part ? n / interp_part : 1;
        for (unsigned p = 0; p < NR_PLACES; p++)
            b->iterations[p][i] = !b->row[i].wanted ? 0 : p == PLACE_INTERP ? part : n;
    }
}

static bool runs_in(const struct bench *b, unsigned engine)
{
    return !b->o->bench.engine || !strcmp(b->o->bench.engine, engine_names[engine]);
}

/* ---- machines ---- */

static bool open_guests(struct bench *b, u32 rounds)
{
    for (unsigned e = 0; e < NR_ENGINES; e++) {
        if (!runs_in(b, e))
            continue;
        b->guest[e] = bench_guest_open(b->o, engine_names[e], b->image, b->iterations[e], rounds, b->err);
        if (!b->guest[e]) {
            fprintf(stderr, "kiln: %s\n", b->err);
            b->status = STATUS_BAD;
            return false;
        }
    }
    return true;
}

static void close_guests(struct bench *b)
{
    for (unsigned e = 0; e < NR_ENGINES; e++) {
        if (b->guest[e] && b->o->stats && !b->status)
            bench_guest_stats(b->guest[e], stderr);
        bench_guest_close(b->guest[e]);
        b->guest[e] = NULL;
    }
}

/* The next kernel of one machine; it is row i. false: the end of the whole run, which has been said. */
static bool step_guest(struct bench *b, unsigned engine, unsigned i, struct bench_sample *s)
{
    const char *name = b->image->kernel[i].name;
    switch (bench_guest_next(b->guest[engine], s, b->deadline, b->err)) {
    case BENCH_RAN: break;
    case BENCH_LEFT_OUT: b->row[i].left_out = true; break;
    case BENCH_STOPPED:
        fprintf(stderr, "kiln: stopped in %s under %s\n", name, engine_names[engine]);
        b->status = host_now_ns() >= b->deadline ? STATUS_TIMEOUT : STATUS_BAD;
        return false;
    case BENCH_END: snprintf(b->err, sizeof(b->err), "the guest has ended too early"); /* fall through */
    case BENCH_FAILED:
        fprintf(stderr, "kiln: %s under %s: %s\n", name, engine_names[engine], b->err);
        b->status = STATUS_DIFFERS;
        return false;
    }
    if (!strcmp(s->name, name))
        return true;
    fprintf(stderr, "kiln: %s under %s: the guest has run %s\n", name, engine_names[engine], s->name);
    b->status = STATUS_DIFFERS;
    return false;
}

static bool step_native(struct bench *b, unsigned i, struct bench_sample *s)
{
    s->name[0] = 0;
    if (!b->native || b->image->kernel[i].guest_only)
        return true;
    if (bench_native_run(b->native, b->image->kernel[i].name, b->iterations[PLACE_NATIVE][i], s) != BENCH_FAILED)
        return true;
    fprintf(stderr, "kiln: bench-native has ended in %s\n", b->image->kernel[i].name);
    b->status = STATUS_BAD;
    return false;
}

/* ---- the comparison ---- */

static const char *compare(const struct bench_sample s[NR_PLACES], const u64 hash[NR_ENGINES], bool both)
{
    if (s[PLACE_NATIVE].name[0])
        for (unsigned e = 0; e < NR_ENGINES; e++)
            if (s[e].name[0] && s[e].checksum != s[PLACE_NATIVE].checksum)
                return e == PLACE_JIT ? "jit's checksum is not the host's" : "interp's checksum is not the host's";
    if (!both)
        return "not compared";
    if (s[PLACE_JIT].checksum != s[PLACE_INTERP].checksum)
        return "checksums differ";
    if (s[PLACE_JIT].insns != s[PLACE_INTERP].insns)
        return "instructions differ";
    return hash[PLACE_JIT] == hash[PLACE_INTERP] ? "equal" : "states differ";
}

static void check_kernels(struct bench *b)
{
    bool both = runs_in(b, PLACE_JIT) && runs_in(b, PLACE_INTERP);
    set_counts(b, 1, 1);
    fprintf(stderr, "kiln bench: comparing checksums and states\n");
    if (!open_guests(b, 1))
        return;
    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        struct bench_sample s[NR_PLACES] = {0};
        u64 hash[NR_ENGINES] = {0};
        if (!b->row[i].wanted)
            continue;
        if (!step_native(b, i, &s[PLACE_NATIVE]))
            return;
        for (unsigned e = 0; e < NR_ENGINES; e++) {
            if (!b->guest[e])
                continue;
            if (!step_guest(b, e, i, &s[e]))
                return;
            hash[e] = bench_guest_hash(b->guest[e]);
        }
        const char *v = b->row[i].left_out ? "left out" : compare(s, hash, both);
        b->row[i].verdict = v;
        if (strcmp(v, "equal") && strcmp(v, "left out") && strcmp(v, "not compared")) {
            if (!b->differs)
                fprintf(stderr, "kiln: after %s: %s\n", b->image->kernel[i].name, v);
            b->differs = true;
        }
    }
    close_guests(b);
}

/* ---- the clock ---- */

static void keep(struct bench *b, unsigned place, unsigned i, const struct bench_sample *s)
{
    struct row *r = &b->row[i];
    double n = (double)b->iterations[place][i];
    if (!s->name[0] || r->left_out)
        return;
    r->seconds[place][r->nr[place]++] = (double)s->cpu_ns / 1e9 / n;
    if (place != PLACE_NATIVE)
        r->insns[place] = (double)s->insns / n;
}

static void time_kernels(struct bench *b)
{
    u32 rounds = b->o->bench.runs;
    set_counts(b, b->o->bench.ms, INTERP_PART);
    if (!open_guests(b, rounds))
        return;
    for (u32 round = 0; round < rounds; round++) {
        fprintf(stderr, "kiln bench: round %u of %u\n", round + 1, rounds);
        for (unsigned i = 0; i < b->image->nr_kernels; i++) {
            struct bench_sample s[NR_PLACES] = {0};
            if (!b->row[i].wanted)
                continue;
            for (unsigned e = 0; e < NR_ENGINES; e++) {
                if (b->guest[e] && !step_guest(b, e, i, &s[e]))
                    return;
                if (e == PLACE_JIT && !step_native(b, i, &s[PLACE_NATIVE]))
                    return;
            }
            for (unsigned p = 0; p < NR_PLACES; p++)
                keep(b, p, i, &s[p]);
        }
    }
    close_guests(b);
}

/* ---- the table ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The values in order. */
static void sort(const double *values, unsigned nr, double *sorted)
{
    memcpy(sorted, values, nr * sizeof(*values));
    qsort(sorted, nr, sizeof(*sorted), by_value);
}

double bench_median(const double *values, unsigned nr)
{
    double v[BENCH_MAX_RUNS];
    sort(values, nr, v);
    return !nr ? 0 : nr % 2 ? v[nr / 2] : (v[nr / 2 - 1] + v[nr / 2]) / 2;
}

double bench_spread(const double *values, unsigned nr)
{
    double v[BENCH_MAX_RUNS];
    sort(values, nr, v);
    return nr && v[0] > 0 ? (v[nr - 1] - v[0]) / bench_median(values, nr) : 0;
}

/* How many times a's time b's is, round by round: the median; 0 when one of them did not run. */
static double ratio(const struct row *r, unsigned a, unsigned b, double *spread)
{
    double q[BENCH_MAX_RUNS];
    unsigned nr = r->nr[a] < r->nr[b] ? r->nr[a] : r->nr[b];
    for (unsigned i = 0; i < nr; i++)
        q[i] = r->seconds[b][i] / r->seconds[a][i];
    *spread = bench_spread(q, nr);
    return bench_median(q, nr);
}

static void print_cell(int width, int digits, double v)
{
    if (v > 0)
        printf("%*.*f", width, digits, v);
    else
        printf("%*s", width, "-");
}

/* The geometric mean of user kernels' ratios to native, of a group or of all. */
static double mean_of(const struct bench *b, const char *group, unsigned place, unsigned *nr)
{
    double sum = 0, spread;
    *nr = 0;
    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        double q = ratio(&b->row[i], PLACE_NATIVE, place, &spread);
        if (q > 0 && (!group || !strcmp(group, b->image->kernel[i].group))) {
            sum += log(q);
            ++*nr;
        }
    }
    return *nr ? exp(sum / *nr) : 0;
}

static void print_means(const struct bench *b)
{
    const char *last = "";
    unsigned nr, unused;
    if (!mean_of(b, NULL, PLACE_JIT, &nr) && !mean_of(b, NULL, PLACE_INTERP, &nr))
        return;
    printf("\ngeometric means, times native%8s%9s\n", "jit", "interp");
    for (unsigned i = 0; i <= b->image->nr_kernels; i++) {
        const char *group = i < b->image->nr_kernels ? b->image->kernel[i].group : NULL;
        double jit = mean_of(b, group, PLACE_JIT, &nr), interp = mean_of(b, group, PLACE_INTERP, &unused);
        nr = nr > unused ? nr : unused;
        if (!nr || (group && !strcmp(group, last)))
            continue;
        last = group ? group : "";
        printf("  %-18s %3u kernel%s", group ? group : "all user kernels", nr, nr == 1 ? " " : "s");
        print_cell(6, 2, jit);
        print_cell(9, 2, interp);
        putchar('\n');
    }
}

static void print_table(struct bench *b)
{
    printf("%-12s%14s%9s%8s%9s%7s%9s%10s%8s%8s  %s\n", "kernel", "instructions", "jit s", "MIPS", "interp s",
           "MIPS", "interp", "native s", "jit", "spread", "states");
    printf("%-12s%14s%9s%8s%9s%7s%9s%10s%8s\n", "", "", "", "", "", "", ": jit", "", ": native");
    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        struct row *r = &b->row[i];
        if (!r->wanted)
            continue;
        double n = (double)b->iterations[PLACE_JIT][i], s[NR_PLACES], spread, unused;
        double insns = r->insns[PLACE_JIT] > 0 ? r->insns[PLACE_JIT] : r->insns[PLACE_INTERP];
        double faster = ratio(r, PLACE_JIT, PLACE_INTERP, &unused);
        double slower = ratio(r, PLACE_NATIVE, PLACE_JIT, &spread);
        for (unsigned p = 0; p < NR_PLACES; p++)
            s[p] = bench_median(r->seconds[p], r->nr[p]);
        if (slower == 0) {
            unsigned p = r->nr[PLACE_JIT] ? PLACE_JIT : PLACE_INTERP;
            spread = bench_spread(r->seconds[p], r->nr[p]);
        }
        printf("%-12s%14.0f", b->image->kernel[i].name, insns * n);
        print_cell(9, 4, s[PLACE_JIT] * n);
        print_cell(8, 0, s[PLACE_JIT] > 0 ? insns / s[PLACE_JIT] / 1e6 : 0);
        print_cell(9, 4, s[PLACE_INTERP] * n);
        print_cell(7, 0, s[PLACE_INTERP] > 0 ? insns / s[PLACE_INTERP] / 1e6 : 0);
        print_cell(9, 2, faster);
        print_cell(10, 4, s[PLACE_NATIVE] * n);
        print_cell(8, 2, slower);
        printf("%7.0f%%  %s\n", spread * 100, r->verdict ? r->verdict : "");
    }
}

static void print_comparison(const struct bench *b)
{
    unsigned nr_equal = 0, nr = 0;
    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        const struct row *r = &b->row[i];
        if (!r->wanted || r->left_out)
            continue;
        nr++;
        nr_equal += r->verdict && !strcmp(r->verdict, "equal");
        if (b->o->bench.check)
            printf("%-12s %s\n", b->image->kernel[i].name, r->verdict ? r->verdict : "did not run");
    }
    if (runs_in(b, PLACE_JIT) && runs_in(b, PLACE_INTERP))
        printf("\nkernels after which checksums, instructions and state hashes are equal: %u of %u\n", nr_equal, nr);
}

/* ---- the verb ---- */

static bool prepare(struct bench *b)
{
    char *path = data_file_find("bench.img", NULL, b->err, sizeof(b->err));
    if (path)
        b->image = bench_image_load(path, b->err, sizeof(b->err));
    free(path);
    if (!b->image) {
        fprintf(stderr, "kiln: bench: %s\n", b->err);
        return false;
    }
    if (!select_kernels(b))
        return false;
    path = data_file_find("bench-native", NULL, b->err, sizeof(b->err));
    if (path)
        b->native = bench_native_open(path, b->err, sizeof(b->err));
    free(path);
    if (!b->native)
        fprintf(stderr, "kiln: bench: nothing to compare with the host: %s\n", b->err);
    return true;
}

int bench_run(struct options *o)
{
    if (options_bench_disk(o))
        return bench_disk(o);
    struct bench *b = calloc(1, sizeof(*b));
    int status = STATUS_BAD;
    if (!b)
        abort();
    b->o = o;
    b->deadline = o->timeout_s > 0 ? host_now_ns() + (u64)(o->timeout_s * 1e9) : UINT64_MAX;
    if (prepare(b)) {
        check_kernels(b);
        if (!b->status && !o->bench.check)
            time_kernels(b);
        if (!b->status && !o->bench.check) {
            print_table(b);
            print_means(b);
        }
        if (!b->status)
            print_comparison(b);
        status = b->status ? b->status : b->differs ? STATUS_DIFFERS : 0;
    }
    b->status = status;
    close_guests(b);
    bench_native_close(b->native);
    bench_image_free(b->image);
    free(b);
    return status;
}
