/*
 * Within jit/: what the engine, the translator, the code cache and the thunks share.
 */
#ifndef JIT_INTERNAL_H
#define JIT_INTERNAL_H

#include "cpu/run.h"
#include "jit/asm.h"
#include "jit/jit.h"
#include <stddef.h>

/* ---- flags (jit/flags.c) ---- */

/* Where the guest's arithmetic flags are, when they are not in the host's: in cpu.jit.flags
 * (FLAGS_STORED), or nowhere, but they come of executing an operation again. */
enum flags_kind {
    FLAGS_STORED,
    FLAGS_DEAD,  /* nobody will ask */
    FLAGS_CMP,   /* a - b */
    FLAGS_TEST,  /* a & b */
    FLAGS_LOGIC, /* of the result a */
    FLAGS_ADD,   /* a is the result of adding b */
    FLAGS_SUB,   /* a is the result of subtracting b */
    FLAGS_NEG,   /* a is the result */
    FLAGS_ROW,   /* the row once more, on a as its first operand and b as its second */
};

/* Where an operand is: a guest's register 0 to 15, or */
enum flags_place { PLACE_SLOT0 = 16, PLACE_SLOT1, PLACE_IMM, PLACE_NONE };

struct flags_recipe {
    u8 kind, size, a, b;
    u16 row;
    u16 zero; /* recipes are compared with all their bytes */
    i32 imm;  /* of PLACE_IMM, or the third operand */
};

/* ---- translations (jit/translate.c) ---- */

struct translation;

enum { IN_HOST_VEC = 1, IN_HOST_X87 = 2 };

/* A way out of a block to a known address. */
struct edge {
    struct translation *from, *to; /* to: NULL while not linked */
    struct edge *next_in;          /* of those that lead to `to` */
    u64 rip;
    u8 *rel;          /* the jump's distance, to be patched */
    const u8 *stub;   /* what it leads to while not linked (written address) */
    u32 epoch;        /* of one to another page: good while it is cpu.jit.epoch */
    u16 flags;        /* number of the recipe that the target begins with */
};

struct translation {
    struct block *block;
    struct translation *next, *all_next; /* of the same block; of all */
    struct edge *in;
    u64 rip;
    u32 context;
    u16 flags;     /* number of the recipe at entry */
    u16 nr_insns;
    u8 needs, leaves; /* in the host's registers: at entry, and at the ways out */
    u32 tail_epoch;   /* of a block that crosses a page: the epoch of which its second part is known */
    u8 range_misses; /* how often a range was not on one page */
    const u8 *entry; /* where it runs */
    const u8 *warm;  /* the same, where what it needs is known to be there */
    u32 code_bytes;
    struct edge out[2];
};

/* A place from which C code is called. */
enum site_kind { SITE_READ, SITE_WRITE, SITE_EXEC, SITE_HELP, SITE_LAST, SITE_ENTRY, SITE_EDGE, SITE_UNPAID };
struct site {
    struct translation *t;
    const u8 *resume; /* SITE_READ, SITE_WRITE: the probe again */
    struct access_slot *slot; /* NULL: none */
    u16 rip_off;      /* of the instruction, from the block's start */
    u16 span, at;     /* what is probed, if more than the access: its bytes, and where the access is in it */
    u16 hit, behind;  /* from resume: where RSI is the host's address; behind the instruction, which keeps flags. 0: none */
    u8 index, kind, size, edge;
    bool aligned; /* the access must be: looked at before anything is translated */
    bool by_16;   /* the probe looks at that, too */
};

/* All that blocks depend on beside their bytes and RIP. */
struct context {
    u32 mode; /* struct cpu.mode */
    u8 set;   /* fast set */
    u8 flat;  /* bit per segment: base 0, no limit, readable and, but CS, writable */
    u64 cs_base;
    u32 cs_limit;
};

enum { SLOT_FIRST_CREDIT = 8, SLOT_CREDIT = 255, SLOT_MIN_TICKS = 16 * SLOT_CREDIT, SLOT_TRIES = 3, SLOT_PAGES = 256 };
/* What a slot for `bytes` bytes compares with: the first offset that an access of `span` bytes must not have; where the
 * probe rotates an offset to the right by 4, so that odd ones are too large, in units of 16. */
static inline u64 slot_length(u64 bytes, unsigned span, bool by_16)
{
    return by_16 ? ((bytes - span) >> 4) + 1 : bytes - span + 1;
}

/* Where a field of a fast set's first entry is in struct cpu. */
static inline i64 set_field(unsigned which, bool write, size_t field)
{
    return (i64)(offsetof(struct cpu, fast_sets) + which * sizeof(struct fast_set) +
                 (write ? offsetof(struct fast_set, write) : offsetof(struct fast_set, read)) + field);
}

enum { HOT_SAMPLES = 3 };
enum { MAX_RECIPES = 8192, MAX_CONTEXTS = 4096, JUMP_ENTRIES = 65536 };

struct jump_entry {
    u64 rip;
    u64 context_epoch; /* as in struct jit_state */
    const u8 *host;
    u64 past_rf; /* its first instruction does not show whether RF is set */
};

