/*
 * kiln bench: how fast both engines run the benchmark image, or a disk, beside the host itself; and
 * whether they come to the same state.
 */
#ifndef HOST_BENCH_H
#define HOST_BENCH_H

#include "host/options.h"

/* The verb. Its tables are on stdout; returns the exit status. */
int bench_run(struct options *);

/* Of a disk that --until ends: host/bench_disk.c. */
int bench_disk(struct options *);

/* 0 of no values. The spread is the difference of the extremes in parts of the median. */
double bench_median(const double *values, unsigned nr);
double bench_spread(const double *values, unsigned nr);

#endif
