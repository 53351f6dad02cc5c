/*
 * A difference between the interpreter and a witness, in one instruction run by itself, and the
 * lists of those that are known (deviations_*.c).
 */
#ifndef TESTS_NATIVE_DIFFERENCE_H
#define TESTS_NATIVE_DIFFERENCE_H

#include "cpu/operand.h"
#include "tests/native/deviations.h"

struct difference {
    const struct host_facts *facts;
    const struct slot *s;    /* the state before, and theirs */
    const struct verdict *v; /* ours */
    const struct insn *in;
    const u8 *bytes;
    u32 ours, theirs; /* vectors */
};

struct deviation {
    const char *name, *reason;
    bool (*fits)(const struct difference *);
    bool whole; /* shows only in company: sees the last instruction of a whole case */
};

struct deviations {
    const char *witness;
    const struct deviation *list;
    unsigned nr;
    /* deviation_breaks_out(), deviation_forbids(); NULL: never. */
    bool (*breaks_out)(const struct rig *, const struct step *, unsigned before);
    bool (*forbids)(unsigned code, const struct isa_row *, unsigned bytes);
};
extern const struct deviations qemu_deviations, intel_deviations;

static inline bool is(const struct difference *d, u16 row)
{
    return d->in->row == row;
}

static inline bool from_to(const struct difference *d, u16 first, u16 last)
{
    return d->in->row >= first && d->in->row <= last;
}

/* Theirs is this fault, of the instruction itself. */
static inline bool faulted_there(const struct difference *d, u32 vector)
{
    return d->theirs == vector && d->s->out.rip == d->s->in.rip;
}

/* All but the x87 and vector state is equal, but for these flags, this register (-1: none) and
 * perhaps memory. */
bool equal_but(const struct difference *, u32 flags, int gpr, bool memory);

/* The same of a state that a rule has made of ours. */
bool equal_state(const struct difference *, const struct nstate *ours, u32 flags, int gpr, bool memory);

/* The general registers alone. */
bool equal_registers(const struct difference *, const struct nstate *ours, int gpr);

/* The x87 and vector state is equal. */
bool equal_fx(const struct difference *);

bool has_memory(const struct insn *); /* an operand there, strings aside */

/* Skips the prefixes; *locked: whether LOCK was among them. */
const u8 *opcode_of(const struct difference *, bool *locked);

/* A rule that more than one witness has. */
bool far_return_frame(const struct difference *);

/* Whether the instruction accesses memory beyond the last byte of 4 GiB, or so near to it that
 * it may. */
bool across_4g(const struct rig *, const struct step *);

/* The flags that an IRET of 32 or 64 bits is about to pop; 0: it is none, or they are not there. */
u64 iret_flags(const struct rig *, const struct step *);

#endif
