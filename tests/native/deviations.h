/*
 * Where witnesses are known to differ from the interpreter: emulators that are wrong by the manual,
 * and silicon of another vendor than the model's, where the manuals leave a choice or differ. The
 * model's own vendor's silicon has none.
 */
#ifndef TESTS_NATIVE_DEVIATIONS_H
#define TESTS_NATIVE_DEVIATIONS_H

#include "tests/native/judge.h"

enum { MAX_DEVIATIONS = 48 };

/* The known deviation that explains a difference in a case of one instruction, which may have jumped
 * into itself: by any of its steps. Or of a whole case: by its last. -1: none. */
int deviation_of(const struct host_facts *, const struct slot *, const struct verdict *, bool whole);
void deviation_print(const struct host_facts *, int which, u64 count);

/* Whether the instruction that is to run next would make the witness do what spoils the rest of the
 * case, or later ones: such cases are not made. before: how many steps of the case lie before this one. */
bool deviation_breaks_out(const struct host_facts *, const struct rig *, const struct step *, unsigned before);

/* Whether such rows are not to be made in this operand size (0: none, or 8 bits; then in bytes). */
bool deviation_forbids(const struct host_facts *, unsigned code, const struct isa_row *, unsigned bytes);

/* Whether a locked access is about to cross a cache line. */
bool locked_across_line(const struct rig *, const struct step *);

#endif
