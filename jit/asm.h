/*
 * The emitter: host instructions (64-bit mode), byte by byte, into a buffer.
 *
 * Guest instructions are re-encoded by insn_encode(); this is for what stands around them. Opcodes
 * are the manual's: one byte, or 0FXXh. A size of 1, 2, 4 or 8 bytes chooses 66h and REX.W; for byte
 * forms the opcode is the even one. Code is written through one mapping and runs at another: ASM_RX.
 */
#ifndef JIT_ASM_H
#define JIT_ASM_H

#include "core/types.h"

enum host_reg {
    H_RAX, H_RCX, H_RDX, H_RBX, H_RSP, H_RBP, H_RSI, H_RDI, H_R8, H_R9, H_R10, H_R11, H_R12, H_R13, H_R14, H_R15,
    H_NONE = 0xff,
};

struct assembler {
    u8 *p, *end;
    i64 rx_delta; /* address at which it runs minus address at which it is written */
    bool full;    /* it did not fit: what has been emitted is worthless */
};
#define ASM_RX(a, at) ((const u8 *)((at) + (a)->rx_delta))

/* [base + index << scale + disp] */
struct host_mem {
    u8 base, index, scale;
    i32 disp;
};
static inline struct host_mem at(unsigned base, i64 disp)
{
    return (struct host_mem){ (u8)base, H_NONE, 0, (i32)disp };
}

static inline void asm_bytes(struct assembler *a, const void *bytes, size_t n)
{
    if (a->end - a->p < (ptrdiff_t)n) {
        a->full = true;
        return;
    }
    memcpy(a->p, bytes, n);
    a->p += n;
}

static inline void asm_int(struct assembler *a, u64 v, unsigned size)
{
    asm_bytes(a, &v, size);
}

static inline void asm_opcode(struct assembler *a, u32 opcode)
{
    if (opcode > 0xff)
        asm_int(a, opcode >> 8, 1);
    asm_int(a, opcode, 1);
}

/* The opcode of an instruction whose byte form is the even one. */
static inline u32 sized(u32 even, unsigned size)
{
    return size == 1 ? even : even + 1;
}

static inline void asm_prefixes(struct assembler *a, unsigned size, unsigned reg, unsigned index, unsigned base)
{
    unsigned rex = (size == 8) << 3 | (reg >> 3 & 1) << 2 | (index != H_NONE && index > 7) << 1 | (base != H_NONE && base > 7);

    if (size == 2)
        asm_int(a, 0x66, 1);
    if (rex || (size == 1 && reg > 3 && reg < 8))
        asm_int(a, 0x40 | rex, 1);
}

/* opcode reg, rm: both registers. */
static inline void asm_rr(struct assembler *a, unsigned size, u32 opcode, unsigned reg, unsigned rm)
{
    unsigned rex = (size == 8) << 3 | (reg >> 3 & 1) << 2 | (rm >> 3 & 1);

    if (size == 2)
        asm_int(a, 0x66, 1);
    if (rex || (size == 1 && ((reg > 3 && reg < 8) || (rm > 3 && rm < 8))))
        asm_int(a, 0x40 | rex, 1);
    asm_opcode(a, opcode);
    asm_int(a, 0xc0 | (reg & 7) << 3 | (rm & 7), 1);
}

/* opcode reg, [m] or [m], reg: reg may be an opcode extension. */
static inline void asm_rm(struct assembler *a, unsigned size, u32 opcode, unsigned reg, struct host_mem m)
{
    unsigned mod = m.disp == 0 && (m.base & 7) != H_RBP ? 0 : m.disp == (i8)m.disp ? 1 : 2;

    asm_prefixes(a, size, reg, m.index, m.base);
    asm_opcode(a, opcode);
    if (m.base == H_NONE) { /* [index << scale + disp32], or [disp32] */
        asm_int(a, (reg & 7) << 3 | 4, 1);
        asm_int(a, (u64)m.scale << 6 | (m.index == H_NONE ? 4 : m.index & 7) << 3 | 5, 1);
        asm_int(a, (u32)m.disp, 4);
        return;
    }
    if (m.index != H_NONE || (m.base & 7) == H_RSP) {
        asm_int(a, mod << 6 | (reg & 7) << 3 | 4, 1);
        asm_int(a, (u64)m.scale << 6 | (m.index == H_NONE ? 4 : m.index & 7) << 3 | (m.base & 7), 1);
    } else {
        asm_int(a, mod << 6 | (reg & 7) << 3 | (m.base & 7), 1);
    }
    asm_int(a, (u32)m.disp, mod == 1 ? 1 : mod == 2 ? 4 : 0);
}

/* opcode reg, [RIP + ...]: target is an address at which data is seen. */
static inline void asm_rip(struct assembler *a, unsigned size, u32 opcode, unsigned reg, const void *target)
{
    asm_prefixes(a, size, reg, H_NONE, H_NONE);
    asm_opcode(a, opcode);
    asm_int(a, (reg & 7) << 3 | 5, 1);
    asm_int(a, (u64)((const u8 *)target - ASM_RX(a, a->p + 4)), 4);
}

