/*
 * Far control transfers: JMP, CALL, RET, IRET between segments and privilege levels.
 * SDM 2A CALL, IRET, JMP; 2B RET; 3A 5.8. Task switches are in cpu/task.c.
 */
#include "cpu/dr.h"
#include "cpu/operand.h"
#include "cpu/segment.h"
#include "cpu/task.h"
#include "cpu/v86.h"

static bool long_active(const struct cpu *c)
{
    return c->mode & MODE_LMA;
}

/* Checks an instruction pointer for a code segment that is not in CS yet. */
static u64 check_target(struct cpu *c, const struct seg *cs, u64 off)
{
    if (long_active(c) && (cs->attr & SEG_L)) {
        if (!canonical(off))
            cpu_raise(c, EXC_GP, 0);
        return off;
    }
    off = (u32)off;
    if (off > cs->limit)
        cpu_raise(c, EXC_GP, 0);
    return off;
}

/* A code descriptor for a direct far JMP or CALL, or behind a call gate. */
static u64 load_code(struct cpu *c, u16 sel, bool through_gate)
{
    unsigned cpl = cpu_cpl(c);
    u64 d;

    if ((sel & ~3u) == 0)
        cpu_raise(c, EXC_GP, 0);
    d = desc_load(c, sel, EXC_GP);
    if (!desc_is_code(d) || (through_gate && desc_dpl(d) > cpl))
        cpu_raise(c, EXC_GP, sel & ~3u);
    if (!through_gate && (desc_conforming(d) ? desc_dpl(d) > cpl
                                             : (sel & 3u) > cpl || desc_dpl(d) != cpl))
        cpu_raise(c, EXC_GP, sel & ~3u);
    if (long_active(c) && bits(d, 54, 53) == 3) /* L and D */
        cpu_raise(c, EXC_GP, sel & ~3u);
    if (through_gate && long_active(c) && bits(d, 54, 53) != 1)
        cpu_raise(c, EXC_GP, sel & ~3u);
    if (!desc_present(d))
        cpu_raise(c, EXC_NP, sel & ~3u);
    return d;
}

/* Stack writes relative to a stack that may not be rSP yet: limit checks, then the store. */
static void stack_store(struct cpu *c, const struct seg *ss, u64 sp, u64 v, unsigned size,
                        unsigned access)
{
    u64 lin = sp;

    if ((c->mode & MODE_CODE_MASK) != MODE_CODE64 && ss) {
        if (!(ss->fast & SEG_FAST_W) || sp + size - 1 > ss->limit) {
            bool expand_down = (ss->attr & (SEG_CODE | SEG_DC)) == SEG_DC;
            u64 top = ss->attr & SEG_DB ? 0xffffffff : 0xffff;
            if (!expand_down || sp <= ss->limit || sp + size - 1 > top)
                cpu_raise(c, EXC_SS, ss == &c->seg[SS] ? 0 : ss->sel & ~3u);
        }
        lin = (u32)(ss->base + sp);
    } else if (!canonical(lin)) {
        cpu_raise(c, EXC_SS, 0);
    }
    mmu_store_as(c, lin, v, size, access);
}

static void push_far_return(struct cpu *c, unsigned size, u64 ret)
{
    u64 mask = stack_mask(c), sp = c->gpr[RSP];

    mmu_store(c, seg_lin(c, SS, (sp - size) & mask, size, ACC_WRITE), c->seg[CS].sel, size);
    mmu_store(c, seg_lin(c, SS, (sp - 2 * size) & mask, size, ACC_WRITE), ret, size);
}

/* A call through a gate to an inner level: a new stack, with the parameters copied. */
static void call_inner(struct cpu *c, u64 gate, u16 sel, u64 code, u64 target, unsigned size)
{
    unsigned new_cpl = desc_dpl(code), nr_params = long_active(c) ? 0 : (gate >> 32) & 31;
    struct seg cs = seg_from_desc(sel, code), ss, old_ss = c->seg[SS];
    u64 sp, mask, old_sp = c->gpr[RSP], old_mask = stack_mask(c), ret = c->next_rip;
    u16 old_cs = c->seg[CS].sel;
    bool lma = long_active(c);

    if (lma) {
        sp = tss64_stack(c, new_cpl, 0);
        ss = (struct seg){ .sel = (u16)new_cpl, .attr = (u16)(new_cpl << SEG_DPL_SHIFT) };
        mask = ~0ull;
    } else {
        u16 ss_sel;
        tss_stack(c, new_cpl, &ss_sel, &sp, 0);
        seg_check_stack(c, &ss, ss_sel, new_cpl, EXC_TS, 0);
        mask = ss.attr & SEG_DB ? 0xffffffff : 0xffff;
    }
    target = check_target(c, &cs, target);
#define STORE(v)                                                                                   \
    (sp = (sp - size) & mask, stack_store(c, lma ? NULL : &ss, sp, (v), size, new_cpl < 3 ? ACC_INNER : 0))
    STORE(old_ss.sel);
    STORE(old_sp);
    for (unsigned i = nr_params; i-- > 0;) {
        u64 at = (old_sp + i * size) & old_mask;
        u64 v = mmu_load(c, seg_lin(c, SS, at, size, ACC_READ), size);
        STORE(v);
    }
    STORE(old_cs);
    STORE(ret);
#undef STORE
    desc_set_accessed(c, sel, &code);
    seg_copy(&c->seg[SS], &ss);
    seg_set_cs(c, &cs, new_cpl);
    c->gpr[RSP] = mask == 0xffff ? (old_sp & ~mask) | sp : sp;
    c->next_rip = target;
}

