/*
 * What the manuals leave open and the host's processor decides: flags after a multiplication, OF after
 * a shift by more than one, and so on.
 *
 * Translated code runs the host's instructions, so the interpreter must make of such flags and results
 * what they make of them. Each family of rows has a trait; a trait has one or more behaviours, the first
 * being AMD's, all of them written in cpu/exec_*.c. cpu_init() runs a few instructions of each
 * family on the host and takes the behaviour that gives the same: no vendor is asked for. After that the
 * profile never changes. It is part of what saved machines and logs are stamped with (machine/identity.h).
 *
 * A processor that behaves in none of the known ways is no error: the interpreter has the first behaviour
 * then, and silicon_exact() is false for the family's rows, whose functions translated code must call.
 * docs/decisions/010.
 */
#ifndef CPU_SILICON_H
#define CPU_SILICON_H

#include "core/types.h"

struct cpu;

/* ORDER: traits[] in silicon.c. */
enum silicon_trait {
    SILICON_LOGIC,        /* AND OR XOR TEST: AF */
    SILICON_MULTIPLY,     /* MUL IMUL: SF ZF AF PF */
    SILICON_DIVIDE,       /* DIV IDIV: all flags */
    SILICON_SHIFT,        /* SHL SHR SAR: OF AF, CF beyond the width */
    SILICON_ROTATE,       /* ROL ROR: OF */
    SILICON_ROTATE_CARRY, /* RCL RCR: OF */
    SILICON_DOUBLE_SHIFT, /* SHLD SHRD: OF AF, up to the width */
    SILICON_DOUBLE_BEYOND, /* SHLD SHRD of 16 bits by more than 16: all */
    SILICON_BIT_TEST,     /* BT BTS BTR BTC: OF SF AF PF */
    SILICON_BIT_SCAN,     /* BSF BSR: all but ZF; the destination where the source is 0 */
    SILICON_BSWAP,        /* of 16 bits */
    SILICON_CMPXCHG,      /* the upper half of a 32-bit register that is not exchanged */
    SILICON_POPCNT,       /* OF SF AF PF CF */
    SILICON_COUNT,        /* TZCNT LZCNT: OF SF AF PF */
    SILICON_BEXTR,        /* SF AF PF */
    SILICON_BMI,          /* ANDN BLSR BLSI BLSMSK BZHI: AF PF */
    NR_SILICON_TRAITS
};

/* Behaviours, where there is more than one; 0 is AMD's (measured on family 26, model 2), 1 Intel's (family 6, model 207). */
enum {
    MULTIPLY_KEEPS = 0,  /* the four stay as they were */
    MULTIPLY_RESULT = 1, /* SF and PF are the low half's, ZF and AF are 0 */
};
enum {
    DIVIDE_SETS_AF = 0, /* SF, ZF and PF become 0, AF 1; OF and CF stay */
    DIVIDE_KEEPS = 1,
};
enum {
    OF_LAST_STEP = 0,  /* OF as if the last of the steps by one had set it; shifts set AF */
    OF_FIRST_STEP = 1, /* ... the first; AF is 0; RCL and RCR by whole turns change no flag */
};
enum {
    ROTATE_LAST = 0, /* as OF_LAST_STEP */
    ROTATE_ONE = 1,  /* as OF_FIRST_STEP, but a register by a constant above 1: OF stays as it was */
};
enum {
    BEYOND_SOURCE = 0,      /* after the second operand come its bits again; CF is 0 */
    BEYOND_DESTINATION = 1, /* ... come the first operand's; CF is the last bit out */
};
enum {
    COUNT_KEEPS_OF = 0,
    COUNT_CLEARS_OF = 1,
};
enum {
    BMI_RESULT = 0, /* PF is the result's; BEXTR sets AF */
    BMI_CLEARS = 1,
};

struct silicon {
    u8 behaviour[NR_SILICON_TRAITS];
    u32 unknown; /* bit per trait: the host behaves in no known way, or has no such instructions */
};

/* Whether the interpreter's function for the row and the host's instruction agree in everything that
 * the manual leaves open. */
bool silicon_exact(const struct silicon *, unsigned row);

/* The profile as a line of text: equal texts, equal behaviour of the interpreter. Truncates at cap. */
void silicon_text(const struct silicon *, char *out, size_t cap);

/* Finds cpu.silicon out; for cpu_init() before the reset: it uses the registers and flags. */
void silicon_probe(struct cpu *);

/* A digest of the host's approximate results (cpu/approximations.c), which guests see as they are. Leaves the
 * x87 unit as FNINIT does: not while cpu.fpu_live. */
u64 silicon_approximations(void);

/* ---- for tests ---- */

/* Whether interpreter and host agree in a trait's experiments under cpu.silicon as it is. */
bool silicon_agrees(struct cpu *, enum silicon_trait);

/* How many behaviours the interpreter has. */
unsigned silicon_nr_behaviours(enum silicon_trait);

#endif
