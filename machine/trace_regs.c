/*
 * Changed registers, as items of a trace line. Nearly every instruction changes only general
 * registers and flags, so the others are compared all at once first.
 *
 * ORDER: the numbers of registers in items: 16 general ones, flags, then the names[] below.
 */
#include "machine/trace_regs.h"
#include "cpu/flags.h"

void trace_regs_take(struct trace_regs *r, const struct cpu *c)
{
    memcpy(r->gpr, c->gpr, sizeof(r->gpr));
    r->flags = flags_all(c);
    memcpy(r->seg, c->seg, sizeof(r->seg));
    memcpy(&r->ldtr, &c->ldtr, sizeof(r->ldtr));
    memcpy(&r->tr, &c->tr, sizeof(r->tr));
    memcpy(&r->gdtr, &c->gdtr, sizeof(r->gdtr));
    memcpy(&r->idtr, &c->idtr, sizeof(r->idtr));
    r->cr0 = c->cr0;
    r->cr2 = c->cr2;
    r->cr3 = c->cr3;
    r->cr4 = c->cr4;
    r->cr8 = c->cr8;
    memcpy(r->dr, c->dr, sizeof(r->dr));
    r->msr = c->msr;
}

/* ---- finding ---- */

enum {
    REG_FLAGS = 16,
    REG_SEGS, /* selector and base of each in turn */
    REG_LDTR = REG_SEGS + 2 * NR_SEGS,
    REG_TR = REG_LDTR + 2,
    REG_GDTR = REG_TR + 2,
    REG_IDTR,
    REG_PLAIN,
};

/* Registers that are one number. The MTRRs' arrays are not shown. */
/* clang-format off */
#define REG(name, field) { name, offsetof(struct trace_regs, field) }
#define MSR(field) REG(#field, msr.field)
static const struct {
    const char *name;
    size_t offset;
} plain[] = {
    REG("cr0", cr0), REG("cr2", cr2), REG("cr3", cr3), REG("cr4", cr4), REG("cr8", cr8),
    REG("dr0", dr[0]), REG("dr1", dr[1]), REG("dr2", dr[2]), REG("dr3", dr[3]),
    REG("dr6", dr[6]), REG("dr7", dr[7]),
    MSR(efer), MSR(star), MSR(lstar), MSR(cstar), MSR(fmask), MSR(kernel_gs_base),
    MSR(tsc_aux), MSR(tsc_offset), MSR(sysenter_cs), MSR(sysenter_esp), MSR(sysenter_eip),
    MSR(apic_base), MSR(pat), MSR(misc_enable), MSR(mtrr_def_type),
};
#undef REG
#undef MSR
/* clang-format on */

_Static_assert(REG_PLAIN + ARRAY_LEN(plain) <= TRACE_REGS_MAX, "room for all of them");

static struct trace_item *add(struct trace_item *i, unsigned reg, u64 value, unsigned digits)
{
    *i = (struct trace_item){
        .kind = TRACE_REG, .reg = (u8)reg, .digits = (u8)digits, .value = value};
    return i + 1;
}

static unsigned address_digits(const struct cpu *c)
{
    return c->mode & MODE_LMA ? 16 : 8;
}

/* A selector when anything but the base has changed; the base when it does not follow from it. */
static struct trace_item *add_segment(struct trace_item *i, const struct cpu *c, unsigned reg,
                                      const struct seg *now, const struct seg *old)
{
    if (now->sel != old->sel || now->attr != old->attr || now->limit != old->limit)
        i = add(i, reg, now->sel, 4);
    if (now->base != old->base && !(mode_real(c->mode) && now->base == (u64)now->sel << 4))
        i = add(i, reg + 1, now->base, address_digits(c));
    return i;
}

static struct trace_item *add_table(struct trace_item *i, const struct cpu *c, unsigned reg,
                                    const struct dtable *now, const struct dtable *old)
{
    if (now->base == old->base && now->limit == old->limit)
        return i;
    i = add(i, reg, now->base, address_digits(c));
    i[-1].limit = now->limit;
    return i;
}

