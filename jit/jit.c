/*
 * The JIT as an engine: its run() goes from block to block as the interpreter's does (cpu/run.h), and
 * enters translated code where there is some. jit/README.md tells how it works.
 */
#include "jit/internal.h"
#include "core/clock.h"
#include "core/mem_view.h"
#include "cpu/debug.h"
#include "cpu/exec_io.h"
#include "cpu/operand.h"
#include "cpu/vec.h"
#include "mmu/mmu.h"
#include <stdlib.h>

enum { DEFAULT_HOT = 8, MAX_VERSIONS = 3, MAX_RANGE_MISSES = 8 };
#define DEFAULT_CACHE (128ull << 20)

static struct jit *jit_of(struct cpu *c)
{
    return c->jit.jit;
}

/* ---- dropping ---- */

static void unlink_edge(struct jit *j, struct edge *e)
{
    struct edge **p = &e->to->in;

    while (*p != e)
        p = &(*p)->next_in;
    *p = e->next_in;
    e->to = NULL;
    e->epoch = j->c->fetch_epoch - 1;
    asm_patch(e->rel, e->stub);
    j->stats.unlinks++;
}

static struct jump_entry *jump_entry(struct jit *j, u64 rip)
{
    return &j->jumps[rip & (JUMP_ENTRIES - 1)];
}

/* A block dies: nothing may lead to what was made of it. */
static void dropped(void *h, struct block *b)
{
    struct jit *j = h;

    for (struct translation *t = b->translations; t; t = t->next) {
        while (t->in)
            unlink_edge(j, t->in);
        for (int i = 0; i < 2; i++)
            if (t->out[i].to)
                unlink_edge(j, &t->out[i]);
        if (jump_entry(j, t->rip)->host == t->entry)
            *jump_entry(j, t->rip) = (struct jump_entry){ .rip = ~t->rip };
        t->block = NULL;
        j->stats.dropped++;
    }
    b->translations = NULL;
}

static void clear_jumps(struct jit *j)
{
    for (u64 i = 0; i < JUMP_ENTRIES; i++)
        j->jumps[i] = (struct jump_entry){ .rip = ~i }; /* has another index */
}

/* The code cache is full, or one of its tables is: all translations go. */
static void flush(struct jit *j)
{
    for (struct translation *t = j->all; t; t = t->all_next)
        if (t->block)
            t->block->translations = NULL;
    j->all = NULL;
    j->code.used = j->code.thunks_end;
    j->code.data_used = 0;
    j->nr_sites = 0;
    j->c->jit.nr_filled = 0;
    j->nr_recipes = 1;
    memset(j->recipe_hash, 0, sizeof(j->recipe_hash));
    j->nr_contexts = 0;
    j->context[0] = (struct context){ .mode = ~0u };
    j->c->jit.context = 0; /* of no mode */
    clear_jumps(j);
    j->stats.flushes++;
}

/* ---- contexts ---- */

static u8 flat_segments(const struct cpu *c)
{
    u8 flat = 0;

    for (unsigned s = 0; s < NR_SEGS; s++) {
        const struct seg *g = &c->seg[s];

        if (g->base == 0 && g->room_r == 1ull << 32 && (s == CS || g->room_w == 1ull << 32))
            flat |= (u8)(1 << s);
    }
    return flat;
}

u32 context_number(struct jit *j, const struct context *x)
{
    u32 i = 0;

    while (i < j->nr_contexts && memcmp(x, &j->context[i], sizeof(*x)))
        i++;
    if (i == j->nr_contexts && i < MAX_CONTEXTS)
        j->context[j->nr_contexts++] = *x;
    return i;
}

