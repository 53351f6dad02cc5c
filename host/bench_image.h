/*
 * The benchmark's disk image, bench.img, and its table of kernels (tools/bench/table.h says what that
 * looks like; the guest is a world of its own, so its format is written here once more).
 */
#ifndef HOST_BENCH_IMAGE_H
#define HOST_BENCH_IMAGE_H

#include "core/types.h"

#define BENCH_KERNELS 64

struct bench_kernel {
    char name[24], group[12];
    bool guest_only;
    u64 millisecond; /* iterations that take the host about so long */
};

struct bench_image {
    u8 *bytes;
    u64 len;
    unsigned nr_kernels;
    struct bench_kernel kernel[BENCH_KERNELS];
};

/* The result is to be freed by bench_image_free(); NULL, and why in err. */
struct bench_image *bench_image_load(const char *path, char *err, size_t err_len);
void bench_image_free(struct bench_image *);

/* A copy of the image's bytes, to be freed, that runs each kernel so many times (0: not at all), and all
 * of them `rounds` times. */
u8 *bench_image_with(const struct bench_image *, const u64 *iterations, u32 rounds);

#endif
