/*
 * Segment registers and descriptor tables. SDM 2A, 2B, 2C, the pages that the rows name.
 */
#include "cpu/operand.h"
#include "cpu/segment.h"

static void interrupt_shadow(struct cpu *c)
{
    c->shadow = SHADOW_MOV_SS; /* no interrupt between MOV SS and the instruction behind it */
    cpu_update_mode(c);
}

void x_mov_from_seg(struct cpu *c, const struct insn *in)
{
    /* Memory gets 16 bits whatever the operand size; a register is zero-extended. */
    opnd_store(c, in, 0, c->seg[in->reg[1]].sel, in->kind[0] == K_REG ? in->opsz : 2);
}

void x_mov_to_seg(struct cpu *c, const struct insn *in)
{
    seg_load(c, in->reg[0], (u16)opnd_load(c, in, 1, 2));
    if (in->reg[0] == SS)
        interrupt_shadow(c);
}

void x_push_seg(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz;
    u64 sp = (c->gpr[RSP] - size) & stack_mask(c), lin = seg_lin(c, SS, sp, size, ACC_WRITE);

    /* Silicon writes the selector alone and leaves the slot's upper half (SDM 2B PUSH). */
    if (size == 4)
        mmu_store(c, lin, c->seg[in->reg[0]].sel, 2);
    else
        mmu_store(c, lin, c->seg[in->reg[0]].sel, size);
    set_sp(c, sp);
}

void x_pop_seg(struct cpu *c, const struct insn *in)
{
    u16 sel = (u16)stack_peek(c, 0, in->opsz == 4 ? 2 : in->opsz);
    u64 mask = stack_mask(c), sp = c->gpr[RSP] + in->opsz;

    seg_load(c, in->reg[0], sel);
    c->gpr[RSP] = mask == 0xffff ? (c->gpr[RSP] & ~mask) | (sp & mask) : sp & mask;
    if (in->reg[0] == SS)
        interrupt_shadow(c);
}

static unsigned lds_segment(const struct insn *in)
{
    switch (in->row) {
    case ROW_LES: return ES;
    case ROW_LDS: return DS;
    case ROW_LSS: return SS;
    case ROW_LFS: return FS;
    default: return GS;
    }
}

void x_lds(struct cpu *c, const struct insn *in)
{
    u16 sel;
    u64 off = load_far_pointer(c, in, 1, &sel);
    unsigned seg = lds_segment(in);

    seg_load(c, seg, sel);
    reg_write(c, in->reg[0], off, in->opsz);
    if (seg == SS)
        cpu_update_mode(c);
}

/* Memory is written, and checked for it, only when RPL rises: so silicon does, by test386. */
void x_arpl(struct cpu *c, const struct insn *in)
{
    u64 dst = opnd_load(c, in, 0, 2), src = opnd_load(c, in, 1, 2);
    bool lower = (dst & 3) < (src & 3);

    if (lower)
        opnd_store(c, in, 0, (dst & ~3ull) | (src & 3), 2);
    flags_set(c, F_Z, lower ? F_Z : 0);
}

/* LAR, LSL, VERR and VERW: the descriptor, if its table holds it. */
static bool probe_descriptor(struct cpu *c, u16 sel, u64 *d)
{
    u64 lin;

    if ((sel & ~3u) == 0 || !desc_address(c, sel, &lin))
        return false;
    *d = mmu_load_sys(c, lin, 8);
    return true;
}

static bool visible(const struct cpu *c, u16 sel, u64 d)
{
    if (desc_is_code(d) && desc_conforming(d))
        return true;
    return desc_dpl(d) >= cpu_cpl(c) && desc_dpl(d) >= (sel & 3u);
}

void x_lar(struct cpu *c, const struct insn *in)
{
    u16 sel = (u16)opnd_load(c, in, 1, 2);
    u64 d;
    bool ok = probe_descriptor(c, sel, &d);

    if (ok && !desc_s(d)) {
        u32 legal = c->mode & MODE_LMA
                        ? 1 << SYS_LDT | 1 << SYS_TSS | 1 << SYS_TSS_BUSY | 1 << SYS_CALL
                        : 1 << SYS_TSS16 | 1 << SYS_LDT | 1 << SYS_TSS16_BUSY | 1 << SYS_CALL16 |
                              1 << SYS_TASK_GATE | 1 << SYS_TSS | 1 << SYS_TSS_BUSY | 1 << SYS_CALL;
        ok = legal >> desc_type(d) & 1;
    }
    ok = ok && visible(c, sel, d);
    if (ok)
        reg_write(c, in->reg[0], (d >> 32) & 0x00ffff00, in->opsz);
    flags_set(c, F_Z, ok ? F_Z : 0);
}

void x_lsl(struct cpu *c, const struct insn *in)
{
    u16 sel = (u16)opnd_load(c, in, 1, 2);
    u64 d;
    bool ok = probe_descriptor(c, sel, &d);

    if (ok && !desc_s(d)) {
        u32 legal = 1 << SYS_LDT | 1 << SYS_TSS | 1 << SYS_TSS_BUSY;
        if (!(c->mode & MODE_LMA))
            legal |= 1 << SYS_TSS16 | 1 << SYS_TSS16_BUSY;
        ok = legal >> desc_type(d) & 1;
    }
    ok = ok && visible(c, sel, d);
    if (ok)
        reg_write(c, in->reg[0], seg_from_desc(sel, d).limit, in->opsz);
    flags_set(c, F_Z, ok ? F_Z : 0);
}