static void far_direct(struct cpu *c, u16 sel, u64 off, unsigned size, bool call)
{
    u64 d = load_code(c, sel, false), target, ret = c->next_rip;
    struct seg cs = seg_from_desc(sel, d);

    target = check_target(c, &cs, off);
    if (call)
        push_far_return(c, size, ret);
    desc_set_accessed(c, sel, &d);
    cs.attr |= SEG_ACCESSED;
    if (call)
        set_sp(c, c->gpr[RSP] - 2 * size);
    seg_set_cs(c, &cs, cpu_cpl(c));
    c->next_rip = target;
}

static void far_gate(struct cpu *c, u16 sel, u64 gate, bool call)
{
    unsigned type = desc_type(gate), cpl = cpu_cpl(c), size;
    u16 code_sel = (u16)(gate >> 16);
    u64 target = bits(gate, 15, 0) | bits(gate, 63, 48) << 16, code, ret = c->next_rip;
    struct seg cs;

    if (desc_dpl(gate) < cpl || desc_dpl(gate) < (sel & 3u))
        cpu_raise(c, EXC_GP, sel & ~3u);
    if (!desc_present(gate))
        cpu_raise(c, EXC_NP, sel & ~3u);
    size = type == SYS_CALL ? 4 : 2;
    if (type == SYS_CALL16)
        target &= 0xffff;
    if (long_active(c)) {
        u64 lin, high;
        if (!desc_address(c, (u16)(sel + 8), &lin))
            cpu_raise(c, EXC_GP, sel & ~3u);
        high = mmu_load_sys(c, lin, 8);
        if (bits(high, 44, 40)) /* the upper half's type must be 0 */
            cpu_raise(c, EXC_GP, sel & ~3u);
        target |= high << 32;
        size = 8;
    }
    code = load_code(c, code_sel, true);
    if (call && !desc_conforming(code) && desc_dpl(code) < cpl) {
        call_inner(c, gate, code_sel, code, target, size);
        return;
    }
    if (!call && !desc_conforming(code) && desc_dpl(code) != cpl)
        cpu_raise(c, EXC_GP, code_sel & ~3u);
    cs = seg_from_desc(code_sel, code);
    target = check_target(c, &cs, target);
    if (call) {
        push_far_return(c, size, ret);
        set_sp(c, c->gpr[RSP] - 2 * size);
    }
    desc_set_accessed(c, code_sel, &code);
    seg_set_cs(c, &cs, cpl);
    c->next_rip = target;
}

/* To a task: sel is its TSS's, or a task gate's (2A JMP, TASK-GATE and TASK-STATE-SEGMENT). */
static void far_task(struct cpu *c, u16 sel, u64 d, bool call)
{
    struct task_from from = { .why = call ? TASK_CALL : TASK_JMP, .rip = c->next_rip };

    if (desc_dpl(d) < cpu_cpl(c) || desc_dpl(d) < (sel & 3u))
        cpu_raise(c, EXC_GP, sel & ~3u);
    if (desc_type(d) == SYS_TASK_GATE) {
        if (!desc_present(d))
            cpu_raise(c, EXC_NP, sel & ~3u);
        sel = (u16)(d >> 16);
    }
    from.eflags = flags_all(c);
    task_switch(c, sel, &from);
}

