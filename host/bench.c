/*
 * kiln bench. First the benchmark image runs in two machines, one of each engine, with the same small
 * counts; after each kernel its checksum is compared with the host's and the machines' states with each
 * other. Then for time: in each round each kernel runs under each engine and on the host, one right after
 * the other, so that a change of the host's speed meets all three. Ratios are taken within a round; the
 * medians of the rounds are printed. Seconds are processor time.
 */
#include "host/bench.h"
#include "host/bench_native.h"
#include "host/bench_results.h"
#include "host/data_files.h"
#include "host/host_clock.h"
#include <stdlib.h>

enum { STATUS_BAD = 1, STATUS_DIFFERS = 72, STATUS_TIMEOUT = 124 };

/* The interpreter gets a part of the iterations: it would need minutes for all. */
enum { INTERP_PART = 8 };

static const char *const engine_names[NR_ENGINES] = {"jit", "interp"};

struct bench {
    struct options *o;
    struct bench_image *image;
    struct bench_native *native; /* NULL: not there */
    struct bench_guest *guest[NR_ENGINES];
    struct bench_results r;
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
        b->r.row[i].wanted = !list || item_is(list, k->name) || item_is(list, k->group);
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
            b->r.iterations[p][i] = !b->r.row[i].wanted ? 0 : p == PLACE_INTERP ? part : n;
    }
}

/* ---- machines ---- */

static bool open_guests(struct bench *b, u32 rounds)
{
    for (unsigned e = 0; e < NR_ENGINES; e++) {
        if (!bench_runs_in(b->o, e))
            continue;
        b->guest[e] = bench_guest_open(b->o, engine_names[e], b->image, b->r.iterations[e], rounds, b->err);
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
    case BENCH_LEFT_OUT: b->r.row[i].left_out = true; break;
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
    if (bench_native_run(b->native, b->image->kernel[i].name, b->r.iterations[PLACE_NATIVE][i], s) != BENCH_FAILED)
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
    bool both = bench_runs_in(b->o, PLACE_JIT) && bench_runs_in(b->o, PLACE_INTERP);
    set_counts(b, 1, 1);
    fprintf(stderr, "kiln bench: comparing checksums and states\n");
    if (!open_guests(b, 1))
        return;
    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        struct bench_sample s[NR_PLACES] = {0};
        u64 hash[NR_ENGINES] = {0};
        if (!b->r.row[i].wanted)
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
        const char *v = b->r.row[i].left_out ? "left out" : compare(s, hash, both);
        b->r.row[i].verdict = v;
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
    struct bench_row *r = &b->r.row[i];
    double n = (double)b->r.iterations[place][i];
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
            if (!b->r.row[i].wanted)
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

static void report(struct bench *b, struct html_page *page)
{
    b->r.o = b->o;
    b->r.image = b->image;
    if (b->o->bench.check)
        bench_print_comparison(&b->r);
    else
        bench_print(&b->r);
    if (!page->f || bench_html(&b->r, page, b->err, sizeof(b->err)))
        return;
    fprintf(stderr, "kiln: --html: %s\n", b->err);
    b->status = STATUS_BAD;
}

int bench_run(struct options *o)
{
    struct html_page page = {0};
    struct bench *b = calloc(1, sizeof(*b));
    int status = STATUS_BAD;
    if (!b)
        abort();
    b->o = o;
    b->deadline = o->timeout_s > 0 ? host_now_ns() + (u64)(o->timeout_s * 1e9) : UINT64_MAX;
    if (o->bench.html && !html_open(&page, o->bench.html, b->err, sizeof(b->err))) {
        fprintf(stderr, "kiln: --html: %s\n", b->err);
    } else if (options_bench_disk(o)) {
        status = bench_disk(o, &page);
    } else if (prepare(b)) {
        check_kernels(b);
        if (!b->status && !o->bench.check)
            time_kernels(b);
        if (!b->status)
            report(b, &page);
        status = b->status ? b->status : b->differs ? STATUS_DIFFERS : 0;
    }
    b->status = status;
    close_guests(b);
    bench_native_close(b->native);
    bench_image_free(b->image);
    free(b);
    html_give_up(&page);
    return status;
}
