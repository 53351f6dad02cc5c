/*
 * String instructions and REP. SDM 2A CMPS, INS, LODS; 2B MOVS, OUTS, REP, SCAS, STOS.
 *
 * Time: each element of a repeated instruction is one tick, except for MOVS and STOS: one per
 * 64-byte line of the destination touched. The instruction stops exactly there when the slice
 * ends, with rCX, rSI and rDI updated and RIP at itself, and counts as one instruction when it
 * completes (docs/decisions/001). Every element commits before the next begins, so a fault
 * leaves the registers at the faulting element.
 */
#include "core/clock.h"
#include "cpu/exec_io.h"
#include "cpu/operand.h"

/* One element; returns false when a REPE/REPNE condition ends the repetition. */
typedef bool element_fn(struct cpu *, const struct insn *, unsigned size);

static u64 si(const struct cpu *c, const struct insn *in)
{
    return ea_mask(c->gpr[RSI], in->adsz);
}

static u64 di(const struct cpu *c, const struct insn *in)
{
    return ea_mask(c->gpr[RDI], in->adsz);
}

static void advance(struct cpu *c, const struct insn *in, unsigned reg, unsigned size)
{
    u64 v = c->gpr[reg] + (c->eflags & F_D ? -(u64)size : size);

    reg_write(c, reg, v, in->adsz == 2 ? 2 : in->adsz);
}

/* Between two elements: come back to this instruction, which has not retired. */
static void interrupted(struct cpu *c)
{
    c->next_rip = c->rip;
    c->rep_interrupted = true;
    leave_block(c);
}

static inline __attribute__((always_inline)) void repeat(struct cpu *c, const struct insn *in,
                                                         unsigned size, bool per_line,
                                                         element_fn *element)
{
    u64 line = ~0ull;

    if (!(in->pfx & (PFX_REP | PFX_REPNE))) {
        element(c, in, size);
        return;
    }
    while (ea_mask(c->gpr[RCX], in->adsz) != 0) {
        bool go_on, first = line == ~0ull;
        u64 this_line = di(c, in) >> 6;

        /* The first tick is the instruction's own, and is counted when it retires. */
        if (!first && (!per_line || this_line != line || (c->mode & MODE_TF))) {
            clock_charge(c->cfg.clk, 1);
            if (c->budget <= 0 || c->leave) {
                /* Its breakpoint is not to fire again, and an interrupt's frame shows RF, too (SDM
                 * 3B 17.3.1.1). A debug trap's frame does not, on AMD's silicon. */
                c->eflags |= F_RF;
                interrupted(c);
                return;
            }
        }
        line = this_line;
        go_on = element(c, in, size);
        reg_write(c, RCX, c->gpr[RCX] - 1, in->adsz);
        if (!go_on)
            return;
        if (UNLIKELY((c->mode & MODE_TF) || c->debug_pending) &&
            ea_mask(c->gpr[RCX], in->adsz) != 0) {
            clock_charge(c->cfg.clk, 1);
            interrupted(c); /* a single step is one element, and a breakpoint traps after one */
            return;
        }
    }
}

static bool repeat_on_zf(const struct cpu *c, const struct insn *in)
{
    return in->pfx & PFX_REP ? flag_zf(c) : !flag_zf(c);
}

static bool movs_element(struct cpu *c, const struct insn *in, unsigned size)
{
    u64 from = seg_lin(c, in->seg, si(c, in), size, ACC_READ), to, v;

    /* Intent first: the source may be a device whose reads have effects. The source's faults come
     * before any of the destination. */
    mmu_probe(c, from, size, ACC_READ);
    to = seg_lin(c, ES, di(c, in), size, ACC_WRITE);
    mmu_probe(c, to, size, ACC_WRITE);
    v = mmu_load(c, from, size);
    mmu_store(c, to, v, size);
    advance(c, in, RSI, size);
    advance(c, in, RDI, size);
    return true;
}

static bool stos_element(struct cpu *c, const struct insn *in, unsigned size)
{
    mmu_store(c, seg_lin(c, ES, di(c, in), size, ACC_WRITE), c->gpr[RAX], size);
    advance(c, in, RDI, size);
    return true;
}

static bool lods_element(struct cpu *c, const struct insn *in, unsigned size)
{
    reg_write(c, RAX, mmu_load(c, seg_lin(c, in->seg, si(c, in), size, ACC_READ), size), size);
    advance(c, in, RSI, size);
    return true;
}

static bool cmps_element(struct cpu *c, const struct insn *in, unsigned size)
{
    u64 a = mmu_load(c, seg_lin(c, in->seg, si(c, in), size, ACC_READ), size);
    u64 b = mmu_load(c, seg_lin(c, ES, di(c, in), size, ACC_READ), size);

    flags_sub(c, a, b, 0, size);
    advance(c, in, RSI, size);
    advance(c, in, RDI, size);
    return repeat_on_zf(c, in);
}

static bool scas_element(struct cpu *c, const struct insn *in, unsigned size)
{
    u64 b = mmu_load(c, seg_lin(c, ES, di(c, in), size, ACC_READ), size);

    flags_sub(c, reg_read(c, RAX, size), b, 0, size);
    advance(c, in, RDI, size);
    return repeat_on_zf(c, in);
}

static bool ins_element(struct cpu *c, const struct insn *in, unsigned size)
{
    u64 to = seg_lin(c, ES, di(c, in), size, ACC_WRITE);

    mmu_probe(c, to, size, ACC_WRITE);
    mmu_store(c, to, io_read(c, (u16)c->gpr[RDX], size), size);
    advance(c, in, RDI, size);
    return true;
}

static bool outs_element(struct cpu *c, const struct insn *in, unsigned size)
{
    u64 v = mmu_load(c, seg_lin(c, in->seg, si(c, in), size, ACC_READ), size);

    io_write(c, (u16)c->gpr[RDX], v, size);
    advance(c, in, RSI, size);
    return true;
}

void x_movs(struct cpu *c, const struct insn *in) { repeat(c, in, in->opsz, true, movs_element); }
void x_stos(struct cpu *c, const struct insn *in) { repeat(c, in, in->opsz, true, stos_element); }
void x_lods(struct cpu *c, const struct insn *in) { repeat(c, in, in->opsz, false, lods_element); }
void x_cmps(struct cpu *c, const struct insn *in) { repeat(c, in, in->opsz, false, cmps_element); }
void x_scas(struct cpu *c, const struct insn *in) { repeat(c, in, in->opsz, false, scas_element); }

void x_ins(struct cpu *c, const struct insn *in)
{
    io_check(c, (u16)c->gpr[RDX], in->opsz);
    repeat(c, in, in->opsz, false, ins_element);
}

void x_outs(struct cpu *c, const struct insn *in)
{
    io_check(c, (u16)c->gpr[RDX], in->srcsz);
    repeat(c, in, in->srcsz, false, outs_element);
}
