/*
 * native_test: the interpreter against the host CPU. See README.md.
 */
#define _GNU_SOURCE
#include "tests/native/away.h"
#include "tests/native/carry.h"
#include "tests/native/deviations.h"
#include "tests/native/judge.h"
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { SKIPPED = 77, DIFF_TEXT = 8192 };

struct options {
    unsigned code; /* 8, 4, 2 */
    u64 insns, seed, min_runs;
    const char *row;
    u64 max_reports;
    bool alone; /* only the interpreter, against itself: for sanitizers */
    /* of away.h; NULL: not asked for */
    const char *probe, *emulator, *export, *facts, *execute, *to, *judge, *cases, *again;
};

struct run {
    struct options opt;
    struct host_facts facts;
    struct rig rig;
    struct gen gen;
    struct host host;
    struct shared *sh;
    struct verdict verdict[BATCH], single;
    struct rng slices;
    u64 cases, mismatches, vanished, deviated[MAX_DEVIATIONS];
    FILE *exported;
    char text[DIFF_TEXT];
};

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- making cases ---- */

static bool same_outcome(const struct verdict *a, const struct verdict *b)
{
    return !memcmp(&a->out, &b->out, sizeof(a->out)) && !memcmp(&a->end, &b->end, sizeof(a->end)) &&
           !memcmp(a->image, b->image, IMAGE_BYTES);
}

/* In one go. An engine that keeps what it has made of code runs it once more, linked by then, and in slices
 * that end anywhere. The verdict is that of the first run, or of one that differs from it. */
static void run_whole(struct run *r, const struct slot *s, struct verdict *v)
{
    static struct verdict again;

    judge_run(&r->rig, s, NULL, v);
    for (unsigned i = 0; i < 2 && r->rig.way != &interp_engine; i++) {
        judge_run(&r->rig, s, i ? &r->slices : NULL, &again);
        if (same_outcome(&again, v))
            continue;
        printf("%s the engine differs from its first run\n", i ? "in slices" : "once more");
        v->out = again.out;
        v->end = again.end;
        memcpy(v->image, again.image, IMAGE_BYTES);
        return;
    }
}

static void make_batch(struct run *r)
{
    for (u32 n = 0; n < BATCH;) {
        struct slot *s = &r->sh->slot[n];
        struct verdict *v = &r->verdict[n];

        if (!gen_case(&r->gen, s, &v->undefined))
            continue;
        v->nr_steps = r->gen.nr_steps < KEPT_STEPS ? r->gen.nr_steps : KEPT_STEPS;
        memcpy(v->steps, r->gen.steps, v->nr_steps * sizeof(v->steps[0]));
        rig_outcome(&r->rig, &r->single.out, &r->single.end);
        rig_save_image(&r->rig, r->single.image);
        run_whole(r, s, v);
        /* What it read of the code region was not complete then: another case, with other flags
         * undefined. */
        if (r->gen.read_code && !same_outcome(v, &r->single)) {
            r->gen.discarded++;
            continue;
        }
        if (!same_outcome(v, &r->single) && r->mismatches++ < r->opt.max_reports) {
            memcpy(s->image_out, r->single.image, IMAGE_BYTES);
            s->out = r->single.out;
            s->end = r->single.end;
            judge_compare(&r->facts, s, v, r->text, sizeof(r->text));
            printf("step by step (\"host\") and in one go the engine differs from itself\n");
            judge_report(v, s, r->opt.code, r->text);
        }
        n++;
    }
    r->sh->nr = BATCH;
}

/* ---- failing cases ---- */

/* Runs one instruction of the case, from the state before it, on both sides. */
static bool one_differs(struct run *r, const struct step *st)
{
    struct slot *s = &r->sh->slot[0];
    struct verdict *v = &r->single;
    struct nstate at;

    rig_start_state(&r->rig, &at);
    *s = (struct slot){ .in = at, .code_off = (u32)(st->rip - regions[R_CODE].lin),
                        .code_len = st->in.len, .want_bases = true };
    memcpy(s->code, st->bytes, st->in.len);
    rig_save_image(&r->rig, s->image);
    run_whole(r, s, v);
    v->undefined = judge_undefined_flags(&r->rig, &r->facts, s, v);
    r->sh->nr = 1;
    host_go(&r->host);
    return host_wait(&r->host, &r->facts) == 0 &&
           judge_compare(&r->facts, s, v, r->text, sizeof(r->text));
}

