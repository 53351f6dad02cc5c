/*
 * Memory accesses of instructions: the slow path behind the fast sets.
 *
 * Order of work: alignment check, translation of every page touched, then memory or device.
 * Fast entries are filled here alone: reads from pages that are backed, writes to pages that are
 * backed, dirty, and hold no code of an engine.
 */
#include "core/bus.h"
#include "core/log.h"
#include "core/mem_view.h"
#include "cpu/debug.h"
#include "cpu/dr.h"
#include "cpu/operand.h"
#include "cpu/vec.h"
#include "mmu/walk.h"
#include <inttypes.h>
#include <string.h>

static void flush_set(struct fast_set *s)
{
    if (s->nr_filled > FAST_LISTED)
        for (unsigned i = 0; i < FAST_ENTRIES; i++)
            s->read[i].tag = s->write[i].tag = FAST_INVALID(i);
    else
        for (unsigned n = 0; n < s->nr_filled; n++) {
            unsigned i = s->filled[n] >> 1;

            (s->filled[n] & 1 ? s->write : s->read)[i].tag = FAST_INVALID(i);
        }
    s->nr_filled = 0;
}

static void flush_slots(struct cpu *c)
{
    for (u32 i = 0; i < c->jit.nr_filled; i++)
        c->jit.filled[i]->len = 0;
    c->jit.nr_filled = 0;
}

static void new_fetch_epoch(struct cpu *c)
{
    c->fetch_epoch++;
    c->jit.epoch = c->fetch_epoch;
    memset(c->fetched, 0, sizeof(c->fetched));
}

void mmu_flush_fast(struct cpu *c)
{
    for (int s = 0; s < NR_FAST_SETS; s++)
        flush_set(&c->fast_sets[s]);
    flush_slots(c);
    new_fetch_epoch(c);
}

static void flush_fast_page(struct cpu *c, u64 lin)
{
    unsigned i = (lin >> 12) & (FAST_ENTRIES - 1);
    u64 bit;

    for (int s = 0; s < NR_FAST_SETS; s++)
        c->fast_sets[s].read[i].tag = c->fast_sets[s].write[i].tag = FAST_INVALID(i);
    flush_slots(c);
    if (*mmu_fetched(c, lin, &bit) & bit)
        new_fetch_epoch(c);
}

/* What follows for the caches from what the TLB has dropped for lin. */
static void flush_dropped(struct cpu *c, u64 lin, enum tlb_dropped dropped)
{
    if (dropped & TLB_DROPPED_MORE)
        mmu_flush_fast(c);
    else if (dropped)
        flush_fast_page(c, lin);
}

void mmu_flush_all(struct cpu *c)
{
    tlb_drop_all(c->tlb);
    mmu_flush_fast(c);
}

void mmu_flush_nonglobal(struct cpu *c)
{
    tlb_drop_nonglobal(c->tlb);
    mmu_flush_fast(c);
}

void mmu_flush_pcid(struct cpu *c, u16 pcid)
{
    tlb_drop_pcid(c->tlb, pcid);
    mmu_flush_fast(c);
}

void mmu_flush_page(struct cpu *c, u64 lin)
{
    flush_dropped(c, lin, tlb_drop(c->tlb, mmu_pcid(c), lin, true));
}

void mmu_flush_pcid_page(struct cpu *c, u16 pcid, u64 lin)
{
    flush_dropped(c, lin, tlb_drop(c->tlb, pcid, lin, false));
}

static bool is_user(const struct cpu *c, unsigned access)
{
    return c->cpl == 3 && !(access & (ACC_SYS | ACC_INNER));
}

