/*
 * The interpreter's side: see rig.h.
 *
 * Physical memory: page 0 GDT, 1 IDT, 2 LDT, 3 TSS, 4 to 5 the kernel's stack, 6 the handler
 * (HLT), 8 to 63 page tables, then the regions. System structures are seen at SYS_BASE.
 */
#include "tests/native/rig.h"
#include "cpu/rig_engine.h"
#include "cpu/segment.h"
#include "mmu/mmu.h"
#include <stdlib.h>

#define SYS_BASE   0xffff800000000000ull
#define RAM_BYTES  (256ull * 4096)
enum {
    PA_GDT = 0, PA_IDT = 0x1000, PA_LDT = 0x2000, PA_TSS = 0x3000, PA_STACK_TOP = 0x6000,
    PA_HANDLER = 0x6000, PA_PML4 = 0x8000, PA_REGIONS = 64 * 4096,
    SEL_KCODE = 0x10, SEL_TSS = 0x40, SEL_LDT = 0x50,
};
enum { P = 1, W = 2, U = 4 };
#define NX (1ull << 63)

static void map_page(struct rig *r, u64 lin, u64 pa, u64 flags)
{
    u64 table = PA_PML4;

    for (unsigned level = 3; level > 0; level--) {
        u8 *e = r->view.backing + table + ((lin >> (12 + 9 * level)) & 511) * 8;

        if (!load_le(e, 8)) {
            store_le(e, r->next_table | P | W | U, 8);
            r->next_table += 4096;
        }
        table = load_le(e, 8) & ~0xfffull;
    }
    store_le(r->view.backing + table + ((lin >> 12) & 511) * 8, pa | flags, 8);
}

static void build_tables(struct rig *r, const struct host_facts *f)
{
    u8 *ram = r->view.backing;
    u64 tss = SYS_BASE + PA_TSS, ldt = SYS_BASE + PA_LDT;

    for (unsigned i = 0; i < 16; i++)
        store_le(ram + PA_GDT + 8 * i, f->gdt[i], 8);
    /* The kernel's own, which user mode cannot see: their values do not matter to it. */
    store_le(ram + PA_GDT + SEL_KCODE, 0x00af9b000000ffff, 8);
    store_le(ram + PA_GDT + SEL_TSS, 0x67 | (tss & 0xffffff) << 16 | 0x8bull << 40 | (tss >> 24 & 0xff) << 56, 8);
    store_le(ram + PA_GDT + SEL_TSS + 8, tss >> 32, 8);
    store_le(ram + PA_GDT + SEL_LDT, (NR_LDT * 8 - 1) | (ldt & 0xffffff) << 16 | 0x82ull << 40 | (ldt >> 24 & 0xff) << 56, 8);
    store_le(ram + PA_GDT + SEL_LDT + 8, ldt >> 32, 8);
    for (unsigned i = 0; i < NR_LDT; i++)
        store_le(ram + PA_LDT + 8 * i, ldt_entry(f, i), 8);
    for (unsigned v = 0; v < 256; v++) {
        u64 target = SYS_BASE + PA_HANDLER, dpl = v == 3 || v == 4 ? 3 : 0;

        store_le(ram + PA_IDT + 16 * v, (target & 0xffff) | (u64)SEL_KCODE << 16 |
                 (0x8eull | dpl << 5) << 40 | (target >> 16 & 0xffff) << 48, 8);
        store_le(ram + PA_IDT + 16 * v + 8, target >> 32, 8);
    }
    store_le(ram + PA_TSS + 4, SYS_BASE + PA_STACK_TOP, 8);
    store_le(ram + PA_TSS + 0x66, 0x8000, 2); /* no I/O bitmap */
    memset(ram + PA_HANDLER, 0xf4, 4096);
}

static void build_paging(struct rig *r, const struct host_facts *f)
{
    u64 pa = PA_REGIONS;

    r->next_table = PA_PML4 + 4096;
    for (u64 p = 0; p < 8; p++)
        map_page(r, SYS_BASE + p * 4096, p * 4096, P | W);
    for (int i = 0; i < NR_REGIONS; i++) {
        const struct region_def *d = &regions[i];

        r->region[i] = r->view.backing + pa;
        for (u32 p = 0; p < d->pages; p++, pa += 4096) {
            if ((i == R_LOW && !f->low) || (i == R_TOP && !f->top))
                continue; /* nor could the child map it */
            map_page(r, d->lin + p * 4096ull, pa, P | U | (d->write ? W : 0) | (d->exec ? 0 : NX));
        }
    }
    ASSERT(r->next_table <= PA_REGIONS && pa <= RAM_BYTES);
}

static void code_written(void *sink, u64 off, u64 len)
{
    struct rig *r = sink;

    r->way->code_changed(r->engine, off, len);
}

