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
    struct step steps[KEPT_STEPS]; /* for reports: the first ones, or judge_steps() */
    u8 image[IMAGE_BYTES];
};

/* Runs the case in one go, or in slices of some ticks, and fills in the verdict but for undefined. slices: NULL,
 * or what makes their lengths. */
void judge_run(struct rig *, const struct slot *, struct rng *slices, struct verdict *);

/* The instruction that is to run next; false: it does not lie where a case's code can. */
bool judge_next_step(const struct rig *, struct step *);

/* Runs the case again step by step, and keeps its steps in the verdict: all, or the first and last. */
void judge_steps(struct rig *, const struct slot *, struct verdict *);

/* The flags that a case leaves open, by the rules of the instructions that it runs. */
u32 judge_undefined_flags(struct rig *, const struct host_facts *, const struct slot *, const struct verdict *);

/* Writes the differences between interpreter and host as lines of text; returns their number. */
unsigned judge_compare(const struct host_facts *, const struct slot *, const struct verdict *,
                       char *text, size_t cap);

/* Whether two FXSAVE images are equal in what is compared. high: XMM8 to XMM15, too. */
bool judge_equal_fx(const u8 *, const u8 *, bool high);

/* Prints a failing case with everything that is needed to run it by hand. */
void judge_report(const struct verdict *, const struct slot *, unsigned code, const char *diffs);

#endif
