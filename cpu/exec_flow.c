/*
 * Stack instructions and near control flow. SDM 2A, 2B, the pages that the rows name.
 * Registers are committed after the last access that can fault.
 */
#include "cpu/dr.h"
#include "cpu/event.h"
#include "cpu/operand.h"

void x_push(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz;
    u64 v;

    if (in->kind[0] == K_MEM) {
        u64 from = opnd_lin(c, in, 0, size, ACC_READ), to;

        /* Both before the load, which may reach a device. */
        mmu_probe(c, from, size, ACC_READ);
        to = seg_lin(c, SS, (c->gpr[RSP] - size) & stack_mask(c), size, ACC_WRITE);
        mmu_probe(c, to, size, ACC_WRITE);
        v = mmu_load(c, from, size);
    } else {
        v = opnd_load(c, in, 0, size);
    }
    push(c, v, size);
}

void x_pop(struct cpu *c, const struct insn *in)
{
    u64 v = stack_peek(c, 0, in->opsz);

    set_sp(c, c->gpr[RSP] + in->opsz);
    reg_write(c, in->reg[0], v, in->opsz);
}

/* POP to memory computes its address with rSP already advanced (SDM 2B POP). */
void x_pop_e(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz;
    u64 v, old = c->gpr[RSP], off;

    if (in->kind[0] == K_REG) {
        x_pop(c, in);
        return;
    }
    v = stack_peek(c, 0, size);
    set_sp(c, old + size);
    off = ea_of(c, in);
    c->gpr[RSP] = old;
    mmu_store(c, seg_lin(c, in->seg, off, size, ACC_WRITE), v, size);
    set_sp(c, old + size);
}

void x_pusha(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz;
    u64 sp = c->gpr[RSP], odd = sp & stack_mask(c);

    /* Real mode: before anything is written (SDM 2B PUSHA, real-address mode exceptions). */
    if (mode_real(c->mode) && (odd & 1) && odd >= 7 && odd <= 15)
        cpu_raise(c, EXC_GP, 0);
    for (unsigned i = 0; i < 8; i++) {
        u64 at = (sp - (i + 1) * size) & stack_mask(c);
        mmu_store(c, seg_lin(c, SS, at, size, ACC_WRITE), c->gpr[i], size);
    }
    set_sp(c, sp - 8 * size);
}

void x_popa(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz;
    u64 v[8];

    for (unsigned i = 0; i < 8; i++)
        v[i] = stack_peek(c, i * size, size);
    for (unsigned i = 0; i < 8; i++)
        if (7 - i != RSP)
            reg_write(c, 7 - i, v[i], size);
    set_sp(c, c->gpr[RSP] + 8 * size);
}

void x_enter(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz, level = (in->imm >> 16) & 31;
    u64 mask = stack_mask(c), sp = (c->gpr[RSP] - size) & mask, bp = c->gpr[RBP];
    u64 frame = mask == 0xffff ? (c->gpr[RSP] & ~mask) | sp : sp; /* all of ESP */

    mmu_store(c, seg_lin(c, SS, sp, size, ACC_WRITE), bp, size);
    for (unsigned i = 1; i < level; i++) {
        u64 v;

        bp -= size;
        sp = (sp - size) & mask;
        v = mmu_load(c, seg_lin(c, SS, bp & mask, size, ACC_READ), size);
        mmu_store(c, seg_lin(c, SS, sp, size, ACC_WRITE), v, size);
    }
    if (level) {
        sp = (sp - size) & mask;
        mmu_store(c, seg_lin(c, SS, sp, size, ACC_WRITE), frame, size);
    }
    sp = (sp - (in->imm & 0xffff)) & mask;
    /* The new top of stack must be writable (SDM 2A ENTER). */
    mmu_probe(c, seg_lin(c, SS, sp, size, ACC_WRITE), size, ACC_WRITE);
    reg_write(c, RBP, frame, size);
    set_sp(c, sp);
}

void x_leave(struct cpu *c, const struct insn *in)
{
    u64 bp = c->gpr[RBP] & stack_mask(c);
    u64 v = mmu_load(c, seg_lin(c, SS, bp, in->opsz, ACC_READ), in->opsz);

    set_sp(c, bp + in->opsz);
    reg_write(c, RBP, v, in->opsz);
}

