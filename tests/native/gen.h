/*
 * The generator: makes cases by walking the ISA table.
 *
 * Generation is driven by execution: an instruction is made when the interpreter has got there,
 * so its operands can be chosen by the registers' present values (an address that hits a chosen
 * byte, a divisor that does not overflow, a return address on the stack). Code that a case runs
 * off ends in the filler INT3.
 */
#ifndef TESTS_NATIVE_GEN_H
#define TESTS_NATIVE_GEN_H

#include "tests/native/rig.h"
#include "tests/native/rules.h"

#define MAX_STEPS 24
enum { SIZES = 4 }; /* index 0: no size or 8 bits; 1 to 3: 2, 4, 8 bytes */

struct rng {
    u64 s;
};
u64 rng_next(struct rng *);
u64 rng_below(struct rng *, u64 n);
bool chance(struct rng *, unsigned percent);

struct row_stat {
    u64 run[SIZES], fault[SIZES];
    u8 tries[SIZES]; /* how often the generator failed to make it lately */
    bool possible[SIZES];
};

/* One executed instruction of a case, for reports. */
struct step {
    u64 rip;
    struct insn in;
    u8 bytes[15];
    bool faulted;
};

struct gen {
    struct rng rng;
    const struct host_facts *facts;
    struct rig *rig;
    u16 cs; /* code selector that cases begin in */
    unsigned code; /* its size: 8, 4 or 2 */
    int only_row;  /* 0: all */
    struct row_stat stat[NR_ROWS];
    u64 insns, faults, discarded;

    /* the case being made */
    struct slot *slot;
    u8 map[CODE_BYTES]; /* enum code_byte of each byte of slot.code */
    u8 touched[IMAGE_BYTES / 8];
    u32 undefined; /* flags that are undefined now */
    bool read_code; /* it has read the code region, which is not complete yet */
    u32 want_row;  /* chosen row that first needs a register set up; 0: none */
    u8 want_size;
    struct step steps[MAX_STEPS * 64];
    unsigned nr_steps;
    struct cpu_observer observer;
    u8 pristine[IMAGE_BYTES];
};

void gen_init(struct gen *, struct rig *, const struct host_facts *, unsigned code, u64 seed);

/* Makes one case in *s, and leaves in *flags_undefined which flags its end leaves open. The rig
 * has run it. False: nothing came of it. */
bool gen_case(struct gen *, struct slot *s, u32 *flags_undefined);

/* Size class of a decoded instruction. */
unsigned size_class(const struct insn *);

/* ---- between gen.c and form.c ---- */
struct form {
    u8 bytes[24];
    unsigned len;
    struct insn in;
};

/* Builds an instruction of the row for the present state. False: try another. */
bool form_build(struct gen *, const struct isa_row *, unsigned size, struct form *);

/* MOV reg, imm in some encoding. */
void form_mov_imm(struct gen *, unsigned reg, u64 value, struct form *);

/* A value as tests like them: 0, 1, -1, sign borders, small counts, pointers, noise. */
u64 boundary(struct gen *, unsigned size);

/* Eight bytes for a vector register: integers, singles and doubles on all borders. */
u64 vector_value(struct gen *);

/* A linear address for an access of size bytes. */
u64 pick_address(struct gen *, unsigned size, bool write, unsigned adsz);

/* The same, within reach of a 16-bit offset from base. */
u64 pick_address_16(struct gen *, unsigned size, u64 base);

/* A code address to jump to. */
u64 pick_target(struct gen *);

/* Writes the initial image, unless the case has touched those bytes already. */
bool patch(struct gen *, u64 lin, u64 value, unsigned size);

/* What a row needs of registers first; true: *f is an instruction that brings it nearer. */
bool prepare(struct gen *, const struct isa_row *, unsigned size, struct form *);

/* Memory that an instruction reads, given values that make sense, once its operands are known. */
void furnish(struct gen *, const struct insn *);

/* Whether it loads MXCSR with bits 16 or 17, which are reserved or not by the host's model (APM 2,
 * misalignsse). */
bool reads_open_mxcsr(const struct gen *, const struct insn *);

/* Selectors worth loading. */
u16 pick_selector(struct gen *);

#endif
