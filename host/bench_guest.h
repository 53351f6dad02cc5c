/*
 * A machine that runs the benchmark image, a kernel at a time.
 *
 *     struct bench_guest *g = bench_guest_open(options, "jit", image, iterations, rounds, err);
 *     while ((step = bench_guest_next(g, &sample, err)) == BENCH_RAN || step == BENCH_LEFT_OUT) ...
 *     bench_guest_close(g);
 *
 * The image tells of itself on port E9h (tools/bench/guest/guest.c); the host's clock is read at the byte
 * that begins a kernel and at the byte that ends it.
 */
#ifndef HOST_BENCH_GUEST_H
#define HOST_BENCH_GUEST_H

#include "host/bench_image.h"
#include "host/options.h"

struct bench_guest;

/* One run of one kernel. */
struct bench_sample {
    char name[24];
    u64 checksum, insns, cpu_ns, wall_ns; /* processor time of this process */
};

enum bench_step {
    BENCH_RAN,
    BENCH_LEFT_OUT, /* the guest's processor cannot run it */
    BENCH_END,
    BENCH_FAILED,  /* and why, in err */
    BENCH_STOPPED, /* a signal, or the timeout */
};

/* NULL, and why in err. The options say what the machine has; image must outlive the guest. */
struct bench_guest *bench_guest_open(const struct options *, const char *engine,
                                     const struct bench_image *, const u64 *iterations, u32 rounds,
                                     char err[MACHINE_ERR_LEN]);
void bench_guest_close(struct bench_guest *);

/* Goes on to the end of the next kernel. until_ns: on the host's clock, when it is to give up. */
enum bench_step bench_guest_next(struct bench_guest *, struct bench_sample *, u64 until_ns,
                                 char err[MACHINE_ERR_LEN]);

/* Of the whole machine, as it is now. */
u64 bench_guest_hash(struct bench_guest *);

/* Numbers of the machine, for --stats. */
void bench_guest_stats(struct bench_guest *, FILE *);

#endif
