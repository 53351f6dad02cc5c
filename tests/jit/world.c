/*
 * See world.h.
 */
#include "tests/jit/world.h"
#include "core/state.h"
#include "cpu/flags.h"
#include "cpu/segment.h"
#include "mmu/mmu.h"
#include <stdlib.h>

const struct variant variants[] = {
    { "hot=0", { .from_first = true }, 0 },
    { "hot=0,block=1", { .from_first = true, .block_insns = 1 }, 0 },
    { "hot=0,block=3,check=on,tlb=5", { .from_first = true, .block_insns = 3, .check_hits = true }, 5 },
    { "hot=0,check=on,tlb=1", { .from_first = true, .check_hits = true }, 1 },
    { "hot=0, stopping at blocks, stores hashed", { .from_first = true, .stop_at_blocks = true, .hash_writes = true }, 0 },
    { "hot=0, stores hashed", { .from_first = true, .hash_writes = true }, 0 },
    { "hot=2", { .hot = 2 }, 0 },
};
const unsigned nr_variants = ARRAY_LEN(variants);

u64 mix(u64 a, u64 b)
{
    a = (a ^ b) * 0x9e3779b97f4a7c15ull;
    a ^= a >> 32;
    return (a ^ b >> 17) * 0xd6e8feb86659fd93ull;
}

/* ---- the devices ---- */

/* They charge for accesses, the buses do not: a page walk that strays beyond RAM costs nothing. */
enum { DEVICE_TICKS = 15 };

static u64 device_read(void *dev, u64 off, unsigned size)
{
    struct world *w = dev;

    w->device_hash = mix(mix(w->device_hash, off << 4 | size), clock_ticks(&w->clk));
    clock_charge(&w->clk, DEVICE_TICKS);
    return w->device_hash;
}

static void device_write(void *dev, u64 off, u64 v, unsigned size)
{
    struct world *w = dev;

    w->device_hash = mix(mix(mix(w->device_hash, off << 4 | size | 8), clock_ticks(&w->clk)), v);
    clock_charge(&w->clk, DEVICE_TICKS);
    if ((off & 3) == 0)
        timer_arm(&w->timer, clock_now(&w->clk) + (v & 0xff));
    else if ((off & 3) == 1)
        timer_cancel(&w->timer);
}

static const struct bus_ops device_ops = { device_read, device_write, 15 };

static void timer_fired(void *dev, u64 now)
{
    struct world *w = dev;

    (void)now;
    cpu_set_intr(&w->c, 0, true);
    cpu_device_event(&w->c);
}

static u8 acknowledge(void *dev)
{
    struct world *w = dev;

    cpu_set_intr(&w->c, 0, false);
    return IRQ_VECTOR;
}

/* ---- making one ---- */

static void code_written(void *sink, u64 off, u64 len)
{
    struct world *w = sink;

    w->engine->code_changed(w->e, off, len);
}

struct world *world_create(const struct engine *engine, const struct variant *v)
{
    struct world *w = aligned_alloc(64, (sizeof(*w) + 63) & ~63ull);
    struct cpu_config cfg;

    memset(w, 0, sizeof(*w));
    cfg = (struct cpu_config){ .view = &w->view, .io = &w->io, .clk = &w->clk, .log = &w->log, .features = ~0ull,
                               .ack = { acknowledge, w }, .engine = v->o, .tlb_capacity = v->tlb };
    if (engine == &interp_engine && !v->o.stop_at_blocks)
        cfg.engine = (struct engine_options){ .hash_writes = v->o.hash_writes };
    cfg.engine.cache_bytes = 2 << 20;
    w->sink = fopen("/dev/null", "w");
    clock_init(&w->clk);
    log_init(&w->log, w->sink, 0);
    trace_init(&w->trace, w->sink, &w->clk);
    bus_init(&w->io, "io", 0x10000, 0, &w->clk, &w->log, &w->trace);
    bus_init(&w->mem, "mem", 0, 0, &w->clk, &w->log, &w->trace);
    w->device = (struct bus_region){ .base = ODD_PAGES, .len = DEVICE_BYTES, .ops = &device_ops, .dev = w, .name = "device", .on = true };
    w->ports = (struct bus_region){ .base = 0, .len = 0x10000, .ops = &device_ops, .dev = w, .name = "ports", .on = true };
    ASSERT(!mem_view_init(&w->view, WORLD_RAM, &w->mem, &w->trace));
    mem_view_add(&w->view, (struct mem_overlay){ "ram", 0, WORLD_RAM, 0, 0, 0, true });
    mem_view_add(&w->view, (struct mem_overlay){ "rom", ROM, PAGE_SIZE, ROM, MEM_DROP, 1, true });
    mem_view_update(&w->view);
    w->view.sink = w;
    w->view.code_written = code_written;
    w->view.hash_writes = v->o.hash_writes;
    w->engine = engine;
    ASSERT(!cpu_init(&w->c, &cfg));
    w->e = engine->create(&w->c);
    ASSERT(w->e);
    ASSERT(!bus_map(&w->mem, &w->device) && !bus_map(&w->io, &w->ports));
    timer_init(&w->timer, &w->clk, timer_fired, w);
    return w;
}

