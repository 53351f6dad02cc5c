/* The benchmark's numbers as text: what follows from the times, cell by cell, and the tables. */
#include "host/bench_results.h"
#include <math.h>
#include <stdlib.h>

bool bench_runs_in(const struct options *o, enum bench_place engine)
{
    return !o->bench.engine || !strcmp(o->bench.engine, engine == PLACE_JIT ? "jit" : "interp");
}

/* ---- medians ---- */

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

unsigned bench_ratios(const struct bench_row *r, enum bench_place a, enum bench_place b, double q[BENCH_MAX_RUNS])
{
    unsigned nr = r->nr[a] < r->nr[b] ? r->nr[a] : r->nr[b];
    for (unsigned i = 0; i < nr; i++)
        q[i] = r->seconds[b][i] / r->seconds[a][i];
    return nr;
}

/* The median; 0 when one of them did not run. */
static double ratio(const struct bench_row *r, enum bench_place a, enum bench_place b, double *spread)
{
    double q[BENCH_MAX_RUNS];
    unsigned nr = bench_ratios(r, a, b, q);
    *spread = bench_spread(q, nr);
    return bench_median(q, nr);
}

double bench_mean(const struct bench_results *b, const char *group, enum bench_place place, unsigned *nr)
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

bool bench_next_mean(const struct bench_results *b, unsigned *next, struct bench_mean_row *m)
{
    for (unsigned i = *next; i <= b->image->nr_kernels; i++) {
        const char *group = i < b->image->nr_kernels ? b->image->kernel[i].group : NULL;
        unsigned nr_interp;
        if (group && i && !strcmp(group, b->image->kernel[i - 1].group))
            continue;
        *m = (struct bench_mean_row){.group = group};
        m->jit = bench_mean(b, group, PLACE_JIT, &m->nr);
        m->interp = bench_mean(b, group, PLACE_INTERP, &nr_interp);
        m->nr = m->nr > nr_interp ? m->nr : nr_interp;
        *next = i + 1;
        if (m->nr)
            return true;
    }
    return false;
}

/* ---- cells ---- */

const struct bench_heading bench_headings[NR_COLUMNS] = {
    [COLUMN_KERNEL] = {"kernel", "", -12},       [COLUMN_INSNS] = {"instructions", "", 14},
    [COLUMN_JIT] = {"jit s", "", 9},             [COLUMN_JIT_MIPS] = {"MIPS", "", 8},
    [COLUMN_INTERP] = {"interp s", "", 9},       [COLUMN_INTERP_MIPS] = {"MIPS", "", 7},
    [COLUMN_FASTER] = {"interp", ": jit", 9},    [COLUMN_NATIVE] = {"native s", "", 10},
    [COLUMN_SLOWER] = {"jit", ": native", 8},    [COLUMN_SPREAD] = {"spread", "", 8},
    [COLUMN_STATES] = {"states", "", 0},
};

static void cell(struct bench_cells *c, enum bench_column column, int digits, double v)
{
    char *text = c->text[column];
    if (v > 0)
        snprintf(text, sizeof(c->text[0]), "%.*f", digits, v);
    else
        strcpy(text, "-");
}

