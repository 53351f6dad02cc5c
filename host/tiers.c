/* See tiers.h. */
#include "host/tiers.h"

static void add(struct tier_counts *to, const struct tier_counts *c)
{
    to->insns += c->insns;
    to->interpreted += c->interpreted;
    to->seconds += c->seconds;
}

static void halve(struct tiers *t)
{
    for (unsigned i = 0; i < TIERS_MAX / 2; i++) {
        t->at[i] = t->at[2 * i];
        add(&t->at[i], &t->at[2 * i + 1]);
    }
    memset(&t->at[TIERS_MAX / 2], 0, TIERS_MAX / 2 * sizeof(t->at[0]));
    t->nr = TIERS_MAX / 2;
    t->ticks *= 2;
}

void tiers_visit(struct tiers *t, u64 ticks, const struct tier_counts *now)
{
    struct tier_counts since = {.insns = now->insns - t->before.insns,
                                .interpreted = now->interpreted - t->before.interpreted,
                                .seconds = now->seconds - t->before.seconds};
    u64 last;

    t->before = *now;
    if (!t->ticks)
        t->ticks = TIERS_FIRST_TICKS;
    for (;;) { /* a slice that ends with an interval belongs to it */
        last = ticks ? (ticks - 1) / t->ticks : 0;
        if (last < TIERS_MAX)
            break;
        halve(t);
    }
    add(&t->at[last], &since);
    if (t->nr <= last)
        t->nr = (unsigned)last + 1;
}
