/*
 * Hardware task switches: JMP, CALL, interrupts and IRET between TSSs of 32 and 16 bits.
 * SDM 3A chapter 7: the steps are those of 7.3, the checks those of table 7-1, in its order.
 *
 * Everything that the switch will touch is probed before anything is changed. From then on the
 * new task is there: what is wrong with its segments is raised in its context, with the selectors
 * loaded and their hidden parts empty.
 */
#include "cpu/task.h"
#include "cpu/dr.h"
#include "cpu/operand.h"
#include "cpu/segment.h"
#include "cpu/v86.h"

/* Figures 7-2 and 7-10: where a TSS keeps what. */
struct layout {
    u16 min_limit;
    u8 size;                       /* of a register */
    u8 ip, flags, gpr, seg, ldt;   /* offsets; registers and segments in the order of their enums */
    u8 seg_step, nr_segs;
    u8 saved_first, saved_end;     /* what the processor writes: from EIP on, without the LDT */
};
static const struct layout layouts[] = {
    { 0x2b, 2, 0x0e, 0x10, 0x12, 0x22, 0x2a, 2, 4, 0x0e, 0x2a },
    { 0x67, 4, 0x20, 0x24, 0x28, 0x48, 0x60, 4, 6, 0x20, 0x60 },
};
enum { TSS_LINK = 0, TSS_CR3 = 0x1c, TSS_T = 0x64, BUSY = 2 };

static const struct layout *layout_of(unsigned type)
{
    return &layouts[type >= SYS_TSS];
}

static u64 at(u64 base, unsigned off)
{
    return (u32)(base + off);
}

/* Checks 1 to 4: the descriptor. Its linear address is stored in lin. */
static u64 load_tss(struct cpu *c, u16 sel, const struct task_from *from, u64 *lin)
{
    bool iret = from->why == TASK_IRET;
    enum vector v = iret ? EXC_TS : EXC_GP;
    u32 error = (sel & ~3u) | from->ext;
    unsigned type;
    u64 d;

    if ((sel & 4) || (sel & ~3u) == 0 || !desc_address(c, sel, lin))
        cpu_raise(c, v, error);
    d = mmu_load_sys(c, *lin, 8);
    type = desc_type(d);
    if (desc_s(d) || (iret ? type != SYS_TSS_BUSY && type != SYS_TSS16_BUSY
                           : type != SYS_TSS && type != SYS_TSS16))
        cpu_raise(c, v, error);
    if (!desc_present(d))
        cpu_raise(c, EXC_NP, error);
    if (seg_from_desc(sel, d).limit < layout_of(type)->min_limit)
        cpu_raise(c, EXC_TS, error);
    return d;
}

/* Sets or clears the busy bit of a descriptor. */
static void set_busy(struct cpu *c, u64 lin, bool busy)
{
    u64 type = mmu_load_sys(c, lin + 5, 1);

    mmu_store_sys(c, lin + 5, busy ? type | BUSY : type & ~(u64)BUSY, 1);
}

static void save_state(struct cpu *c, const struct layout *l, const struct task_from *from)
{
    u64 base = c->tr.base;

    mmu_store_sys(c, at(base, l->ip), from->rip, l->size);
    mmu_store_sys(c, at(base, l->flags), from->eflags, l->size);
    for (unsigned i = 0; i < 8; i++)
        mmu_store_sys(c, at(base, l->gpr + i * l->size), c->gpr[i], l->size);
    for (unsigned i = 0; i < l->nr_segs; i++)
        mmu_store_sys(c, at(base, l->seg + i * l->seg_step), c->seg[i].sel, 2);
}

/* The incoming task, as its TSS has it. */
struct incoming {
    u64 gpr[8], cr3;
    u32 eip, eflags;
    u16 sel[NR_SEGS], ldt;
    bool trap;
};

static struct incoming load_state(struct cpu *c, const struct layout *l, u64 base)
{
    struct incoming n = { 0 };

    n.eip = (u32)mmu_load_sys(c, at(base, l->ip), l->size);
    n.eflags = (u32)mmu_load_sys(c, at(base, l->flags), l->size);
    for (unsigned i = 0; i < 8; i++)
        n.gpr[i] = mmu_load_sys(c, at(base, l->gpr + i * l->size), l->size) |
                   (l->size == 2 ? 0xffff0000 : 0); /* left open by the manual; a 386's silicon */
    for (unsigned i = 0; i < l->nr_segs; i++)
        n.sel[i] = (u16)mmu_load_sys(c, at(base, l->seg + i * l->seg_step), 2);
    n.ldt = (u16)mmu_load_sys(c, at(base, l->ldt), 2);
    if (l->size == 4) {
        n.cr3 = mmu_load_sys(c, at(base, TSS_CR3), 4);
        n.trap = mmu_load_sys(c, at(base, TSS_T), 2) & 1;
    }
    return n;
}

static void load_ldt(struct cpu *c, u16 sel, unsigned ext)
{
    u64 lin, d;

    if ((sel & ~3u) == 0)
        return;
    if ((sel & 4) || !desc_address(c, sel, &lin))
        cpu_raise(c, EXC_TS, (sel & ~3u) | ext);
    d = mmu_load_sys(c, lin, 8);
    if (desc_s(d) || desc_type(d) != SYS_LDT || !desc_present(d))
        cpu_raise(c, EXC_TS, (sel & ~3u) | ext);
    c->ldtr = seg_from_desc(sel, d);
}

static u64 load_desc(struct cpu *c, u16 sel, unsigned ext)
{
    u64 lin;

    if ((sel & ~3u) == 0 || !desc_address(c, sel, &lin))
        cpu_raise(c, EXC_TS, (sel & ~3u) | ext);
    return mmu_load_sys(c, lin, 8);
}

