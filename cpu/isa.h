/*
 * The instruction set table: one row per encoding, in the manual's letters.
 *
 * cpu/isa_*.def hold the rows. Everything that must know an instruction reads them: the decode
 * index (built by isa_gen.c, which also finds overlapping rows), the decoder and the encoder,
 * the interpreter's dispatch, the mode, privilege and LOCK checks, the random test generator,
 * and docs/ISA.md. There is no second list of opcodes anywhere.
 *
 * ROW(id, mnemonic, map|opcode, /r, operands, attributes, reads, writes, undefined, jit,
 *     function, manual)
 *   id         enumerator ROW_<id>
 *   mnemonic   as Capstone writes it (Intel syntax); "a|b|c|d" for operand size 16, 32, 64, 128,
 *              with a leading '@' for address size, '#' for the second operand's; '%' stands for
 *              the condition
 *   opcode     M1, M2 (0Fh), M38, M3A | byte; with A_VEX the same maps, behind a VEX prefix
 *   /r         -1, the ModRM.reg value 0 to 7, or RM(reg, rm) for one exact register-form byte
 *   operands   O0() to O3(letter,size, ...), see below
 *   reads, writes, undefined   flags. Written flags that depend on operands (a shift by zero)
 *              count as written; those that the manual leaves open stand in undefined.
 *   jit        PASS re-encodes, HELP calls the function, FLOW, STRING, STACK have emitters
 *   function   x_<function> in cpu/exec_*.c
 *   manual     volume and page title: Intel SDM 2A to 2D, 3A ...
 */
#ifndef CPU_ISA_H
#define CPU_ISA_H

#include "core/types.h"
#include "cpu/feature.h"

struct cpu;
struct insn;
typedef void exec_fn(struct cpu *, const struct insn *);

enum isa_map { MAP_1, MAP_0F, MAP_0F38, MAP_0F3A, NR_MAPS };
#define M1  (MAP_1 << 8)
#define M2  (MAP_0F << 8)
#define M38 (MAP_0F38 << 8)
#define M3A (MAP_0F3A << 8)

/* Operand letters, after the manual's appendix A where it has one. */
enum opnd_letter {
    OP_none,
    OP_E, /* ModRM r/m: register or memory */
    OP_M, /* ModRM r/m: memory only; mod 3 is another row or #UD */
    OP_N, /* memory that is not accessed as such: LEA, INVLPG, hint NOPs */
    OP_R, /* ModRM r/m: register only (mod is 3) */
    OP_Q, /* ModRM r/m: register whatever mod says (MOV CR) */
    OP_G, /* ModRM reg: general register */
    OP_S, /* ModRM reg: segment register */
    OP_C, /* ModRM reg: control register */
    OP_D, /* ModRM reg: debug register */
    OP_Z, /* general register in the opcode's low three bits */
    OP_I, /* immediate of the operand's size, at most 32 bits sign-extended unless size is v */
    OP_K, /* immediate byte, sign-extended to the operand size of the instruction */
    OP_J, /* relative branch target */
    OP_A, /* far pointer in the instruction */
    OP_O, /* memory offset in the instruction */
    OP_P, /* far pointer in memory (offset of size, then a selector) */
    OP_T, /* pseudo-descriptor in memory: limit 16, base 24/32/64 (LGDT) */
    OP_a, /* AL, AX, EAX, RAX */
    OP_c, /* CL */
    OP_d, /* DX as a port */
    OP_u, /* the constant 1 */
    OP_X, /* DS:rSI (segment may be overridden) */
    OP_Y, /* ES:rDI */
    OP_fs_es, OP_fs_cs, OP_fs_ss, OP_fs_ds, OP_fs_fs, OP_fs_gs, /* a fixed segment register */
    OP_V, /* ModRM reg: XMM register */
    OP_W, /* ModRM r/m: XMM register or memory */
    OP_U, /* ModRM r/m: XMM register only */
    OP_H, /* VEX.vvvv: XMM register */
    OP_B, /* VEX.vvvv: general register */
    OP_p, /* ModRM reg: MMX register (the manual's P; capitals are taken here) */
    OP_q, /* ModRM r/m: MMX register or memory (Q) */
    OP_n, /* ModRM r/m: MMX register only (N) */
    OP_F, /* ModRM r/m: x87 register ST(i) */
};

enum opnd_size {
    SZ_none,
    SZ_b, SZ_w, SZ_d, SZ_q,
    SZ_v, /* 16, 32 or 64: the operand size */
    SZ_z, /* 16 or 32: the operand size, 64 counts as 32 */
    SZ_y, /* 32 or 64: 16 counts as 32 */
    SZ_m, /* machine word: 64 in 64-bit mode, else 32 */
    SZ_o, /* 8 or 16 bytes: CMPXCHG8B and 16B */
    SZ_a, /* two of v: BOUND */
    SZ_x, /* 16 bytes */
    SZ_t, /* 10 bytes: an x87 register's format */
};

struct opnd {
    u8 letter, size;
};
#define O0() { { 0, 0 }, { 0, 0 }, { 0, 0 } }
#define O1(l, s) { { OP_##l, SZ_##s }, { 0, 0 }, { 0, 0 } }
#define O2(l, s, m, t) { { OP_##l, SZ_##s }, { OP_##m, SZ_##t }, { 0, 0 } }
#define O3(l, s, m, t, n, u) { { OP_##l, SZ_##s }, { OP_##m, SZ_##t }, { OP_##n, SZ_##u } }

