/*
 * The processor is elsewhere: under an emulator too slow to make cases itself, or another machine.
 *
 *   native_test --probe FACTS                    there: what that processor and its kernel can do
 *   native_test --export CASES --facts FACTS ... here: makes cases for it (main.c)
 *   native_test --execute CASES --to OUTCOMES    there: runs them
 *   native_test --judge OUTCOMES --cases CASES [--again SINGLES]
 *                                                here: runs them too, and compares
 *
 * An emulator has errors of its own, and one of them changes all that follows in its case. So the
 * instructions of the cases that differ are run once more, each as a case of its own (SINGLES, to
 * be executed and judged in the same way). Those that differ by themselves must be known
 * deviations (deviations.h). So must one instruction of each case: an unexplained case fails.
 */
#ifndef TESTS_NATIVE_AWAY_H
#define TESTS_NATIVE_AWAY_H

#include "core/types.h"

/* Each returns an exit status. */
int away_probe(const char *facts, const char *emulator);
int away_execute(const char *cases, const char *outcomes);
/* singles: NULL, or the file to be made. */
int away_judge(const char *outcomes, const char *cases, const char *singles, u64 max_reports);

#endif
