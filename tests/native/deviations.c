/*
 * See deviations.h. A rule sees one instruction, run by itself: the slot holds the state before it
 * and what the witness made of it.
 */
#include "tests/native/difference.h"
#include <stdio.h>

bool equal_registers(const struct difference *d, const struct nstate *ours, int gpr)
{
    unsigned nr = d->s->in.cs == d->facts->cs64 ? 16 : 8; /* the others are not kept there */

    for (unsigned i = 0; i < nr; i++) {
        u64 theirs = d->s->out.gpr[i];

        if (i == RSP && d->s->in.ss == LDT_STACK16 * 8 + 7)
            theirs &= 0xffffffff; /* as judge_compare */
        if ((int)i != gpr && ours->gpr[i] != theirs)
            return false;
    }
    return true;
}

bool equal_state(const struct difference *d, const struct nstate *ours, u32 flags, int gpr, bool memory)
{
    const struct nstate *theirs = &d->s->out;
    u64 ignore = flags | d->v->undefined | (d->facts->rf_lost ? F_RF : 0);

    return equal_registers(d, ours, gpr) && ours->rip == theirs->rip &&
           !((ours->flags ^ theirs->flags) & ~ignore) && ours->cs == theirs->cs && ours->ss == theirs->ss &&
           d->ours == d->theirs && (memory || !memcmp(d->v->image, d->s->image_out, IMAGE_BYTES));
}

bool equal_but(const struct difference *d, u32 flags, int gpr, bool memory)
{
    return equal_state(d, &d->v->out, flags, gpr, memory);
}

bool equal_fx(const struct difference *d)
{
    return judge_equal_fx(d->v->out.fx, d->s->out.fx, d->s->in.cs == d->facts->cs64);
}

const u8 *opcode_of(const struct difference *d, bool *locked)
{
    static const u8 prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};
    const u8 *b = d->bytes;
    unsigned i = 0;

    for (*locked = false; i < 12 && memchr(prefixes, b[i], sizeof(prefixes)); i++)
        *locked = *locked || b[i] == 0xf0;
    return b + i + (d->s->in.cs == d->facts->cs64 && b[i] >> 4 == 4);
}

bool has_memory(const struct insn *in)
{
    return in->kind[0] == K_MEM || in->kind[1] == K_MEM || in->kind[2] == K_MEM ||
           in->kind[0] == K_MOFF || in->kind[1] == K_MOFF || in->row == ROW_XLAT;
}

/* ---- what more than one witness has ---- */

bool far_return_frame(const struct difference *d)
{
    return (is(d, ROW_RETF) || is(d, ROW_RETF_Iw)) && (d->ours == EXC_PF || d->ours == EXC_SS) &&
           faulted_there(d, EXC_GP);
}

/* SDM 3A 5.3: where the limit is FFFFFFFFh, whether an access across it faults is left open. */
bool across_4g(const struct rig *r, const struct step *st)
{
    const struct cpu *c = &r->c;
    const struct insn *in = &st->in;
    u64 size = in->row == ROW_FXRSTOR ? 512 : in->row == ROW_FRSTOR ? 108 : 32; /* or less */
    u32 stack = (u32)(c->gpr[RSP] + c->seg[SS].base), base = (u32)c->seg[in->seg].base, at;

    if (c->seg[CS].attr & SEG_L)
        return false;
    if (stack + 32u < 64) /* whether it is used or not */
        return true;
    if (in->row == ROW_LEAVE || in->row == ROW_ENTER)
        return (u32)(c->gpr[RBP] + c->seg[SS].base) + 256u < 512;
    if (isa_rows[in->row].attr & A_REP) {
        if (in->pfx & (PFX_REP | PFX_REPNE))
            size = 4096; /* from the last page on it may get there */
        return (u32)c->gpr[RSI] + base > UINT32_MAX - size ||
               (u32)(c->gpr[RDI] + c->seg[ES].base) > UINT32_MAX - size;
    }
    if (in->row == ROW_MASKMOVQ || in->row == ROW_MASKMOVDQU)
        return (u32)ea_mask(c->gpr[RDI], in->adsz) + base > UINT32_MAX - size;
    for (int i = 0; i < 3; i++) {
        if (in->kind[i] != K_MEM && in->kind[i] != K_MOFF)
            continue;
        at = (u32)mem_off(c, in, i) + base;
        if (in->row == ROW_BT_EvGv || in->row == ROW_BTS_EvGv || in->row == ROW_BTR_EvGv ||
            in->row == ROW_BTC_EvGv) /* the bit's number moves the operand */
            at += in->opsz == 2 ? (u32)((i16)c->gpr[in->reg[1]] >> 4) * 2
                                : (u32)((i32)c->gpr[in->reg[1]] >> 5) * 4;
        if (at > UINT32_MAX - size)
            return true;
    }
    return false;
}