/* Looks for a single instruction of the case that differs by itself: easier to read. True: found,
 * and reported or, if it is a known deviation, counted. */
static bool minimise(struct run *r, const struct slot *whole)
{
    const struct slot *single = &r->sh->slot[0];
    u64 last = 0;

    for (unsigned i = 0;; i++) {
        struct step st;
        int known;

        rig_load(&r->rig, whole);
        for (unsigned k = 0; k < i; k++)
            if (rig_run(&r->rig, 1))
                return false;
        if (!judge_next_step(&r->rig, &st) || st.rip == last) /* the latter: an element */
            continue;
        last = st.rip;
        if (!one_differs(r, &st))
            continue;
        judge_steps(&r->rig, single, &r->single);
        known = deviation_of(&r->facts, single, &r->single, false);
        if (known >= 0) {
            r->deviated[known]++;
            return true;
        }
        r->mismatches++;
        printf("(minimised to step %u)\n", i + 1);
        judge_report(&r->single, single, r->opt.code, r->text);
        return true;
    }
}

/* Whether the case as a whole differs in a known way. */
static bool explained(struct run *r, const struct slot *s, const struct verdict *v)
{
    int known;

    r->single = *v;
    judge_steps(&r->rig, s, &r->single);
    known = deviation_of(&r->facts, s, &r->single, true);
    if (known >= 0)
        r->deviated[known]++;
    return known >= 0;
}

/* A difference that does not come again is none: both sides are deterministic, so the host was
 * interrupted. Seen: kernels without FSGSBASE restore an FS or GS base that a null selector had
 * cleared when they switch tasks; under some hypervisors an interrupt loses NT, or ends in a
 * #GP(0) that the code did not raise. They are counted, and more than a few fail. */
static bool vanishes(struct run *r, const struct slot *s, const struct verdict *v)
{
    struct slot *again = &r->sh->slot[0];

    for (unsigned try = 0; try < 3; try++) {
        *again = *s;
        r->sh->nr = 1;
        host_go(&r->host);
        if (host_wait(&r->host, &r->facts) == 0 &&
            judge_compare(&r->facts, again, v, r->text, sizeof(r->text)) == 0)
            return true;
    }
    return false;
}

static void check_batch(struct run *r, bool alive)
{
    static struct slot failed[BATCH];
    u32 nr = alive ? BATCH : r->sh->current + 1, nr_failed = 0, which[BATCH];

    if (!alive) {
        printf("MISMATCH: the child died or hung in this case\n");
        judge_report(&r->verdict[nr - 1], &r->sh->slot[nr - 1], r->opt.code, "");
        r->mismatches++;
        nr--;
    }
    for (u32 i = 0; i < nr; i++) {
        struct slot *s = &r->sh->slot[i];

        r->cases++;
        if (!judge_compare(&r->facts, s, &r->verdict[i], r->text, sizeof(r->text)))
            continue;
        if (r->mismatches < r->opt.max_reports) { /* most are known deviations */
            which[nr_failed] = i;
            failed[nr_failed++] = *s;
        } else {
            r->mismatches++;
        }
    }
    for (u32 k = 0; k < nr_failed; k++) { /* after the batch: reporting uses its slots */
        const struct verdict *v = &r->verdict[which[k]];

        if (vanishes(r, &failed[k], v)) {
            r->vanished++;
            continue;
        }
        if (minimise(r, &failed[k]) || explained(r, &failed[k], v))
            continue;
        r->mismatches++;
        judge_compare(&r->facts, &failed[k], v, r->text, sizeof(r->text));
        judge_report(v, &failed[k], r->opt.code, r->text);
    }
}

/* ---- cases for a processor elsewhere ---- */