static void set_context(struct jit *j)
{
    struct cpu *c = j->c;
    bool in64 = (c->mode & MODE_CODE_MASK) == MODE_CODE64;
    /* Under lock step it is C code alone that takes the slow path. */
    u8 set = (u8)(c->cfg.engine.hash_writes && !(c->mode & MODE_AC) ? cpu_fast_set(c) : (unsigned)(c->fast - c->fast_sets));
    u16 *hint;
    struct context x;
    u32 i;

    if (in64 && c->mode == context_now(j)->mode && set == context_now(j)->set)
        return;
    hint = &j->context_hint[(c->mode >> MODE_CPL_SHIFT ^ set << 3 ^ (in64 ? 0 : c->seg[CS].base >> 4)) % ARRAY_LEN(j->context_hint)];
    if (in64 && *hint < j->nr_contexts && j->context[*hint].mode == c->mode && j->context[*hint].set == set) {
        c->jit.context = *hint;
        return;
    }
    memset(&x, 0, sizeof(x)); /* they are compared with their padding */
    x.mode = c->mode;
    x.set = set;
    if (!in64) {
        x.flat = flat_segments(c);
        x.cs_base = c->seg[CS].base;
        x.cs_limit = c->seg[CS].limit;
    }
    if (!memcmp(&x, context_now(j), sizeof(x)))
        return;
    i = *hint < j->nr_contexts && !memcmp(&x, &j->context[*hint], sizeof(x)) ? *hint : context_number(j, &x);
    if (i == MAX_CONTEXTS) {
        flush(j);
        i = context_number(j, &x);
    }
    c->jit.context = i;
    *hint = (u16)i;
}

/* ---- finding ---- */

/* Whether an event waits that would be taken here. One that is held back will be looked at behind the
 * instruction that lets it through: such instructions end their blocks. */
static bool event_due(const struct cpu *c)
{
    return c->attention && ((c->attention & (ATT_STOP | ATT_DEBUG)) || cpu_can_wake(c));
}

/* Whether translated code may run now, between two blocks. */
static bool may_enter(const struct cpu *c)
{
    const u32 odd = MODE_TF | MODE_SHADOW | MODE_DR7 | MODE_VIP;

    return !event_due(c) && c->budget > 0 && !c->halted && !c->debug && !(c->mode & odd) &&
           !(c->observer && (c->observer->before || c->observer->after || c->observer->mem));
}

/* Why translated code may not run now. */
static enum jit_exit why_not(const struct cpu *c)
{
    if (c->budget <= 0)
        return EXIT_BUDGET;
    if (event_due(c))
        return EXIT_EVENT;
    return c->halted ? EXIT_HALT : EXIT_CARE;
}

static const u8 *leave_for(struct jit *j, enum jit_exit why)
{
    j->stats.exits[why]++;
    return NULL;
}

static struct translation *version(struct jit *j, const struct block *b, u16 flags, unsigned *nr)
{
    *nr = 0;
    for (struct translation *t = b->translations; t; t = t->next)
        if (t->rip == j->c->rip && t->context == j->c->jit.context) {
            if (t->flags == flags)
                return t;
            ++*nr;
        }
    return NULL;
}

/* The translation of a block at RIP that begins with flags made by that recipe, or by none: *flags says. */
static struct translation *translation_of(struct jit *j, struct block *b, u16 *flags)
{
    struct cpu *c = j->c;
    struct translation *t;
    u64 flushes = j->stats.flushes;
    unsigned nr;

    t = version(j, b, *flags, &nr);
    if (t)
        return t;
    if (*flags && nr >= MAX_VERSIONS) {
        *flags = 0;
        t = version(j, b, 0, &nr);
        if (t)
            return t;
    }
    if (!c->cfg.engine.from_first && b->runs < j->hot) {
        b->runs++;
        return NULL;
    }
    t = translate(j, b, *flags);
    if (t)
        return t;
    flush(j);
    set_context(j);
    *flags = 0;
    ASSERT(j->stats.flushes == flushes + 1);
    return translate(j, b, 0);
}

/* The same for the block at RIP, which is fetched. NULL: it is to be interpreted. May raise what fetching raises. */
static struct translation *find(struct jit *j, u16 *flags)
{
    struct cpu *c = j->c;
    i64 budget = c->budget;
    struct block *b = block_lookup_kept(j->blocks);
    struct translation *t;

    if (UNLIKELY(c->budget != budget || c->leave)) { /* page tables in a device */
        j->looked_up = true;
        return NULL;
    }
    if (!b || run_needs_care(c, b))
        return NULL;
    t = translation_of(j, b, flags);
    if (t)
        t->tail_epoch = c->fetch_epoch;
    return t;
}

/* What has not retired leaves RF as it was. */
static void rf_back(struct jit *j)
{
    struct cpu *c = j->c;

    if (UNLIKELY(c->jit.rf_icount == clock_icount(c->cfg.clk)))
        c->eflags |= F_RF;
    c->jit.rf_icount = ~0ull;
}