/* The physical address of lin, through the TLB. False: #PF with that error code. */
static bool find_page(struct cpu *c, u64 lin, unsigned access, u64 *pa, u32 *error)
{
    bool user = is_user(c, access);
    const struct tlb_entry *e;
    struct walk w;

    *pa = lin;
    if (!(c->cr0 & CR0_PG))
        return true;
    e = tlb_find(c->tlb, mmu_pcid(c), lin);
    if (e && walk_permits(c, e->flags, access, user) &&
        ((access & ACC_KIND) != ACC_WRITE || (e->flags & TLB_D))) {
        *pa = e->pa | (lin & 0xfff);
        return true;
    }
    /* Missing, or too weak: the tables may say more by now (SDM 3A 4.10.4.3). */
    if (!walk(c, lin, access, user, true, &w)) {
        mmu_flush_page(c, lin); /* a fault drops what was cached for the address (4.10.4.1) */
        *error = w.error;
        return false;
    }
    tlb_insert(c, lin, w.pa, w.flags, w.level);
    if (log_on(c->cfg.log, LOG_MMU))
        log_printf(c->cfg.log, "TLB fill: %016" PRIx64 " -> %016" PRIx64 " %s%s%s%s%s level %u\n",
                   (u64)(lin & ~0xfffull), w.pa, w.flags & TLB_W ? "w" : "-", w.flags & TLB_U ? "u" : "-",
                   w.flags & TLB_NX ? "-" : "x", w.flags & TLB_D ? "d" : "-",
                   w.flags & TLB_G ? "g" : "-", w.level);
    *pa = w.pa | (lin & 0xfff);
    return true;
}

static u64 translate(struct cpu *c, u64 lin, unsigned access)
{
    u32 error;
    u64 pa;

    if (!find_page(c, lin, access, &pa, &error))
        cpu_raise_pf(c, lin, error);
    return pa;
}

u64 mmu_translate(struct cpu *c, u64 lin, unsigned access)
{
    return translate(c, lin, access);
}

/* Remembers a translated page in the fast set of its privilege, if it may be. */
static void fill_fast(struct cpu *c, u64 lin, u64 pa, unsigned access)
{
    struct mem_view *v = c->cfg.view;
    bool write = (access & ACC_KIND) == ACC_WRITE, inner = access & (ACC_SYS | ACC_INNER);
    struct fast_set *set = &c->fast_sets[inner ? FAST_SUPERVISOR : cpu_fast_set(c)];
    struct mem_page page = mem_view_page(v, pa);
    u64 off = write ? page.write_off : page.read_off, tag = lin & ~0xfffull;
    unsigned i = (lin >> 12) & (FAST_ENTRIES - 1);
    struct fast_entry *e = (write ? set->write : set->read) + i;

    if ((access & ACC_INNER) && (c->cr4 & CR4_SMAP) && (c->eflags & F_AC))
        return; /* it may be a user page's by EFLAGS.AC, which the set is not for */
    if (off >= MEM_PASS || (c->debug && debug_watches_page(c, lin)) ||
        ((c->mode & MODE_DR7) && dr_watches_page(c, lin)))
        return;
    if (write) {
        /* A read-modify-write loads through the write entry: both must be the same memory. */
        if (page.read_off != page.write_off || (v->page_flags[off >> PAGE_SHIFT] & MEM_CODE))
            return;
        v->page_flags[off >> PAGE_SHIFT] |= MEM_DIRTY;
    }
    if (e->tag == FAST_INVALID(i)) {
        if (set->nr_filled < FAST_LISTED)
            set->filled[set->nr_filled] = (u16)(i << 1 | write);
        set->nr_filled++;
    }
    e->tag = tag;
    e->host = (u64)(uintptr_t)(v->backing + off);
}

/* Ends the block when a device was reached: the deadline or the wires may have moved. */
static u64 phys_read(struct cpu *c, u64 pa, unsigned size)
{
    u64 before = c->cfg.view->bus->nr_accesses, v;

    mxcsr_to_memory(c);
    v = mem_read(c->cfg.view, pa, size);

    if (c->cfg.view->bus->nr_accesses != before) {
        leave_block(c);
        c->monitor_armed = false;
    }
    return v;
}

static void phys_write(struct cpu *c, u64 pa, u64 v, unsigned size)
{
    u64 before = c->cfg.view->bus->nr_accesses;

    mxcsr_to_memory(c);
    mem_write(c->cfg.view, pa, v, size);
    if (c->cfg.view->bus->nr_accesses != before) {
        leave_block(c);
        c->monitor_armed = false;
    }
}

static u64 next_page(const struct cpu *c, u64 lin)
{
    u64 next = (lin & ~0xfffull) + 0x1000;

    return c->mode & MODE_LMA ? next : (u32)next;
}

