/*
 * Lock step: two complete machines of one configuration, one under test and one that runs the
 * reference engine, fed from one input log. The one under test runs to its next border between two
 * blocks, the other to the same tick, and they are compared: registers and the rolling hash of
 * memory writes at each border, the whole state at intervals. A difference is told in words,
 * narrowed down by saved states to one block where it was found later, and left behind as a
 * reproducer: a folder with the saved machine before that block and what it takes to run it again.
 *
 *     lockstep_config(&cfg, &options);  tested = machine_create(&cfg, err);
 *     ... a second configuration, with its own view of the disks ...
 *     lockstep_config_reference(&cfg);  reference = machine_create(&cfg, err);
 *     ls = lockstep_create(tested, reference, &setup, err);
 *     while ((stop = lockstep_run(ls, &limit)) == MACHINE_SLICE_DONE) ...    as machine_run()
 *
 * The machines are the caller's. Between calls both stand at the same point; input that is given to
 * the one under test reaches the other through its log.
 */
#ifndef MACHINE_LOCKSTEP_H
#define MACHINE_LOCKSTEP_H

#include "machine/machine.h"

/* A fault that is made on purpose in the machine under test, to see it found: bit 0 flips of a
 * general register, or of a byte of memory behind the back of whoever keeps account of writes. */
enum lockstep_plant { PLANT_NOTHING, PLANT_REGISTER, PLANT_MEMORY };

struct lockstep_options {
    bool on;
    u64 blocks; /* compare at each border until so many instructions are retired, then at intervals */
    u64 every;  /* instructions between comparisons of the whole state */
    bool hash;  /* writes to memory are hashed, and compared at each border; else memory at intervals */
    enum lockstep_plant plant;
    u64 plant_icount; /* after so many instructions */
    u64 plant_where;  /* number of the register, or physical address */
    const char *save; /* folder of the reproducer; NULL: lockstep-ICOUNT; "": none is written */
};

#define LOCKSTEP_BLOCKS 2000000000ull
#define LOCKSTEP_EVERY  1000000ull

/* Words that make the same machine and options again, for the reproducer. Copied. */
struct lockstep_setup {
    struct lockstep_options options;
    const char *const *args;
    unsigned nr_args;
};

struct lockstep;

/* What engines need to be told in the two configurations. A debug console of the reference is the
 * caller's to replace by one that is silent: whether there is one, the guest can see. */
void lockstep_config(struct machine_config *, const struct lockstep_options *);
void lockstep_config_reference(struct machine_config *);

/* Both machines must be in the same state. NULL, with why in err. */
struct lockstep *lockstep_create(struct machine *tested, struct machine *reference,
                                 const struct lockstep_setup *, char err[MACHINE_ERR_LEN]);
void lockstep_destroy(struct lockstep *); /* NULL is allowed */

/* As machine_run(); MACHINE_DIVERGED when they differ, which has been told on stderr. */
enum machine_stop lockstep_run(struct lockstep *, const struct machine_limit *);

/* The run is over: compares the whole state once more. */
enum machine_stop lockstep_end(struct lockstep *);

void lockstep_print_stats(const struct lockstep *, FILE *);

/* ---- reproducers: machine/lockstep_file.c ---- */

#define LOCKSTEP_STATE "machine.kiln" /* in the folder: the saved machine */
#define LOCKSTEP_WORDS "lockstep.txt" /* the rest */

struct lockstep_case {
    u64 from, icount; /* ticks, and instructions, at which its saved machine stands */
    u64 until;        /* ticks to which it runs; the difference showed before */
    char **args;      /* in pairs: option, argument */
    unsigned nr_args;
    struct input_event *events; /* what came from outside on the way */
    unsigned nr_events;
};

/* 0, or -1 with why in err; then nothing is to be freed. */
int lockstep_case_read(struct lockstep_case *, const char *folder, char err[MACHINE_ERR_LEN]);
int lockstep_case_write(const struct lockstep_case *, const char *folder, char err[MACHINE_ERR_LEN]);
void lockstep_case_free(struct lockstep_case *);

#endif