void world_destroy(struct world *w)
{
    timer_cancel(&w->timer);
    w->engine->destroy(w->e);
    cpu_fini(&w->c);
    mem_view_fini(&w->view);
    bus_fini(&w->io);
    bus_fini(&w->mem);
    clock_fini(&w->clk);
    log_fini(&w->log);
    fclose(w->sink);
    free(w);
}

/* ---- memory ---- */

static void put(u8 *ram, u64 at, u64 v, unsigned size)
{
    store_le(ram + at, v, size);
}

/* access: the descriptor's bits 47..40; flags: bits 55..52 (G, D/B, L, AVL). */
static void put_descriptor(u8 *ram, u16 sel, u32 base, u32 limit, u8 access, u8 flags)
{
    put(ram, GDT + sel, (limit & 0xffff) | (u64)(base & 0xffffff) << 16 | (u64)access << 40 | (u64)(limit >> 16 & 15) << 48 |
                            (u64)flags << 52 | (u64)(base >> 24) << 56, 8);
}

static void put_gdt(u8 *ram)
{
    for (unsigned user = 0; user < 2; user++) {
        u16 d = (u16)(user * SEL_USER);
        u8 dpl = user ? 0x60 : 0;

        put_descriptor(ram, SEL_CODE32 + d, 0, 0xfffff, 0x9b | dpl, 0xc);
        put_descriptor(ram, SEL_CODE16 + d, CODE, 0xffff, 0x9b | dpl, 0);
        put_descriptor(ram, SEL_CODE64 + d, 0, 0xfffff, 0x9b | dpl, 0xa);
        put_descriptor(ram, SEL_CODE32_ODD + d, CODE - 0x123, 0x3a77, 0x9b | dpl, 4);
        put_descriptor(ram, SEL_CODE16_ODD + d, CODE + 7, 0x3f00, 0x9b | dpl, 0);
    }
    put_descriptor(ram, SEL_FLAT, 0, 0xfffff, 0xf3, 0xc);
    put_descriptor(ram, SEL_SMALL, DATA, DATA_BYTES - 1, 0xf3, 4);
    put_descriptor(ram, SEL_ODD, DATA - 5, 0x5432, 0xf3, 4);
    put_descriptor(ram, SEL_DOWN, CODE, 0x3fff, 0xf7, 0);
    put_descriptor(ram, SEL_READ_ONLY, 0, 0xfffff, 0xf1, 0xc);
    put_descriptor(ram, SEL_STACK16, CODE, 0xffff, 0xf3, 0);
    put_descriptor(ram, SEL_WIDE, 0xfff00000, 0xfffff, 0xf3, 0xc); /* wraps */
    put_descriptor(ram, SEL_TSS, TSS, 0xff, 0x8b, 0);
    put(ram, GDT + SEL_TSS + 8, 0, 8);
    put_descriptor(ram, SEL_KERNEL, 0, 0xfffff, 0x93, 0xc);
    put_descriptor(ram, SEL_KERNEL16, 0, 0xfffff, 0x93, 8);
}

