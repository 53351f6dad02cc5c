/*
 * Images of the x87 and SSE state in memory: the environment, FNSAVE, FXSAVE, XSAVE and their loads.
 * SDM 1, 8.1.10 (environment), 10.5.1 (FXSAVE), chapter 13 (XSAVE).
 *
 * All of an image is loaded, or checked for writing, before anything changes. Code and data selectors
 * are stored as 0 and not kept: the processor is of the kind that has deprecated them
 * (CPUID.7.EBX[13], SDM 1, 8.1.8).
 */
#include "cpu/fpu.h"
#include "cpu/operand.h"
#include "cpu/vec.h"

/* The linear address of byte i of the image: each part's offset wraps at the address size. */
static u64 part(struct cpu *c, const struct insn *in, unsigned i, unsigned size, unsigned access)
{
    return seg_lin(c, in->seg, ea_mask(ea_of(c, in) + i, in->adsz), size, access);
}

/* Copies bytes first to first + len of the image, in pieces of `unit` bytes. The caller has checked
 * that it will not fault. */
static void put(struct cpu *c, const struct insn *in, const u8 *image, unsigned first, unsigned len,
                unsigned unit)
{
    for (unsigned i = first; i < first + len; i += unit)
        mmu_store(c, part(c, in, i, unit, ACC_WRITE), load_le(image + i, unit), unit);
}

static void get(struct cpu *c, const struct insn *in, u8 *image, unsigned len, unsigned unit)
{
    for (unsigned i = 0; i < len; i += unit)
        store_le(image + i, mmu_load(c, part(c, in, i, unit, ACC_READ), unit), unit);
}

/* All checks for an image, in the order of silicon, as CR2 shows: an environment's first field is
 * touched first... */
static void check_fields(struct cpu *c, const struct insn *in, unsigned len, unsigned access)
{
    mmu_probe(c, part(c, in, 0, in->opsz, access), in->opsz, access);
    mmu_probe(c, part(c, in, len - 1, 1, access), 1, access);
}

/* ... an image that must be aligned is touched at its last byte first. */
static void check_aligned(struct cpu *c, const struct insn *in, unsigned len, unsigned align, unsigned access)
{
    u64 last = part(c, in, len - 1, 1, access), lin = part(c, in, 0, 1, access);

    if ((c->mode & MODE_AC) && (lin & 3))
        cpu_raise(c, EXC_AC, 0);
    if (lin & (align - 1))
        cpu_raise(c, EXC_GP, 0);
    mmu_probe(c, last, 1, access);
    mmu_probe(c, lin, 1, access);
}

/* ---- the environment, in four formats ---- */

enum { REGISTERS = 80 };

static unsigned env_size(unsigned opsz)
{
    return opsz == 2 ? 14 : 28;
}

/* Packs the environment: seven fields of 2 or 4 bytes (SDM 1, figures 8-9 to 8-12). */
static void env_pack(const struct cpu *c, unsigned opsz, u8 *out)
{
    const struct fpu *f = &c->fpu;
    u32 ip = (u32)f->fip, dp = (u32)f->fdp, fill = opsz == 4 ? 0xffff0000 : 0;
    u32 field[7] = { f->cw | fill, f->sw | fill, fpu_tag_word(f) | fill };

    if (!mode_real(c->mode)) {
        field[3] = ip;
        field[4] = opsz == 4 ? (u32)f->fop << 16 : 0;
        field[5] = dp;
        field[6] = fill;
    } else if (opsz == 4) {
        field[3] = (u16)ip;
        field[4] = ip >> 16 << 12 | f->fop;
        field[5] = (u16)dp;
        field[6] = dp >> 16 << 12;
    } else {
        field[3] = ip;
        field[4] = (ip >> 16 & 15) << 12 | f->fop;
        field[5] = dp;
        field[6] = (dp >> 16 & 15) << 12;
    }
    for (unsigned i = 0; i < 7; i++)
        store_le(out + i * opsz, field[i], opsz);
}