static void far_transfer(struct cpu *c, u16 sel, u64 off, unsigned size, bool call)
{
    u64 d;
    unsigned type;

    if (mode_real(c->mode)) {
        if (off > c->seg[CS].limit)
            cpu_raise(c, EXC_GP, 0);
        if (call) {
            push_far_return(c, size, c->next_rip);
            set_sp(c, c->gpr[RSP] - 2 * size);
        }
        seg_load_real(c, CS, sel);
        c->next_rip = off;
        return;
    }
    if ((sel & ~3u) == 0)
        cpu_raise(c, EXC_GP, 0);
    d = desc_load(c, sel, EXC_GP);
    if (desc_s(d)) {
        far_direct(c, sel, off, size, call);
        return;
    }
    type = desc_type(d);
    if (type == SYS_CALL || (type == SYS_CALL16 && !long_active(c))) {
        far_gate(c, sel, d, call);
        return;
    }
    if (!long_active(c) && (type == SYS_TASK_GATE || type == SYS_TSS || type == SYS_TSS16)) {
        far_task(c, sel, d, call);
        return;
    }
    cpu_raise(c, EXC_GP, sel & ~3u);
}

/* The far pointer of the instruction, or in memory: the offset, then the selector. */
static void far_operand(struct cpu *c, const struct insn *in, u16 *sel, u64 *off)
{
    if (in->kind[0] == K_FAR) {
        *off = (u32)in->imm;
        *sel = (u16)(in->imm >> 32);
        return;
    }
    *off = load_far_pointer(c, in, 0, sel);
}

void x_jmpf(struct cpu *c, const struct insn *in)
{
    u16 sel;
    u64 off;

    far_operand(c, in, &sel, &off);
    far_transfer(c, sel, off, in->opsz, false);
}

void x_callf(struct cpu *c, const struct insn *in)
{
    u16 sel;
    u64 off;

    far_operand(c, in, &sel, &off);
    far_transfer(c, sel, off, in->opsz, true);
}

/* Where a far return goes: RIP, CS and, to an outer level, RSP and SS. */
struct far_return {
    u64 rip, rsp;
    u16 cs, ss;
    bool outer, has_stack;
};

/* Checks the code segment of a return (SDM 2B RET, 2A IRET). */
static void return_code(struct cpu *c, struct far_return *r, struct seg *cs)
{
    unsigned rpl = r->cs & 3;
    u64 d;

    if ((r->cs & ~3u) == 0)
        cpu_raise(c, EXC_GP, 0);
    d = desc_load(c, r->cs, EXC_GP);
    if (!desc_is_code(d) || rpl < cpu_cpl(c))
        cpu_raise(c, EXC_GP, r->cs & ~3u);
    if (desc_conforming(d) ? desc_dpl(d) > rpl : desc_dpl(d) != rpl)
        cpu_raise(c, EXC_GP, r->cs & ~3u);
    if (long_active(c) && bits(d, 54, 53) == 3)
        cpu_raise(c, EXC_GP, r->cs & ~3u);
    if (!desc_present(d))
        cpu_raise(c, EXC_NP, r->cs & ~3u);
    r->outer = rpl > cpu_cpl(c);
    seg_make(cs, r->cs, d | BIT(40));
    r->rip = check_target(c, cs, r->rip);
    desc_set_accessed(c, r->cs, &d);
}

/* Checks the stack segment of a return to level cpl with code segment cs. */
static void return_stack(struct cpu *c, const struct far_return *r, const struct seg *cs, struct seg *ss)
{
    unsigned cpl = r->cs & 3;

    if ((r->ss & ~3u) == 0 && long_active(c) && (cs->attr & SEG_L) && cpl != 3) {
        if ((r->ss & 3u) != cpl)
            cpu_raise(c, EXC_GP, 0);
        *ss = (struct seg){ .sel = r->ss, .attr = (u16)(cpl << SEG_DPL_SHIFT) };
    } else {
        seg_check_stack(c, ss, r->ss, cpl, EXC_GP, 0);
    }
}

static void return_commit(struct cpu *c, const struct far_return *r, const struct seg *cs,
                          const struct seg *ss, u64 add)
{
    unsigned old_cpl = cpu_cpl(c), cpl = r->cs & 3;

    if (ss) {
        seg_copy(&c->seg[SS], ss);
        seg_set_cs(c, cs, cpl);
        set_sp(c, r->rsp + add);
        if (cpl > old_cpl)
            seg_drop_privileged(c);
    } else {
        seg_set_cs(c, cs, cpl);
    }
    c->next_rip = r->rip;
}