/* Kinds of pages behind ODD_PAGES. */
enum { P = 1, W = 2, U = 4 };
static const struct { u32 pa; u8 flags; bool nx; } odd_pages[] = {
    { 0, 0, false },                      { DATA + 0x1000, P | U, false },     { ODD_PAGES, P | U | W, false },
    { CODE, P | U | W, false },           { DATA + 0x2000, P | W, false },     { DATA + 0x3000, P | U | W, true },
    { DATA, P | U | W, false },           { TABLES, P | W, false },            { CODE + 0x1000, P | U, false },
    { ROM, P | U | W, false },            { DATA + 0x4000, P | U | W, false }, { 0xfffff000, P | U | W, false },
    { STACK, P | U | W, false },          { CODE + 0x2000, P | U | W, true },  { 0, 0, false },
};

static u64 page_entry(u64 page, bool wide, u64 *lin)
{
    u64 pa = *lin = page << 12, flags = P | W | (pa >= CODE ? (u64)U : 0);

    if (pa >= ODD_PAGES) {
        unsigned i = (unsigned)(page - (ODD_PAGES >> 12));

        if (i >= ARRAY_LEN(odd_pages))
            return 0;
        pa = odd_pages[i].pa;
        flags = odd_pages[i].flags | (wide && odd_pages[i].nx ? 1ull << 63 : 0);
    }
    return flags ? pa | flags : 0;
}

static void put_tables(u8 *ram, bool is_long, u8 paging)
{
    unsigned size = is_long || paging == PAGING_PAE ? 8 : 4;
    u64 lin, pt = TABLES + 0x3000;

    if (is_long) { /* PML4, PDPT, PD, PT; the upper half shares the PDPT; the end of the lower one has its own */
        put(ram, TABLES, (TABLES + 0x1000) | 7, 8);
        put(ram, TABLES + 8 * 256, (TABLES + 0x4000) | 7, 8);
        put(ram, TABLES + 8 * 255, (TABLES + 0x4000) | 7, 8);
        put(ram, TABLES + 0x1000, (TABLES + 0x2000) | 7, 8);
        put(ram, TABLES + 0x2000, pt | 7, 8);
        put(ram, TABLES + 0x4000, (TABLES + 0x5000) | 7, 8);
        put(ram, TABLES + 0x4000 + 8 * 511, (TABLES + 0x5000) | 7, 8);
        put(ram, TABLES + 0x5000, (TABLES + 0x6000) | 7, 8);
        put(ram, TABLES + 0x5000 + 8 * 511, (TABLES + 0x6000) | 7, 8);
        for (u64 i = 0; i < 4; i++)
            put(ram, TABLES + 0x6000 + 8 * i, (DATA + i * 4096) | 7, 8);
        put(ram, TABLES + 0x6000 + 8 * 511, (DATA + 0x5000) | 7, 8);
    } else if (paging == PAGING_PAE) {
        put(ram, TABLES, (TABLES + 0x2000) | P, 8);
        put(ram, TABLES + 0x2000, pt | 7, 8);
    } else {
        put(ram, TABLES, pt | 7, 4);
    }
    for (u64 page = 0; page < (ODD_PAGES >> 12) + ARRAY_LEN(odd_pages); page++)
        put(ram, pt + page * size, page_entry(page, size == 8, &lin), size);
}

static void put_handlers(u8 *ram, bool is_long, bool real)
{
    memset(ram + HANDLERS, 0xf4, 4096);
    memcpy(ram + HANDLERS + 16 * (IRQ_VECTOR & 63), is_long ? "\x48\xcf" : "\xcf", is_long ? 2 : 1);
    for (u64 v = 0; v < 256; v++) {
        u64 to = HANDLERS + 16 * (v & 63);

        put(ram, 4 * v, to, 4); /* segment 0 */
        if (is_long) {
            put(ram, IDT + 16 * v, (to & 0xffff) | (u64)SEL_CODE64 << 16 | (v == 8 ? 1ull << 32 : 0) | 0x8eull << 40, 8);
            put(ram, IDT + 16 * v + 8, 0, 8);
        } else if (!real) {
            put(ram, IDT + 8 * v, (to & 0xffff) | (u64)SEL_CODE32 << 16 | (v == 3 || v == 4 || v >= 0x80 ? 0xeeull : 0x8eull) << 40, 8);
        }
    }
}

