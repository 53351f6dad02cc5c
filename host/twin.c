/*
 * The second machine of lock step. See host/twin.h.
 */
#include "host/twin.h"
#include "host/disk_snapshot.h"
#include "host/machine_args.h"
#include "host/session.h"
#include "machine/snapshot.h"
#include <stdlib.h>

struct twin {
    struct machine *m;
    struct lockstep *lockstep;
    struct disk_snapshot *disk[MAX_DISKS];
    struct chardev nobody; /* at the other end of its debug console */
};

/* Writes of the first machine are kept apart from the image, too: both see it as it is now. */
static int open_disks(struct twin *t, struct machine_config *cfg)
{
    for (unsigned i = 0; i < MAX_DISKS; i++) {
        struct blockdev *first = cfg->disk[i];

        if (!first || !first->under)
            continue;
        t->disk[i] = disk_snapshot_create(first->under);
        if (!t->disk[i]) {
            fprintf(stderr, "kiln: -accel lockstep: the host has no memory for the second machine's disks\n");
            return -1;
        }
        cfg->disk[i] = disk_snapshot_blockdev(t->disk[i]);
    }
    return 0;
}

static int start(struct twin *t, struct session *s)
{
    struct lockstep_setup setup = {.options = s->o->lockstep};
    struct machine_args args;
    char err[MACHINE_ERR_LEN];

    if (s->o->loadvm && snapshot_load(t->m, s->o->loadvm, err)) {
        fprintf(stderr, "kiln: -loadvm: %s\n", err);
        return -1;
    }
    machine_args_describe(&args, s->o);
    machine_args_pair(&args, "-accel", s->o->accel);
    setup.args = (const char *const *)args.arg;
    setup.nr_args = args.nr;
    t->lockstep = lockstep_create(s->m, t->m, &setup, err);
    machine_args_free(&args);
    if (!t->lockstep)
        fprintf(stderr, "kiln: -accel lockstep: %s\n", err);
    return t->lockstep ? 0 : -1;
}

int twin_open(struct session *s)
{
    struct machine_config cfg = *machine_config_of(s->m);
    struct twin *t = calloc(1, sizeof(*t));
    char err[MACHINE_ERR_LEN];

    ASSERT(t);
    s->twin = t;
    if (open_disks(t, &cfg))
        return -1;
    lockstep_config_reference(&cfg);
    if (cfg.debugcon)
        cfg.debugcon = &t->nobody;
    t->m = machine_create(&cfg, err);
    if (!t->m) {
        fprintf(stderr, "kiln: -accel lockstep: %s\n", err);
        return -1;
    }
    return start(t, s);
}

void twin_close(struct twin *t)
{
    if (!t)
        return;
    lockstep_destroy(t->lockstep);
    if (t->m)
        machine_destroy(t->m);
    for (unsigned i = 0; i < MAX_DISKS; i++)
        disk_snapshot_destroy(t->disk[i]);
    free(t);
}

struct lockstep *twin_lockstep(const struct twin *t)
{
    return t->lockstep;
}
