/*
 * Descriptors, segment registers and the stacks of the TSS. SDM 3A chapters 3, 5 and 7.
 */
#include "cpu/segment.h"
#include "core/log.h"
#include "cpu/operand.h"

void seg_update_fast(struct seg *s)
{
    bool code = s->attr & SEG_CODE;

    s->fast = 0;
    if (!s->usable || !(s->attr & SEG_P))
        s->fast = 0;
    else if (code)
        s->fast = s->attr & SEG_RW ? SEG_FAST_R : 0;
    else if (!(s->attr & SEG_DC))
        s->fast = s->attr & SEG_RW ? SEG_FAST_R | SEG_FAST_W : SEG_FAST_R;
    s->room_r = s->fast & SEG_FAST_R ? (u64)s->limit + 1 : 0;
    s->room_w = s->fast & SEG_FAST_W ? (u64)s->limit + 1 : 0;
}

/* The checks that seg_lin's quick path left over. SDM 3A 5.3 to 5.5. */
u64 seg_lin_slow(struct cpu *c, unsigned seg, u64 off, u64 size, unsigned access)
{
    const struct seg *s = &c->seg[seg];
    enum vector v = seg == SS ? EXC_SS : EXC_GP;
    unsigned kind = access & ACC_KIND; /* ACC_EXEC: CLFLUSH, which may reach into execute-only code */
    u64 last = off + size - 1;

    if ((c->mode & MODE_CODE_MASK) == MODE_CODE64)
        cpu_raise(c, v, 0); /* not canonical */
    if (!mode_real(c->mode)) {
        bool code = s->attr & SEG_CODE, rw = s->attr & SEG_RW;

        if (!s->usable)
            cpu_raise(c, EXC_GP, 0);
        if (kind == ACC_WRITE ? code || !rw : kind == ACC_READ && code && !rw)
            cpu_raise(c, EXC_GP, 0);
    }
    if (!(s->attr & SEG_CODE) && (s->attr & SEG_DC)) { /* expand down: valid above the limit */
        u64 top = s->attr & SEG_DB ? 0xffffffff : 0xffff;
        if (off <= s->limit || last > top || last < off)
            cpu_raise(c, v, 0);
    } else if (last > s->limit || last < off) {
        cpu_raise(c, v, 0);
    }
    return (u32)(s->base + off);
}

bool desc_address(const struct cpu *c, u16 sel, u64 *lin)
{
    u64 base = c->gdtr.base, limit = c->gdtr.limit;
    unsigned off = sel & ~7u;

    if (sel & 4) {
        if (!c->ldtr.usable)
            return false;
        base = c->ldtr.base;
        limit = c->ldtr.limit;
    }
    *lin = base + off;
    if (!(c->mode & MODE_LMA))
        *lin = (u32)*lin;
    return off + 7 <= limit;
}

u64 desc_load(struct cpu *c, u16 sel, enum vector vector)
{
    u64 lin;

    if (!desc_address(c, sel, &lin))
        cpu_raise(c, vector, sel & ~3u);
    return mmu_load_sys(c, lin, 8);
}

struct seg seg_from_desc(u16 sel, u64 d)
{
    struct seg s = { .sel = sel, .usable = 1 };

    s.attr = (u16)((d >> 40) & 0xf0ff);
    s.base = bits(d, 39, 16) | bits(d, 63, 56) << 24;
    s.limit = (u32)(bits(d, 15, 0) | bits(d, 51, 48) << 16);
    if (s.attr & SEG_G)
        s.limit = s.limit << 12 | 0xfff;
    seg_update_fast(&s);
    return s;
}

void desc_set_accessed(struct cpu *c, u16 sel, u64 *desc)
{
    u64 lin;

    if (!(*desc & BIT(40)) && desc_address(c, sel, &lin)) {
        *desc |= BIT(40);
        mmu_store_sys(c, lin + 5, (*desc >> 40) & 0xff, 1);
    }
}

void seg_load_real(struct cpu *c, unsigned seg, u16 sel)
{
    struct seg *s = &c->seg[seg];

    if (!s->usable) { /* it was null in protected mode: nothing is left to keep */
        s->limit = 0xffff;
        s->attr = SEG_P | SEG_S | SEG_RW | SEG_ACCESSED;
    }
    s->sel = sel;
    s->base = (u32)sel << 4;
    s->usable = 1;
    if (c->mode & MODE_VM) {
        s->limit = 0xffff;
        s->attr = SEG_P | SEG_S | 3 << SEG_DPL_SHIFT | SEG_RW | SEG_ACCESSED;
    } else if (seg == CS) {
        /* A far transfer makes CS an ordinary real-mode segment again; its limit stays. */
        s->attr = SEG_P | SEG_S | SEG_RW | SEG_ACCESSED;
    }
    seg_update_fast(s);
    if (seg == CS || seg == SS)
        cpu_update_mode(c);
}

