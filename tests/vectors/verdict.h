/*
 * Running a recorded test and comparing its end.
 */
#ifndef TESTS_VECTORS_VERDICT_H
#define TESTS_VECTORS_VERDICT_H

#include "tests/vectors/board.h"

struct verdict {
    int rule; /* see rules.h; -1: all of it was compared */
    unsigned nr_differences;
    size_t len;
    char text[4096]; /* a line for each difference */
};

/* Memory as it should be, between tests all zeros: BOARD_RAM bytes. */
struct expected;
struct expected *expected_create(void); /* NULL: no memory */
void expected_destroy(struct expected *);

/* The board must be clean, and is left as the test ended. */
void verdict_reach(struct board *, struct expected *, const struct moo_test *, struct verdict *);

#endif
