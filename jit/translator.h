/*
 * Within the translator: the block that is being translated, and what its parts call of each other.
 */
#ifndef JIT_TRANSLATOR_H
#define JIT_TRANSLATOR_H

#include "jit/internal.h"

/* Code that is seldom run, emitted behind the block: flags made from the recipe, a thunk. */
struct stub {
    u8 *from[10]; /* jumps that lead to it */
    u8 nr_from, thunk;
    struct access_slot *slot; /* it is filled first, and then the code goes on at `back` */
    const u8 *back;
    u16 span;
    bool write, by_16;
    i32 tags; /* RSI is what lies behind a tag of the set here, which is added again; 0: it is the address */
    u32 word; /* behind the call: the site's number */
    struct flags_recipe flags;
};

/* Accesses whose addresses differ by constants (ranges.c): the numbers of the values that are added. */
struct range_key {
    u16 base, index, scale;
};
struct range_group {
    struct range_key key;
    i64 min, max; /* offsets from the values' sum; max is behind the last byte */
    bool write, valid; /* valid: probed, and cpu.jit.range has the host's address of min */
    u16 count;
    u16 aligned; /* bit per offset modulo 16 that is known to be aligned */
};
struct range_access {
    i8 group; /* -1: by itself */
    i64 off;
};
enum { MAX_GROUPS = 16 };

enum { MAX_STUBS = 4 * BLOCK_MAX_OPS + 8 };

struct translator {
    struct jit *j;
    struct cpu *c;
    struct assembler a;
    struct translation *t;
    const struct block *b;
    const struct context *cx;

    /* the guest's arithmetic flags: the recipe always says where they are; host_valid: in the host's, too */
    struct flags_recipe flags;
    bool host_valid;
    u32 need[BLOCK_MAX_OPS]; /* flags that may be asked for after each instruction, before they are written */

    /* the instruction */
    const struct op *op;
    const struct insn *in;
    unsigned index;
    u32 off; /* from the block's start */
    bool x87_checked;
    bool ended; /* the block's last instruction has emitted its ways out */

    struct range_group group[MAX_GROUPS];
    unsigned nr_groups;
    struct range_access access[BLOCK_MAX_OPS][2]; /* of the operand, and of the stack */
    bool often; /* it jumps to itself, or has been found to run often */
    u32 loaded; /* bit per guest register that the block loads from memory */
    const struct range_group *in_rsi;             /* whose address RSI holds; NULL: none */
    u32 probed;                                   /* site of the last probe */

    struct stub stub[MAX_STUBS];
    unsigned nr_stubs;
    int edge_stub[2]; /* of t->out; -1: there is none */
};

#define FIELD(f) at(H_RBP, offsetof(struct cpu, f))

static inline struct host_mem gpr_home(unsigned g)
{
    return at(H_RBP, offsetof(struct cpu, gpr) + 8 * g);
}

static inline bool code64(const struct translator *t)
{
    return (t->cx->mode & MODE_CODE_MASK) == MODE_CODE64;
}

/* ---- flags (flags.c) ---- */

/* What an instruction does to the arithmetic flags, as far as translated code must know. */
struct flag_use {
    u32 reads;  /* asked for, or left as they were by what writes the others */
    u32 writes; /* perhaps */
    u32 sure;   /* for certain */
};
struct flag_use flag_use_of(const struct cpu *, const struct insn *);

/* Fills need[]: an instruction that may raise or leave asks for all. */
void flags_analyse(struct translator *, const bool *observes);

void flags_emit(struct translator *, const struct flags_recipe *); /* into the host's; RDI and R11 are lost */
void flags_to_host(struct translator *);                           /* if they are not there */
void flags_store(struct translator *);                             /* so that the recipe is FLAGS_STORED */
void flags_protect(struct translator *, unsigned guest);           /* before the register is written */

/* ---- memory (memory.c) ---- */

u32 site_new(struct translator *, enum site_kind, unsigned size, const u8 *resume);
void stub_add(struct translator *, enum thunk, u32 word, u8 *from);
void call_thunk(struct translator *, enum thunk, u32 word); /* from the main line */
void exec_if(struct translator *, unsigned cc); /* a jump to a stub that runs the whole instruction in C */

