/*
 * What the comparison's two sides share: one test case and its native outcome, and the address
 * space that both sides lay out.
 *
 * A case is a state, a memory image and some code. The parent makes it and runs it in the
 * interpreter; the child runs it on the host CPU and writes the native outcome beside it. The
 * slots lie in memory that both processes map.
 */
#ifndef TESTS_NATIVE_SLOT_H
#define TESTS_NATIVE_SLOT_H

#include "core/types.h"

/*  linear address   pages  rights  kept in the image
 *  00008000          1     rw      yes   low: within reach of 16-bit addresses
 *  10000000          2     r-x     code  filled with CC (INT3)
 *  20000000          2     rw      yes   data; a guard page behind it
 *  20004000          1     r--     no    constant
 *  30000000          2     rw      yes   stack; guard pages around it
 *  fffff000          1     rw      yes   the last page that 32 bits reach
 *  654321000000      1     rw      yes   beyond 32 bits
 */
enum region { R_LOW, R_CODE, R_DATA, R_CONST, R_STACK, R_TOP, R_HIGH, NR_REGIONS };
struct region_def {
    u64 lin;
    u32 pages;
    bool write, exec;
    u32 image_off; /* in the image, NO_IMAGE: not kept */
};
#define NO_IMAGE    0xffffffffu
#define IMAGE_BYTES (7 * 4096u)
#define CODE_PAGES  2
#define CODE_BYTES  512 /* most code of one case */
extern const struct region_def regions[NR_REGIONS];

/* An FXSAVE image (SDM 1, 10.5.1): offsets of what is compared. */
enum {
    FX_BYTES = 416, FX_CW = 0, FX_SW = 2, FX_TAGS = 4, FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160,
};

struct nstate {
    u64 gpr[16], rip, flags;
    u16 cs, ss, ds, es, fs, gs;
    u64 fs_base, gs_base;
    u8 fx[FX_BYTES];
};

/* How a run ended. Every run ends with an exception, a normal one with INT3. */
struct outcome {
    u32 vector; /* or one of the special ones */
    u32 error;
    u64 cr2; /* of #PF */
};
enum { END_SYSCALL = 256, END_TIMEOUT, END_INTERNAL };

struct slot {
    struct nstate in;
    u32 code_off, code_len; /* in the code region */
    bool want_bases;        /* the code may load FS or GS */
    u8 code[CODE_BYTES];
    /* written by the child */
    struct nstate out;
    struct outcome end;
    u8 image_out[IMAGE_BYTES];
    /* written by the parent */
    u8 image[IMAGE_BYTES];
};

#define BATCH 64
struct shared {
    u32 nr;      /* slots of this batch */
    u32 current; /* the one that runs: for a report when the child dies */
    u8 constant[4096];
    struct slot slot[BATCH];
};

#endif
