/*
 * What an engine that translates tells of the host code that it makes, for listings and profilers.
 * Nobody needs to listen: struct cpu_config.translated.
 */
#ifndef CPU_TRANSLATED_H
#define CPU_TRANSLATED_H

#include "core/types.h"

struct cpu;

enum translated_kind {
    TRANSLATED_BLOCK,
    TRANSLATED_LINK,  /* stands between two blocks: stores the flags that the second one wants stored */
    TRANSLATED_THUNK, /* the way from translated code to C; told once, before all others */
};

/* A piece of the host code, up to where the next one begins. */
struct translated_part {
    u32 at;           /* offset of its first byte */
    u16 guest_off;    /* of the instruction that it belongs to, from the block's start */
    u8 guest_len;     /* a stub's: 0 */
    const char *what; /* NULL: the instruction itself; else what the piece is there for */
};

/* Lives while it is told. */
struct translated {
    enum translated_kind kind;
    const char *name;     /* of a thunk */
    bool takes_site;      /* a thunk: four bytes behind a CALL of it are no code, but say where from it is called */
    u64 rip, lin;         /* a block's first instruction; a link's target */
    u32 mode;             /* struct cpu.mode */
    const u8 *guest;      /* a block's bytes */
    const char *flags;    /* where the arithmetic flags are at its start: words */
    const u8 *host;       /* the code, where it can be read */
    u64 runs_at;          /* and where it runs */
    u32 host_bytes;
    const struct translated_part *part; /* of a block, in the order of addresses; the first begins at 0 */
    u32 nr_parts;
};

typedef void translated_fn(void *h, struct cpu *, const struct translated *);

#endif