/* No breakpoint is set (may_enter()), so all that RF does is to go with the first instruction that retires. So it goes
 * before, but for rows that might show it. */
static void rf_goes(struct jit *j)
{
    if (LIKELY(!(j->c->eflags & F_RF)))
        return;
    j->c->jit.rf_icount = clock_icount(j->c->cfg.clk);
    j->c->eflags &= ~(u32)F_RF;
}

static bool shows_rf(const struct translation *t)
{
    return isa_rows[t->block->ops[0].in.row].jit == JIT_HELP;
}

static struct translation *find_past_rf(struct jit *j, u16 *flags)
{
    struct cpu *c = j->c;
    bool rf = c->eflags & F_RF;
    struct translation *t;

    rf_goes(j);
    t = find(j, flags);
    if (rf && (!t || c->budget < t->nr_insns || shows_rf(t))) {
        rf_back(j);
        return NULL;
    }
    return t;
}

static void flags_out(struct cpu *c) /* from where translated code has them */
{
    c->eflags = (c->eflags & ~(u32)F_ARITH) | flags_from_stored(c->jit.flags) | F_1;
    c->lf.lazy = 0;
}

static void flags_in(struct cpu *c)
{
    c->jit.flags = flags_to_stored(flags_all(c));
}

/* Translated code goes on: what it had in the host's registers must be there again. */
static const u8 *go_on(struct cpu *c, const u8 *host)
{
    if (c->jit.vec_live && !c->mxcsr_live && !mxcsr_to_host(c))
        c->jit.vec_live = false;
    return host;
}

/* Where to go on at CS:RIP, between two blocks; NULL: leave. */
static const u8 *next_code(struct jit *j)
{
    struct cpu *c = j->c;
    struct jump_entry *e;
    struct translation *t;
    u16 flags = 0;
    u64 key;

    c->leave = false;
    if (c->cfg.engine.stop_at_blocks || !may_enter(c))
        return leave_for(j, why_not(c));
    set_context(j);
    flags_in(c);
    e = jump_entry(j, c->rip);
    key = c->jit.context | (u64)c->jit.epoch << 32;
    if (e->rip == c->rip && e->context_epoch == key && (!(c->eflags & F_RF) || e->past_rf)) {
        rf_goes(j);
        return go_on(c, e->host);
    }
    t = find_past_rf(j, &flags);
    if (!t)
        return leave_for(j, EXIT_COLD);
    key = c->jit.context | (u64)c->jit.epoch << 32;
    *e = (struct jump_entry){ .rip = c->rip, .context_epoch = key, .host = t->entry, .past_rf = !shows_rf(t) };
    j->stats.jump_misses++;
    return go_on(c, t->entry);
}

/* ---- what translated code calls ---- */

/* How many instructions of the block have been paid for and not been run. */
static i64 unused(const struct site *s)
{
    return s->kind == SITE_UNPAID ? 0 : s->t->nr_insns - s->index;
}

/* Makes the state that of an instruction that is about to run in C. */
static struct site *begin(struct cpu *c, const u8 *ret)
{
    struct site *s = &jit_of(c)->site[load_le(ret, 4)];

    c->rip = s->t->rip + s->rip_off;
    c->budget += unused(s);
    flags_out(c);
    return s;
}

/* The opposite: translated code goes on there. */
static const u8 *resume(struct cpu *c, const struct site *s, const u8 *host)
{
    c->budget -= unused(s);
    return go_on(c, host);
}

/* Runs the instruction's function. Whether the block may go on behind it, is for the caller. */
static void run_op(struct cpu *c, const struct op *op)
{
    c->next_rip = c->rip + op->in.len;
    op->fn(c, &op->in);
    c->rip = c->next_rip;
    if (UNLIKELY(c->rep_interrupted))
        c->rep_interrupted = false;
    else
        c->budget--;
}

/* A range did not lie on one page. A block to which that happens often goes without. */
static void range_missed(struct jit *j, struct translation *t)
{
    struct block *b = t->block;

    j->stats.range_misses++;
    if (++t->range_misses >= MAX_RANGE_MISSES) {
        b->no_ranges = true;
        dropped(j, b); /* the code stays where it is until the cache is flushed */
    }
}

