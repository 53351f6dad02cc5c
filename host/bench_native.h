/*
 * The program bench-native, which runs the benchmark's kernels on the host: started once, asked by a
 * pipe.
 */
#ifndef HOST_BENCH_NATIVE_H
#define HOST_BENCH_NATIVE_H

#include "host/bench_guest.h"

struct bench_native;

/* NULL, and why in err. */
struct bench_native *bench_native_open(const char *path, char *err, size_t err_len);
void bench_native_close(struct bench_native *);

/* BENCH_RAN with cpu_ns, wall_ns and checksum; BENCH_LEFT_OUT: the host cannot run it; BENCH_FAILED: the
 * program has ended. */
enum bench_step bench_native_run(struct bench_native *, const char *name, u64 iterations,
                                 struct bench_sample *);

#endif
