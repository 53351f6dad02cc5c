/*
 * What may be compared: rows that user mode can run, and flags that the manual defines.
 */
#ifndef TESTS_NATIVE_RULES_H
#define TESTS_NATIVE_RULES_H

#include "cpu/cpu.h"
#include "tests/native/host.h"

enum row_use {
    USE_RUN,   /* runs natively and is compared */
    USE_FAULT, /* user mode can only fault on it: the fault is compared */
    USE_NEVER, /* excluded, with a reason */
};

/* Which features (cpu/feature.h) the host's processor has; before anything else is asked. */
void rules_witness_has(u64 features);

/* code: size of the code segment, 4 or 8. *why is set for USE_FAULT and USE_NEVER. */
enum row_use row_use(const struct isa_row *, unsigned code, const char **why);

/* Arithmetic flags that the instruction, about to run on this state, changes to values that the
 * manual defines, and those that it leaves undefined. */
struct flag_rule {
    u32 defined, undefined;
};
struct flag_rule flag_rule(const struct cpu *, const struct insn *);

/* The same against a witness: where it is the host itself, only what cannot be compared is undefined. */
struct flag_rule witness_rule(const struct cpu *, const struct insn *, const struct host_facts *);

/* Flags that the instruction's result depends on. */
u32 flags_read(const struct isa_row *, const struct insn *);

/* Whether the manual leaves the destination open for these operands, and the witness is not the host. */
bool result_undefined(const struct cpu *, const struct insn *, const struct host_facts *);

/* Prints every mask with its manual page. */
void print_masks(const struct host_facts *, const struct silicon *);

/* The flags' letters, for reports. */
const char *flag_names(u32 flags, char out[64]);

#endif
