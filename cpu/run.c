/*
 * What happens between blocks, and to instructions that need a look before or after them: the part
 * of an engine's run() that is the same in all. See cpu/run.h.
 */
#include "cpu/run.h"
#include "core/clock.h"
#include "core/mem_view.h"
#include "cpu/debug.h"
#include "cpu/dr.h"
#include "cpu/event.h"
#include "cpu/operand.h"
#include "cpu/vec.h"

/* Delivers an event between instructions; raises like an instruction would. */
static void deliver(struct cpu *c, u8 vector, enum event_kind kind, u32 error, bool has_error)
{
    mxcsr_to_memory(c); /* the observer is told of events */
    clock_charge(c->cfg.clk, 1); /* so that a storm of faults does not stand outside of time */
    c->next_rip = c->rip;
    event_deliver(c, vector, kind, error, has_error);
    c->rip = c->next_rip;
    c->delivering = DELIVER_NONE;
}

/* Takes an event that waits for the border between two instructions, in the order of SDM 3A
 * table 6-2. Returns whether there was one. */
static bool take_event(struct cpu *c)
{
    if (c->attention & ATT_INIT) {
        cpu_take_init(c);
        return true;
    }
    if ((c->attention & ATT_DEBUG) && c->shadow != SHADOW_MOV_SS) {
        dr_report(c, c->debug_pending);
        c->debug_pending = 0;
        c->attention &= ~(u32)ATT_DEBUG;
        c->halted = HALT_NONE; /* a debug exception ends HLT (SDM 2A HLT) */
        c->delivering = EXC_DB;
        deliver(c, EXC_DB, EVENT_TRAP, 0, false);
        return true;
    }
    if ((c->attention & ATT_NMI) && !c->nmi_masked && c->shadow != SHADOW_MOV_SS) {
        c->attention &= ~(u32)ATT_NMI;
        c->nmi_masked = true;
        c->halted = HALT_NONE;
        c->delivering = EXC_NMI;
        deliver(c, EXC_NMI, EVENT_EXT, 0, false);
        return true;
    }
    if ((c->attention & ATT_INTR) && (c->eflags & F_I) && !c->shadow) {
        c->halted = HALT_NONE;
        c->delivering = DELIVER_EXTERNAL;
        deliver(c, c->cfg.ack.vector(c->cfg.ack.source), EVENT_EXT, 0, false);
        return true;
    }
    return false;
}

/* What the next instruction must not begin with. Returns whether something came before it. */
static bool before_instruction(struct cpu *c)
{
    u32 hits = c->mode & MODE_DR7 ? dr_code_hits(c) : 0;

    if (hits) { /* a fault, but one that leaves RF as it is (SDM 3B 17.3.1.1) */
        dr_report(c, hits);
        c->delivering = EXC_DB;
        deliver(c, EXC_DB, EVENT_TRAP, 0, false);
        return true;
    }
    if (c->mode & MODE_VIP)
        cpu_raise(c, EXC_GP, 0);
    return false;
}

bool run_poll(struct cpu *c, enum stop_reason *why)
{
again:
    do {
        c->leave = false;
        if (c->attention & ATT_STOP) {
            c->attention &= ~(u32)ATT_STOP;
            *why = STOP_REQUEST;
            return true;
        }
        if (c->budget <= 0) {
            *why = STOP_SLICE;
            return true;
        }
    } while (UNLIKELY(c->attention != 0) && take_event(c));
    if (UNLIKELY(c->debug != NULL) && debug_stops(c)) {
        *why = STOP_DEBUG;
        return true;
    }
    if (c->halted) {
        *why = STOP_HALT;
        return true;
    }
    if (UNLIKELY(c->mode & (MODE_DR7 | MODE_VIP)) && before_instruction(c))
        goto again;
    return false;
}

/* ---- who ran it (engine_options.interpreted) ---- */

static void count_begin(struct cpu *c)
{
    struct interpreted *n = c->cfg.engine.interpreted;

    n->since = clock_icount(c->cfg.clk);
    n->open = true;
}

/* The block is over, or a fault has unwound from it: then the instruction has not retired. */
static void count_end(struct cpu *c)
{
    struct interpreted *n = c->cfg.engine.interpreted;

    if (n->open)
        n->insns += clock_icount(c->cfg.clk) - n->since;
    n->open = false;
}

