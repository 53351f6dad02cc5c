/*
 * The benchmark's kernels on the host: the same object files as in the guest.
 *
 *     bench-native            reads lines "NAME ITERATIONS", answers each with "NAME CHECKSUM CPU_NS WALL_NS"
 *
 * An unknown name, such as that of a kernel of the guest only, is answered with "NAME -". The arena is in
 * pages of 4 KiB, as in the guest.
 */
#define _GNU_SOURCE
#include "tools/bench/kernels/kernel.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#define USER(name, symbol, group, count) \
    void setup_##symbol(u8 *);           \
    u64 kernel_##symbol(u8 *, u64);
#define SYSTEM(name, symbol, group, count)
#include "tools/bench/kernels/kernels.def"
#undef USER

#define USER(name, symbol, group, count) {name, setup_##symbol, kernel_##symbol},
static const struct kernel {
    const char *name;
    void (*setup)(u8 *);
    u64 (*run)(u8 *, u64);
} kernels[] = {
#include "tools/bench/kernels/kernels.def"
};

static u64 now_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (u64)ts.tv_sec * 1000000000u + (u64)ts.tv_nsec;
}

static u8 *make_arena(void)
{
    u64 align = 4 * MIB;
    u8 *p;

    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
    p = mmap(NULL, ARENA_BYTES + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    p = (u8 *)(((u64)p + align - 1) & ~(align - 1));
    memset(p, 0, ARENA_BYTES);
    return p;
}

static void run(const struct kernel *k, u8 *arena, u64 iterations)
{
    u64 cpu, wall, sum;

    k->setup(arena);
    cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID);
    wall = now_ns(CLOCK_MONOTONIC);
    sum = k->run(arena, iterations);
    wall = now_ns(CLOCK_MONOTONIC) - wall;
    cpu = now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    printf("%s %" PRIx64 " %" PRIu64 " %" PRIu64 "\n", k->name, sum, cpu, wall);
}

int main(void)
{
    u8 *arena = make_arena();
    char line[128], name[64];
    u64 iterations;

    if (!arena) {
        perror("bench-native: no memory");
        return 1;
    }
    while (fgets(line, sizeof(line), stdin)) {
        const struct kernel *k = NULL;

        if (sscanf(line, "%63s %" SCNu64, name, &iterations) != 2) {
            fprintf(stderr, "bench-native: not NAME ITERATIONS: %s", line);
            return 1;
        }
        for (unsigned i = 0; i < sizeof(kernels) / sizeof(kernels[0]); i++)
            if (!strcmp(kernels[i].name, name))
                k = &kernels[i];
        if (k)
            run(k, arena, iterations);
        else
            printf("%s -\n", name);
        fflush(stdout);
    }
    return 0;
}
