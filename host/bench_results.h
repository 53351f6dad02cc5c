/*
 * What kiln bench has measured of the benchmark's kernels, and what follows from it; as tables of text
 * (bench_report.c) and as a page (bench_html.c), from the same cells.
 */
#ifndef HOST_BENCH_RESULTS_H
#define HOST_BENCH_RESULTS_H

#include "host/bench_image.h"
#include "host/html_page.h"
#include "host/options.h"

enum bench_place { PLACE_JIT, PLACE_INTERP, PLACE_NATIVE, NR_PLACES };
enum { NR_ENGINES = PLACE_NATIVE };

struct bench_row {
    bool wanted, left_out;
    const char *verdict; /* of the comparison */
    unsigned nr[NR_PLACES];
    double seconds[NR_PLACES][BENCH_MAX_RUNS]; /* of an iteration */
    double insns[NR_ENGINES];                  /* of an iteration */
};

/* Row, iterations and kernel of the image have the same index. */
struct bench_results {
    const struct options *o;
    const struct bench_image *image;
    struct bench_row row[BENCH_KERNELS];
    u64 iterations[NR_PLACES][BENCH_KERNELS];
};

bool bench_runs_in(const struct options *, enum bench_place engine);

/* 0 of no values. The spread is the difference of the extremes in parts of the median. */
double bench_median(const double *values, unsigned nr);
double bench_spread(const double *values, unsigned nr);

/* How many times a's time b's is in each round; how many rounds there are of both. */
unsigned bench_ratios(const struct bench_row *, enum bench_place a, enum bench_place b, double q[BENCH_MAX_RUNS]);

/* The geometric mean of user kernels' ratios to native, of a group or (NULL) of all; of how many. */
double bench_mean(const struct bench_results *, const char *group, enum bench_place, unsigned *nr);

/* The groups that have a mean, then NULL for all; next: the index to go on from, 0 at first. false: no more. */
struct bench_mean_row {
    const char *group;
    unsigned nr;
    double jit, interp; /* 0: none */
};
bool bench_next_mean(const struct bench_results *, unsigned *next, struct bench_mean_row *);

/* The table's columns; cells are text. */
enum bench_column {
    COLUMN_KERNEL, COLUMN_INSNS, COLUMN_JIT, COLUMN_JIT_MIPS, COLUMN_INTERP, COLUMN_INTERP_MIPS, COLUMN_FASTER,
    COLUMN_NATIVE, COLUMN_SLOWER, COLUMN_SPREAD, COLUMN_STATES, NR_COLUMNS
};
struct bench_heading {
    const char *name, *below;
    int width; /* negative: to the left */
};
extern const struct bench_heading bench_headings[NR_COLUMNS];
struct bench_cells {
    char text[NR_COLUMNS][64];
};
struct bench_cells bench_cells(const struct bench_results *, unsigned i);

/* How many kernels ran, and after how many of them the engines and the host agree. */
unsigned bench_agreed(const struct bench_results *, unsigned *nr);

void bench_print(const struct bench_results *);            /* times, then the comparison */
void bench_print_comparison(const struct bench_results *); /* alone */

/* The page. false, and why in err, when it cannot be written. */
bool bench_html(const struct bench_results *, struct html_page *, char *err, size_t err_len);

#endif
