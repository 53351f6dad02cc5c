/*
 * Times by function of the guest, of both engines beside each other (machine/profile.h has the samples).
 */
#ifndef HOST_FUNCTION_TIMES_H
#define HOST_FUNCTION_TIMES_H

#include "host/bench_results.h"
#include "machine/profile.h"

enum { FUNCTION_NAME = 96, FUNCTIONS_SHOWN = 25 };

struct function_times {
    unsigned nr, cap;
    u64 samples[NR_ENGINES]; /* of all; 0: the engine was not looked at */
    double seconds[NR_ENGINES]; /* of the runs that were looked at */
    struct function_time {
        char name[FUNCTION_NAME];
        u64 samples[NR_ENGINES], translated[NR_ENGINES];
    } *function; /* by the share of the JIT's time, or of the interpreter's where that is alone */
};

/* Takes one engine's samples, of a run of so many seconds. */
void function_times_add(struct function_times *, enum bench_place engine, struct profile *, double seconds);
void function_times_sort(struct function_times *);
void function_times_free(struct function_times *);

/* What the samples come to. */
double function_seconds(const struct function_times *, const struct function_time *, enum bench_place engine);

/* The first FUNCTIONS_SHOWN: as a table, as bars and a table. */
void function_times_print(const struct function_times *);
void function_times_html(const struct function_times *, FILE *);

#endif