/* ---- the common ones ---- */

enum alu_op { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP };

static inline void asm_mov(struct assembler *a, unsigned size, unsigned dst, unsigned src)
{
    if (dst != src)
        asm_rr(a, size, sized(0x88, size), src, dst);
}

static inline void asm_load(struct assembler *a, unsigned size, unsigned reg, struct host_mem m)
{
    asm_rm(a, size, sized(0x8a, size), reg, m);
}

/* Zero-extended to 64 bits. */
static inline void asm_load_zx(struct assembler *a, unsigned size, unsigned reg, struct host_mem m)
{
    if (size <= 2)
        asm_rm(a, 4, size == 1 ? 0x0fb6 : 0x0fb7, reg, m);
    else
        asm_load(a, size, reg, m);
}

static inline void asm_store(struct assembler *a, unsigned size, struct host_mem m, unsigned reg)
{
    asm_rm(a, size, sized(0x88, size), reg, m);
}

static inline void asm_lea(struct assembler *a, unsigned size, unsigned reg, struct host_mem m)
{
    asm_rm(a, size, 0x8d, reg, m);
}

static inline void asm_alu_rr(struct assembler *a, enum alu_op op, unsigned size, unsigned dst, unsigned src)
{
    asm_rr(a, size, sized((u32)op << 3, size), src, dst);
}

static inline void asm_alu_rm(struct assembler *a, enum alu_op op, unsigned size, unsigned dst, struct host_mem m)
{
    asm_rm(a, size, sized((u32)op << 3 | 2, size), dst, m);
}

/* RORX, of BMI2: dst = src rotated to the right; the flags stay. */
static inline void asm_rorx(struct assembler *a, unsigned size, unsigned dst, unsigned src, unsigned by)
{
    asm_int(a, 0xc4, 1);
    asm_int(a, 3 | 0x40 | (dst < 8) << 7 | (src < 8) << 5, 1);
    asm_int(a, (size == 8) << 7 | 0x7b, 1);
    asm_int(a, 0xf0, 1);
    asm_int(a, 0xc0 | (dst & 7) << 3 | (src & 7), 1);
    asm_int(a, by, 1);
}

static inline void asm_imm_of(struct assembler *a, unsigned size, i32 imm, bool byte)
{
    asm_int(a, (u32)imm, byte ? 1 : size == 2 ? 2 : 4);
}

static inline void asm_alu_ri(struct assembler *a, enum alu_op op, unsigned size, unsigned dst, i32 imm)
{
    bool byte = size == 1 || imm == (i8)imm;

    asm_rr(a, size, size == 1 ? 0x80 : byte ? 0x83 : 0x81, op, dst);
    asm_imm_of(a, size, imm, byte);
}

static inline void asm_alu_mi(struct assembler *a, enum alu_op op, unsigned size, struct host_mem m, i32 imm)
{
    bool byte = size == 1 || imm == (i8)imm;

    asm_rm(a, size, size == 1 ? 0x80 : byte ? 0x83 : 0x81, op, m);
    asm_imm_of(a, size, imm, byte);
}

/* A 64-bit constant, in the shortest form. */
static inline void asm_mov_imm(struct assembler *a, unsigned reg, u64 v)
{
    if (v == (u32)v) {
        asm_prefixes(a, 4, 0, H_NONE, reg);
        asm_int(a, 0xb8 | (reg & 7), 1);
        asm_int(a, v, 4);
    } else if (v == (u64)(i64)(i32)v) {
        asm_rr(a, 8, 0xc7, 0, reg);
        asm_int(a, v, 4);
    } else {
        asm_prefixes(a, 8, 0, H_NONE, reg);
        asm_int(a, 0xb8 | (reg & 7), 1);
        asm_int(a, v, 8);
    }
}

enum host_cc { CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE, CC_LE, CC_G };

/* Jumps whose target is not known yet: where the 32-bit distance stands. */
static inline u8 *asm_jcc(struct assembler *a, unsigned cc)
{
    asm_int(a, 0x0f, 1);
    asm_int(a, 0x80 | cc, 1);
    asm_int(a, 0, 4);
    return a->p - 4;
}

static inline u8 *asm_jmp(struct assembler *a)
{
    asm_int(a, 0xe9, 1);
    asm_int(a, 0, 4);
    return a->p - 4;
}

static inline u8 *asm_call(struct assembler *a)
{
    asm_int(a, 0xe8, 1);
    asm_int(a, 0, 4);
    return a->p - 4;
}

/* Makes the distance at `rel` lead to target; both are addresses of one mapping. */
static inline void asm_patch(u8 *rel, const u8 *target)
{
    store_le(rel, (u64)(target - (rel + 4)), 4);
}

#endif