/* How many pages beside lin's the fast set has that lie beside its own on the host, upwards or down. */
static u64 neighbours(const struct fast_entry *set, u64 lin, i64 step)
{
    const struct fast_entry *first = &set[(lin >> 12) & (FAST_ENTRIES - 1)];
    u64 n = 0, page = lin & ~0xfffull;

    while (n < SLOT_PAGES) {
        const struct fast_entry *e;

        page += (u64)step;
        e = &set[(page >> 12) & (FAST_ENTRIES - 1)];
        if (e->tag != page || e->host - e->tag != first->host - first->tag)
            break;
        n++;
    }
    return n;
}

/* The access at the site does without a slot from now on. */
static void give_up_slot(struct jit *j, const struct site *s)
{
    struct block *b = s->t->block;

    j->stats.slots_given_up++;
    b->no_slot |= BIT(s->index);
    dropped(j, b);
}

/* A slot has missed as often as it had credit for. It is made to cover the pages around. If it comes here again
 * and again, and soon, its instruction does without one. Returns whether the block has been dropped for that. */
static bool look_at_slot(struct jit *j, struct site *s, u64 lin)
{
    struct cpu *c = j->c;
    struct access_slot *slot = s->slot;
    u64 ticks = clock_ticks(c->cfg.clk), since = ticks - slot->stamp;
    const struct fast_set *set = &c->fast_sets[context_now(j)->set];
    const struct fast_entry *entries = s->kind == SITE_WRITE ? set->write : set->read;
    const struct fast_entry *e = &entries[(lin >> 12) & (FAST_ENTRIES - 1)];
    u64 below, above;

    slot->credit = SLOT_CREDIT;
    slot->stamp = ticks;
    slot->tries = since >= SLOT_MIN_TICKS ? 0 : slot->tries + 1;
    if (slot->tries > SLOT_TRIES) {
        give_up_slot(j, s);
        return true;
    }
    below = neighbours(entries, lin, -4096);
    above = neighbours(entries, lin, 4096);
    if (below + above && slot->len) { /* it is in the list of filled ones */
        j->stats.slots_widened++;
        slot->start = (lin & ~0xfffull) - (below << 12);
        slot->len = slot_length((below + above + 1) << 12, s->span, s->by_16);
        slot->delta = e->host - e->tag;
    }
    return false;
}

/* Before an instruction runs in C: what it may change. */
struct moment {
    const struct op *op;
    u64 next; /* RIP behind it */
    u32 epoch;
    bool vec, x87;
};

static struct moment before(const struct cpu *c, const struct site *s)
{
    const struct op *op = &s->t->block->ops[s->index];

    return (struct moment){ op, c->rip + op->in.len, c->jit.epoch, c->jit.vec_live, c->jit.x87_native };
}

/* Whether what has asked to leave the block - a device was reached, say - comes to nothing: all is as it was when
 * the block was entered, and no event waits that would be taken here. */
static bool may_stay(struct jit *j, const struct translation *t, u32 epoch)
{
    struct cpu *c = j->c;
    const struct context *now = context_now(j);

    return t->block && c->jit.epoch == epoch && !c->cfg.engine.stop_at_blocks && c->mode == now->mode &&
           (now->mode & MODE_CODE_MASK) == MODE_CODE64 && cpu_fast_set(c) == now->set && may_enter(c);
}

/* Behind an instruction that has run in C: in its block, if that can be, else between two blocks. */
static const u8 *go_behind(struct jit *j, const struct site *s, const struct moment *m, const u8 *behind)
{
    struct cpu *c = j->c;
    i64 rest = s->t->nr_insns - s->index - 1;

    if (!s->t->block || c->budget < rest || c->rip != m->next || (c->eflags & F_RF) || c->jit.x87_native != m->x87 ||
        (c->leave && !may_stay(j, s->t, m->epoch)))
        return next_code(j);
    c->leave = false;
    flags_in(c);
    if (go_on(c, behind) && m->vec && !c->jit.vec_live)
        return leave_for(j, EXIT_STATE);
    c->budget -= rest;
    return behind;
}