static void load_code(struct cpu *c, u16 sel, unsigned ext)
{
    unsigned rpl = sel & 3;
    u64 d = load_desc(c, sel, ext);
    struct seg cs;

    if (!desc_is_code(d) || (desc_conforming(d) ? desc_dpl(d) > rpl : desc_dpl(d) != rpl))
        cpu_raise(c, EXC_TS, (sel & ~3u) | ext);
    if (!desc_present(d))
        cpu_raise(c, EXC_NP, (sel & ~3u) | ext);
    desc_set_accessed(c, sel, &d);
    cs = seg_from_desc(sel, d);
    seg_set_cs(c, &cs, rpl);
}

static void load_data(struct cpu *c, unsigned seg, u16 sel, unsigned ext)
{
    unsigned rpl = sel & 3;
    u64 d;

    if ((sel & ~3u) == 0)
        return;
    d = load_desc(c, sel, ext);
    if (!desc_s(d) || (desc_type(d) & (SEG_CODE | SEG_RW)) == SEG_CODE)
        cpu_raise(c, EXC_TS, (sel & ~3u) | ext);
    if (!(desc_is_code(d) && desc_conforming(d)) && (rpl > desc_dpl(d) || c->cpl > desc_dpl(d)))
        cpu_raise(c, EXC_TS, (sel & ~3u) | ext);
    if (!desc_present(d))
        cpu_raise(c, EXC_NP, (sel & ~3u) | ext);
    desc_set_accessed(c, sel, &d);
    c->seg[seg] = seg_from_desc(sel, d);
}

/* Steps 11 and 12: registers, flags, address space; no segment is usable yet. */
static void commit(struct cpu *c, const struct incoming *n, bool wide)
{
    enum { DR7_LOCAL = 0x155 }; /* L0 to L3 and LE */

    memcpy(c->gpr, n->gpr, sizeof(n->gpr));
    c->rip = c->next_rip = n->eip;
    c->eflags = (n->eflags & F_ALL) | F_1;
    c->lf.lazy = 0;
    c->cr0 |= CR0_TS;
    c->dr[7] &= ~(u64)DR7_LOCAL;
    c->ldtr = (struct seg){ .sel = n->ldt };
    for (unsigned i = 0; i < NR_SEGS; i++)
        c->seg[i] = (struct seg){ .sel = n->sel[i] };
    c->cpl = n->sel[CS] & 3;
    leave_block(c);
    if (c->eflags & F_VM)
        v86_load_segs(c, n->sel);
    dr_changed(c);
    if (wide && (c->cr0 & CR0_PG)) {
        c->cr3 = n->cr3;
        mmu_flush_nonglobal(c);
        if (c->cr4 & CR4_PAE)
            mmu_load_pdptes(c, c->cr3, c->pdpte);
    }
}

/* Step 13. */
static void load_segments(struct cpu *c, const struct incoming *n, unsigned ext)
{
    static const u8 data[] = { ES, DS, FS, GS };

    load_ldt(c, n->ldt, ext);
    if (!(c->eflags & F_VM)) {
        load_code(c, n->sel[CS], ext);
        seg_check_stack(c, &c->seg[SS], n->sel[SS], c->cpl, EXC_TS, ext);
        cpu_update_mode(c);
        for (unsigned i = 0; i < ARRAY_LEN(data); i++)
            load_data(c, data[i], n->sel[data[i]], ext);
    }
    if (n->eip > c->seg[CS].limit)
        cpu_raise(c, EXC_GP, ext);
}

void task_switch(struct cpu *c, u16 sel, const struct task_from *from)
{
    const struct layout *old = layout_of(c->tr.attr & SEG_TYPE), *new;
    bool nested = from->why == TASK_CALL || from->why == TASK_INT;
    u64 lin, old_lin, d = load_tss(c, sel, from, &lin);
    struct seg tr = seg_from_desc(sel, d);
    struct incoming n;
    u16 old_sel = c->tr.sel;
    bool old_named = (old_sel & ~3u) && desc_address(c, old_sel, &old_lin);

    new = layout_of(desc_type(d));
    if (old->min_limit > c->tr.limit)
        cpu_raise(c, EXC_TS, (old_sel & ~3u) | from->ext);
    /* Step 5: nothing faults from here to the commit. */
    mmu_probe(c, at(c->tr.base, old->saved_first), old->saved_end - old->saved_first,
              ACC_WRITE | ACC_SYS);
    mmu_probe(c, tr.base, new->min_limit + 1u, ACC_READ | ACC_SYS);
    if (nested)
        mmu_probe(c, tr.base, 2, ACC_WRITE | ACC_SYS);
    mmu_probe(c, lin + 5, 1, ACC_WRITE | ACC_SYS);
    if (old_named)
        mmu_probe(c, old_lin + 5, 1, ACC_WRITE | ACC_SYS);

    save_state(c, old, from);
    if (!nested && old_named)
        set_busy(c, old_lin, false);
    if (nested)
        mmu_store_sys(c, tr.base + TSS_LINK, old_sel, 2);
    if (from->why != TASK_IRET)
        set_busy(c, lin, true);
    n = load_state(c, new, tr.base);
    if (nested)
        n.eflags |= F_NT;
    tr.attr |= BUSY;
    c->tr = tr;
    commit(c, &n, new->size == 4);
    load_segments(c, &n, from->ext);
    if (n.trap)
        dr_trap(c, DR6_BT);
}

void task_return(struct cpu *c)
{
    struct task_from from = { .why = TASK_IRET, .rip = c->next_rip };

    from.eflags = flags_all(c) & ~(u32)F_NT;
    task_switch(c, (u16)mmu_load_sys(c, at(c->tr.base, TSS_LINK), 2), &from);
}
