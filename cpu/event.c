/*
 * Delivery of exceptions and interrupts. SDM 3A chapter 6; APM 2 chapter 8.
 *
 * Everything is checked, and the stack frame written, before a register changes, so a fault on
 * the way leaves the interrupted instruction as it was.
 */
#include "cpu/event.h"
#include "core/clock.h"
#include "core/log.h"
#include "cpu/operand.h"
#include "cpu/dr.h"
#include "cpu/segment.h"
#include "cpu/task.h"
#include "cpu/v86.h"
#include <string.h>

enum { IDT_BIT = 2 }; /* of an error code: the index is one of the IDT */

/* A stack that is being written but is not rSP yet. */
struct frame {
    struct seg ss;
    u64 sp, mask;
    unsigned size;   /* of a slot */
    unsigned access; /* rights of the level that will own the stack */
    unsigned ext;
    bool inner; /* it belongs to another level: faults name its selector */
    bool flat;  /* 64-bit: no segment */
};

static void frame_push(struct cpu *c, struct frame *f, u64 v)
{
    u32 error = (f->inner ? f->ss.sel & ~3u : 0) | f->ext;
    u64 lin;

    f->sp = (f->sp - f->size) & f->mask;
    if (f->flat) {
        lin = f->sp;
        if (!canonical(lin))
            cpu_raise(c, EXC_SS, f->ext);
    } else {
        if (f->ss.fast & SEG_FAST_W) {
            if (f->sp + f->size - 1 > f->ss.limit)
                cpu_raise(c, EXC_SS, error);
        } else if (f->sp <= f->ss.limit || f->sp + f->size - 1 > f->mask) { /* expand down */
            cpu_raise(c, EXC_SS, error);
        }
        lin = (u32)(f->ss.base + f->sp);
    }
    mmu_store_as(c, lin, v, f->size, f->access);
}

static u64 seg_stack_mask(const struct seg *ss)
{
    return ss->attr & SEG_DB ? 0xffffffff : 0xffff;
}

static u32 pushed_flags(const struct cpu *c, enum event_kind kind)
{
    u32 flags = flags_all(c);

    /* Faults resume at the instruction, so its breakpoints must not fire again; INT n and the
     * like clear RF before they are delivered (SDM 3B 17.3.1.1). */
    return kind == EVENT_FAULT ? flags | F_RF : kind == EVENT_SOFT ? flags & ~(u32)F_RF : flags;
}

static u64 return_rip(const struct cpu *c, enum event_kind kind)
{
    return kind == EVENT_SOFT || kind == EVENT_TRAP ? c->next_rip : c->rip;
}

static void deliver_real(struct cpu *c, u8 vector, enum event_kind kind)
{
    struct frame f = { .ss = c->seg[SS], .sp = c->gpr[RSP] & stack_mask(c), .mask = stack_mask(c),
                       .size = 2 };
    u64 gate;

    if (vector * 4u + 3 > c->idtr.limit)
        cpu_raise(c, EXC_GP, vector * 8u + IDT_BIT);
    gate = mmu_load_sys(c, c->idtr.base + vector * 4u, 4);
    f.ss.fast |= SEG_FAST_W;
    frame_push(c, &f, flags_all(c));
    frame_push(c, &f, c->seg[CS].sel);
    frame_push(c, &f, return_rip(c, kind));
    set_sp(c, f.sp);
    flags_set(c, F_I | F_T | F_AC | F_RF, 0);
    seg_load_real(c, CS, (u16)(gate >> 16));
    c->next_rip = gate & 0xffff;
}

/* Checks the gate's code segment; *cpl: the level that it will run at. */
static void gate_code(struct cpu *c, struct seg *cs, u16 sel, unsigned ext, unsigned *cpl)
{
    u64 d, lin;

    if ((sel & ~3u) == 0)
        cpu_raise(c, EXC_GP, ext);
    if (!desc_address(c, sel, &lin))
        cpu_raise(c, EXC_GP, (sel & ~3u) | ext);
    d = mmu_load_sys(c, lin, 8);
    if (!desc_is_code(d) || desc_dpl(d) > cpu_cpl(c))
        cpu_raise(c, EXC_GP, (sel & ~3u) | ext);
    if ((c->mode & MODE_LMA) && (bits(d, 54, 53) != 1)) /* L and not D */
        cpu_raise(c, EXC_GP, (sel & ~3u) | ext);
    if (!desc_present(d))
        cpu_raise(c, EXC_NP, (sel & ~3u) | ext);
    if ((c->mode & MODE_VM) && (desc_conforming(d) || desc_dpl(d) != 0))
        cpu_raise(c, EXC_GP, (sel & ~3u) | ext); /* virtual-8086 mode is left for level 0 alone */
    desc_set_accessed(c, sel, &d);
    *cpl = desc_conforming(d) ? cpu_cpl(c) : desc_dpl(d);
    seg_make(cs, sel, d);
}