static void env_unpack(struct cpu *c, unsigned opsz, const u8 *image)
{
    struct fpu *f = &c->fpu;
    u32 field[7];

    for (unsigned i = 0; i < 7; i++)
        field[i] = (u32)load_le(image + i * opsz, opsz);
    f->cw = (u16)field[0];
    f->sw = (u16)field[1];
    fpu_set_tag_word(f, (u16)field[2]);
    f->fop = 0; /* the protected 16-bit format has none */
    f->fip = field[3];
    f->fdp = field[5];
    if (mode_real(c->mode)) {
        u32 high = opsz == 4 ? 0xffff : 15;

        f->fop = field[4] & 0x7ff;
        f->fip = (u16)field[3] | (field[4] >> 12 & high) << 16;
        f->fdp = (u16)field[5] | (field[6] >> 12 & high) << 16;
    } else if (opsz == 4) {
        f->fop = field[4] >> 16 & 0x7ff;
    }
}

void x_fnstenv(struct cpu *c, const struct insn *in)
{
    unsigned size = env_size(in->opsz);
    u8 image[28];

    fpu_check_available(c);
    check_fields(c, in, size, ACC_WRITE);
    fpu_to_memory(c);
    env_pack(c, in->opsz, image);
    put(c, in, image, 0, size, 2);
    c->fpu.cw |= FPU_EXCEPTIONS;
    fpu_settle(c);
}

void x_fldenv(struct cpu *c, const struct insn *in)
{
    unsigned size = env_size(in->opsz);
    u8 image[28];

    fpu_check_available(c);
    fpu_check_pending(c);
    check_fields(c, in, size, ACC_READ);
    get(c, in, image, size, 2);
    fpu_to_memory(c);
    env_unpack(c, in->opsz, image);
    fpu_settle(c);
}

void x_fnsave(struct cpu *c, const struct insn *in)
{
    unsigned size = env_size(in->opsz);
    u8 image[28 + REGISTERS];

    fpu_check_available(c);
    check_fields(c, in, size + REGISTERS, ACC_WRITE);
    fpu_to_memory(c);
    env_pack(c, in->opsz, image);
    for (unsigned i = 0; i < 8; i++) {
        store_le(image + size + 10 * i, fpu_st(&c->fpu, i)->mant, 8);
        store_le(image + size + 10 * i + 8, fpu_st(&c->fpu, i)->exp, 2);
    }
    put(c, in, image, 0, size + REGISTERS, 2);
    fpu_init(&c->fpu);
    fpu_settle(c);
}

void x_frstor(struct cpu *c, const struct insn *in)
{
    unsigned size = env_size(in->opsz);
    u8 image[28 + REGISTERS];

    fpu_check_available(c);
    fpu_check_pending(c);
    check_fields(c, in, size + REGISTERS, ACC_READ);
    get(c, in, image, size + REGISTERS, 2);
    fpu_to_memory(c);
    env_unpack(c, in->opsz, image);
    for (unsigned i = 0; i < 8; i++)
        *fpu_st(&c->fpu, i) = (struct st){ load_le(image + size + 10 * i, 8),
                                           (u16)load_le(image + size + 10 * i + 8, 2) };
    fpu_settle(c);
}

/* ---- FXSAVE's image, which XSAVE's begins with ---- */

enum { /* offsets */
    FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160, FX_SIZE = 512,
    XS_STATE = 512, XS_COMPACT = 520, XS_RESERVED = 528, XS_SIZE = 576,
};

static unsigned nr_xmm(const struct cpu *c)
{
    return (c->mode & MODE_CODE_MASK) == MODE_CODE64 ? 16 : 8;
}

/* Bytes 0 to 23 and the registers. As on AMD, the pointers are there only while an exception is
 * pending, else zero (APM 2, 11.4.4). */