static void check_alignment(struct cpu *c, u64 lin, unsigned size, unsigned access)
{
    if ((c->mode & MODE_AC) && !(access & (ACC_SYS | ACC_INNER)) && (lin & (size - 1)) && size <= 8)
        cpu_raise(c, EXC_AC, 0);
}

/* A linear address in 64-bit mode that is not canonical never gets here: segments check it. */
static unsigned first_part(u64 lin, unsigned size)
{
    unsigned room = 0x1000 - (unsigned)(lin & 0xfff);
    return size <= room ? size : room;
}

static u64 load(struct cpu *c, u64 lin, unsigned size, unsigned intent)
{
    unsigned n = first_part(lin, size);
    u64 pa, v;

    check_alignment(c, lin, size, intent);
    if (n < size) {
        u64 lin2 = next_page(c, lin), pa2;

        pa = translate(c, lin, intent);
        pa2 = translate(c, lin2, intent);
        v = 0;
        for (unsigned i = 0; i < size; i++)
            v |= phys_read(c, i < n ? pa + i : pa2 + i - n, 1) << (8 * i);
        return v;
    }
    pa = translate(c, lin, intent);
    fill_fast(c, lin, pa, intent);
    return phys_read(c, pa, size);
}

static void observe(struct cpu *c, u64 lin, u64 v, unsigned size, bool write)
{
    mxcsr_to_memory(c);
    if (c->observer && c->observer->mem)
        c->observer->mem(c->observer->h, c, lin, v, size, write);
    if (c->debug)
        debug_access(c, lin, size, write);
    if (UNLIKELY(c->mode & MODE_DR7))
        dr_access(c, lin, size, write);
}

u64 mmu_load_slow(struct cpu *c, u64 lin, unsigned size, unsigned access)
{
    u64 v = load(c, lin, size, access);

    observe(c, lin, v, size, false);
    return v;
}

u64 mmu_load_rmw_slow(struct cpu *c, u64 lin, unsigned size)
{
    u64 v = load(c, lin, size, ACC_WRITE);

    observe(c, lin, v, size, false);
    return v;
}

void mmu_store_slow(struct cpu *c, u64 lin, u64 val, unsigned size, unsigned access)
{
    unsigned n = first_part(lin, size);
    u64 pa;

    access |= ACC_WRITE;
    check_alignment(c, lin, size, access);
    pa = translate(c, lin, access);
    if (n < size) {
        u64 pa2 = translate(c, next_page(c, lin), access);

        for (unsigned i = 0; i < size; i++)
            phys_write(c, i < n ? pa + i : pa2 + i - n, (u8)(val >> (8 * i)), 1);
    } else {
        fill_fast(c, lin, pa, access);
        phys_write(c, pa, val & size_mask(size), size);
    }
    observe(c, lin, val & size_mask(size), size, true);
}

/* Two halves, or bytes where a page ends between them; both pages are translated first. An observer
 * sees halves. */
static void check_alignment16(struct cpu *c, u64 lin)
{
    if ((c->mode & MODE_AC) && (lin & 15))
        cpu_raise(c, EXC_AC, 0);
}

static void observe16(struct cpu *c, u64 lin, const struct xmm *v, bool write)
{
    for (unsigned i = 0; i < 2; i++)
        observe(c, lin + 8 * i, v->q[i], 8, write);
}

void mmu_load16_slow(struct cpu *c, u64 lin, struct xmm *out)
{
    unsigned n = first_part(lin, 16);
    u64 pa, pa2 = 0;
    struct xmm v = { { 0, 0 } };

    check_alignment16(c, lin);
    pa = translate(c, lin, ACC_READ);
    if (n < 16) {
        pa2 = translate(c, next_page(c, lin), ACC_READ);
        for (unsigned i = 0; i < 16; i++)
            v.q[i / 8] |= phys_read(c, i < n ? pa + i : pa2 + i - n, 1) << (8 * (i % 8));
    } else {
        fill_fast(c, lin, pa, ACC_READ);
        v.q[0] = phys_read(c, pa, 8);
        v.q[1] = phys_read(c, pa + 8, 8);
    }
    *out = v;
    observe16(c, lin, out, false);
}