int rig_init(struct rig *r, const struct host_facts *f, const u8 *constant)
{
    struct cpu_config cfg = { .view = &r->view, .io = &r->io, .clk = &r->clk, .log = &r->log,
                              .features = ~0ull };
    struct cpu *c = &r->c;

    memset(r, 0, sizeof(*r));
    r->sink = fopen("/dev/null", "w");
    clock_init(&r->clk);
    log_init(&r->log, r->sink, 0);
    trace_init(&r->trace, r->sink, &r->clk);
    bus_init(&r->io, "io", 0x10000, 1000, &r->clk, &r->log, &r->trace);
    bus_init(&r->mem, "mem", 0, 200, &r->clk, &r->log, &r->trace);
    if (!r->sink || mem_view_init(&r->view, RAM_BYTES, &r->mem, &r->trace))
        return -1;
    mem_view_add(&r->view, (struct mem_overlay){ "ram", 0, RAM_BYTES, 0, 0, 0, true });
    r->view.sink = r;
    r->view.code_written = code_written;
    r->way = rig_engine(&cfg);
    if (cpu_init(c, &cfg) || !(r->engine = r->way->create(c)))
        return -1;
    build_tables(r, f);
    build_paging(r, f);
    memcpy(r->region[R_CONST], constant, 4096);
    memset(r->region[R_CODE], 0xcc, CODE_PAGES * 4096);
    c->gdtr = (struct dtable){ SYS_BASE + PA_GDT, 0x7f };
    c->idtr = (struct dtable){ SYS_BASE + PA_IDT, 0xfff };
    c->tr = (struct seg){ .sel = SEL_TSS, .attr = 0x8b, .limit = 0x67, .base = SYS_BASE + PA_TSS, .usable = 1 };
    if (f->ldt)
        c->ldtr = (struct seg){ .sel = SEL_LDT, .attr = 0x82, .limit = NR_LDT * 8 - 1, .base = SYS_BASE + PA_LDT, .usable = 1 };
    c->cr0 = CR0_PE | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_MP | CR0_PG;
    c->cr4 = CR4_PAE | CR4_PSE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    c->cr3 = PA_PML4;
    c->msr.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
    mmu_flush_all(c);
    return 0;
}

void rig_fini(struct rig *r)
{
    r->way->destroy(r->engine);
    cpu_fini(&r->c);
    mem_view_fini(&r->view);
    bus_fini(&r->io);
    bus_fini(&r->mem);
    clock_fini(&r->clk);
    log_fini(&r->log);
    fclose(r->sink);
}

static struct seg segment(struct rig *r, u16 sel)
{
    const u8 *table = r->view.backing + (sel & 4 ? PA_LDT : PA_GDT);

    if ((sel & ~3u) == 0)
        return (struct seg){ .sel = sel };
    return seg_from_desc(sel, load_le(table + (sel & ~7u), 8));
}

static void wrote(struct rig *r, enum region reg, u64 off, u64 len)
{
    mem_view_wrote(&r->view, (u64)(r->region[reg] - r->view.backing) + off, len);
}

static u32 code_room(u32 off)
{
    return off + CODE_BYTES < CODE_PAGES * 4096 ? CODE_BYTES : CODE_PAGES * 4096 - off;
}

/* Code that is there already is left alone, so that what an engine has made of it runs again. */
static void load_code(struct rig *r, const struct slot *s)
{
    u8 want[CODE_BYTES], *code = r->region[R_CODE];

    memset(want, 0xcc, sizeof(want));
    memcpy(want, s->code, s->code_len);
    if (s->code_off == r->code_off && !memcmp(code + s->code_off, want, code_room(s->code_off)))
        return;
    memset(code + r->code_off, 0xcc, code_room(r->code_off));
    r->code_off = s->code_off;
    memcpy(code + s->code_off, want, code_room(s->code_off));
    wrote(r, R_CODE, 0, CODE_PAGES * 4096);
}

void rig_load(struct rig *r, const struct slot *s)
{
    struct cpu *c = &r->c;

    for (int i = 0; i < NR_REGIONS; i++)
        if (regions[i].image_off != NO_IMAGE)
            memcpy(r->region[i], s->image + regions[i].image_off, regions[i].pages * 4096u);
    load_code(r, s);
    memcpy(c->gpr, s->in.gpr, sizeof(s->in.gpr));
    c->rip = c->next_rip = s->in.rip;
    c->seg[CS] = segment(r, s->in.cs);
    c->seg[SS] = segment(r, s->in.ss);
    c->seg[DS] = segment(r, s->in.ds);
    c->seg[ES] = segment(r, s->in.es);
    c->seg[FS] = segment(r, s->in.fs);
    c->seg[GS] = segment(r, s->in.gs);
    if (!s->in.fs)
        c->seg[FS].base = s->in.fs_base;
    if (!s->in.gs)
        c->seg[GS].base = s->in.gs_base;
    fx_load(&c->fpu, s->in.fx);
    c->cpl = 3;
    c->cr2 = 0;
    c->halted = false;
    c->shadow = SHADOW_NONE;
    c->delivering = DELIVER_NONE;
    c->dr[6] = 0xffff0ff0;
    cpu_set_flags(c, (u32)s->in.flags);
    r->events_before = c->nr_events;
    r->ended = false;
}

