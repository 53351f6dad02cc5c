/*
 * Descriptors, segment registers and the stacks of the TSS. SDM 3A chapters 3, 5 and 7.
 */
#include "cpu/segment.h"
#include "core/log.h"
#include "cpu/operand.h"
#include <string.h>

static u8 fast_of(bool usable, unsigned attr)
{
    if (!usable || !(attr & SEG_P))
        return 0;
    if (attr & SEG_CODE)
        return attr & SEG_RW ? SEG_FAST_R : 0;
    if (attr & SEG_DC)
        return 0;
    return attr & SEG_RW ? SEG_FAST_R | SEG_FAST_W : SEG_FAST_R;
}

void seg_update_fast(struct seg *s)
{
    s->fast = fast_of(s->usable, s->attr);
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

/* PERF: of the pieces that seg_copy() moves. */
void seg_make(struct seg *s, u16 sel, u64 d)
{
    u64 attr = (d >> 40) & 0xf0ff, limit = bits(d, 15, 0) | bits(d, 51, 48) << 16, head, flags;
    u8 fast = fast_of(true, (unsigned)attr);

    if (attr & SEG_G)
        limit = limit << 12 | 0xfff;
    head = sel | attr << 16 | limit << 32;
    flags = 1 | fast << 8;
    memcpy(s, &head, sizeof(head));
    s->base = bits(d, 39, 16) | bits(d, 63, 56) << 24;
    memcpy((char *)s + offsetof(struct seg, usable), &flags, sizeof(flags));
    s->room_r = fast & SEG_FAST_R ? limit + 1 : 0;
    s->room_w = fast & SEG_FAST_W ? limit + 1 : 0;
}
_Static_assert(offsetof(struct seg, attr) == 2 && offsetof(struct seg, limit) == 4 && offsetof(struct seg, base) == 8, "head");
_Static_assert(offsetof(struct seg, fast) == offsetof(struct seg, usable) + 1 &&
               offsetof(struct seg, room_r) == offsetof(struct seg, usable) + 8, "flags");

struct seg seg_from_desc(u16 sel, u64 d)
{
    struct seg s;

    seg_make(&s, sel, d);
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

void seg_check_stack(struct cpu *c, struct seg *ss, u16 sel, unsigned cpl, enum vector v, unsigned ext)
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
    seg_make(ss, sel, d);
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
        seg_check_stack(c, &c->seg[SS], sel, cpl, EXC_GP, 0);
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
    seg_make(&c->seg[seg], sel, d);
}

void seg_set_cs(struct cpu *c, const struct seg *cs, unsigned cpl)
{
    seg_copy(&c->seg[CS], cs);
    c->seg[CS].sel = (u16)((cs->sel & ~3u) | cpl);
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
