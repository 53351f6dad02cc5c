/*
 * Lock step: running both machines and comparing them. See machine/lockstep.h.
 *
 * The machine under test runs first, and says at which tick the step ends; the reference is given
 * that tick as its limit, and stops there exactly if it did the same. What ends a run besides a
 * limit (a reset, HLT for good, the exit port) must come to both at the same tick, too.
 *
 * Timers that are due fire at a step's end in both. So a step ends where the next begins.
 */
#include "machine/lockstep.h"
#include "core/mem_view.h"
#include "machine/lockstep_state.h"
#include "machine/pc.h"
#include "mmu/mmu.h"
#include <inttypes.h>
#include <stdlib.h>

enum { PAST_EVERY = 50000000 }; /* instructions between two states that are kept */

void lockstep_config(struct machine_config *cfg, const struct lockstep_options *o)
{
    cfg->engine_options.stop_at_blocks = o->blocks > 0;
    cfg->engine_options.hash_writes = o->hash;
}

void lockstep_config_reference(struct machine_config *cfg)
{
    cfg->engine = "interp";
    cfg->engine_options = (struct engine_options){ .hash_writes = cfg->engine_options.hash_writes };
    cfg->serial[0] = cfg->serial[1] = NULL;
    cfg->log_mask = 0;
    cfg->trace_events = NULL;
    cfg->insn_trace = NULL;
    cfg->nr_symbol_files = 0;
    cfg->silent = true;
}

/* ---- input ---- */

/* The one under test has been given an event: so is the other. */
static void follow(void *h, const struct input_event *e)
{
    struct lockstep *ls = h;

    if (ls->searching)
        return;
    input_replay(machine_input(ls->reference), e);
    if (ls->nr_events == ls->cap_events) {
        ls->cap_events = ls->cap_events ? 2 * ls->cap_events : 64;
        ls->events = realloc(ls->events, ls->cap_events * sizeof(*ls->events));
        ASSERT(ls->events);
    }
    ls->events[ls->nr_events++] = *e;
    ls->event = ls->nr_events;
}

/* ---- comparing ---- */

static u64 writes_hash(const struct machine *m)
{
    return machine_pc((struct machine *)(uintptr_t)m)->view.write_hash;
}

static bool same_segments(const struct cpu *a, const struct cpu *b)
{
    return !memcmp(a->seg, b->seg, sizeof(a->seg)) && !memcmp(&a->ldtr, &b->ldtr, sizeof(a->ldtr)) &&
           !memcmp(&a->tr, &b->tr, sizeof(a->tr)) && a->gdtr.base == b->gdtr.base &&
           a->gdtr.limit == b->gdtr.limit && a->idtr.base == b->idtr.base && a->idtr.limit == b->idtr.limit;
}

/* Without bringing anything to its canonical form: what an engine keeps over a border is part of what
 * is tested. */
static bool same_registers(const struct cpu *a, const struct cpu *b)
{
    return !memcmp(a->gpr, b->gpr, sizeof(a->gpr)) && a->rip == b->rip && cpu_flags(a) == cpu_flags(b) &&
           a->mode == b->mode && a->shadow == b->shadow && a->halted == b->halted &&
           a->attention == b->attention && a->nmi_masked == b->nmi_masked && a->nr_events == b->nr_events &&
           a->cr0 == b->cr0 && a->cr2 == b->cr2 && a->cr3 == b->cr3 && a->cr4 == b->cr4 && a->cr8 == b->cr8 &&
           a->random == b->random && !memcmp(a->dr, b->dr, sizeof(a->dr)) && same_segments(a, b) &&
           !memcmp(&a->fpu, &b->fpu, sizeof(a->fpu)) && !memcmp(&a->msr, &b->msr, sizeof(a->msr));
}

