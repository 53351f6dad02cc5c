/*
 * x87 instructions that compute: the host's own, on the guest's state. SDM 1, chapter 8.
 *
 * The order is always: #NM, a pending exception, the memory operand (loaded, or checked for
 * writing), the instruction, then what it stores. So a fault finds everything as it was.
 */
#include "core/mem_view.h"
#include "cpu/fpu.h"
#include "cpu/operand.h"

extern const u8 fpu_reg_stubs[8 * 64 * 4], fpu_mem_stubs[8 * 8 * 4];
extern u64 fpu_with_flags(const u8 *stub, u64 flags);

typedef void stub_fn(void *mem);

static inline const u8 *reg_stub(const struct insn *in)
{
    const struct isa_row *r = &isa_rows[in->row];
    unsigned rm = r->rm >= 0 ? (unsigned)r->rm : in->reg[0];

    return fpu_reg_stubs + 4 * ((r->opcode & 7u) << 6 | (unsigned)r->reg << 3 | rm);
}

static inline void call_mem(const struct insn *in, void *mem)
{
    const struct isa_row *r = &isa_rows[in->row];

    ((stub_fn *)(uintptr_t)(fpu_mem_stubs + 4 * ((r->opcode & 7u) << 3 | (unsigned)r->reg)))(mem);
}

/* ---- before and after ---- */

static inline void wait_ready(struct cpu *c)
{
    fpu_check_available(c);
    fpu_check_pending(c);
}

/* An exception that IGNNE# makes ignored: the host must not see it, so its flags are put aside. */
static u16 hide_ignored(struct cpu *c)
{
    u16 hidden;

    if (!(fpu_status(c) & FPU_ES))
        return 0;
    fpu_to_memory(c);
    hidden = c->fpu.sw & FPU_EXCEPTIONS;
    c->fpu.sw &= (u16) ~(FPU_EXCEPTIONS | FPU_ES | FPU_B);
    return hidden;
}

/* What leave() is to be given. */
static inline u16 enter(struct cpu *c)
{
    u16 hidden = UNLIKELY(!fpu_all_masked(c)) ? hide_ignored(c) : 0;

    fpu_to_host(c);
    return hidden;
}

/* The opcode's low bits and ModRM as they stand in the code, for FOP. */
static u16 opcode_of(struct cpu *c, const struct insn *in)
{
    u8 last = 0;

    for (unsigned i = 0; i < in->len; i++) {
        u64 pa, off;
        u8 b;

        if (!cpu_peek_translate(c, lin_add(c, cpu_lin_rip(c), i), &pa))
            return 0;
        off = mem_view_page(c->cfg.view, pa).read_off;
        if (off >= MEM_PASS)
            return 0;
        b = c->cfg.view->backing[off + (pa & (PAGE_SIZE - 1))];
        if ((last & 0xf8) == 0xd8)
            return (u16)((last & 7) << 8 | b);
        last = b;
    }
    return 0;
}

/* After an instruction that may have raised an unmasked exception. Returns those that it did. */
static u16 leave_careful(struct cpu *c, const struct insn *in, u16 hidden)
{
    u16 raised = fpu_status(c) & ~c->fpu.cw & FPU_EXCEPTIONS;

    if (raised) {
        c->fpu.fip = c->rip;
        c->fpu.fdp = in->kind[0] == K_MEM ? ea_of(c, in) : 0;
        c->fpu.fop = opcode_of(c, in);
    }
    if (hidden) {
        fpu_to_memory(c);
        c->fpu.sw |= hidden;
        fpu_settle(c);
    }
    return raised;
}

static inline u16 leave(struct cpu *c, const struct insn *in, u16 hidden)
{
    return UNLIKELY(!fpu_all_masked(c)) ? leave_careful(c, in, hidden) : 0;
}

/* ---- computing ---- */

void x_x87(struct cpu *c, const struct insn *in)
{
    u16 hidden;

    wait_ready(c);
    hidden = enter(c);
    ((stub_fn *)(uintptr_t)reg_stub(in))(NULL);
    leave(c, in, hidden);
}

/* An m80 is accessed in two parts, as on silicon: the offset of its last two bytes wraps at the address
 * size, and they are checked once the first eight have been touched. */
static inline u64 low_part(struct cpu *c, const struct insn *in, unsigned access)
{
    return opnd_lin(c, in, 0, in->opsz == 10 ? 8 : in->opsz, access);
}

static inline u64 high_part(struct cpu *c, const struct insn *in, unsigned access)
{
    return seg_lin(c, in->seg, ea_mask(ea_of(c, in) + 8, in->adsz), 2, access);
}