void x_retf(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz;
    u64 add = in->kind[0] == K_IMM ? in->imm & 0xffff : 0;
    struct far_return r = { 0 };
    struct seg cs, ss;

    stack_probe(c, size, size); /* first, as on silicon: a page fault's CR2 shows it */
    r.rip = stack_peek(c, 0, size);
    r.cs = (u16)stack_peek(c, size, size);
    if (mode_real(c->mode)) {
        if (r.rip > c->seg[CS].limit)
            cpu_raise(c, EXC_GP, 0);
        set_sp(c, c->gpr[RSP] + 2 * size + add);
        seg_load_real(c, CS, r.cs);
        c->next_rip = r.rip;
        return;
    }
    /* The whole frame is read before it is judged (APM 3 RET (Far)). */
    if ((r.cs & 3u) != cpu_cpl(c)) {
        stack_probe(c, 3 * size + add, size);
        r.rsp = stack_peek(c, 2 * size + add, size);
        r.ss = (u16)stack_peek(c, 3 * size + add, size);
    }
    return_code(c, &r, &cs);
    if (r.outer) {
        return_stack(c, &r, &cs, &ss);
        return_commit(c, &r, &cs, &ss, add);
    } else {
        u64 sp = c->gpr[RSP] + 2 * size + add;
        set_sp(c, sp);
        return_commit(c, &r, &cs, NULL, 0);
    }
}

/* Which flags an IRET at level cpl with operand size may change (SDM 2A IRET, 3A 2.3). */
static u32 iret_flags_mask(const struct cpu *c, unsigned size)
{
    unsigned iopl = (c->eflags >> 12) & 3;
    u32 mask = F_ARITH | F_T | F_D | F_NT;

    if (size > 2)
        mask |= F_RF | F_AC | F_ID;
    if (cpu_cpl(c) <= iopl)
        mask |= F_I;
    if (cpu_cpl(c) == 0)
        mask |= F_IOPL | (size > 2 ? F_VIF | F_VIP : 0);
    return mask;
}

void x_iret(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz;
    struct far_return r = { 0 };
    struct seg cs, ss;
    u32 flags, mask;
    bool code64 = (c->mode & MODE_CODE_MASK) == MODE_CODE64;

    c->nmi_masked = false; /* even if it faults (SDM 3A 6.7.1) */
    if (c->mode & MODE_VM) {
        v86_iret(c, size);
        cpu_update_mode(c);
        return;
    }
    if (!mode_real(c->mode) && (c->eflags & F_NT)) {
        if (long_active(c))
            cpu_raise(c, EXC_GP, 0);
        task_return(c);
        return;
    }
    stack_probe(c, 2 * size, size); /* first, as on silicon: a page fault's CR2 shows it */
    r.rip = stack_peek(c, 0, size);
    r.cs = (u16)stack_peek(c, size, size);
    flags = (u32)stack_peek(c, 2 * size, size);
    if (mode_real(c->mode)) {
        if (r.rip > c->seg[CS].limit)
            cpu_raise(c, EXC_GP, 0);
        set_sp(c, c->gpr[RSP] + 3 * size);
        seg_load_real(c, CS, r.cs);
        c->next_rip = r.rip;
        flags_set(c, iret_flags_mask(c, size) & ~(u32)(F_VIF | F_VIP), flags);
        cpu_update_mode(c);
        return;
    }
    if (!long_active(c) && size == 4 && (flags & F_VM) && cpu_cpl(c) == 0) {
        v86_enter(c, r.rip, r.cs, flags);
        return;
    }
    if (code64 || (r.cs & 3u) != cpu_cpl(c)) { /* read before it is judged (APM 3 IRET) */
        stack_probe(c, 4 * size, size);
        r.rsp = stack_peek(c, 3 * size, size);
        r.ss = (u16)stack_peek(c, 4 * size, size);
    }
    return_code(c, &r, &cs);
    mask = iret_flags_mask(c, size);
    if (r.outer || code64) {
        return_stack(c, &r, &cs, &ss);
        return_commit(c, &r, &cs, &ss, 0);
    } else {
        set_sp(c, c->gpr[RSP] + 3 * size);
        return_commit(c, &r, &cs, NULL, 0);
    }
    flags_set(c, mask, flags);
    cpu_update_mode(c);
}

/* ---- SYSCALL, SYSENTER and their returns: flat segments from MSRs ---- */

/* PERF: in place, field by field: a struct that is made on the stack and copied from there waits for its
 * stores, which took two thirds of SYSCALL's time. */
void seg_set_flat(struct seg *s, u16 sel, unsigned attr)
{
    s->sel = sel;
    s->attr = (u16)(attr | SEG_S | SEG_RW | SEG_ACCESSED | SEG_P | SEG_G);
    s->limit = 0xffffffff;
    s->base = 0;
    s->usable = 1;
    seg_update_fast(s);
}

