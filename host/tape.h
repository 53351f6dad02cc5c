/*
 * What follows a run beside the machine: a recorder of its input, or a replay. The run loop asks
 * and tells; without a tape (NULL) every question has its quiet answer.
 *
 *     s.tape = tape_record_open(&s) or tape_replay_open(&s, log);   before the first slice
 */
#ifndef HOST_TAPE_H
#define HOST_TAPE_H

#include "machine/machine.h"

struct tape;
struct session;
struct options;
struct replay;
struct lockstep_case;

struct tape_class {
    bool replays;                                  /* input comes from the tape alone */
    u64 (*next_tick)(const struct tape *);         /* where a slice must end */
    bool (*follow)(struct tape *, enum machine_stop); /* after a slice; true: the tape is over */
    void (*poll)(struct tape *, u64 wall_ns);      /* between slices, now and then */
    int (*end)(struct tape *, int status);         /* the run is over: its status, or a worse one */
    void (*close)(struct tape *);
};

struct tape {
    const struct tape_class *class;
};

static inline bool tape_replays(const struct tape *t)
{
    return t && t->class->replays;
}

static inline u64 tape_next_tick(const struct tape *t)
{
    return t && t->class->next_tick ? t->class->next_tick(t) : UINT64_MAX;
}

static inline bool tape_follow(struct tape *t, enum machine_stop stop)
{
    return t && t->class->follow && t->class->follow(t, stop);
}

static inline void tape_poll(struct tape *t, u64 wall_ns)
{
    if (t && t->class->poll)
        t->class->poll(t, wall_ns);
}

static inline int tape_end(struct tape *t, int status)
{
    return t ? t->class->end(t, status) : status;
}

static inline void tape_close(struct tape *t)
{
    if (t)
        t->class->close(t);
}

/* --record FILE. NULL: it cannot be, which has been said on stderr. */
struct tape *tape_record_open(struct session *);

/* kiln replay FILE. The log is read before there is a machine, since it says what machine to
 * make: replay_load() reads it and parses the command line anew, with the log's options in it.
 * NULL or false: said on stderr. The log is the caller's, to be freed after the session. */
struct replay *replay_load(struct options *, int argc, char **argv);
struct tape *tape_replay_open(struct session *, struct replay *);

/* kiln lockstep FOLDER: the same with a reproducer, whose saved machine both machines load. */
struct lockstep_case *tape_case_load(struct options *, int argc, char **argv);
void tape_case_free(struct lockstep_case *);
struct tape *tape_case_open(struct session *, struct lockstep_case *);

#endif