/* The error code for a handler that is a task: on its own stack, in its TSS's width. */
static void push_error(struct cpu *c, u32 error, unsigned ext)
{
    bool wide = (c->tr.attr & SEG_TYPE) >= SYS_TSS;
    struct frame f = { .ss = c->seg[SS], .sp = c->gpr[RSP], .mask = stack_mask(c), .ext = ext,
                       .size = wide ? 4 : 2 };

    frame_push(c, &f, error);
    set_sp(c, f.sp);
}

static void deliver_protected(struct cpu *c, u8 vector, enum event_kind kind, u32 error,
                              bool has_error)
{
    unsigned ext = kind == EVENT_SOFT ? 0 : 1, ist = 0, type, new_cpl;
    bool lma = c->mode & MODE_LMA, v86 = c->mode & MODE_VM, inner;
    u32 code = vector * 8u + IDT_BIT + ext, flags = pushed_flags(c, kind);
    u64 off = vector * (lma ? 16u : 8u), gate, target, ret = return_rip(c, kind);
    u16 old_cs = c->seg[CS].sel, old_ss = c->seg[SS].sel;
    struct seg cs;
    struct frame f = { .ext = ext };

    if (off + (lma ? 15 : 7) > c->idtr.limit)
        cpu_raise(c, EXC_GP, code);
    gate = mmu_load_sys(c, lma ? c->idtr.base + off : (u32)(c->idtr.base + off), 8);
    type = desc_type(gate);
    if (desc_s(gate) || !(type == SYS_INT || type == SYS_TRAP ||
                          (!lma && (type == SYS_INT16 || type == SYS_TRAP16 || type == SYS_TASK_GATE))))
        cpu_raise(c, EXC_GP, code);
    if (kind == EVENT_SOFT && desc_dpl(gate) < cpu_cpl(c))
        cpu_raise(c, EXC_GP, code);
    if (!desc_present(gate))
        cpu_raise(c, EXC_NP, code);
    if (type == SYS_TASK_GATE) {
        task_switch(c, (u16)(gate >> 16),
                    &(struct task_from){ .why = TASK_INT, .rip = ret, .eflags = flags, .ext = ext });
        if (has_error)
            push_error(c, error, ext);
        return;
    }
    target = bits(gate, 15, 0) | bits(gate, 63, 48) << 16;
    if (lma) {
        target |= mmu_load_sys(c, c->idtr.base + off + 8, 4) << 32;
        ist = (gate >> 32) & 7;
    } else if (type == SYS_INT16 || type == SYS_TRAP16) {
        target &= 0xffff;
    }
    gate_code(c, &cs, (u16)(gate >> 16), ext, &new_cpl);
    inner = new_cpl < cpu_cpl(c);
    f.access = new_cpl < 3 ? ACC_INNER : 0;
    if (lma) {
        if (!canonical(target))
            cpu_raise(c, EXC_GP, ext);
        f.flat = true;
        f.size = 8;
        f.mask = ~0ull;
        f.sp = ist ? tss64_stack(c, 3 + ist, ext) : inner ? tss64_stack(c, new_cpl, ext)
                                                          : c->gpr[RSP];
        f.sp &= ~15ull;
        if (inner) { /* SS becomes a null selector of the new level (SDM 3A 6.14.2) */
            f.ss = (struct seg){ .sel = (u16)new_cpl };
            f.ss.attr = (u16)(new_cpl << SEG_DPL_SHIFT);
        }
    } else {
        f.size = type == SYS_INT || type == SYS_TRAP ? 4 : 2;
        if (inner) {
            u16 ss;
            tss_stack(c, new_cpl, &ss, &f.sp, ext);
            seg_check_stack(c, &f.ss, ss, new_cpl, EXC_TS, ext);
            f.mask = seg_stack_mask(&f.ss);
            f.inner = true;
        } else {
            f.ss = c->seg[SS];
            f.mask = stack_mask(c);
            f.sp = c->gpr[RSP];
        }
        f.sp &= f.mask;
        if (target > cs.limit)
            cpu_raise(c, EXC_GP, ext);
    }
    if (v86) {
        static const u8 order[] = { GS, FS, DS, ES };
        for (unsigned i = 0; i < ARRAY_LEN(order); i++)
            frame_push(c, &f, c->seg[order[i]].sel);
    }
    if (lma || inner) {
        frame_push(c, &f, old_ss);
        frame_push(c, &f, c->gpr[RSP]);
    }
    frame_push(c, &f, flags);
    frame_push(c, &f, old_cs);
    frame_push(c, &f, ret);
    if (has_error)
        frame_push(c, &f, error);

    if (inner)
        seg_copy(&c->seg[SS], &f.ss);
    if (v86) /* what was a paragraph is no selector */
        c->seg[ES] = c->seg[DS] = c->seg[FS] = c->seg[GS] = (struct seg){ 0 };
    seg_set_cs(c, &cs, new_cpl);
    if (lma)
        c->gpr[RSP] = f.sp;
    else if (f.mask == 0xffff)
        c->gpr[RSP] = (c->gpr[RSP] & ~0xffffull) | f.sp;
    else
        c->gpr[RSP] = f.sp;
    flags_set(c, F_T | F_NT | F_RF | F_VM | (type & 1 ? 0 : F_I), 0);
    cpu_update_mode(c);
    c->next_rip = target;
}