void rig_poke_code(struct rig *r, u32 off, const u8 *bytes, unsigned len)
{
    memcpy(r->region[R_CODE] + off, bytes, len);
    wrote(r, R_CODE, off, len);
}

bool rig_run(struct rig *r, u64 ticks)
{
    if (r->ended)
        return true;
    clock_open_slice(&r->clk, clock_ticks(&r->clk) + ticks);
    r->way->run(r->engine);
    if (r->c.attention & ATT_DEBUG) { /* the single step's trap belongs to its instruction */
        clock_open_slice(&r->clk, clock_ticks(&r->clk) + 1);
        r->way->run(r->engine);
    }
    if (r->c.nr_events != r->events_before) {
        /* Delivery may have used the slice up: the handler's HLT runs in another. */
        if (!r->c.halted) {
            clock_open_slice(&r->clk, clock_ticks(&r->clk) + 4);
            r->way->run(r->engine);
        }
        r->ended = true;
    }
    return r->ended;
}

static void copy_common(struct rig *r, struct nstate *s)
{
    struct cpu *c = &r->c;

    r->way->sync(r->engine);
    fx_save(&c->fpu, s->fx);
    memcpy(s->gpr, c->gpr, sizeof(s->gpr));
    s->ds = c->seg[DS].sel;
    s->es = c->seg[ES].sel;
    s->fs = c->seg[FS].sel;
    s->gs = c->seg[GS].sel;
    s->fs_base = c->seg[FS].base;
    s->gs_base = c->seg[GS].base;
}

void rig_outcome(struct rig *r, struct nstate *s, struct outcome *o)
{
    struct cpu *c = &r->c;
    /* An INT n whose gate is closed is recorded before the #GP that it becomes. */
    u64 nr = c->nr_events - r->events_before;
    const struct event_record *e = &c->events[(c->nr_events - 1) % EVENT_RING];
    u64 sp = SYS_BASE + PA_STACK_TOP - (e->has_error ? 48 : 40);
    const u8 *frame = r->view.backing + (sp - SYS_BASE) + (e->has_error ? 8 : 0);

    copy_common(r, s);
    s->rip = load_le(frame, 8);
    s->cs = (u16)load_le(frame + 8, 8);
    s->flags = load_le(frame + 16, 8);
    s->gpr[RSP] = load_le(frame + 24, 8);
    s->ss = (u16)load_le(frame + 32, 8);
    *o = (struct outcome){ e->vector, e->has_error ? (u32)load_le(frame - 8, 8) : 0, e->cr2 };
    /* One event, delivered through its gate to the handler, with the frame where it belongs. */
    if (nr > 2 || (nr == 2 && c->events[r->events_before % EVENT_RING].kind != EVENT_SOFT) || !c->halted || c->gpr[RSP] != sp || c->cpl != 0 ||
        c->seg[CS].sel != SEL_KCODE || c->rip != SYS_BASE + PA_HANDLER + 1)
        o->vector = END_INTERNAL;
}

void rig_state(struct rig *r, struct nstate *s)
{
    struct cpu *c = &r->c;

    copy_common(r, s);
    s->rip = c->rip;
    s->flags = cpu_flags(c);
    s->cs = c->seg[CS].sel;
    s->ss = c->seg[SS].sel;
}

void rig_start_state(struct rig *r, struct nstate *n)
{
    u16 *sel[] = { &n->ds, &n->es, &n->fs, &n->gs };

    rig_state(r, n);
    n->flags &= ~(u64)(F_NT | F_ID | F_RF);
    for (unsigned i = 0; i < ARRAY_LEN(sel); i++)
        if (*sel[i] < 4)
            *sel[i] = 0;
}

void rig_save_image(struct rig *r, u8 *image)
{
    for (int i = 0; i < NR_REGIONS; i++)
        if (regions[i].image_off != NO_IMAGE)
            memcpy(image + regions[i].image_off, r->region[i], regions[i].pages * 4096u);
}

bool rig_find(u64 lin, enum region *reg, u64 *off)
{
    for (int i = 0; i < NR_REGIONS; i++)
        if (lin - regions[i].lin < regions[i].pages * 4096ull) {
            *reg = i;
            *off = lin - regions[i].lin;
            return true;
        }
    return false;
}