static struct trace_item *add_system(struct trace_item *i, const struct cpu *c,
                                     const struct trace_regs *old)
{
    struct trace_regs now = {0};

    trace_regs_take(&now, c);
    for (unsigned s = 0; s < NR_SEGS; s++)
        i = add_segment(i, c, REG_SEGS + 2 * s, &now.seg[s], &old->seg[s]);
    i = add_segment(i, c, REG_LDTR, &now.ldtr, &old->ldtr);
    i = add_segment(i, c, REG_TR, &now.tr, &old->tr);
    i = add_table(i, c, REG_GDTR, &now.gdtr, &old->gdtr);
    i = add_table(i, c, REG_IDTR, &now.idtr, &old->idtr);
    for (unsigned p = 0; p < ARRAY_LEN(plain); p++) {
        u64 v = load_le((const u8 *)&now + plain[p].offset, 8);

        if (v != load_le((const u8 *)old + plain[p].offset, 8))
            i = add(i, REG_PLAIN + p, v, 16);
    }
    return i;
}

static bool system_same(const struct trace_regs *r, const struct cpu *c)
{
    return !memcmp(r->seg, c->seg, sizeof(r->seg)) &&
           !memcmp(&r->ldtr, &c->ldtr, sizeof(r->ldtr)) && !memcmp(&r->tr, &c->tr, sizeof(r->tr)) &&
           !memcmp(&r->gdtr, &c->gdtr, sizeof(r->gdtr)) &&
           !memcmp(&r->idtr, &c->idtr, sizeof(r->idtr)) && r->cr0 == c->cr0 && r->cr2 == c->cr2 &&
           r->cr3 == c->cr3 && r->cr4 == c->cr4 && r->cr8 == c->cr8 &&
           !memcmp(r->dr, c->dr, sizeof(r->dr)) && !memcmp(&r->msr, &c->msr, sizeof(r->msr));
}

unsigned trace_regs_changed(struct trace_regs *old, const struct cpu *c,
                            struct trace_item items[TRACE_REGS_MAX])
{
    struct trace_item *i = items;
    u32 flags = flags_all(c);

    for (unsigned r = 0; r < 16; r++)
        if (c->gpr[r] != old->gpr[r]) {
            i = add(i, r, c->gpr[r], r < 8 && !(c->mode & MODE_LMA) ? 8 : 16);
            old->gpr[r] = c->gpr[r];
        }
    if (flags != old->flags) {
        i = add(i, REG_FLAGS, flags, 0);
        old->flags = flags;
    }
    if (UNLIKELY(!system_same(old, c))) {
        i = add_system(i, c, old);
        trace_regs_take(old, c);
    }
    return (unsigned)(i - items);
}

/* ---- writing ---- */

static void put_flags(struct trace_line *l, u32 f)
{
    static const struct {
        u32 mask;
        const char *name;
    } rare[] = {{F_NT, "nt"},   {F_RF, "rf"},   {F_VM, "vm"}, {F_AC, "ac"},
                {F_VIF, "vif"}, {F_VIP, "vip"}, {F_ID, "id"}};
    static const char letters[] = "oditszapc";
    static const u32 order[] = {F_O, F_D, F_I, F_T, F_S, F_Z, F_A, F_P, F_C};

    trace_line_item(l);
    trace_line_string(l, "flags=");
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        *l->p++ = (char)(f & order[i] ? letters[i] - 'a' + 'A' : letters[i]);
    if (f & F_IOPL) {
        trace_line_string(l, ",iopl");
        *l->p++ = (char)('0' + ((f & F_IOPL) >> 12));
    }
    for (unsigned i = 0; i < ARRAY_LEN(rare); i++)
        if (f & rare[i].mask) {
            *l->p++ = ',';
            trace_line_string(l, rare[i].name);
        }
}

static const char *name_of(const struct trace_item *i)
{
    static const char wide[16][4] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                     "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    static const char narrow[8][4] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
    static const char *const hidden[] = {"es",   "es.base",   "cs", "cs.base", "ss",   "ss.base",
                                         "ds",   "ds.base",   "fs", "fs.base", "gs",   "gs.base",
                                         "ldtr", "ldtr.base", "tr", "tr.base", "gdtr", "idtr"};

    if (i->reg < REG_FLAGS)
        return i->digits == 8 ? narrow[i->reg] : wide[i->reg];
    return i->reg < REG_PLAIN ? hidden[i->reg - REG_SEGS] : plain[i->reg - REG_PLAIN].name;
}

void trace_regs_put(struct trace_line *l, const struct trace_item *i)
{
    if (i->reg == REG_FLAGS) {
        put_flags(l, (u32)i->value);
        return;
    }
    trace_line_value(l, name_of(i), i->value, i->digits);
    if (i->reg == REG_GDTR || i->reg == REG_IDTR) {
        *l->p++ = ':';
        l->p = put_hex(l->p, i->limit, 4);
    }
}