struct bench_cells bench_cells(const struct bench_results *b, unsigned i)
{
    const struct bench_row *r = &b->row[i];
    double n = (double)b->iterations[PLACE_JIT][i], s[NR_PLACES], spread, unused;
    double insns = r->insns[PLACE_JIT] > 0 ? r->insns[PLACE_JIT] : r->insns[PLACE_INTERP];
    double slower = ratio(r, PLACE_NATIVE, PLACE_JIT, &spread);
    struct bench_cells c = {0};
    for (unsigned p = 0; p < NR_PLACES; p++)
        s[p] = bench_median(r->seconds[p], r->nr[p]);
    if (slower == 0) {
        unsigned p = r->nr[PLACE_JIT] ? PLACE_JIT : PLACE_INTERP;
        spread = bench_spread(r->seconds[p], r->nr[p]);
    }
    snprintf(c.text[COLUMN_KERNEL], sizeof(c.text[0]), "%s", b->image->kernel[i].name);
    snprintf(c.text[COLUMN_INSNS], sizeof(c.text[0]), "%.0f", insns * n);
    cell(&c, COLUMN_JIT, 4, s[PLACE_JIT] * n);
    cell(&c, COLUMN_JIT_MIPS, 0, s[PLACE_JIT] > 0 ? insns / s[PLACE_JIT] / 1e6 : 0);
    cell(&c, COLUMN_INTERP, 4, s[PLACE_INTERP] * n);
    cell(&c, COLUMN_INTERP_MIPS, 0, s[PLACE_INTERP] > 0 ? insns / s[PLACE_INTERP] / 1e6 : 0);
    cell(&c, COLUMN_FASTER, 2, ratio(r, PLACE_JIT, PLACE_INTERP, &unused));
    cell(&c, COLUMN_NATIVE, 4, s[PLACE_NATIVE] * n);
    cell(&c, COLUMN_SLOWER, 2, slower);
    snprintf(c.text[COLUMN_SPREAD], sizeof(c.text[0]), "%.0f%%", spread * 100);
    snprintf(c.text[COLUMN_STATES], sizeof(c.text[0]), "%s", r->verdict ? r->verdict : "");
    return c;
}

unsigned bench_agreed(const struct bench_results *b, unsigned *nr)
{
    unsigned nr_equal = 0;
    *nr = 0;
    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        const struct bench_row *r = &b->row[i];
        if (!r->wanted || r->left_out)
            continue;
        ++*nr;
        nr_equal += r->verdict && !strcmp(r->verdict, "equal");
    }
    return nr_equal;
}

/* ---- tables ---- */

static void print_mean(double v, int width)
{
    if (v > 0)
        printf("%*.2f", width, v);
    else
        printf("%*s", width, "-");
}

static void print_means(const struct bench_results *b)
{
    struct bench_mean_row m;
    unsigned next = 0;
    bool first = true;
    for (; bench_next_mean(b, &next, &m); first = false) {
        if (first)
            printf("\ngeometric means, times native%8s%9s\n", "jit", "interp");
        printf("  %-18s %3u kernel%s", m.group ? m.group : "all user kernels", m.nr, m.nr == 1 ? " " : "s");
        print_mean(m.jit, 6);
        print_mean(m.interp, 9);
        putchar('\n');
    }
}

static void print_table(const struct bench_results *b)
{
    for (unsigned c = 0; c < NR_COLUMNS; c++)
        printf(c == COLUMN_STATES ? "  %*s\n" : "%*s", bench_headings[c].width, bench_headings[c].name);
    for (unsigned c = 0; c <= COLUMN_SLOWER; c++)
        printf("%*s", bench_headings[c].width, bench_headings[c].below);
    putchar('\n');
    for (unsigned i = 0; i < b->image->nr_kernels; i++) {
        if (!b->row[i].wanted)
            continue;
        struct bench_cells cells = bench_cells(b, i);
        for (unsigned c = 0; c < NR_COLUMNS; c++)
            printf(c == COLUMN_STATES ? "  %*s\n" : "%*s", bench_headings[c].width, cells.text[c]);
    }
}

void bench_print_comparison(const struct bench_results *b)
{
    unsigned nr, nr_equal = bench_agreed(b, &nr);
    for (unsigned i = 0; b->o->bench.check && i < b->image->nr_kernels; i++) {
        const struct bench_row *r = &b->row[i];
        if (r->wanted && !r->left_out)
            printf("%-12s %s\n", b->image->kernel[i].name, r->verdict ? r->verdict : "did not run");
    }
    if (bench_runs_in(b->o, PLACE_JIT) && bench_runs_in(b->o, PLACE_INTERP))
        printf("\nkernels after which checksums, instructions and state hashes are equal: %u of %u\n", nr_equal, nr);
}

void bench_print(const struct bench_results *b)
{
    print_table(b);
    print_means(b);
    bench_print_comparison(b);
}
