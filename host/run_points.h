/*
 * --save-at and --state-hash-at: points of a run at which the machine is saved, or its hash said.
 *
 * A point is {instructions, ticks behind them}. Runs stop there exactly and go on, which changes
 * nothing in the machine.
 */
#ifndef HOST_RUN_POINTS_H
#define HOST_RUN_POINTS_H

#include "host/options.h"
#include "machine/machine.h"

struct run_points {
    const struct options *o;
    bool done[OPTIONS_POINTS];
    u64 since[OPTIONS_POINTS]; /* ticks at which its instructions had retired; UINT64_MAX: not yet */
    bool failed;
};

void run_points_start(struct run_points *, const struct options *);
void run_points_limit(const struct run_points *, struct machine_limit *); /* lowers it */
void run_points_visit(struct run_points *, struct machine *); /* between any two slices */
/* Says which were not reached. 0, or -1 when any was not or a machine could not be saved. */
int run_points_end(struct run_points *);

#endif
