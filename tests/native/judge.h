/*
 * Comparing the two outcomes of a case, and telling people about a difference.
 */
#ifndef TESTS_NATIVE_JUDGE_H
#define TESTS_NATIVE_JUDGE_H

#include "tests/native/gen.h"

enum { KEPT_STEPS = 64 };

/* What the interpreter made of a case. */
struct verdict {
    struct nstate out;
    struct outcome end;
    u32 undefined; /* flags that are not compared */
    unsigned nr_steps;
    struct step steps[KEPT_STEPS]; /* the first ones, for reports */
    u8 image[IMAGE_BYTES];
};

/* Runs the case in one go and fills in the verdict but for undefined. */
void judge_run(struct rig *, const struct slot *, struct verdict *);

/* Writes the differences between interpreter and host as lines of text; returns their number. */
unsigned judge_compare(const struct host_facts *, const struct slot *, const struct verdict *,
                       char *text, size_t cap);

/* Prints a failing case with everything that is needed to run it by hand. */
void judge_report(const struct verdict *, const struct slot *, unsigned code, const char *diffs);

#endif