static bool same_border(struct lockstep *ls)
{
    struct machine *t = ls->tested, *r = ls->reference;

    if (machine_ticks(t) != machine_ticks(r) || machine_icount(t) != machine_icount(r) ||
        writes_hash(t) != writes_hash(r))
        return false;
    if (same_registers(machine_cpu(t), machine_cpu(r)))
        return true;
    /* There is padding in those structures: ask the table. */
    return cpu_flags(machine_cpu(t)) == cpu_flags(machine_cpu(r)) &&
           machine_cpu(t)->nr_events == machine_cpu(r)->nr_events && machine_cpu_hash(t) == machine_cpu_hash(r);
}

bool lockstep_same_state(struct lockstep *ls)
{
    ls->nr_full++;
    return machine_state_hash(ls->tested) == machine_state_hash(ls->reference);
}

/* ---- a step ---- */

static void plant(struct lockstep *ls)
{
    struct pc *pc = machine_pc(ls->tested);

    ls->planted = true;
    if (ls->o.plant == PLANT_REGISTER)
        pc->cpu.gpr[ls->o.plant_where] ^= 1;
    else if (ls->o.plant == PLANT_MEMORY && ls->o.plant_where < pc->low_ram)
        pc->view.backing[ls->o.plant_where] ^= 1;
}

static bool plant_waits(const struct lockstep *ls)
{
    return ls->o.plant != PLANT_NOTHING && !ls->planted;
}

static bool by_block(const struct lockstep *ls)
{
    return ls->searching ? !ls->linked : machine_icount(ls->reference) < ls->o.blocks;
}

static enum machine_stop run_tested(struct lockstep *ls, struct machine_limit limit)
{
    enum machine_stop stop;
    struct cpu *c = machine_cpu(ls->tested);

    c->cfg.engine.stop_at_blocks = by_block(ls);
    if (!ls->searching && limit.max_icount > ls->next_full)
        limit.max_icount = ls->next_full;
    if (plant_waits(ls) && limit.max_icount > ls->o.plant_icount)
        limit.max_icount = ls->o.plant_icount;
    stop = machine_run(ls->tested, &limit);
    if (plant_waits(ls) && machine_icount(ls->tested) >= ls->o.plant_icount)
        plant(ls);
    return stop;
}

/* To the tick at which the one under test has stopped, and beyond it only for the reason. */
static enum machine_stop run_reference(struct lockstep *ls, struct machine_limit limit, enum machine_stop tested)
{
    u64 given = limit.max_ticks;
    enum machine_stop stop;

    limit.max_ticks = machine_ticks(ls->tested);
    stop = machine_run(ls->reference, &limit);
    if (tested == MACHINE_DEBUG || tested == MACHINE_BREAK || tested == stop || stop != MACHINE_SLICE_DONE)
        return tested == MACHINE_DEBUG ? tested : stop;
    limit.max_ticks = tested == MACHINE_IDLE ? given : limit.max_ticks + 1;
    return machine_run(ls->reference, &limit);
}

bool lockstep_step(struct lockstep *ls, const struct machine_limit *limit, enum machine_stop *stop)
{
    struct cpu *c = machine_cpu(ls->reference);
    enum machine_stop reference;

    ls->last = (struct border){ .ticks = machine_ticks(ls->reference), .icount = machine_icount(ls->reference),
                                .rip = c->rip, .lin_rip = cpu_lin_rip(c), .nr_events = c->nr_events,
                                .mode = c->mode, .flags = cpu_flags(c) };
    memcpy(ls->last.gpr, c->gpr, sizeof(ls->last.gpr));
    ls->nr_steps++;
    *stop = run_tested(ls, *limit);
    reference = run_reference(ls, *limit, *stop);
    if (*stop == reference && same_border(ls))
        return true;
    if (!ls->searching)
        lockstep_report(ls, stderr, *stop, reference);
    return false;
}

/* ---- the run ---- */

static enum machine_stop diverged(struct lockstep *ls, u64 same, bool block_known)
{
    ls->over = true;
    lockstep_search(ls, same, block_known);
    return MACHINE_DIVERGED;
}

