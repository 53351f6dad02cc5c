/* The page walker's interface within mmu/. */
#ifndef MMU_WALK_H
#define MMU_WALK_H

#include "mmu/mmu.h"

struct walk {
    u64 pa;   /* of the 4 KiB page */
    u32 error; /* #PF error code, when walk() is false */
    u8 flags, level;
};

/* Walks the tables for an access; commit checks rights and sets
 * accessed and dirty bits. False: #PF with w->error. */
bool walk(struct cpu *, u64 lin, unsigned access, bool user, bool commit, struct walk *w);

/* Whether TLB flags allow the access at this privilege. */
bool walk_permits(const struct cpu *, u8 flags, unsigned access, bool user);

#endif