bool locked_across_line(const struct rig *r, const struct step *st)
{
    const struct cpu *c = &r->c;
    const struct insn *in = &st->in;
    bool xchg = in->row == ROW_XCHG_EbGb || in->row == ROW_XCHG_EvGv;
    u64 lin;

    if (in->kind[0] != K_MEM || !(xchg || (in->pfx & PFX_LOCK)))
        return false;
    lin = mem_off(c, in, 0) + (in->seg >= FS || !(c->seg[CS].attr & SEG_L) ? c->seg[in->seg].base : 0);
    if (in->row == ROW_BTS_EvGv || in->row == ROW_BTR_EvGv || in->row == ROW_BTC_EvGv)
        return lin % in->opsz; /* the bit's number adds a multiple of that */
    return lin % 64 + in->opsz > 64;
}

u64 iret_flags(const struct rig *r, const struct step *st)
{
    const struct cpu *c = &r->c;
    u64 lin = c->gpr[RSP] + 2 * st->in.opsz, off;
    enum region reg;

    if (!(c->seg[CS].attr & SEG_L))
        lin = (u32)(lin + c->seg[SS].base);
    return st->in.row == ROW_IRET && st->in.opsz > 2 && rig_find(lin, &reg, &off)
               ? load_le(r->region[reg] + off, 4) : 0;
}

/* ---- by witness ---- */

static const struct deviations *deviations_of(const struct host_facts *f)
{
    static const struct deviations none;

    if (*f->emulator)
        return !strcmp(f->emulator, qemu_deviations.witness) ? &qemu_deviations : &none;
    return f->amd ? &none : &intel_deviations;
}

int deviation_of(const struct host_facts *f, const struct slot *s, const struct verdict *v, bool whole)
{
    const struct deviations *known = deviations_of(f);

    for (unsigned i = whole && v->nr_steps ? v->nr_steps - 1 : 0; i < v->nr_steps; i++) {
        const struct step *st = &v->steps[i];
        struct difference d = { f, s, v, &st->in, st->bytes, v->end.vector, s->end.vector };

        for (unsigned k = 0; k < known->nr; k++)
            if (whole == known->list[k].whole && known->list[k].fits(&d))
                return (int)k;
    }
    return -1;
}

void deviation_print(const struct host_facts *f, int i, u64 count)
{
    const struct deviations *known = deviations_of(f);

    printf("%s deviates in %llu instructions: %s: %s\n", known->witness, (unsigned long long)count,
           known->list[i].name, known->list[i].reason);
}

bool deviation_breaks_out(const struct host_facts *f, const struct rig *r, const struct step *st,
                          unsigned before)
{
    const struct deviations *known = deviations_of(f);

    return known->breaks_out && known->breaks_out(r, st, before);
}

bool deviation_forbids(const struct host_facts *f, unsigned code, const struct isa_row *r, unsigned bytes)
{
    const struct deviations *known = deviations_of(f);

    return known->forbids && known->forbids(code, r, bytes);
}