/* Compares all when it is time to; keeps states. */
static bool look_at_all(struct lockstep *ls)
{
    u64 icount = machine_icount(ls->reference);

    if (icount >= ls->next_full) {
        ls->next_full = icount - icount % ls->o.every + ls->o.every;
        if (!lockstep_same_state(ls)) {
            lockstep_report(ls, stderr, MACHINE_SLICE_DONE, MACHINE_SLICE_DONE);
            return false;
        }
        ls->last_full = machine_ticks(ls->reference);
        if (icount >= ls->next_past) { /* only what is known to be the same */
            struct past swap = ls->past[PAST_BEFORE];

            ls->past[PAST_BEFORE] = ls->past[PAST_LAST];
            ls->past[PAST_LAST] = swap;
            ls->next_past = icount + PAST_EVERY;
            lockstep_remember(ls, PAST_LAST);
        }
    }
    return true;
}

enum machine_stop lockstep_run(struct lockstep *ls, const struct machine_limit *limit)
{
    enum machine_stop stop;

    if (ls->over)
        return MACHINE_DIVERGED;
    do {
        u64 last_full = ls->last_full;

        if (!lockstep_step(ls, limit, &stop))
            return diverged(ls, by_block(ls) ? ls->last.ticks : last_full, by_block(ls));
        if (!look_at_all(ls))
            return diverged(ls, last_full, false);
    } while (stop == MACHINE_SLICE_DONE && machine_ticks(ls->tested) < limit->max_ticks &&
             machine_icount(ls->tested) < limit->max_icount);
    return stop;
}

enum machine_stop lockstep_end(struct lockstep *ls)
{
    u64 last_full = ls->last_full;

    if (ls->over)
        return MACHINE_DIVERGED;
    ls->next_full = 0;
    ls->next_past = UINT64_MAX;
    return look_at_all(ls) ? MACHINE_SLICE_DONE : diverged(ls, last_full, false);
}

/* ---- creation ---- */

struct lockstep *lockstep_create(struct machine *tested, struct machine *reference,
                                 const struct lockstep_setup *s, char err[MACHINE_ERR_LEN])
{
    struct lockstep *ls = calloc(1, sizeof(*ls));
    struct input_log *in = machine_input(tested);

    ASSERT(ls);
    ls->tested = tested;
    ls->reference = reference;
    ls->o = s->options;
    ls->args = calloc(s->nr_args + 1, sizeof(*ls->args));
    ASSERT(ls->args);
    for (; ls->nr_args < s->nr_args; ls->nr_args++) {
        ls->args[ls->nr_args] = strdup(s->args[ls->nr_args]);
        ASSERT(ls->args[ls->nr_args]);
    }
    machine_pc(tested)->view.write_hash = machine_pc(reference)->view.write_hash = 0;
    if (!lockstep_same_state(ls)) {
        snprintf(err, MACHINE_ERR_LEN, "the two machines differ before the first instruction");
        lockstep_destroy(ls);
        return NULL;
    }
    ls->planted = machine_icount(tested) >= ls->o.plant_icount && machine_icount(tested);
    ls->next_full = machine_icount(tested) + ls->o.every;
    ls->next_past = machine_icount(tested) + PAST_EVERY;
    ls->last_full = machine_ticks(tested);
    lockstep_remember(ls, PAST_START);
    in->follower = follow;
    in->follower_h = ls;
    return ls;
}

void lockstep_print_stats(const struct lockstep *ls, FILE *f)
{
    fprintf(f, "kiln: lock step of %s with %s\n", machine_engine_name(ls->tested),
            machine_engine_name(ls->reference));
    fprintf(f, "  instructions      %" PRIu64 "\n", machine_icount(ls->reference));
    fprintf(f, "  comparisons       %" PRIu64 ", of the whole state %" PRIu64 "\n", ls->nr_steps, ls->nr_full);
    fprintf(f, "  states kept       %" PRIu64 "\n", ls->nr_pasts);
    fprintf(f, "  result            %s\n", ls->over ? "they differ" : "the same");
}
