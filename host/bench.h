/*
 * kiln bench: how fast both engines run the benchmark image, or a disk, beside the host itself; and
 * whether they come to the same state.
 */
#ifndef HOST_BENCH_H
#define HOST_BENCH_H

#include "host/html_page.h"
#include "host/options.h"

/* The verb. Its tables are on stdout; returns the exit status. */
int bench_run(struct options *);

/* Of a disk that --until ends: host/bench_disk.c. The page is open, or its file is NULL: none. */
int bench_disk(struct options *, struct html_page *);

#endif