/* Flags are set before: the mode that this makes is by them, too. */
static void enter_flat(struct cpu *c, u16 cs, u16 ss, unsigned cpl, bool l)
{
    seg_set_flat(&c->seg[CS], (u16)((cs & ~3u) | cpl), SEG_CODE | cpl << SEG_DPL_SHIFT | (l ? SEG_L : SEG_DB));
    seg_set_flat(&c->seg[SS], (u16)((ss & ~3u) | cpl), cpl << SEG_DPL_SHIFT | SEG_DB);
    c->cpl = cpl;
    cpu_update_mode(c);
}

/* SYSCALL and SYSRET trap by the TF that they have made, before the instruction that they go to
 * (APM 2 13.1.4): so FMASK keeps a single step out of the kernel, and SYSRET takes it up. */
static void trap_by_new_flags(struct cpu *c)
{
    if (c->mode & MODE_TF)
        dr_trap(c, DR6_BS);
}

void x_syscall(struct cpu *c, const struct insn *in)
{
    bool from64 = (c->mode & MODE_CODE_MASK) == MODE_CODE64;
    u16 sel = (u16)(c->msr.star >> 32) & ~3u;

    (void)in;
    if (!(c->msr.efer & EFER_SCE) || !(c->mode & MODE_PE))
        cpu_raise_no_code(c, EXC_UD);
    if (c->mode & MODE_LMA) {
        c->gpr[RCX] = c->next_rip;
        c->gpr[R11] = flags_all(c) & ~(u32)F_RF;
        c->next_rip = from64 ? c->msr.lstar : c->msr.cstar;
        flags_set(c, (u32)c->msr.fmask | F_RF, 0);
        enter_flat(c, sel, (u16)(sel + 8), 0, true);
    } else { /* legacy mode: AMD only (APM 3 SYSCALL) */
        c->gpr[RCX] = (u32)c->next_rip;
        c->next_rip = (u32)c->msr.star;
        flags_set(c, F_I | F_VM | F_RF, 0);
        enter_flat(c, sel, (u16)(sel + 8), 0, false);
    }
    trap_by_new_flags(c);
}

void x_sysret(struct cpu *c, const struct insn *in)
{
    u16 sel = (u16)(c->msr.star >> 48);

    if (!(c->msr.efer & EFER_SCE))
        cpu_raise_no_code(c, EXC_UD);
    if (in->opsz == 8) {
        if (!canonical(c->gpr[RCX]))
            cpu_raise(c, EXC_GP, 0);
        c->next_rip = c->gpr[RCX];
        flags_set(c, SYSRET_FLAGS, (u32)c->gpr[R11]);
        enter_flat(c, (u16)(sel + 16), (u16)(sel + 8), 3, true);
    } else {
        c->next_rip = (u32)c->gpr[RCX];
        flags_set(c, SYSRET_FLAGS, (u32)c->gpr[R11]);
        enter_flat(c, sel, (u16)(sel + 8), 3, false);
    }
    trap_by_new_flags(c);
}

/* DEVIATION: AMD raises #UD for SYSENTER and SYSEXIT in long mode; we take them as Intel does. */
void x_sysenter(struct cpu *c, const struct insn *in)
{
    u16 sel = (u16)c->msr.sysenter_cs & ~3u;
    bool lma = c->mode & MODE_LMA;

    (void)in;
    if (!(c->mode & MODE_PE) || sel == 0)
        cpu_raise(c, EXC_GP, 0);
    flags_set(c, F_I | F_VM | F_RF, 0);
    c->gpr[RSP] = lma ? c->msr.sysenter_esp : (u32)c->msr.sysenter_esp;
    c->next_rip = lma ? c->msr.sysenter_eip : (u32)c->msr.sysenter_eip;
    enter_flat(c, sel, (u16)(sel + 8), 0, lma);
}

void x_sysexit(struct cpu *c, const struct insn *in)
{
    u16 sel = (u16)c->msr.sysenter_cs & ~3u;

    if (sel == 0 || !(c->mode & MODE_PE))
        cpu_raise(c, EXC_GP, 0);
    if (in->opsz == 8) {
        if (!canonical(c->gpr[RCX]) || !canonical(c->gpr[RDX]))
            cpu_raise(c, EXC_GP, 0);
        c->gpr[RSP] = c->gpr[RCX];
        c->next_rip = c->gpr[RDX];
        enter_flat(c, (u16)(sel + 32), (u16)(sel + 40), 3, true);
    } else {
        c->gpr[RSP] = (u32)c->gpr[RCX];
        c->next_rip = (u32)c->gpr[RDX];
        enter_flat(c, (u16)(sel + 16), (u16)(sel + 24), 3, false);
    }
}