/* The memory of a mode, made once. */
static const u8 *image_of(const struct start *s)
{
    static u8 *images[NR_MODES][3];
    u8 **image = &images[s->mode][s->paging];
    u64 x = 1;

    if (*image)
        return *image;
    *image = calloc(1, WORLD_RAM);
    put_gdt(*image);
    put_handlers(*image, start_long(s), s->mode == REAL);
    if (start_long(s)) {
        put(*image, TSS + 4, STACK0_TOP, 8);
        put(*image, TSS + 0x24, IST1_TOP, 8);
    } else {
        put(*image, TSS + 4, STACK0_TOP, 4);
        put(*image, TSS + 8, SEL_KERNEL, 2);
    }
    put(*image, TSS + 0x66, 0x88, 2); /* ports below 256 are open, and a few */
    memset(*image + TSS + 0x88 + 32, 0xff, 0x40);
    if (start_long(s) || s->paging)
        put_tables(*image, start_long(s), s->paging);
    for (u64 at = DATA; at < WORLD_RAM; at += 8) {
        static const u64 plain[] = { 0, 1, ~0ull, 0x8000000080000000, 0x3ff0000000000000, 0x3f80000040000000,
                                     DATA, STACK + 0x800, CODE + 0x40, 0x7ff8000000000000, 0x1400000014000 };

        x = mix(x, at);
        if ((x & 0x1000) == 0) /* pointers, two of 32 bits or one of 64 */
            put(*image, at, (DATA + (x >> 20) % DATA_BYTES / 8 * 8) * (x & 0x4000 && !start_long(s) ? 0x100000001 : 1), 8);
        else
            put(*image, at, x & 0x300 ? x : plain[x % ARRAY_LEN(plain)], 8);
    }
    return *image;
}

/* ---- beginning ---- */

bool start_long(const struct start *s)
{
    return s->mode >= COMPAT16;
}

unsigned start_code_size(const struct start *s)
{
    switch (s->mode) {
    case LONG: return 8;
    case PROT32: case COMPAT32: return 4;
    default: return 2;
    }
}

static u64 base_in_gdt(u16 sel)
{
    u8 ram[WORLD_RAM / 16] = { 0 }; /* as far as the GDT's end */

    put_gdt(ram);
    return seg_from_desc(sel, load_le(ram + GDT + (sel & ~7u), 8)).base;
}

u64 start_seg_base(const struct start *s, unsigned seg)
{
    static u64 base[SEL_LAST / 8 + 1];
    static bool known;

    if (!known)
        for (u16 i = 1; i <= SEL_LAST / 8; i++)
            base[i] = base_in_gdt((u16)(i * 8));
    known = true;
    if (s->mode == LONG && seg < FS)
        return 0;
    if (s->mode == LONG)
        return s->base[seg - FS];
    return s->mode <= V86 ? (u64)s->sel[seg] << 4 : base[s->sel[seg] >> 3];
}

u64 start_cs_base(const struct start *s)
{
    return start_seg_base(s, CS);
}

static void put_page(struct world *w, u64 at, const u8 *bytes, u64 len)
{
    if (!memcmp(w->view.backing + at, bytes, len))
        return;
    memcpy(w->view.backing + at, bytes, len);
    mem_view_wrote(&w->view, at, len);
}

static void start_memory(struct world *w, const struct start *s, const u8 *code, u32 off, u32 len)
{
    const u8 *image = image_of(s);
    u8 pages[CODE_BYTES];
    u64 x = s->data_seed;

    memset(pages, 0xcc, sizeof(pages));
    memcpy(pages + off, code, len);
    for (u64 at = 0; at < WORLD_RAM; at += 4096)
        put_page(w, at, at >= CODE && at < CODE + CODE_BYTES ? pages + (at - CODE) : image + at, 4096);
    for (unsigned i = 0; x && i < 8; i++) {
        x = mix(x, i);
        put(w->view.backing, DATA + (x >> 20) % (DATA_BYTES - 8), x, 8);
        mem_view_wrote(&w->view, DATA, DATA_BYTES);
    }
}