void run_block(struct cpu *c, const struct block *b, unsigned max)
{
    const struct op *op = b->ops, *end = op + (b->nr_ops < max ? b->nr_ops : max);

    if (UNLIKELY(c->cfg.engine.interpreted != NULL))
        count_begin(c);
    do {
        c->next_rip = c->rip + op->in.len;
        op->fn(c, &op->in);
        c->rip = c->next_rip;
        op++;
    } while (--c->budget > 0 && !c->leave && op < end);
    if (UNLIKELY(c->rep_interrupted)) {
        c->rep_interrupted = false;
        c->budget++; /* it has not retired */
    }
    if (UNLIKELY(c->cfg.engine.interpreted != NULL))
        count_end(c);
}

static const u8 *block_bytes(const struct cpu *c, const struct block *b)
{
    return b->off == NO_BACKING || b->crosses ? b->raw : c->cfg.view->backing + b->off;
}

/* IRET and task switches load RF; what they have loaded is for the next instruction. */
static bool makes_rf(const struct insn *in)
{
    switch (in->row) {
    case ROW_IRET:
        return in->opsz > 2;
    case ROW_JMPF_Ap: case ROW_JMPF_Mp: case ROW_CALLF_Ap: case ROW_CALLF_Mp:
        return true;
    default:
        return false;
    }
}

void run_one(struct cpu *c, const struct block *b)
{
    const struct cpu_observer *o = c->observer;
    const struct insn *in = &b->ops[0].in;
    bool shadow = c->shadow, trap = c->mode & MODE_TF, rf = c->eflags & F_RF;
    u64 events = c->nr_events, icount = clock_icount(c->cfg.clk);
    bool retired;

    mxcsr_to_memory(c); /* observers may run */
    if ((c->mode & MODE_CODE_MASK) != MODE_CODE64 && c->rip + in->len - 1 > c->seg[CS].limit)
        cpu_raise(c, EXC_GP, 0);
    if (o && o->before)
        o->before(o->h, c, in, block_bytes(c, b));
    run_block(c, b, 1);
    /* A repetition that the slice's end has interrupted keeps RF and the shadow until it is done:
     * when interrupts are recognised must not depend on where slices end. A single step is an
     * element, and ends where it always does. */
    retired = clock_icount(c->cfg.clk) != icount;
    if (rf && retired && !makes_rf(in))
        c->eflags &= ~(u32)F_RF;
    if (shadow && c->shadow && (retired || trap)) {
        c->shadow = SHADOW_NONE;
        cpu_update_mode(c);
    }
    mxcsr_to_memory(c);
    if (o && o->after && retired)
        o->after(o->h, c, in);
    /* After an instruction that began with TF set, unless it was a software interrupt (SDM 3B
     * 17.3.1.4). MOV SS delays the trap by an instruction, STI does not (3A 6.8.3). SYSCALL and
     * SYSRET look at TF themselves. */
    if (trap && in->row != ROW_SYSCALL && in->row != ROW_SYSRET && c->shadow != SHADOW_MOV_SS && c->nr_events == events)
        dr_trap(c, DR6_BS);
}

bool run_needs_care(const struct cpu *c, const struct block *b)
{
    if ((c->mode & (MODE_TF | MODE_SHADOW)) || (c->eflags & F_RF) ||
        (c->observer && (c->observer->before || c->observer->after)))
        return true;
    if (c->debug && debug_wants_steps(c, cpu_lin_rip(c), b->nr_bytes))
        return true;
    if (UNLIKELY(c->mode & MODE_DR7) && dr_code_within(c, cpu_lin_rip(c), b->nr_bytes))
        return true;
    return (c->mode & MODE_CODE_MASK) != MODE_CODE64 &&
           c->rip + b->nr_bytes - 1 > c->seg[CS].limit;
}

void run_sync(struct cpu *c)
{
    c->eflags = flags_all(c);
    c->lf = (struct lazy_flags){ 0 };
    floating_to_memory(c);
}

bool run_fault(struct cpu *c)
{
    c->rep_interrupted = false;
    if (UNLIKELY(c->cfg.engine.interpreted != NULL))
        count_end(c);
    if (c->shadow != SHADOW_MOV_SS) { /* the instruction will run again: so will its traps */
        c->debug_pending = 0;
        c->attention &= ~(u32)ATT_DEBUG;
    }
    if (c->delivering != DELIVER_NONE && !event_combine(c)) {
        c->delivering = DELIVER_NONE;
        return false;
    }
    c->delivering = c->exc_vector;
    deliver(c, c->exc_vector, c->exc_vector == EXC_DF ? EVENT_ABORT : EVENT_FAULT, c->exc_error,
            c->exc_has_error);
    return true;
}
