/*
 * Points of a run. See host/run_points.h.
 */
#include "host/run_points.h"
#include "machine/snapshot.h"
#include <inttypes.h>

void run_points_start(struct run_points *p, const struct options *o)
{
    *p = (struct run_points){.o = o};
    for (unsigned i = 0; i < o->nr_points; i++)
        p->since[i] = UINT64_MAX;
}

void run_points_limit(const struct run_points *p, struct machine_limit *limit)
{
    for (unsigned i = 0; i < p->o->nr_points; i++) {
        const struct point_options *point = &p->o->point[i];
        if (p->done[i])
            continue;
        if (p->since[i] == UINT64_MAX) {
            if (point->icount < limit->max_icount)
                limit->max_icount = point->icount;
        } else if (p->since[i] + point->ticks < limit->max_ticks) {
            limit->max_ticks = p->since[i] + point->ticks;
        }
    }
}

static const char *option_of(const struct point_options *point)
{
    return point->file ? "--save-at" : "--state-hash-at";
}

static void reached(struct run_points *p, const struct point_options *point, struct machine *m)
{
    char err[MACHINE_ERR_LEN];
    if (!point->file) {
        fprintf(stderr, "state-hash-at: %" PRIu64 "+%" PRIu64 " %016" PRIx64 "\n", point->icount,
                point->ticks, machine_state_hash(m));
    } else if (snapshot_save(m, point->file, err)) {
        fprintf(stderr, "kiln: --save-at: %s\n", err);
        p->failed = true;
    }
}

void run_points_visit(struct run_points *p, struct machine *m)
{
    u64 icount = machine_icount(m), ticks = machine_ticks(m);
    for (unsigned i = 0; i < p->o->nr_points; i++) {
        const struct point_options *point = &p->o->point[i];
        if (p->done[i])
            continue;
        if (p->since[i] == UINT64_MAX && icount > point->icount) { /* loaded, and lies behind */
            fprintf(stderr, "kiln: %s: the run is beyond %" PRIu64 " instructions already\n",
                    option_of(point), point->icount);
            p->done[i] = p->failed = true;
            continue;
        }
        if (p->since[i] == UINT64_MAX && icount == point->icount)
            p->since[i] = ticks;
        if (p->since[i] != UINT64_MAX && ticks >= p->since[i] + point->ticks) {
            p->done[i] = true;
            reached(p, point, m);
        }
    }
}

int run_points_end(struct run_points *p)
{
    for (unsigned i = 0; i < p->o->nr_points; i++)
        if (!p->done[i]) {
            const struct point_options *point = &p->o->point[i];
            fprintf(stderr, "kiln: %s: the run ended before %" PRIu64 " instructions\n",
                    option_of(point), point->icount);
            p->failed = true;
        }
    return p->failed ? -1 : 0;
}