enum isa_attr {
    A_R0 = 1 << 0,    /* the first operand is only read */
    A_W0 = 1 << 1,    /* the first operand is only written */
    A_LOCK = 1 << 2,  /* LOCK is legal when the first operand is memory */
    A_N64 = 1 << 3,   /* #UD in 64-bit mode */
    A_O64 = 1 << 4,   /* only in 64-bit mode */
    A_D64 = 1 << 5,   /* 64-bit mode: operand size 64, or 16 with 66h */
    A_F64 = 1 << 6,   /* near branch: as A_D64. AMD honours 66h here, Intel ignores it; we follow
                         AMD, whose silicon is our witness (APM 3, 1.2.4) */
    A_PLUSR = 1 << 7, /* the row covers eight opcodes: register in the low bits */
    A_CC = 1 << 8,    /* the row covers sixteen opcodes: condition in the low bits */
    A_NP = 1 << 9,    /* mandatory prefix: none of 66, F2, F3 */
    A_66 = 1 << 10,   /* mandatory prefix 66 without F2, F3 */
    A_F3 = 1 << 11,
    A_F2 = 1 << 12,
    A_CPL0 = 1 << 13, /* #GP(0) unless CPL is 0 */
    A_IOPL = 1 << 14, /* its function checks IOPL (or the I/O bitmap) */
    A_PE = 1 << 15,   /* #UD in real and virtual-8086 mode */
    A_REP = 1 << 16,  /* string instruction: F2 and F3 repeat it */
    A_REPCC = 1 << 17, /* ... and end on ZF (CMPS, SCAS) */
    A_ENDS = 1 << 18, /* may change deliverability, mode or clock: ends a block */
    A_BR = 1 << 19,   /* may change RIP: ends a block */
    A_NOUSER = 1 << 20, /* cannot be run by a user program on the host for another reason */
    A_NO3 = 1 << 21,  /* mod 3 is not this row */
    A_ONLY3 = 1 << 22, /* mod 3 only */
    A_REXB0 = 1 << 23, /* only without REX.B: shadows the row behind it (NOP before XCHG) */
    A_MISSING = 1 << 24, /* recognised but not there yet: #UD, counted, named */
    A_HINT = 1 << 25, /* F2 and F3 have a meaning of their own and are kept in insn.pfx */
    A_VEX = 1 << 26,  /* behind a VEX prefix with L = 0; else never behind one */
    A_REXW = 1 << 30, /* REX.W has a meaning beyond operand sizes and is kept in insn.pfx */
    A_X87 = 1 << 27,  /* uses the x87 registers, MMX included: moves their state to the host's */
    A_NOREP = 1 << 28, /* F2 and F3 are other rows; 66 is the operand size */
    A_ELSE = 1 << 29,  /* where its feature is not offered it is the row behind it */
};

/* The CPUID feature without which a row is #UD: FT(name), or-ed into the attributes. */
#define FEAT_SHIFT 32
#define FEAT_BITS  8
#define FT(f)      ((u64)FEAT_##f << FEAT_SHIFT)

/* Attributes beyond those. */
#define A_UNALIGNED (1ull << 40) /* 16 bytes of memory need not be aligned */

enum isa_jit { JIT_PASS, JIT_HELP, JIT_FLOW, JIT_STRING, JIT_STACK };

/* Flags, at their places in EFLAGS (SDM 1, 3.4.3). */
enum {
    F_C = 1 << 0, F_1 = 1 << 1, F_P = 1 << 2, F_A = 1 << 4, F_Z = 1 << 6, F_S = 1 << 7,
    F_T = 1 << 8, F_I = 1 << 9, F_D = 1 << 10, F_O = 1 << 11, F_IOPL = 3 << 12, F_NT = 1 << 14,
    F_RF = 1 << 16, F_VM = 1 << 17, F_AC = 1 << 18, F_VIF = 1 << 19, F_VIP = 1 << 20,
    F_ID = 1 << 21,
    F_ARITH = F_C | F_P | F_A | F_Z | F_S | F_O,
    F_SZP = F_S | F_Z | F_P, F_SZAP = F_S | F_Z | F_A | F_P,
    F_ALL = 0x3f7fd5,
};

/* /r column: one exact register-form ModRM byte. */
#define RM(reg, rm) (8 + (reg)*8 + (rm))

struct isa_row {
    const char *id, *mnemonic;
    u16 opcode; /* map << 8 | byte */
    i8 reg;     /* -1 or 0 to 7 */
    i8 rm;      /* -1 or 0 to 7, then mod is 3 */
    struct opnd op[3];
    u64 attr; /* enum isa_attr, and a feature from bit FEAT_SHIFT on */
    u32 reads, writes, undefined;
    u8 jit;
    exec_fn *exec;
    const char *manual;
};

enum isa_row_id {
    ROW_INVALID,
#define ROW(id, ...) ROW_##id,
#include "cpu/isa_rows.def"
#undef ROW
    NR_ROWS
};

extern const struct isa_row isa_rows[NR_ROWS];

static inline enum feature isa_feature(const struct isa_row *r)
{
    return (enum feature)(r->attr >> FEAT_SHIFT & ((1 << FEAT_BITS) - 1));
}

/* Whether the row's encoding has a ModRM byte. */
bool isa_has_modrm(const struct isa_row *);

/* Whether the effective operand size (66h, REX.W) means anything to the row. */
bool isa_size_dependent(const struct isa_row *);

/* The mnemonic of a decoded instruction, conditions and sizes filled in. Writes at most cap. */
const char *isa_mnemonic(const struct insn *, char *out, size_t cap);

/* The condition's letters, "o" to "g" (SDM 1, appendix B). */
extern const char isa_cc_names[16][4];

#endif