/* A #PF that has been noted is delivered from here: unwinding would come to the same. */
static const u8 *page_fault(struct jit *j)
{
    bool delivered;

    rf_back(j);
    delivered = run_fault(j->c);
    ASSERT(delivered); /* or it has unwound: nothing was being delivered before */
    return next_code(j);
}

/* The store is to a page that holds code, but none where it goes: as the host's own it does no harm. */
static bool beside_code(struct jit *j, const struct site *s, u64 pa)
{
    struct mem_view *v = j->c->cfg.view;
    struct mem_page page = mem_view_page(v, pa);
    u64 off = page.write_off + (pa & (PAGE_SIZE - 1));

    if (s->kind != SITE_WRITE || !s->hit || page.write_off >= MEM_PASS || page.read_off != page.write_off ||
        block_near(j->blocks, off, s->size))
        return false;
    v->page_flags[off >> PAGE_SHIFT] |= MEM_DIRTY;
    j->c->jit.hit = (u64)(uintptr_t)v->backing + off;
    return true;
}

static const u8 *run_slow(struct jit *j, const struct site *s, const struct moment *m, enum jit_slow_path why)
{
    j->stats.slow[why]++;
    run_op(j->c, m->op);
    return s->behind ? go_behind(j, s, m, s->resume + s->behind) : next_code(j);
}

const u8 *jit_slow(struct cpu *c, u64 lin, const u8 *ret)
{
    struct jit *j = jit_of(c);
    struct site *s = begin(c, ret);
    struct moment m = before(c, s);
    bool in64 = (c->mode & MODE_CODE_MASK) == MODE_CODE64, crosses;
    u64 pa, probed;

    if (s->kind == SITE_EXEC)
        return run_slow(j, s, &m, SLOW_CHECK);
    probed = in64 ? lin : (u32)lin;
    lin = in64 ? lin + s->at : (u32)(lin + s->at);
    crosses = (lin & 0xfff) + s->size > 4096;
    if (s->span > s->size && (probed & 0xfff) + s->span > 4096) {
        range_missed(j, s->t);
    } else if (!(s->aligned && (lin & (s->size - 1u))) && (!in64 || (canonical(lin) && canonical(lin + s->size - 1)))) {
        switch (mmu_fill(c, lin, s->size, s->kind == SITE_WRITE ? ACC_WRITE : ACC_READ, &pa)) {
        case MMU_FILLED:
            if (c->leave || (s->slot && s->slot->credit < 0 && look_at_slot(j, s, probed)))
                break;
            j->stats.fills++;
            return resume(c, s, s->resume);
        case MMU_SLOW:
            if (!c->leave && beside_code(j, s, pa))
                return resume(c, s, s->resume + s->hit);
            if (s->slot && s->slot->credit < 0) /* again and again no page that it could have */
                give_up_slot(j, s);
            break;
        case MMU_FAULT:
            return page_fault(j);
        case MMU_HARD:
            break;
        }
    }
    return run_slow(j, s, &m, crosses ? SLOW_CROSSING : SLOW_OTHER);
}

const u8 *jit_help(struct cpu *c, u64 lin, const u8 *ret)
{
    struct jit *j = jit_of(c);
    struct site *s = begin(c, ret);
    struct moment m = before(c, s);

    (void)lin;
    j->stats.helps++;
    j->stats.help_rows[m.op->in.row]++;
    run_op(c, m.op);
    return s->kind == SITE_LAST ? next_code(j) : go_behind(j, s, &m, ret + 4);
}

const u8 *jit_edge(struct cpu *c, u64 lin, const u8 *ret)
{
    struct jit *j = jit_of(c);
    struct site *s = &j->site[load_le(ret, 4)];
    struct edge *e = &s->t->out[s->edge];
    u64 flushes = j->stats.flushes;
    struct translation *to;
    u16 flags = e->flags;

    (void)lin;
    c->rip = e->rip;
    flags_out(c);
    if (c->cfg.engine.stop_at_blocks || c->budget <= 0)
        return leave_for(j, why_not(c));
    to = find(j, &flags);
    if (!to)
        return leave_for(j, EXIT_COLD);
    if (j->stats.flushes != flushes || !s->t->block) { /* this block is no more */
        flags_in(c);
        return flags ? leave_for(j, EXIT_COLD) : go_on(c, to->entry);
    }
    if (e->to != to) {
        const u8 *target = (to->needs & ~s->t->leaves ? to->entry : to->warm) - (j->code.run - j->code.write);

        if (flags != e->flags && !(target = emit_converter(j, e, to)))
            return leave_for(j, EXIT_COLD);
        if (e->to)
            unlink_edge(j, e);
        e->to = to;
        e->next_in = to->in;
        to->in = e;
        asm_patch(e->rel, target);
        j->stats.links++;
    } else {
        j->stats.epoch_misses++;
    }
    e->epoch = c->fetch_epoch;
    return go_on(c, to->entry);
}