/* Takes the facts from their file and begins that of the cases. */
static bool begin_export(struct run *r)
{
    struct carry_head head;
    FILE *f = fopen(r->opt.facts, "rb");

    if (!f || !(r->exported = fopen(r->opt.export, "wb"))) {
        perror(f ? r->opt.export : r->opt.facts);
        return false;
    }
    if (!carry_get_head(f, &head))
        return false;
    fclose(f);
    r->facts = head.facts;
    return true;
}

static bool export_head(struct run *r)
{
    struct carry_head head;

    carry_head_init(&head);
    head.code = r->opt.code;
    head.facts = r->facts;
    memcpy(head.constant, r->sh->constant, sizeof(head.constant));
    memcpy(head.pristine, r->gen.pristine, IMAGE_BYTES);
    return carry_put_head(r->exported, &head);
}

static bool export_batch(struct run *r)
{
    for (u32 i = 0; i < BATCH; i++) {
        struct carry_note note = { .undefined = r->verdict[i].undefined };

        if (!carry_put_case(r->exported, &r->sh->slot[i], &note, r->gen.pristine))
            return false;
    }
    r->cases += BATCH;
    return true;
}

/* ---- the report ---- */

static void print_host(const struct host_facts *f)
{
    printf("host: %s, 32-bit code %s, LDT %s, low page %s, top page %s\n", f->vendor,
           f->cs32 ? f->cs32 & 4 ? "through the LDT" : "selector 23h" : "not available",
           f->ldt16 ? "works" : f->ldt ? "works without 16-bit segments" : "not available", f->low ? "mapped" : "not mapped",
           f->top ? "mapped" : "not mapped");
}

static void print_excluded(const struct gen *g)
{
    printf("rows excluded (user mode cannot run them), or run only to the fault that they raise:\n");
    for (u16 i = 1; i < NR_ROWS; i++) {
        const char *why;
        enum row_use use = row_use(&isa_rows[i], g->code, &why);

        if (isa_rows[i].attr & (g->code == 8 ? A_N64 : A_O64))
            why = g->code == 8 ? "not in 64-bit mode" : "only in 64-bit mode";
        else if (use == USE_RUN)
            continue;
        printf("  %-14s %-8s %s\n", isa_rows[i].id,
               use == USE_FAULT && !(isa_rows[i].attr & (g->code == 8 ? A_N64 : A_O64)) ? "(faults)" : "", why);
    }
}

/* Prints the counts; returns how many pairs of row and size were run less than they should. */
static unsigned print_counts(const struct gen *g, u64 min_runs)
{
    static const char *const size_name[SIZES] = { "", "16", "32", "64" };
    unsigned pairs = 0, rows = 0, few = 0;

    printf("rows tested: executions without fault / with fault, by operand size\n");
    for (u16 i = 1; i < NR_ROWS; i++) {
        const struct row_stat *st = &g->stat[i];
        const char *why;
        enum row_use use = row_use(&isa_rows[i], g->code, &why);
        bool any = false;

        if (use == USE_NEVER || (g->only_row && g->only_row != i))
            continue;
        for (int s = 0; s < SIZES; s++) {
            bool too_few;

            if (!st->possible[s])
                continue;
            too_few = use == USE_RUN && st->run[s] < min_runs;
            printf("%s%s%s %llu/%llu%s", any ? "  " : "", any ? "" : isa_rows[i].id, any ? size_name[s] : *size_name[s] ? " " : "",
                   (unsigned long long)st->run[s], (unsigned long long)st->fault[s], too_few ? " TOO FEW" : "");
            if (!any && *size_name[s])
                printf(" (%s)", size_name[s]);
            any = true;
            few += too_few;
            pairs++;
        }
        if (any) {
            printf("\n");
            rows++;
        }
    }
    printf("%u rows, %u pairs of row and operand size\n", rows, pairs);
    return few;
}

static int find_row(const char *name)
{
    for (int i = 1; i < NR_ROWS; i++)
        if (!strcmp(isa_rows[i].id, name))
            return i;
    return 0;
}