static void start_floating(struct cpu *c, const struct start *s)
{
    u64 x = s->vec_seed;

    c->fpu = (struct fpu){ .cw = s->fpu_cw, .mxcsr = s->mxcsr };
    if (!x)
        return;
    for (unsigned i = 0; i < 32; i++) {
        static const u64 plain[] = { 0, 0x3ff0000000000000, 0x4059000000000000, 0x3f8000003f800000, 0x7ff0000000000000,
                                     0x0000000000000001, 0xffffffffffffffff, 0xc008000000000000, 0x0000000500000003 };

        x = mix(x, i);
        c->fpu.xmm[i / 2].q[i & 1] = x & 0x100 ? x : plain[x % ARRAY_LEN(plain)];
    }
    for (unsigned i = 0; i < 8; i++) {
        x = mix(x, i);
        c->fpu.r[i] = (struct st){ x | 1ull << 63, (u16)((x & 0x3f) + 0x3fe0 + (x >> 8 & 1) * 0x8000) };
    }
    c->fpu.sw = (u16)(x & 0x3800);
    c->fpu.valid = (u8)(x >> 20);
}

static void start_registers(struct cpu *c, const struct start *s)
{
    static u8 gdt[GDT + SEL_LAST + 8];

    if (!gdt[GDT + 8])
        put_gdt(gdt);
    c->cpl = s->user || s->mode == V86 ? 3 : 0;
    cpu_set_flags(c, (s->flags & ~(u32)F_VM) | F_1 | (s->mode == V86 ? (u32)F_VM : 0));
    cpu_update_mode(c);
    for (unsigned i = 0; i < NR_SEGS; i++) {
        if (s->mode <= V86) {
            seg_load_real(c, i, s->sel[i]);
        } else {
            c->seg[i] = seg_from_desc(s->sel[i], load_le(gdt + GDT + (s->sel[i] & ~7u), 8));
            seg_update_fast(&c->seg[i]);
        }
    }
    if (s->mode == LONG) {
        c->seg[FS].base = s->base[0];
        c->seg[GS].base = s->base[1];
    }
    memcpy(c->gpr, s->gpr, sizeof(s->gpr));
    c->rip = c->next_rip = s->rip;
}

void world_start(struct world *w, const struct start *s, const u8 *code, u32 off, u32 len)
{
    struct cpu *c = &w->c;
    bool protected = s->mode != REAL;

    timer_cancel(&w->timer);
    w->clk.until = w->clk.charged = 0;
    c->budget = 0;
    w->device_hash = w->view.write_hash = 0;
    w->mem.nr_accesses = w->io.nr_accesses = 0;
    c->attention = 0;
    cpu_reset(c);
    c->nr_events = 0;
    c->tlb->nr_fills = c->tlb->nr_flushes = 0;
    c->random = 1;
    c->exc_vector = 0;
    memset(c->events, 0, sizeof(c->events));
    c->nmi_line = c->leave = false;
    start_memory(w, s, code, off, len);

    c->cr0 = CR0_ET | CR0_NE | (protected ? CR0_PE : 0u) | s->cr0;
    c->cr4 = s->cr4;
    c->xcr0 = XCR0_KNOWN;
    c->idtr = protected ? (struct dtable){ IDT, 0xfff } : (struct dtable){ 0, 0x3ff };
    c->gdtr = (struct dtable){ GDT, SEL_LAST + 7 };
    if (start_long(s)) {
        c->msr.efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
        c->cr0 |= CR0_PG;
        c->cr4 |= CR4_PAE;
    } else if (protected && s->paging) {
        c->cr0 |= CR0_PG;
        c->cr4 |= s->paging == PAGING_PAE ? CR4_PAE : 0u;
        c->msr.efer = s->paging == PAGING_PAE ? EFER_NXE : 0;
    }
    c->msr.star = (u64)(SEL_CODE32 | 3) << 48 | (u64)SEL_CODE32 << 32;
    c->msr.lstar = c->msr.cstar = c->msr.sysenter_eip = HANDLERS;
    c->msr.sysenter_cs = SEL_CODE32;
    c->msr.sysenter_esp = STACK0_TOP;
    if (c->cr0 & CR0_PG) {
        c->cr3 = TABLES;
        if (!start_long(s) && s->paging == PAGING_PAE)
            mmu_load_pdptes(c, c->cr3, c->pdpte);
    }
    if (protected)
        c->tr = seg_from_desc(SEL_TSS, load_le(w->view.backing + GDT + SEL_TSS, 8));
    start_registers(c, s);
    start_floating(c, s);
    cpu_update_mode(c);
    mmu_flush_all(c);
}

