/*
 * What kiln bench DISK has measured, and the page of it.
 */
#ifndef HOST_BENCH_DISK_H
#define HOST_BENCH_DISK_H

#include "host/bench_results.h"
#include "host/function_times.h"
#include "host/tiers.h"

struct bench_disk_runs {
    const char *name; /* of the engine */
    double seconds[BENCH_MAX_RUNS];
    unsigned nr;
    u64 insns, hash;
    int status; /* of the guest */
    double guest_seconds;

    /* of the round that looks, where there is one */
    bool looked;
    double look_seconds;
    u64 interpreted; /* of insns */
    struct tiers tiers;
};

struct bench_disk_results {
    const struct options *o;
    struct bench_disk_runs runs[NR_ENGINES]; /* .nr == 0: not asked for */
    bool repeats;                            /* runs of one engine end alike */
    bool equal;                              /* engines, where both ran */
    struct function_times functions;
};

/* 0: it did not run. */
double bench_disk_seconds(const struct bench_disk_runs *);
double bench_disk_mips(const struct bench_disk_runs *);

/* false, and why in err, when it cannot be written. */
bool bench_disk_html(const struct bench_disk_results *, struct html_page *, char *err, size_t err_len);

#endif