void x_verr(struct cpu *c, const struct insn *in)
{
    u16 sel = (u16)opnd_load(c, in, 0, 2);
    u64 d;
    bool ok = probe_descriptor(c, sel, &d) && desc_s(d) && visible(c, sel, d) &&
              (desc_type(d) & (SEG_CODE | SEG_RW)) != SEG_CODE;

    flags_set(c, F_Z, ok ? F_Z : 0);
}

void x_verw(struct cpu *c, const struct insn *in)
{
    u16 sel = (u16)opnd_load(c, in, 0, 2);
    u64 d;
    bool ok = probe_descriptor(c, sel, &d) && desc_s(d) && visible(c, sel, d) &&
              (desc_type(d) & (SEG_CODE | SEG_RW)) == SEG_RW;

    flags_set(c, F_Z, ok ? F_Z : 0);
}

static void check_umip(struct cpu *c)
{
    if ((c->cr4 & CR4_UMIP) && cpu_cpl(c) > 0)
        cpu_raise(c, EXC_GP, 0);
}

static void store_selector(struct cpu *c, const struct insn *in, u64 v)
{
    check_umip(c);
    opnd_store(c, in, 0, v, in->kind[0] == K_REG ? in->opsz : 2);
}

void x_sldt(struct cpu *c, const struct insn *in)
{
    store_selector(c, in, c->ldtr.sel);
}

void x_str(struct cpu *c, const struct insn *in)
{
    store_selector(c, in, c->tr.sel);
}

void x_smsw(struct cpu *c, const struct insn *in)
{
    store_selector(c, in, c->cr0);
}

/* A system segment for LDTR or TR: 16 bytes in long mode (SDM 3A 3.5). */
static struct seg load_system(struct cpu *c, u16 sel, u32 legal_types, u64 *lin)
{
    struct seg s;
    u64 d;

    if ((sel & 4) || !desc_address(c, sel, lin))
        cpu_raise(c, EXC_GP, sel & ~3u);
    d = mmu_load_sys(c, *lin, 8);
    if (desc_s(d) || !(legal_types >> desc_type(d) & 1))
        cpu_raise(c, EXC_GP, sel & ~3u);
    if (!desc_present(d))
        cpu_raise(c, EXC_NP, sel & ~3u);
    s = seg_from_desc(sel, d);
    if (c->mode & MODE_LMA) {
        u64 high_lin;
        if (!desc_address(c, (u16)(sel + 8), &high_lin))
            cpu_raise(c, EXC_GP, sel & ~3u);
        s.base |= mmu_load_sys(c, high_lin, 4) << 32;
        if (!canonical(s.base))
            cpu_raise(c, EXC_GP, sel & ~3u);
    }
    return s;
}

void x_lldt(struct cpu *c, const struct insn *in)
{
    u16 sel = (u16)opnd_load(c, in, 0, 2);
    u64 lin;

    if ((sel & ~3u) == 0)
        c->ldtr = (struct seg){ .sel = sel };
    else
        c->ldtr = load_system(c, sel, 1 << SYS_LDT, &lin);
}

void x_ltr(struct cpu *c, const struct insn *in)
{
    u16 sel = (u16)opnd_load(c, in, 0, 2);
    u32 legal = c->mode & MODE_LMA ? 1 << SYS_TSS : 1 << SYS_TSS | 1 << SYS_TSS16;
    struct seg s;
    u64 lin;

    if ((sel & ~3u) == 0)
        cpu_raise(c, EXC_GP, 0);
    s = load_system(c, sel, legal, &lin);
    s.attr |= 2; /* busy */
    mmu_store_sys(c, lin + 5, s.attr & 0xff, 1);
    c->tr = s;
}

static void store_table(struct cpu *c, const struct insn *in, const struct dtable *t)
{
    unsigned size = in->opsz == 8 ? 8 : 4;
    u64 lin;

    check_umip(c);
    lin = opnd_lin(c, in, 0, 2 + size, ACC_WRITE);
    mmu_probe(c, lin, 2 + size, ACC_WRITE);
    mmu_store(c, lin, t->limit, 2);
    mmu_store(c, lin + 2, t->base, size);
}

void x_sgdt(struct cpu *c, const struct insn *in)
{
    store_table(c, in, &c->gdtr);
}

void x_sidt(struct cpu *c, const struct insn *in)
{
    store_table(c, in, &c->idtr);
}

static struct dtable load_table(struct cpu *c, const struct insn *in)
{
    unsigned size = in->opsz == 8 ? 8 : 4;
    u64 lin = opnd_lin(c, in, 0, 2 + size, ACC_READ);
    struct dtable t = { .limit = (u16)mmu_load(c, lin, 2) };

    t.base = mmu_load(c, lin + 2, size);
    if (in->opsz == 2)
        t.base &= 0xffffff; /* SDM 2A LGDT: 24 bits with a 16-bit operand size */
    if (size == 8 && !canonical(t.base))
        cpu_raise(c, EXC_GP, 0);
    return t;
}

void x_lgdt(struct cpu *c, const struct insn *in)
{
    c->gdtr = load_table(c, in);
}

void x_lidt(struct cpu *c, const struct insn *in)
{
    c->idtr = load_table(c, in);
}

void x_swapgs(struct cpu *c, const struct insn *in)
{
    u64 base = c->seg[GS].base;

    (void)in;
    c->seg[GS].base = c->msr.kernel_gs_base;
    c->msr.kernel_gs_base = base;
}