void x_x87_load(struct cpu *c, const struct insn *in)
{
    u64 lin, m[2];
    u16 hidden;

    wait_ready(c);
    lin = low_part(c, in, ACC_READ);
    if (in->opsz == 10) {
        m[0] = mmu_load(c, lin, 8);
        m[1] = mmu_load(c, high_part(c, in, ACC_READ), 2);
    } else {
        m[0] = mmu_load(c, lin, in->opsz);
    }
    hidden = enter(c);
    call_mem(in, m);
    leave(c, in, hidden);
}

/* Raises what storing there would raise. */
static inline void check_store(struct cpu *c, u64 lin, unsigned size)
{
    const struct fast_entry *e = &c->fast->write[(lin >> 12) & (FAST_ENTRIES - 1)];

    if (UNLIKELY(lin - e->tag > 4096 - size))
        mmu_probe(c, lin, size, ACC_WRITE);
}

void x_x87_store(struct cpu *c, const struct insn *in)
{
    u64 lin, high = 0, m[2];
    u16 hidden;

    wait_ready(c);
    lin = low_part(c, in, ACC_WRITE);
    if (in->opsz == 10) {
        check_store(c, lin, 8);
        high = high_part(c, in, ACC_WRITE);
        check_store(c, high, 2);
    } else {
        check_store(c, lin, in->opsz);
    }
    hidden = enter(c);
    call_mem(in, m);
    /* An unmasked exception suppresses the store; that of an inexact result comes after it. */
    if (UNLIKELY(leave(c, in, hidden) & ~FPU_PE))
        return;
    if (in->opsz == 10) {
        mmu_store(c, lin, m[0], 8);
        mmu_store(c, high, m[1], 2);
    } else {
        mmu_store(c, lin, m[0], in->opsz);
    }
}

void x_fcmov(struct cpu *c, const struct insn *in)
{
    u16 hidden;

    wait_ready(c);
    hidden = enter(c);
    fpu_with_flags(reg_stub(in), flags_all(c));
    leave(c, in, hidden);
}

void x_fcomi(struct cpu *c, const struct insn *in)
{
    u64 flags;
    u16 hidden;

    wait_ready(c);
    hidden = enter(c);
    flags = fpu_with_flags(reg_stub(in), 0);
    leave(c, in, hidden);
    /* Silicon sets them after an unmasked invalid operation, too. */
    flags_set(c, F_ARITH, (u32)flags & (F_Z | F_P | F_C));
}

/* ---- control ---- */

void x_fwait(struct cpu *c, const struct insn *in)
{
    (void)in;
    if ((c->cr0 & (CR0_MP | CR0_TS)) == (CR0_MP | CR0_TS))
        cpu_raise_no_code(c, EXC_NM);
    fpu_check_pending(c);
}

void x_x87_nop(struct cpu *c, const struct insn *in)
{
    (void)in;
    fpu_check_available(c);
}

/* While FERR# is high, what may lower it is done in memory: fpu_settle() knows. */
static bool can_stay_live(const struct cpu *c)
{
    return c->fpu_live && !c->ferr;
}

void x_fldcw(struct cpu *c, const struct insn *in)
{
    u16 cw;

    wait_ready(c);
    cw = (u16)opnd_load(c, in, 0, 2);
    if (can_stay_live(c)) {
        __asm__ volatile("fldcw %1\n\tfnstcw %0" : "=m"(c->fpu.cw) : "m"(cw));
        c->jit.x87_native = fpu_all_masked(c);
        return;
    }
    fpu_to_memory(c);
    c->fpu.cw = cw;
    fpu_settle(c);
}

void x_fnstcw(struct cpu *c, const struct insn *in)
{
    fpu_check_available(c);
    opnd_store(c, in, 0, c->fpu.cw, 2);
}

void x_fnstsw(struct cpu *c, const struct insn *in)
{
    fpu_check_available(c);
    opnd_store(c, in, 0, fpu_status(c), 2);
}

void x_fnclex(struct cpu *c, const struct insn *in)
{
    (void)in;
    fpu_check_available(c);
    if (can_stay_live(c)) {
        __asm__ volatile("fnclex");
        return;
    }
    fpu_to_memory(c);
    c->fpu.sw &= (u16) ~(FPU_EXCEPTIONS | FPU_SF);
    fpu_settle(c);
}

void x_fninit(struct cpu *c, const struct insn *in)
{
    (void)in;
    fpu_check_available(c);
    fpu_to_memory(c);
    fpu_init(&c->fpu);
    fpu_settle(c);
}
