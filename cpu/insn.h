/*
 * The decoded form of an instruction: plain data, position-independent, re-encodable.
 *
 * insn_decode() and insn_encode() are inverse up to redundant prefixes and longer-than-needed
 * displacements; insn_test.c says so for every row.
 */
#ifndef CPU_INSN_H
#define CPU_INSN_H

#include "core/types.h"

enum insn_pfx {
    PFX_LOCK = 1,
    PFX_REPNE = 2, /* F2, where the row gives it a meaning */
    PFX_REP = 4,   /* F3, where the row gives it a meaning */
    PFX_REXW = 8,  /* REX.W, where it is not just an operand size (A_REXW) */
};

/* What an operand became. */
enum insn_kind {
    K_NONE,
    K_REG,   /* gpr[reg], low bits */
    K_REGH,  /* bits 15..8 of gpr[reg] */
    K_MEM,   /* seg:[base + index * scale + disp] */
    K_IMM,
    K_SEG,   /* segment register reg */
    K_CR,
    K_DR,
    K_REL,   /* imm is relative to the next instruction */
    K_FAR,   /* imm: offset in bits 31..0, selector in bits 47..32 */
    K_STR,   /* implicit string memory */
    K_MOFF,  /* seg:[imm]: a memory offset in the instruction */
    K_XMM,   /* fpu.xmm[reg] */
    K_MMX,   /* MMX register reg: the mantissa of x87 register R(reg) */
    K_ST,    /* ST(reg) */
};

enum seg_reg { ES, CS, SS, DS, FS, GS, NR_SEGS };
enum gpr { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

#define NO_REG  16 /* gpr[16] is always zero, so address arithmetic needs no test */
#define RIP_REG 17 /* base: RIP-relative */

struct insn {
    u16 row;
    u8 len, pfx;
    u8 opsz;   /* size of the first operand in bytes; the effective operand size where that
                  is a register number, an immediate or a target */
    u8 adsz;   /* address size in bytes */
    u8 seg;    /* segment of the memory operand */
    u8 cc;     /* condition 0 to 15 */
    u8 reg[3], kind[3];
    u8 srcsz;  /* size of the second operand in bytes */
    u8 scale;  /* 0 to 3 */
    u8 base, index; /* register, NO_REG, RIP_REG */
    i32 disp;
    u64 imm;   /* second immediate of ENTER: bits 23..16 */
};
_Static_assert(sizeof(struct insn) == 32, "struct insn is 32 bytes");

enum decode_status {
    DECODE_OK,
    DECODE_MORE,     /* the bytes end before the instruction does */
    DECODE_TOO_LONG, /* more than 15 bytes: #GP(0) */
    DECODE_INVALID,  /* no row, wrong mode, illegal LOCK: #UD; row and len are as far as known */
};

/* mode is struct cpu.mode: only MODE_CODE_MASK, MODE_PE, MODE_VM are looked at. */
enum decode_status insn_decode(struct insn *, const u8 *bytes, unsigned avail, u32 mode);

/* Returns the length, or 0 when the combination has no encoding in this mode. */
int insn_encode(const struct insn *, u32 mode, u8 out[15]);

#endif
