/*
 * Virtual time against the wall clock, for runs that somebody sits in front of.
 *
 * Where the guest is ahead it waits. Where it lags, because the engine is slower than the
 * nominal rate, it catches up while it is halted, but at most MAX_LAG: a countdown on the screen
 * that rushes to make up for a slow boot would help nobody.
 */
#ifndef HOST_PACE_H
#define HOST_PACE_H

#include "core/types.h"

#define PACE_MAX_LAG_NS  200000000ll
#define PACE_MAX_LEAD_NS 20000000ll /* what a busy guest may be ahead before it is held */

struct pace {
    bool on;
    i64 skew_ns; /* wall - virtual when both agreed */
};

static inline void pace_start(struct pace *p, bool on, u64 virtual_ns, u64 wall_ns)
{
    p->on = on;
    p->skew_ns = (i64)(wall_ns - virtual_ns);
}

/* How far the guest is ahead; negative: behind. Forgets what lags too far. */
static inline i64 pace_lead_ns(struct pace *p, u64 virtual_ns, u64 wall_ns)
{
    i64 lead = (i64)virtual_ns - ((i64)wall_ns - p->skew_ns);
    if (lead < -PACE_MAX_LAG_NS) {
        p->skew_ns -= lead + PACE_MAX_LAG_NS;
        lead = -PACE_MAX_LAG_NS;
    }
    return lead;
}

#endif