static void store_x87(struct cpu *c, const struct insn *in)
{
    const struct fpu *f = &c->fpu;
    unsigned pointer = in->opsz == 8 ? 8 : 4;
    u8 x[FX_XMM] = { 0 };
    bool es;

    fpu_to_memory(c);
    es = f->sw & FPU_ES;
    store_le(x, f->cw, 2);
    store_le(x + 2, f->sw, 2);
    x[4] = f->valid;
    store_le(x + 6, es ? f->fop : 0, 2);
    store_le(x + 8, es ? f->fip : 0, pointer);
    store_le(x + 16, es ? f->fdp : 0, pointer);
    for (unsigned i = 0; i < 8; i++) {
        store_le(x + FX_ST + 16 * i, fpu_st(&c->fpu, i)->mant, 8);
        store_le(x + FX_ST + 16 * i + 8, fpu_st(&c->fpu, i)->exp, 2);
    }
    put(c, in, x, 0, FX_MXCSR, 8);
    put(c, in, x, FX_ST, FX_XMM - FX_ST, 8);
}

static void unpack_x87(struct cpu *c, const u8 *x, bool wide)
{
    struct fpu *f = &c->fpu;

    fpu_to_memory(c);
    f->cw = (u16)load_le(x, 2);
    f->sw = (u16)load_le(x + 2, 2);
    f->valid = x[4];
    f->fop = load_le(x + 6, 2) & 0x7ff;
    f->fip = load_le(x + 8, wide ? 8 : 4);
    f->fdp = load_le(x + 16, wide ? 8 : 4);
    for (unsigned i = 0; i < 8; i++)
        *fpu_st(f, i) = (struct st){ load_le(x + FX_ST + 16 * i, 8),
                                     (u16)load_le(x + FX_ST + 16 * i + 8, 2) };
    fpu_settle(c);
}

static void store_sse(struct cpu *c, const struct insn *in)
{
    u8 x[FX_SIZE];

    store_le(x + FX_MXCSR, c->fpu.mxcsr, 4);
    store_le(x + FX_MXCSR + 4, MXCSR_MASK, 4);
    for (unsigned i = 0; i < nr_xmm(c); i++) {
        store_le(x + FX_XMM + 16 * i, c->fpu.xmm[i].q[0], 8);
        store_le(x + FX_XMM + 16 * i + 8, c->fpu.xmm[i].q[1], 8);
    }
    put(c, in, x, FX_MXCSR, 8, 8);
    put(c, in, x, FX_XMM, 16 * nr_xmm(c), 8);
}

static void unpack_sse(struct cpu *c, const u8 *x)
{
    for (unsigned i = 0; i < nr_xmm(c); i++)
        c->fpu.xmm[i] = (struct xmm){ { load_le(x + FX_XMM + 16 * i, 8),
                                        load_le(x + FX_XMM + 16 * i + 8, 8) } };
}

static u32 checked_mxcsr(struct cpu *c, const u8 *x)
{
    u32 v = (u32)load_le(x + FX_MXCSR, 4);

    if (v & ~MXCSR_MASK)
        cpu_raise(c, EXC_GP, 0);
    return v;
}

void x_fxsave(struct cpu *c, const struct insn *in)
{
    fpu_check_available(c);
    mxcsr_to_memory(c);
    check_aligned(c, in, FX_SIZE, 16, ACC_WRITE);
    store_x87(c, in);
    /* Without CR4.OSFXSR the rest of the image is not touched. */
    if (c->cr4 & CR4_OSFXSR)
        store_sse(c, in);
}

void x_fxrstor(struct cpu *c, const struct insn *in)
{
    u8 x[FX_SIZE];
    u32 mxcsr;

    fpu_check_available(c);
    mxcsr_to_memory(c);
    mxcsr = c->fpu.mxcsr;
    check_aligned(c, in, FX_SIZE, 16, ACC_READ);
    get(c, in, x, FX_XMM + 16 * nr_xmm(c), 8);
    if (c->cr4 & CR4_OSFXSR) {
        mxcsr = checked_mxcsr(c, x);
        unpack_sse(c, x);
    }
    c->fpu.mxcsr = mxcsr;
    unpack_x87(c, x, in->opsz == 8);
}

/* ---- XSAVE ---- */

static void xsave_available(struct cpu *c)
{
    if (!(c->cr4 & CR4_OSXSAVE))
        cpu_raise_no_code(c, EXC_UD);
    if (c->cr0 & CR0_TS)
        cpu_raise_no_code(c, EXC_NM);
}