/* The offset that the operand names, plus `add`, into RSI. */
void address_emit(struct translator *, const struct insn *, int operand, i64 add);
/* Checks an access and says where it is on the host, by RSI; R11 and RDI are lost. */
struct host_mem operand_access(struct translator *, const struct insn *, int operand, unsigned size, bool write, bool aligned);
/* The same at guest register + add in the stack segment. */
struct host_mem stack_access(struct translator *, unsigned guest, i64 add, unsigned size, bool write);
/* At what a register holds, which is as wide as addresses; R11 is the offset in the page. A miss runs the whole instruction in C. */
struct host_mem register_access(struct translator *, unsigned seg, unsigned guest, unsigned size, bool write);
/* RSI from a linear address to the host's, by that set. A miss runs the whole instruction in C. */
void set_access(struct translator *, unsigned set, unsigned span, bool write);
/* The instruction, a load or store that leaves flags alone, is done: where it was a device's, C goes on here. */
void behind_access(struct translator *t);
/* After a store of size bytes to m. */
void wrote_emit(struct translator *, unsigned size, struct host_mem m);

/* The part of a stub that fills its slot. */
void slot_stub(struct translator *, const struct stub *);

/* ---- ranges (ranges.c) ---- */

void ranges_analyse(struct translator *);
/* The group that has been probed for this access of the present instruction, or NULL. */
const struct range_group *range_covering(const struct translator *, unsigned which, unsigned size, bool write);

/* ---- listings (listing.c): all do nothing where nobody listens ---- */

void listing_begin(struct translator *);
void listing_insn(struct translator *);                           /* its code begins here */
void listing_stub(struct translator *, const struct stub *);      /* the stub's code begins here */
void listing_end(struct translator *);                            /* the block is done */
void listing_link(struct jit *, const struct edge *, const u8 *start, size_t bytes);

/* ---- families ---- */

bool pass_uses_vec(const struct insn *);
bool pass_is_x87(const struct insn *);
u32 pass_written(const struct insn *); /* bit per guest register */
/* Whether it neither raises nor leaves: nobody looks at the flags before it. */
bool pass_is_quiet(const struct translator *, const struct insn *);

bool emit_flow(struct translator *);   /* flow.c: false: not one of them, or not in this form */
void before_edges(struct translator *); /* what the table of recipes has no room for is stored */
void emit_edge(struct translator *, unsigned n, u64 rip, int cc); /* cc < 0: always */
bool emit_stack(struct translator *);
bool emit_system_call(struct translator *, u64 next); /* system.c: as emit_flow() */
bool emit_flags_stack(struct translator *);           /* PUSHF and POPF */
bool emit_gate(struct translator *, u64 next);        /* gates.c: INT n and IRET */

/* The context of 64-bit code at another level, all else as it is. False: there is no room. */
bool level_context(struct translator *, unsigned cpl, struct context *to, u32 *number);
/* The level and what follows from it become the context's; on to cpu.jit.target. */
void enter_context(struct translator *, const struct context *to, u32 number);
/* To the block at R11 in that context, if the table has it: its code into cpu.jit.target, its entry into RDI. */
void probe_target(struct translator *, u32 context);
void eflags_emit(struct translator *);   /* RSI = EFLAGS, of which the arithmetic ones are stored */
void eflags_become(struct translator *); /* EFLAGS and the stored flags become RDI */
/* By which the next instruction would run in another way than by its level alone; they are looked for in RDI. */
enum { ODD_FLAGS = F_T | F_AC | F_VIP };
void test_odd_flags(struct translator *);
/* R11: flags that an instruction of level 0 pops. To C, where one of `same` would change, or of `clear` is set. */
void popped_flags_check(struct translator *, u32 same, u32 clear);
void popped_flags_become(struct translator *); /* the arithmetic ones, DF and IF; RF goes. RSI and RDI are lost */
void segment_become(struct translator *, unsigned seg, const struct seg *); /* the segment register; R11 is lost */
void set_sp_emit(struct translator *, unsigned guest, i32 add); /* rSP = guest + add, in the stack's width; flags stay */
void jump_entry_emit(struct translator *);            /* RDI = the table's entry for the RIP in R11; C where it has another */
void store_imm(struct translator *, unsigned size, u64 v, struct host_mem m); /* R11 may be lost */
bool emit_pass(struct translator *);   /* rows that are encoded again */
void emit_help(struct translator *, bool last);

#endif