struct seg seg_check_stack(struct cpu *c, u16 sel, unsigned cpl, enum vector v, unsigned ext)
{
    u64 d;

    if ((sel & ~3u) == 0)
        cpu_raise(c, v, ext);
    if (!desc_address(c, sel, &d))
        cpu_raise(c, v, (sel & ~3u) | ext);
    d = desc_load(c, sel, v);
    if ((sel & 3) != cpl || desc_dpl(d) != cpl || !desc_s(d) || (desc_type(d) & (SEG_CODE | SEG_RW)) != SEG_RW)
        cpu_raise(c, v, (sel & ~3u) | ext);
    if (!desc_present(d))
        cpu_raise(c, EXC_SS, (sel & ~3u) | ext);
    desc_set_accessed(c, sel, &d);
    return seg_from_desc(sel, d);
}

void seg_load(struct cpu *c, unsigned seg, u16 sel)
{
    unsigned rpl = sel & 3, cpl = cpu_cpl(c);
    u64 d;

    if (mode_real(c->mode)) {
        seg_load_real(c, seg, sel);
        return;
    }
    if ((sel & ~3u) == 0) {
        bool ss64 = (c->mode & MODE_CODE_MASK) == MODE_CODE64 && cpl < 3 && rpl == cpl;

        if (seg == SS && !ss64)
            cpu_raise(c, EXC_GP, 0);
        c->seg[seg] = (struct seg){ .sel = sel };
        if (seg == SS) {
            c->seg[SS].attr = (u16)(cpl << SEG_DPL_SHIFT);
            cpu_update_mode(c);
        }
        return;
    }
    if (seg == SS) {
        c->seg[SS] = seg_check_stack(c, sel, cpl, EXC_GP, 0);
        cpu_update_mode(c);
        return;
    }
    d = desc_load(c, sel, EXC_GP);
    if (!desc_s(d) || (desc_type(d) & (SEG_CODE | SEG_RW)) == SEG_CODE)
        cpu_raise(c, EXC_GP, sel & ~3u); /* system segment, or code that cannot be read */
    if (!(desc_is_code(d) && desc_conforming(d)) && (rpl > desc_dpl(d) || cpl > desc_dpl(d)))
        cpu_raise(c, EXC_GP, sel & ~3u);
    if (!desc_present(d))
        cpu_raise(c, EXC_NP, sel & ~3u);
    desc_set_accessed(c, sel, &d);
    c->seg[seg] = seg_from_desc(sel, d);
}

void seg_set_cs(struct cpu *c, struct seg cs, unsigned cpl)
{
    cs.sel = (u16)((cs.sel & ~3u) | cpl);
    c->seg[CS] = cs;
    c->cpl = cpl;
    cpu_update_mode(c);
}

/* Both manuals make the selectors null (SDM 2A IRET, APM 3 IRET) and say nothing of the bases that
 * 64-bit mode still uses in FS and GS. Bochs and QEMU keep them, and kvm-unit-tests' debug, which
 * is written for silicon, goes on using GS after such a return. */
void seg_drop_privileged(struct cpu *c)
{
    static const u8 data_segs[] = { ES, DS, FS, GS };

    for (unsigned i = 0; i < ARRAY_LEN(data_segs); i++) {
        struct seg *s = &c->seg[data_segs[i]];
        bool conforming = (s->attr & SEG_CODE) && (s->attr & SEG_DC);

        if (!s->usable)
            s->sel = 0; /* a null selector loses its RPL */
        else if (!conforming && seg_dpl(s) < cpu_cpl(c))
            *s = (struct seg){ .base = s->base };
    }
}

void tss_stack(struct cpu *c, unsigned cpl, u16 *ss, u64 *sp, unsigned ext)
{
    bool tss16 = (c->tr.attr & SEG_TYPE) <= SYS_TSS16_BUSY;
    unsigned size = tss16 ? 2 : 4, off = tss16 ? 2 + 4 * cpl : 4 + 8 * cpl;

    if (!c->tr.usable || off + 2 * size - 1 > c->tr.limit)
        cpu_raise(c, EXC_TS, (c->tr.sel & ~3u) | ext);
    *sp = mmu_load_sys(c, (u32)(c->tr.base + off), size);
    *ss = (u16)mmu_load_sys(c, (u32)(c->tr.base + off + size), 2);
}

u64 tss64_stack(struct cpu *c, unsigned index, unsigned ext)
{
    unsigned off = 4 + 8 * index;
    u64 sp;

    if (!c->tr.usable || off + 7 > c->tr.limit)
        cpu_raise(c, EXC_TS, (c->tr.sel & ~3u) | ext);
    sp = mmu_load_sys(c, c->tr.base + off, 8);
    if (!canonical(sp))
        cpu_raise(c, EXC_SS, ext);
    return sp;
}