enum thunk {
    THUNK_SLOW, THUNK_SLOW_FLAGS, /* _FLAGS: the arithmetic flags are in the host's, and are stored first */
    THUNK_HELP, THUNK_HELP_FLAGS,
    THUNK_EDGE, THUNK_EDGE_FLAGS,
    THUNK_ENTRY, THUNK_ENTRY_FLAGS,
    THUNK_VEC, THUNK_VEC_FLAGS, /* brings the vector registers into the host's */
    THUNK_X87, THUNK_X87_FLAGS,
    THUNK_TAIL, THUNK_TAIL_FLAGS, /* fetches a block that crosses a page anew */
    THUNK_WROTE, /* lock step: takes a store into the hash; changes nothing */
    THUNK_CHECK, /* debug: compares a hit with the tables */
    NR_THUNKS,
};

/* Why translated code was left for the engine's loop. Faults are what is missing to the number of entries. */
enum jit_exit {
    EXIT_BUDGET, /* the slice has no room for a block */
    EXIT_EVENT,  /* an interrupt, or somebody wants the processor to stop */
    EXIT_HALT,
    EXIT_CARE,   /* the next instruction must be looked at before or behind it: TF, breakpoints, observers */
    EXIT_COLD,   /* the next block is not translated */
    EXIT_STATE,  /* vector or x87 exceptions that are not masked: the interpreter's */
    NR_EXITS,
};

/* Why an instruction that is the host's own was run in C. */
enum jit_slow_path {
    SLOW_OTHER,    /* a device's memory, a page with code or a watchpoint, or it raised */
    SLOW_CROSSING, /* more than one page */
    SLOW_CHECK,    /* division, limits of segments, alignment, jumps whose target is not in the table */
    NR_SLOW_PATHS,
};

struct jit_stats {
    u64 translations, translated_insns, code_bytes, flushes, links, unlinks, epoch_misses;
    u64 fills, slots_widened, slots_given_up, range_misses, helps, enters, jump_misses, dropped, interpreted_blocks;
    u64 help_rows[NR_ROWS], exits[NR_EXITS], slow[NR_SLOW_PATHS];
};

/* Code and data of translations (jit/cache.c). */
struct code_cache {
    u8 *write, *run; /* two mappings of the same memory */
    size_t size, used, thunks_end;
    u8 *data;        /* beside the running mapping, within its reach */
    size_t data_size, data_used;
};

/* What the translator notes of the block that it translates, where somebody listens (jit/listing.c). */
enum { MAX_PARTS = 6 * BLOCK_MAX_OPS };
struct listing {
    struct translated_part part[MAX_PARTS];
    u32 nr;
    bool thunks_told;
};

struct jit {
    struct cpu *c;
    struct block_cache *blocks;
    struct code_cache code;
    const u8 *thunk[NR_THUNKS];
    const u8 *fill_slot[NR_FAST_SETS][2]; /* by set, and whether it is for writing */
    void (*enter)(struct cpu *, const u8 *host);
    struct context context[MAX_CONTEXTS];
    u32 nr_contexts;
    u16 context_hint[64]; /* by what is usually different: level and set */
    struct flags_recipe *recipe; /* [MAX_RECIPES] */
    u32 nr_recipes;
    u16 recipe_hash[1 << 14];
    struct site *site;
    u32 nr_sites, max_sites;
    struct jump_entry *jumps;
    struct translation *all;
    u32 hot;
    bool bmi2; /* the host has RORX */
    bool looked_up;      /* fetching the next instruction took time: it runs before anything else is looked at */
    bool interpret_next; /* the next block must not be entered: what it needs cannot be had */
    struct listing listing;
    struct jit_stats stats;
};

bool code_cache_create(struct code_cache *, size_t bytes);
void code_cache_destroy(struct code_cache *);
void *code_cache_data(struct code_cache *, size_t bytes); /* NULL: full */

void thunks_emit(struct jit *);
void emit_flags_stored(struct assembler *); /* from the host's flags into cpu.jit.flags; R11 is lost */

void jit_print_stats(void *engine, FILE *); /* stats.c */

/* The translation of the block at RIP, which is in the present context, or NULL: it does not fit; all
 * must be dropped first. */
struct translation *translate(struct jit *, struct block *, u16 flags);

/* Code that stores the flags of the edge's recipe and goes on to a translation that begins with stored
 * ones. Where it is written; NULL: no room. */
const u8 *emit_converter(struct jit *, const struct edge *, const struct translation *to);

/* The number of a context, which is added if it is new; MAX_CONTEXTS: there is no room. Compares padding, too. */
u32 context_number(struct jit *, const struct context *);
static inline const struct context *context_now(const struct jit *j)
{
    return &j->context[j->c->jit.context];
}

/* The number of a recipe; 0, which is FLAGS_STORED, where there is no room for more. */
u16 recipe_number(struct jit *, const struct flags_recipe *);

/* What the thunks call: where to go on, or NULL: leave. ret points to the site's number. */
typedef const u8 *thunk_fn(struct cpu *, u64 lin, const u8 *ret);
thunk_fn jit_slow, jit_help, jit_edge, jit_entry, jit_vec, jit_x87, jit_tail, jit_wrote, jit_check;

static inline u16 flags_to_stored(u32 eflags)
{
    return (u16)((eflags & 0xff) << 8 | (eflags >> 11 & 1));
}
static inline u32 flags_from_stored(u16 v)
{
    return (v >> 8 & (F_S | F_Z | F_A | F_P | F_C)) | (u32)(v & 1) << 11;
}

/* Where guest registers live: H_NONE for those that stay in struct cpu. */
extern const u8 host_of_guest[16];

#endif