/* The slice has no room for the block. One at which slices end again and again is made anew, with slots for all accesses:
 * that takes more room, and more time to translate and to flush. */
const u8 *jit_entry(struct cpu *c, u64 lin, const u8 *ret)
{
    struct jit *j = jit_of(c);
    struct block *b = begin(c, ret)->t->block;

    (void)lin;
    if (b && b->samples < HOT_SAMPLES && ++b->samples == HOT_SAMPLES)
        dropped(j, b);
    return leave_for(j, EXIT_BUDGET);
}

/* What the block needs cannot be had: the interpreter runs it, if the slice is not over. */
static const u8 *leave_unready(struct jit *j)
{
    j->interpret_next = j->c->budget > 0;
    return leave_for(j, EXIT_STATE);
}

const u8 *jit_vec(struct cpu *c, u64 lin, const u8 *ret)
{
    struct site *s = begin(c, ret);

    (void)lin;
    if (!c->mxcsr_live && !mxcsr_to_host(c))
        return leave_unready(jit_of(c));
    c->jit.vec_live = true;
    return resume(c, s, s->resume);
}

/* A block that crosses a page is entered in another epoch than it was fetched in, or its second part is not the same. */
const u8 *jit_tail(struct cpu *c, u64 lin, const u8 *ret)
{
    struct jit *j = jit_of(c);
    struct translation *t;
    u16 flags = 0;

    (void)lin;
    begin(c, ret);
    if (c->cfg.engine.stop_at_blocks || c->budget <= 0)
        return leave_for(j, why_not(c));
    t = find(j, &flags);
    if (!t)
        return leave_for(j, EXIT_COLD);
    flags_in(c);
    return go_on(c, t->entry);
}

const u8 *jit_x87(struct cpu *c, u64 lin, const u8 *ret)
{
    struct site *s = begin(c, ret);

    (void)lin;
    if (!fpu_all_masked(c))
        return leave_unready(jit_of(c));
    fpu_to_host(c);
    c->jit.x87_native = true;
    return resume(c, s, s->resume);
}

const u8 *jit_wrote(struct cpu *c, u64 host, const u8 *ret)
{
    struct mem_view *v = c->cfg.view;

    if (v->hash_writes)
        mem_view_hash_write(v, host + (load_le(ret, 4) >> 8) - (u64)(uintptr_t)v->backing, ret[0]);
    return NULL;
}

/* A hit of a slot or a fast set: the architectural TLB must say the same. */
const u8 *jit_check(struct cpu *c, u64 host, const u8 *ret)
{
    bool write = load_le(ret, 4);
    u64 lin = c->jit.checked, pa = lin;
    struct mem_page page;

    if (c->cr0 & CR0_PG) {
        const struct tlb_entry *tlb = tlb_find(c->tlb, mmu_pcid(c), lin);

        ASSERT(tlb && "a hit without an entry in the TLB");
        pa = tlb->pa | (lin & 0xfff);
        ASSERT(!write || ((tlb->flags & TLB_D) && ((tlb->flags & TLB_W) || (c->cpl != 3 && !(c->cr0 & CR0_WP)))));
        ASSERT(c->cpl != 3 || (tlb->flags & TLB_U));
    }
    page = mem_view_page(c->cfg.view, pa);
    ASSERT((u64)(uintptr_t)(c->cfg.view->backing + (write ? page.write_off : page.read_off)) + (lin & 0xfff) == host);
    ASSERT(!write || !(c->cfg.view->page_flags[page.write_off >> PAGE_SHIFT] & MEM_CODE));
    return NULL;
}

/* ---- the engine ---- */