static const char usage[] =
    "native_test [--mode 64|32|16] [--insns N] [--seed S|random] [--min-runs N] [--rows ROW]\n"
    "            [--reports N] [--alone] [--engine ACCEL]\n"
    "native_test --probe FACTS [--emulator NAME] | --export CASES --facts FACTS [--mode, ...]\n"
    "            | --execute CASES --to OUTCOMES | --judge OUTCOMES --cases CASES [--again SINGLES]\n"
    "Runs N generated instructions in the interpreter and on the host CPU and compares. --alone leaves\n"
    "the host out: a sanitizer's own mappings lie where the code under test expects faults. --engine takes\n"
    "what -accel does (jit,hot=0), and counts as KILN_ACCEL: that engine runs each case in one go; they are\n"
    "made step by step, which no engine translates.\n"
    "The second form is for a processor elsewhere: tests/native/away.h.\n"
    "Status: 0 no difference, 1 differences or too few runs of a row, 77 this host cannot.\n";

static bool parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        { "mode", 1, 0, 'm' }, { "insns", 1, 0, 'n' }, { "seed", 1, 0, 's' }, { "rows", 1, 0, 'r' },
        { "min-runs", 1, 0, 'k' }, { "reports", 1, 0, 'e' }, { "alone", 0, 0, 'a' }, { "help", 0, 0, 'h' },
        { "probe", 1, 0, 'P' }, { "facts", 1, 0, 'F' }, { "export", 1, 0, 'X' }, { "execute", 1, 0, 'E' },
        { "to", 1, 0, 'T' }, { "judge", 1, 0, 'J' }, { "emulator", 1, 0, 'U' }, { "cases", 1, 0, 'C' },
        { "again", 1, 0, 'A' }, { "engine", 1, 0, 'G' }, { 0 },
    };
    int c;

    *o = (struct options){ .code = 8, .insns = 200000, .seed = 1, .max_reports = 10 };
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        switch (c) {
        case 'm': o->code = (unsigned)atoi(optarg) / 8; break;
        case 'n': o->insns = strtoull(optarg, NULL, 0); break;
        case 's': o->seed = strcmp(optarg, "random") ? strtoull(optarg, NULL, 0) : (u64)time(NULL) * 0x9e37u + (u64)getpid(); break;
        case 'k': o->min_runs = strtoull(optarg, NULL, 0); break;
        case 'a': o->alone = true; break;
        case 'r': o->row = optarg; break;
        case 'P': o->probe = optarg; break;
        case 'F': o->facts = optarg; break;
        case 'X': o->export = optarg; break;
        case 'E': o->execute = optarg; break;
        case 'T': o->to = optarg; break;
        case 'J': o->judge = optarg; break;
        case 'C': o->cases = optarg; break;
        case 'A': o->again = optarg; break;
        case 'U': o->emulator = optarg; break;
        case 'G': setenv("KILN_ACCEL", optarg, 1); break;
        case 'e': o->max_reports = strtoull(optarg, NULL, 0); break;
        default: return false;
        }
    return (o->code == 8 || o->code == 4 || o->code == 2) && !o->export == !o->facts &&
           !o->execute == !o->to && !o->judge == !o->cases;
}

static void stay_on_one_cpu(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(sched_getcpu(), &set);
    sched_setaffinity(0, sizeof(set), &set);
}

/* One batch made, run and compared. False: it cannot go on. */
static bool run_batch(struct run *r)
{
    bool alive;

    make_batch(r);
    if (r->opt.alone) {
        r->cases += BATCH;
        return true;
    }
    if (r->exported) {
        if (export_batch(r))
            return true;
        perror(r->opt.export);
        r->mismatches++;
        return false;
    }
    host_go(&r->host);
    alive = host_wait(&r->host, &r->facts) == 0;
    check_batch(r, alive);
    return r->mismatches <= r->opt.max_reports + 1000;
}