/* ---- near jumps ---- */

static u64 relative(const struct cpu *c, const struct insn *in)
{
    return c->rip + in->len + in->imm;
}

void x_jcc(struct cpu *c, const struct insn *in)
{
    if (condition(c, in->cc))
        jump_near(c, relative(c, in), in->opsz);
}

void x_jmp(struct cpu *c, const struct insn *in)
{
    jump_near(c, relative(c, in), in->opsz);
}

void x_jmp_e(struct cpu *c, const struct insn *in)
{
    jump_near(c, opnd_load(c, in, 0, in->opsz), in->opsz);
}

void x_call(struct cpu *c, const struct insn *in)
{
    call_near(c, relative(c, in), in->opsz);
}

void x_call_e(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz;

    if (in->kind[0] == K_MEM) {
        u64 from = opnd_lin(c, in, 0, size, ACC_READ);

        mmu_probe(c, from, size, ACC_READ);
        mmu_probe(c, seg_lin(c, SS, (c->gpr[RSP] - size) & stack_mask(c), size, ACC_WRITE), size,
                  ACC_WRITE);
        call_near(c, mmu_load(c, from, size), size);
    } else {
        call_near(c, opnd_load(c, in, 0, size), size);
    }
}

void x_ret(struct cpu *c, const struct insn *in)
{
    u64 target = stack_peek(c, 0, in->opsz);

    jump_near(c, target, in->opsz);
    set_sp(c, c->gpr[RSP] + in->opsz + (in->kind[0] == K_IMM ? in->imm & 0xffff : 0));
}

void x_loop(struct cpu *c, const struct insn *in)
{
    u64 count = ea_mask(c->gpr[RCX] - 1, in->adsz);
    bool taken = count != 0;

    if (in->row == ROW_LOOPE)
        taken = taken && flag_zf(c);
    else if (in->row == ROW_LOOPNE)
        taken = taken && !flag_zf(c);
    if (taken)
        jump_near(c, relative(c, in), in->opsz);
    reg_write(c, RCX, count, in->adsz);
}

void x_jcxz(struct cpu *c, const struct insn *in)
{
    if (ea_mask(c->gpr[RCX], in->adsz) == 0)
        jump_near(c, relative(c, in), in->opsz);
}

/* ---- software interrupts ---- */

void x_int(struct cpu *c, const struct insn *in)
{
    event_int(c, (u8)in->imm);
}

void x_int3(struct cpu *c, const struct insn *in)
{
    (void)in;
    event_deliver(c, EXC_BP, EVENT_SOFT, 0, false);
}

void x_into(struct cpu *c, const struct insn *in)
{
    (void)in;
    if (flag_of(c))
        event_deliver(c, EXC_OF, EVENT_SOFT, 0, false);
}

/* INT1 is a trap whose gate's DPL is not checked (SDM 2A INT n). RF is pushed as 0, as for INT n: it
 * was for this instruction (3B 17.3.1.1). A breakpoint that MOV SS has held back comes with it, not
 * once more (kvm-unit-tests' debug). */
void x_int1(struct cpu *c, const struct insn *in)
{
    u32 held = c->debug_pending;

    (void)in;
    c->eflags &= ~(u32)F_RF;
    event_deliver(c, EXC_DB, EVENT_TRAP, 0, false);
    dr_report(c, held);
    c->debug_pending &= ~held;
    if (!c->debug_pending)
        c->attention &= ~(u32)ATT_DEBUG;
}

void x_bound(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz, shift = 64 - 8 * size;
    u64 off = mem_off(c, in, 1), lin = seg_lin(c, in->seg, off, size, ACC_READ);
    /* Two operands: the address may wrap between them, as that of a far pointer. */
    u64 lin_hi = seg_lin(c, in->seg, ea_mask(off + size, in->adsz), size, ACC_READ);
    u64 lo = mmu_load(c, lin, size), hi = mmu_load(c, lin_hi, size);
    i64 v = (i64)(c->gpr[in->reg[0]] << shift) >> shift;

    if (v < (i64)(lo << shift) >> shift || v > (i64)(hi << shift) >> shift)
        cpu_raise_no_code(c, EXC_BR);
}

void x_ud(struct cpu *c, const struct insn *in)
{
    (void)in;
    cpu_raise_no_code(c, EXC_UD);
}
