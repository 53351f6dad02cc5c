/*
 * Where a 286 and a later processor differ: which recorded tests are not compared, or only in
 * part, and why. The rules look at the test and at what the 286 did, never at what our processor
 * did, and are written from the manuals, apart from the interpreter.
 */
#ifndef TESTS_VECTORS_RULES_H
#define TESTS_VECTORS_RULES_H

#include "cpu/insn.h"
#include "tests/vectors/moo.h"

/* Parts of the end that a rule leaves out. */
enum {
    WITHOUT_CS_IP = 1, /* also of the vector: it selects them */
    WITHOUT_CX_SI_DI = 2,
    WITHOUT_SP_AND_MEMORY = 4,
    WITHOUT_ARITHMETIC_FLAGS = 8,
    WITHOUT_IOPL_NT = 16,
    WITHOUT_ALL = 32,
};

struct rule {
    const char *name;
    u32 parts;
    int vector; /* what our processor must raise then; -1: nothing is asked */
    const char *reason;
};

enum { NR_VECTOR_RULES = 14 };
extern const struct rule rules[NR_VECTOR_RULES];

/* The rule that the test falls under; -1: none. in: as decoded, row 0 where it is not valid. */
int rule_of(const struct moo_test *, const struct insn *in);

#endif
