/*
 * The benchmark image's table: which kernels there are and how often each shall run. It lies at byte
 * 512 of the image, so that whoever starts the image reads it there and writes the counts; numbers are
 * little-endian.
 *
 *     0    8  "KILNBENC"
 *     8    4  version, 1
 *     12   4  kernels
 *     16   4  rounds: how often the list is gone through
 *     20  44  0
 *     64  64 for each kernel:
 *          0  24  name, padded with 0
 *         24  12  group, padded with 0
 *         36   4  1: of the guest only
 *         40   8  about a millisecond's iterations
 *         48   8  iterations to run; 0: leave it out
 *         56   8  the guest's own
 */
#ifndef TOOLS_BENCH_TABLE_H
#define TOOLS_BENCH_TABLE_H

#include "tools/bench/kernels/kernel.h"

#define TABLE_BYTES 4096

struct entry {
    char name[24], group[12];
    u32 guest_only;
    u64 millisecond, iterations;
    const struct code *code;
};

struct table {
    char magic[8];
    u32 version, nr_entries, rounds, unused[11];
    struct entry entry[];
};

/* What an entry runs. */
struct code {
    void (*setup)(u8 *arena); /* NULL: nothing */
    u64 (*run)(u8 *arena, u64 iterations);
};

#endif
