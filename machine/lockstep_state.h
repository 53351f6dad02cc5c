/* The parts of lock step that its files share; see machine/lockstep.h. */
#ifndef MACHINE_LOCKSTEP_STATE_H
#define MACHINE_LOCKSTEP_STATE_H

#include "core/input.h"
#include "machine/lockstep.h"

/* Where both machines stood, the same, before the last step. */
struct border {
    u64 ticks, icount, rip, lin_rip, nr_events;
    u64 gpr[16];
    u32 mode, flags;
};

/* Both machines as they were once, in a file: what a search begins with. */
struct past {
    char *path;
    u64 ticks, icount;
    unsigned event; /* of lockstep.events, the first that came afterwards */
    bool there;
};

enum { PAST_START, PAST_BEFORE, PAST_LAST, PAST_SEARCH, NR_PASTS };

struct lockstep {
    struct machine *tested, *reference;
    struct lockstep_options o;
    char **args;
    unsigned nr_args;
    struct input_event *events; /* all since the start */
    unsigned nr_events, cap_events;
    unsigned event; /* the next to be delivered; nr_events but in a search */
    char *folder;   /* of the pasts; NULL until there is one */
    struct past past[NR_PASTS];
    struct border last;
    u64 next_full, next_past; /* instructions */
    u64 last_full;            /* ticks at which the whole state was the same */
    bool planted, searching, over;
    bool linked; /* in a search: from event to event in one go, not border by border */
    u64 nr_steps, nr_full, nr_pasts;
};

struct cpu;

/* ---- machine/lockstep.c ---- */

/* Both machines to the next border, or to the limit. Whether they are the same there: registers,
 * time, the hash of writes, and why they stopped. */
bool lockstep_step(struct lockstep *, const struct machine_limit *, enum machine_stop *);
bool lockstep_same_state(struct lockstep *); /* all of it */

/* ---- machine/lockstep_report.c ---- */

/* What differs, after a step from lockstep.last; whole: the whole state is looked at. */
void lockstep_report(struct lockstep *, FILE *, enum machine_stop tested, enum machine_stop reference);

/* ---- machine/lockstep_search.c ---- */

/* Remembers the machines as they are. -1: it cannot be, which has been said; the run goes on. */
int lockstep_remember(struct lockstep *, unsigned which);

/* They differ now, and did not at tick same. Finds the block, when that is not known yet, and
 * writes the reproducer. */
void lockstep_search(struct lockstep *, u64 same, bool block_known);

#endif