static void record(struct cpu *c, u8 vector, enum event_kind kind, u32 error, bool has_error,
                   bool lost)
{
    struct event_record *e = &c->events[c->nr_events++ % EVENT_RING];

    memset(e, 0, sizeof(*e)); /* PERF: a struct literal would be made elsewhere and copied */
    e->vector = vector;
    e->kind = (u8)kind;
    e->has_error = has_error;
    e->error = error;
    e->lost = lost;
    e->during = DELIVER_NONE;
    e->icount = clock_icount(c->cfg.clk);
    e->mode = c->mode;
    e->cpl = (u8)cpu_cpl(c);
    e->cs = c->seg[CS].sel;
    e->rip = return_rip(c, kind);
    e->ss = c->seg[SS].sel;
    e->rsp = c->gpr[RSP];
    e->rax = c->gpr[RAX];
    e->cr2 = c->cr2;
    if (kind == EVENT_FAULT || kind == EVENT_ABORT)
        e->during = (i16)c->exc_during;
    e->lin_rip = e->pc = c->seg[CS].base + e->rip;
    if (c->observer && c->observer->event)
        c->observer->event(c->observer->h, c, e);
}

void event_deliver(struct cpu *c, u8 vector, enum event_kind kind, u32 error, bool has_error)
{
    record(c, vector, kind, error, has_error, false);
    c->shadow = SHADOW_NONE;
    leave_block(c);
    if (vector == EXC_DB && kind != EVENT_SOFT)
        c->dr[7] &= ~(u64)DR7_GD; /* so that its handler may use them (SDM 3B 17.2.4) */
    if (!(c->mode & MODE_PE))
        deliver_real(c, vector, kind);
    else
        deliver_protected(c, vector, kind, error, has_error);
}

/* To the 8086 program's own handler, past the monitor (SDM 3B table 20-2, methods 5 and 6). */
static void deliver_redirected(struct cpu *c, u8 vector)
{
    u64 target = mmu_load(c, vector * 4u, 4), sp = c->gpr[RSP];
    const u64 slots[] = { iopl_allows(c) ? flags_all(c) : v86_flags_image(c), c->seg[CS].sel,
                          c->next_rip };

    for (unsigned i = 0; i < ARRAY_LEN(slots); i++) {
        sp = (sp - 2) & 0xffff;
        mmu_store(c, seg_lin(c, SS, sp, 2, ACC_WRITE), slots[i], 2);
    }
    set_sp(c, sp);
    flags_set(c, F_T | F_RF | (iopl_allows(c) ? F_I : F_VIF), 0);
    seg_load_real(c, CS, (u16)(target >> 16));
    c->next_rip = target & 0xffff;
}

void event_int(struct cpu *c, u8 vector)
{
    if (UNLIKELY(c->mode & MODE_VM)) {
        if (v86_redirects(c, vector)) {
            record(c, vector, EVENT_SOFT, 0, false, false);
            c->shadow = SHADOW_NONE;
            leave_block(c);
            deliver_redirected(c, vector);
            return;
        }
        if (!iopl_allows(c))
            cpu_raise(c, EXC_GP, 0);
    }
    event_deliver(c, vector, EVENT_SOFT, 0, false);
}

static bool contributory(int vector)
{
    return vector == EXC_DE || (vector >= EXC_TS && vector <= EXC_GP);
}

bool event_combine(struct cpu *c)
{
    int first = c->delivering, second = c->exc_vector;

    if (first == EXC_DF) {
        record(c, (u8)second, EVENT_FAULT, c->exc_error, c->exc_has_error, true);
        return false;
    }
    if ((contributory(first) && contributory(second)) ||
        (first == EXC_PF && (contributory(second) || second == EXC_PF))) {
        /* Keep the second in the chain: a double fault without its cause explains nothing. */
        record(c, (u8)second, EVENT_FAULT, c->exc_error, c->exc_has_error, true);
        c->exc_vector = EXC_DF;
        c->exc_error = 0;
        c->exc_has_error = true;
    }
    return true;
}
