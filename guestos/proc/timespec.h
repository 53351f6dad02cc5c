/* Seconds and nanoseconds, as programs give and get them. */
#ifndef GUESTOS_PROC_TIMESPEC_H
#define GUESTOS_PROC_TIMESPEC_H

#include "guestos/abi/stat.h"

static inline struct abi_timespec timespec_of(u64 ns)
{
    return (struct abi_timespec){(i64)(ns / NS_PER_S), (i64)(ns % NS_PER_S)};
}

static inline bool timespec_is_valid(const struct abi_timespec *t)
{
    return t->sec >= 0 && t->nsec >= 0 && t->nsec < (i64)NS_PER_S;
}

#endif