void world_resume(struct world *w, const struct start *s, u64 rip)
{
    struct cpu *c = &w->c;

    start_registers(c, s);
    c->rip = c->next_rip = rip;
    c->halted = HALT_NONE;
    c->shadow = SHADOW_NONE;
    cpu_update_mode(c);
}

/* ---- comparing ---- */

#define COMPARE(what, x, y)                                                                        \
    do {                                                                                           \
        u64 x_ = (x), y_ = (y);                                                                    \
        if (x_ != y_) {                                                                            \
            n++;                                                                                   \
            if (out)                                                                               \
                fprintf(out, "  %s: interp %llx, jit %llx\n", what, (unsigned long long)x_, (unsigned long long)y_); \
        }                                                                                          \
    } while (0)

static unsigned diff_events(struct world *a, struct world *b, FILE *out)
{
    unsigned n = 0;

    COMPARE("number of events", a->c.nr_events, b->c.nr_events);
    for (unsigned i = 0; i < EVENT_RING; i++) {
        const struct event_record *x = &a->c.events[i], *y = &b->c.events[i];

        COMPARE("an event's vector", x->vector, y->vector);
        COMPARE("an event's RIP", x->rip, y->rip);
        COMPARE("an event's error code", x->error, y->error);
        COMPARE("an event's time", x->icount, y->icount);
    }
    return n;
}

static unsigned diff_memory(struct world *a, struct world *b, FILE *out)
{
    unsigned n = 0;

    for (u64 at = 0; at < WORLD_RAM && n < 8; at += 4096)
        if (memcmp(a->view.backing + at, b->view.backing + at, 4096))
            for (u64 i = at; i < at + 4096 && n < 8; i++)
                if (a->view.backing[i] != b->view.backing[i]) {
                    char what[32];

                    snprintf(what, sizeof(what), "memory at %05llx", (unsigned long long)i);
                    COMPARE(what, a->view.backing[i], b->view.backing[i]);
                }
    return n;
}

unsigned world_diff(struct world *a, struct world *b, bool thorough, FILE *out)
{
    static const char *const names[] = { "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
                                         "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15" };
    unsigned n = 0;

    if (memcmp(a->c.gpr, b->c.gpr, sizeof(a->c.gpr)))
        for (unsigned i = 0; i < 16; i++)
            COMPARE(names[i], a->c.gpr[i], b->c.gpr[i]);
    COMPARE("RIP", a->c.rip, b->c.rip);
    COMPARE("EFLAGS", cpu_flags(&a->c), cpu_flags(&b->c));
    COMPARE("ticks", clock_ticks(&a->clk), clock_ticks(&b->clk));
    COMPARE("instructions", clock_icount(&a->clk), clock_icount(&b->clk));
    COMPARE("accesses to the devices", a->device_hash, b->device_hash);
    COMPARE("bus accesses", a->mem.nr_accesses, b->mem.nr_accesses);
    COMPARE("hash of stores", a->view.write_hash, b->view.write_hash);
    n += diff_events(a, b, out);
    if (!thorough)
        return n;
    COMPARE("TLB", tlb_hash(a->c.tlb, 0), tlb_hash(b->c.tlb, 0));
    COMPARE("TLB fills", a->c.tlb->nr_fills, b->c.tlb->nr_fills);
    a->engine->sync(a->e);
    b->engine->sync(b->e);
    if (state_hash(0, &cpu_state, &a->c) != state_hash(0, &cpu_state, &b->c)) {
        n++;
        if (out)
            state_diff(out, "  cpu (interp, jit)", &cpu_state, &a->c, &b->c);
    }
    n += diff_memory(a, b, out);
    return n;
}
