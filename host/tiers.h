/*
 * What ran the guest's instructions, interval by interval of guest time: interpreted, or translated; and
 * how much of the host's time each interval took. It is told between slices, and only adds up.
 *
 * Intervals are as many steps of the run loop's grid as keep their number below TIERS_MAX, so none is cut:
 * when the table is full, each two become one.
 */
#ifndef HOST_TIERS_H
#define HOST_TIERS_H

#include "core/types.h"

enum { TIERS_MAX = 256, TIERS_FIRST_TICKS = 200000 }; /* ORDER: the run loop's grid */

struct tier_counts {
    u64 insns, interpreted;
    double seconds; /* processor time */
};

struct tiers {
    u64 ticks; /* of an interval */
    unsigned nr;
    struct tier_counts at[TIERS_MAX];
    struct tier_counts before; /* all, at the last visit */
};

/* The counts since power-on, at a point of guest time that is not before the last one. */
void tiers_visit(struct tiers *, u64 ticks, const struct tier_counts *now);

#endif
