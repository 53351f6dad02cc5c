/*
 * Where the guest spends the host's time, by functions of --sym. A clock of the host interrupts the
 * emulator once in a millisecond; the handler only notes where that was. Afterwards, between two slices,
 * an address in translated code becomes the guest's by what the JIT has told of its translations
 * (cpu/translated.h); anywhere else it is the instruction that the processor is at. The guest is not
 * touched, so that a run with samples is the same run.
 *
 *     struct profile *p = profile_create(machine, err);   before the machine's first instruction
 *     ... machine_run(); profile_collect(p); ...
 *     profile_stop(p);
 *     list = profile_functions(p, &nr);
 *     profile_destroy(p);                                 before the machine
 *
 * One machine of a process can have it at a time: the signal is SIGPROF.
 */
#ifndef MACHINE_PROFILE_H
#define MACHINE_PROFILE_H

#include "machine/machine.h"

#define PROFILE_PERIOD_NS 1000000ull

struct profile;

struct profile_function {
    char *name;     /* a symbol, or in parentheses what has none */
    u64 samples;
    u64 translated; /* of these, in translated code; the rest in C for it */
};

/* Begins at once. NULL, with what and why in err. */
struct profile *profile_create(struct machine *, char err[MACHINE_ERR_LEN]);
void profile_destroy(struct profile *); /* NULL is allowed */

/* Between slices, at least every second. */
void profile_collect(struct profile *);

/* No more samples. */
void profile_stop(struct profile *);

/* Most often first; the profile's. It has stopped. */
const struct profile_function *profile_functions(struct profile *, unsigned *nr);

/* All samples, and those that came too fast to be noted. */
u64 profile_samples(const struct profile *);
u64 profile_lost(const struct profile *);

#endif