static void jit_destroy(void *engine)
{
    struct jit *j = engine;

    if (!j)
        return;
    block_cache_destroy(j->blocks);
    code_cache_destroy(&j->code);
    free(j->recipe);
    free(j->site);
    free(j->jumps);
    free(j);
}

static void set_pause(struct cpu *);

static void *jit_create(struct cpu *c)
{
    u64 bytes = c->cfg.engine.cache_bytes ? c->cfg.engine.cache_bytes : DEFAULT_CACHE;
    struct jit *j = calloc(1, sizeof(*j));

    if (!j)
        return NULL;
    j->c = c;
    j->bmi2 = __builtin_cpu_supports("bmi2");
    j->hot = c->cfg.engine.hot ? c->cfg.engine.hot : DEFAULT_HOT;
    j->max_sites = (u32)(bytes / 32);
    j->blocks = block_cache_create(c, dropped, j);
    j->recipe = calloc(MAX_RECIPES, sizeof(*j->recipe));
    j->site = calloc(j->max_sites, sizeof(*j->site));
    j->jumps = calloc(JUMP_ENTRIES, sizeof(*j->jumps));
    if (!j->blocks || !j->recipe || !j->site || !j->jumps || !code_cache_create(&j->code, bytes)) {
        jit_destroy(j);
        return NULL;
    }
    c->jit = (struct jit_state){ .jit = j, .jump_cache = j->jumps, .epoch = c->fetch_epoch, .rf_icount = ~0ull };
    set_pause(c);
    thunks_emit(j);
    flush(j);
    j->stats.flushes = 0;
    return j;
}

static void jit_sync(void *engine)
{
    run_sync(((struct jit *)engine)->c);
}

static void set_pause(struct cpu *c)
{
    c->jit.pause_ticks = clock_ns_to_ticks(c->cfg.clk, PAUSE_NS);
}

static void jit_code_changed(void *engine, u64 off, u64 len)
{
    struct jit *j = engine;

    if (block_invalidate(j->blocks, off, len))
        leave_block(j->c);
}

static void jit_map_changed(void *engine)
{
    struct jit *j = engine;

    mmu_flush_fast(j->c);
    leave_block(j->c);
    set_pause(j->c); /* another machine's state may have come */
}

/* Between two blocks, and translated code may run: does so if there is some. */
static bool run_translated(struct jit *j)
{
    struct cpu *c = j->c;
    struct translation *t;
    u16 flags = 0;

    j->interpret_next = false;
    if (!may_enter(c))
        return false;
    set_context(j);
    t = find_past_rf(j, &flags);
    if (!t || c->budget < t->nr_insns)
        return false;
    flags_in(c);
    j->stats.enters++;
    j->enter(c, t->entry);
    rf_back(j);
    return !j->interpret_next; /* it has left before it did anything */
}

static enum stop_reason jit_run(void *engine)
{
    struct jit *j = engine;
    struct cpu *c = j->c;
    enum stop_reason why;
    jmp_buf env, *outer = c->unwind;

    c->unwind = &env;
    if (setjmp(env) == UNWIND_FAULT) {
        c->jit.vec_live = false;
        rf_back(j);
        if (!run_fault(c)) {
            c->unwind = outer;
            floating_to_memory(c);
            return STOP_TRIPLE;
        }
    }
    c->jit.vec_live = j->looked_up = false;
    while (j->looked_up || !run_poll(c, &why)) {
        if (j->looked_up || !run_translated(j)) {
            struct block *b = block_lookup(j->blocks);

            j->looked_up = false;
            j->stats.interpreted_blocks++;
            if (UNLIKELY(run_needs_care(c, b)))
                run_one(c, b);
            else
                run_block(c, b, BLOCK_MAX_OPS);
        }
        if (UNLIKELY(c->cfg.engine.stop_at_blocks) && !c->rep_interrupted) {
            why = STOP_REQUEST;
            break;
        }
    }
    c->unwind = outer;
    floating_to_memory(c);
    return why;
}

const struct engine jit_engine = {
    .name = "jit",
    .create = jit_create,
    .run = jit_run,
    .sync = jit_sync,
    .code_changed = jit_code_changed,
    .map_changed = jit_map_changed,
    .destroy = jit_destroy,
    .print_stats = jit_print_stats,
};