static int run_all(struct run *r)
{
    double start = seconds();
    unsigned few;

    while (r->gen.insns < r->opt.insns && run_batch(r))
        ;
    if (r->exported && (!carry_put_end(r->exported) || fclose(r->exported))) {
        perror(r->opt.export);
        r->mismatches++;
    }
    print_excluded(&r->gen);
    print_masks(&r->facts, &r->rig.c.silicon);
    few = print_counts(&r->gen, r->opt.min_runs);
    print_host(&r->facts);
    if (r->rig.way->print_stats)
        r->rig.way->print_stats(r->rig.engine, stdout);
    printf("native_test: engine %s, %u-bit, seed %llu: %llu instructions in %llu cases, %.2f%% faulted, %llu\n"
           "cases discarded, %.1f s; %llu mismatches, %u pairs below %llu runs\n", r->rig.way->name, 8 * r->opt.code,
           (unsigned long long)r->opt.seed, (unsigned long long)r->gen.insns, (unsigned long long)r->cases,
           100.0 * (double)r->gen.faults / (double)(r->gen.insns ? r->gen.insns : 1),
           (unsigned long long)r->gen.discarded, seconds() - start, (unsigned long long)r->mismatches, few,
           (unsigned long long)r->opt.min_runs);
    for (int i = 0; i < MAX_DEVIATIONS; i++)
        if (r->deviated[i])
            deviation_print(&r->facts, i, r->deviated[i]);
    if (r->vanished)
        printf("%llu differences did not come again (host interrupts)\n",
               (unsigned long long)r->vanished);
    return r->mismatches || few || r->vanished > 5 + r->gen.insns / 200000 ? 1 : 0;
}

/* Whether there is such code; says why not. */
/* An emulator's floating point is no witness: integer rows only. */
static u64 features_compared(const struct host_facts *f)
{
    const u64 floating = BIT(FEAT_FPU) | BIT(FEAT_FXSR) | BIT(FEAT_MMX) | BIT(FEAT_MMXEXT) | BIT(FEAT_SSE) |
                         BIT(FEAT_SSE2) | BIT(FEAT_SSE3) | BIT(FEAT_SSSE3) | BIT(FEAT_SSE41) |
                         BIT(FEAT_SSE42) | BIT(FEAT_AES) | BIT(FEAT_PCLMUL) | BIT(FEAT_SHA);

    return *f->emulator ? f->features & ~floating : f->features;
}

static bool mode_exists(const struct run *r)
{
    if (r->opt.code == 4 && !r->facts.cs32)
        printf("native_test: this host's kernel offers no 32-bit code segment; skipped\n");
    else if (r->opt.code == 2 && !r->facts.ldt16)
        printf("native_test: this host's kernel offers no LDT for a 16-bit code segment; skipped\n");
    else
        return true;
    print_host(&r->facts);
    return false;
}

int main(int argc, char **argv)
{
    static struct run r;
    struct options *o = &r.opt;
    struct rng rng;
    int status;

    if (!parse(argc, argv, o)) {
        fputs(usage, stderr);
        return 1;
    }
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    stay_on_one_cpu(); /* a limit in the host's GDT is the number of the CPU */
    if (o->probe)
        return away_probe(o->probe, o->emulator);
    if (o->execute)
        return away_execute(o->execute, o->to);
    if (o->judge)
        return away_judge(o->judge, o->cases, o->again, o->max_reports);
    if (o->export) {
        if (!begin_export(&r))
            return 1;
    } else {
        if (host_probe(&r.facts))
            return SKIPPED;
        r.facts.own = true;
    }
    rules_witness_has(features_compared(&r.facts));
    if (!mode_exists(&r))
        return SKIPPED;
    r.sh = mmap(NULL, sizeof(*r.sh), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (r.sh == MAP_FAILED) {
        perror("native_test");
        return 1;
    }
    rng = (struct rng){ o->seed ^ 0x5eed };
    for (unsigned i = 0; i < 4096; i += 8)
        store_le(r.sh->constant + i, rng_next(&rng) >> rng_below(&rng, 64), 8);
    if (rig_init(&r.rig, &r.facts, r.sh->constant)) {
        perror("native_test: setting up");
        return 1;
    }
    if (!r.exported && host_start(&r.host, r.sh, &r.facts))
        return 1;
    gen_init(&r.gen, &r.rig, &r.facts, o->code, o->seed);
    if (o->row && !(r.gen.only_row = find_row(o->row))) {
        fprintf(stderr, "native_test: no row is named %s\n", o->row);
        return 1;
    }
    if (o->export && !export_head(&r)) {
        perror(o->export);
        return 1;
    }
    status = run_all(&r);
    if (!r.exported)
        host_stop(&r.host);
    rig_fini(&r.rig);
    return status;
}