static u64 requested(const struct cpu *c)
{
    return ((u32)c->gpr[RAX] | c->gpr[RDX] << 32) & c->xcr0;
}

/* The components that are not in their initial state (XINUSE). */
static u64 in_use(struct cpu *c)
{
    struct fpu init = c->fpu;
    u64 parts = 0;

    fpu_init(&init);
    if (init.cw != c->fpu.cw || c->fpu.sw || c->fpu.valid || c->fpu.fop || c->fpu.fip || c->fpu.fdp)
        parts |= XCR0_X87;
    for (unsigned i = 0; i < 8; i++)
        if (c->fpu.r[i].mant || c->fpu.r[i].exp)
            parts |= XCR0_X87;
    for (unsigned i = 0; i < nr_xmm(c); i++)
        if (c->fpu.xmm[i].q[0] | c->fpu.xmm[i].q[1])
            parts |= XCR0_SSE;
    return parts;
}

void x_xsave(struct cpu *c, const struct insn *in)
{
    u64 parts, header, old;

    xsave_available(c);
    parts = requested(c);
    check_aligned(c, in, XS_SIZE, 64, ACC_WRITE);
    floating_to_memory(c);
    if (parts & XCR0_X87)
        store_x87(c, in);
    if (parts & XCR0_SSE)
        store_sse(c, in);
    header = part(c, in, XS_STATE, 8, ACC_WRITE);
    old = mmu_load_rmw(c, header, 8);
    mmu_store(c, header, (old & ~parts) | (in_use(c) & parts), 8);
}

void x_xrstor(struct cpu *c, const struct insn *in)
{
    u64 parts, have;
    u8 x[XS_SIZE];
    u32 mxcsr;

    xsave_available(c);
    mxcsr_to_memory(c);
    mxcsr = c->fpu.mxcsr;
    parts = requested(c);
    check_aligned(c, in, XS_SIZE, 64, ACC_READ);
    get(c, in, x, XS_SIZE, 8);
    have = load_le(x + XS_STATE, 8);
    /* The standard form alone: there is no XSAVEC (SDM 1, 13.8). */
    if ((have & ~c->xcr0) || load_le(x + XS_COMPACT, 8) || load_le(x + XS_RESERVED, 8))
        cpu_raise(c, EXC_GP, 0);
    if (parts & XCR0_SSE) {
        mxcsr = checked_mxcsr(c, x); /* whatever the header says of SSE */
        if (!(have & XCR0_SSE))
            memset(x + FX_XMM, 0, 16 * 16);
        unpack_sse(c, x);
    }
    c->fpu.mxcsr = mxcsr;
    if (!(parts & XCR0_X87))
        return;
    if (have & XCR0_X87) {
        unpack_x87(c, x, in->opsz == 8);
    } else {
        fpu_to_memory(c);
        fpu_init(&c->fpu);
        memset(c->fpu.r, 0, sizeof(c->fpu.r));
        fpu_settle(c);
    }
}

void x_xgetbv(struct cpu *c, const struct insn *in)
{
    (void)in;
    if (!(c->cr4 & CR4_OSXSAVE))
        cpu_raise_no_code(c, EXC_UD);
    if ((u32)c->gpr[RCX] != 0)
        cpu_raise(c, EXC_GP, 0);
    reg_write(c, RAX, c->xcr0, 4);
    reg_write(c, RDX, c->xcr0 >> 32, 4);
}

void x_xsetbv(struct cpu *c, const struct insn *in)
{
    u64 v = (u32)c->gpr[RAX] | c->gpr[RDX] << 32;

    (void)in;
    if (!(c->cr4 & CR4_OSXSAVE))
        cpu_raise_no_code(c, EXC_UD);
    if (c->cpl || (u32)c->gpr[RCX] != 0 || !(v & XCR0_X87) || (v & ~(u64)XCR0_KNOWN))
        cpu_raise(c, EXC_GP, 0);
    c->xcr0 = v;
}
