/*
 * Where emulators that serve as witnesses are known to be wrong, by the manual. Silicon has none.
 */
#ifndef TESTS_NATIVE_DEVIATIONS_H
#define TESTS_NATIVE_DEVIATIONS_H

#include "tests/native/judge.h"

enum { MAX_DEVIATIONS = 48 };

/* The known deviation, of this step, that explains a difference in a case of one instruction, or in a
 * whole case; -1: none. */
int deviation_of(const struct host_facts *, const struct slot *, const struct verdict *,
                 const struct step *, bool whole);
void deviation_print(int which, u64 count);

/* Whether the instruction that is to run next would make an emulator do what spoils later cases: such
 * cases are not made. before: how many steps of the case lie before this one. */
bool deviation_breaks_out(const struct host_facts *, const struct rig *, const struct step *, unsigned before);

#endif