void mmu_store16_slow(struct cpu *c, u64 lin, const struct xmm *v)
{
    unsigned n = first_part(lin, 16);
    u64 pa, pa2;

    check_alignment16(c, lin);
    pa = translate(c, lin, ACC_WRITE);
    if (n < 16) {
        pa2 = translate(c, next_page(c, lin), ACC_WRITE);
        for (unsigned i = 0; i < 16; i++)
            phys_write(c, i < n ? pa + i : pa2 + i - n, (u8)(v->q[i / 8] >> (8 * (i % 8))), 1);
    } else {
        fill_fast(c, lin, pa, ACC_WRITE);
        phys_write(c, pa, v->q[0], 8);
        phys_write(c, pa + 8, v->q[1], 8);
    }
    observe16(c, lin, v, true);
}

enum mmu_filled mmu_fill(struct cpu *c, u64 lin, unsigned size, unsigned access, u64 *pa)
{
    const struct fast_set *set = &c->fast_sets[cpu_fast_set(c)];
    const struct fast_entry *e = (access == ACC_WRITE ? set->write : set->read) + ((lin >> 12) & (FAST_ENTRIES - 1));
    u32 error;

    if ((c->mode & MODE_AC) || first_part(lin, size) < size)
        return MMU_HARD;
    if (!find_page(c, lin, access, pa, &error)) {
        cpu_note_pf(c, lin, error);
        return MMU_FAULT;
    }
    fill_fast(c, lin, *pa, access);
    return lin - e->tag <= 4096 - size ? MMU_FILLED : MMU_SLOW;
}

/* What code of level 0 may without EFLAGS.AC, system accesses may, too. NULL: the slow way. */
static const struct fast_entry *supervisor_entry(const struct cpu *c, u64 lin, unsigned size, bool write)
{
    const struct fast_set *set = &c->fast_sets[FAST_SUPERVISOR];
    const struct fast_entry *e = (write ? set->write : set->read) + ((lin >> 12) & (FAST_ENTRIES - 1));

    if (c->fast == &c->fast_sets[FAST_NONE] || lin - e->tag > 4096 - size)
        return NULL;
    return e;
}

u64 mmu_load_sys(struct cpu *c, u64 lin, unsigned size)
{
    const struct fast_entry *e = supervisor_entry(c, lin, size, false);

    return e ? load_le(fast_host(e, lin), size)
             : mmu_load_slow(c, lin, size, ACC_READ | ACC_SYS);
}

void mmu_store_inner(struct cpu *c, u64 lin, u64 val, unsigned size, unsigned access)
{
    const struct fast_entry *e = supervisor_entry(c, lin, size, true);

    if (e)
        store_le(fast_host(e, lin), val, size);
    else
        mmu_store_slow(c, lin, val, size, ACC_WRITE | access);
}

void mmu_store_sys(struct cpu *c, u64 lin, u64 val, unsigned size)
{
    mmu_store_inner(c, lin, val, size, ACC_SYS);
}

void mmu_probe(struct cpu *c, u64 lin, u64 len, unsigned access)
{
    if (len > 1 && len <= 8 && (len & (len - 1)) == 0)
        check_alignment(c, lin, (unsigned)len, access);
    translate(c, lin, access);
    if (first_part(lin, (unsigned)len) < len)
        translate(c, next_page(c, lin), access);
}

void *mmu_host(struct cpu *c, u64 lin, unsigned access)
{
    bool write = (access & ACC_KIND) == ACC_WRITE;
    const struct fast_entry *e = (write ? c->fast->write : c->fast->read) +
                                 ((lin >> 12) & (FAST_ENTRIES - 1));

    if (lin - e->tag >= 4096) {
        u64 pa = translate(c, lin, access);

        if (c->mode & MODE_AC)
            return NULL;
        fill_fast(c, lin, pa, access);
        if (lin - e->tag >= 4096)
            return NULL;
    }
    return fast_host(e, lin);
}

bool mmu_peek(struct cpu *c, u64 lin, u64 *pa)
{
    const struct tlb_entry *e;
    struct walk w;

    if (!(c->cr0 & CR0_PG)) {
        *pa = lin;
        return true;
    }
    e = tlb_find(c->tlb, mmu_pcid(c), lin);
    if (!e && !walk(c, lin, ACC_READ, false, false, &w))
        return false;
    *pa = (e ? e->pa : w.pa) | (lin & 0xfff);
    return true;
}
