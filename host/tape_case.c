/*
 * kiln lockstep FOLDER: two machines from the state that a reproducer holds, to just behind the
 * difference that it was written for. Status 72: they differ again; 0: they do no longer.
 */
#define _GNU_SOURCE /* asprintf */
#include "core/input.h"
#include "host/machine_args.h"
#include "host/session.h"
#include "host/tape.h"
#include "machine/lockstep.h"
#include <inttypes.h>
#include <stdlib.h>

/* ---- before the machines ---- */

static char *state_path(struct options *o)
{
    char *path = NULL;

    if (asprintf(&path, "%s/%s", o->replay, LOCKSTEP_STATE) < 0)
        abort();
    o->owned = realloc(o->owned, (o->nr_owned + 1) * sizeof(*o->owned));
    ASSERT(o->owned);
    return o->owned[o->nr_owned++] = path;
}

struct lockstep_case *tape_case_load(struct options *o, int argc, char **argv)
{
    struct lockstep_case *c = calloc(1, sizeof(*c));
    char err[MACHINE_ERR_LEN];

    ASSERT(c);
    if (lockstep_case_read(c, o->replay, err)) {
        fprintf(stderr, "kiln: lockstep: %s\n", err);
        free(c);
        return NULL;
    }
    if (machine_args_parse(o, (const char *const *)c->args, c->nr_args, argc, argv) && o->lockstep.on) {
        o->loadvm = state_path(o);
        o->lockstep.save = ""; /* there is one */
        return c;
    }
    if (!o->lockstep.on)
        fprintf(stderr, "kiln: lockstep: %s says nothing of -accel lockstep\n", o->replay);
    tape_case_free(c);
    return NULL;
}

void tape_case_free(struct lockstep_case *c)
{
    if (c)
        lockstep_case_free(c);
    free(c);
}

/* ---- beside them ---- */

struct tape_case {
    struct tape tape;
    struct lockstep_case *c;
    struct machine *m;
    unsigned event;
};

static u64 next_tick(const struct tape *tape)
{
    const struct tape_case *t = (const struct tape_case *)tape;
    const struct input_event *e = &t->c->events[t->event];

    return t->event < t->c->nr_events ? e->icount + e->sub_tick : t->c->until;
}

static bool follow(struct tape *tape, enum machine_stop stop)
{
    struct tape_case *t = (struct tape_case *)tape;

    while (t->event < t->c->nr_events && next_tick(tape) <= machine_ticks(t->m))
        input_replay(machine_input(t->m), &t->c->events[t->event++]);
    return stop != MACHINE_DIVERGED &&
           (machine_ticks(t->m) >= t->c->until || (stop != MACHINE_SLICE_DONE && stop != MACHINE_RESET));
}

static int case_over(struct tape *tape, int status)
{
    const struct tape_case *t = (const struct tape_case *)tape;

    if (status == 0)
        fprintf(stderr, "kiln: lock step: the same from %" PRIu64 " to %" PRIu64 " instructions: they no longer differ\n",
                t->c->icount, machine_icount(t->m));
    return status;
}

static void case_close(struct tape *tape)
{
    free(tape);
}

static const struct tape_class case_class = {
    .replays = true,
    .next_tick = next_tick,
    .follow = follow,
    .end = case_over,
    .close = case_close,
};

struct tape *tape_case_open(struct session *s, struct lockstep_case *c)
{
    struct tape_case *t = calloc(1, sizeof(*t));

    ASSERT(t);
    *t = (struct tape_case){{&case_class}, c, s->m, 0};
    machine_input(s->m)->replaying = true;
    return &t->tape;
}
