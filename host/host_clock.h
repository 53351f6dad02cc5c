/*
 * The wall clock. Nothing that it says may reach a device but through the input log.
 */
#ifndef HOST_HOST_CLOCK_H
#define HOST_HOST_CLOCK_H

#include "core/types.h"
#include <time.h>

static inline u64 host_now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (u64)ts.tv_sec * 1000000000ull + (u64)ts.tv_nsec;
}

#endif
