/*
 * Cases and their outcomes as files, for a processor that is elsewhere: see away.h.
 *
 * A file is a head, then cases or outcomes, then a mark of the end; it may lie on a raw disk. Both
 * sides are x86-64 and of the same build: structs are written as they are.
 */
#ifndef TESTS_NATIVE_CARRY_H
#define TESTS_NATIVE_CARRY_H

#include "tests/native/host.h"
#include <stdio.h>

struct carry_head {
    char magic[8];
    u32 bytes; /* of this struct: another build is refused */
    u32 code;
    struct host_facts facts;
    u8 constant[4096];
    u8 pristine[IMAGE_BYTES];
};

void carry_head_init(struct carry_head *);
bool carry_put_head(FILE *, const struct carry_head *);
bool carry_get_head(FILE *, struct carry_head *); /* false: not such a file; says why */

/* What is known of a case besides its slot. */
struct carry_note {
    u32 undefined; /* flags that its end leaves open */
    u32 whole;     /* one instruction: number of the case that it is of, from 1; a whole case: 0 */
};

/* What the child is given of a slot. */
bool carry_put_case(FILE *, const struct slot *, const struct carry_note *, const u8 *pristine);
/* 1, 0 at the end, -1 when the file is damaged. */
int carry_get_case(FILE *, struct slot *, struct carry_note *, const u8 *pristine);

/* What the child wrote; the image against the one that it was given. */
bool carry_put_outcome(FILE *, const struct slot *);
int carry_get_outcome(FILE *, struct slot *);
bool carry_put_end(FILE *);

#endif
