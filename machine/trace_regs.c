/*
 * Changed registers, as items of a trace line. Nearly every instruction changes only general
 * registers and flags, so the others are compared all at once first.
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

static unsigned address_digits(const struct cpu *c)
{
    return c->mode & MODE_LMA ? 16 : 8;
}

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

static void put_general(struct trace_line *l, const struct cpu *c, unsigned reg, u64 v)
{
    static const char wide[16][4] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                     "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    static const char narrow[8][4] = {"eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"};
    bool legacy = reg < 8 && !(c->mode & MODE_LMA);

    trace_line_value(l, legacy ? narrow[reg] : wide[reg], v, legacy ? 8 : 16);
}

/* A selector when anything but the base has changed; the base when it does not follow from it. */
static void put_segment(struct trace_line *l, const struct cpu *c, const char *name,
                        const char *base_name, const struct seg *now, const struct seg *old)
{
    if (now->sel != old->sel || now->attr != old->attr || now->limit != old->limit)
        trace_line_value(l, name, now->sel, 4);
    if (now->base != old->base && !(mode_real(c->mode) && now->base == (u64)now->sel << 4))
        trace_line_value(l, base_name, now->base, address_digits(c));
}

static void put_table(struct trace_line *l, const struct cpu *c, const char *name,
                      const struct dtable *d)
{
    trace_line_value(l, name, d->base, address_digits(c));
    *l->p++ = ':';
    l->p = put_hex(l->p, d->limit, 4);
}

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

static void put_system(struct trace_line *l, const struct cpu *c, const struct trace_regs *now,
                       const struct trace_regs *old)
{
    static const char *const segs[NR_SEGS][2] = {{"es", "es.base"}, {"cs", "cs.base"},
                                                 {"ss", "ss.base"}, {"ds", "ds.base"},
                                                 {"fs", "fs.base"}, {"gs", "gs.base"}};
    for (unsigned i = 0; i < NR_SEGS; i++)
        put_segment(l, c, segs[i][0], segs[i][1], &now->seg[i], &old->seg[i]);
    put_segment(l, c, "ldtr", "ldtr.base", &now->ldtr, &old->ldtr);
    put_segment(l, c, "tr", "tr.base", &now->tr, &old->tr);
    if (now->gdtr.base != old->gdtr.base || now->gdtr.limit != old->gdtr.limit)
        put_table(l, c, "gdtr", &now->gdtr);
    if (now->idtr.base != old->idtr.base || now->idtr.limit != old->idtr.limit)
        put_table(l, c, "idtr", &now->idtr);
    for (unsigned i = 0; i < ARRAY_LEN(plain); i++) {
        u64 v = load_le((const u8 *)now + plain[i].offset, 8);

        if (v != load_le((const u8 *)old + plain[i].offset, 8))
            trace_line_value(l, plain[i].name, v, 16);
    }
}

void trace_regs_put(struct trace_line *l, const struct cpu *c, const struct trace_regs *now,
                    const struct trace_regs *old)
{
    for (unsigned i = 0; i < 16; i++)
        if (now->gpr[i] != old->gpr[i])
            put_general(l, c, i, now->gpr[i]);
    if (now->flags != old->flags)
        put_flags(l, now->flags);
    if (memcmp(now->seg, old->seg, sizeof(*now) - offsetof(struct trace_regs, seg)))
        put_system(l, c, now, old);
}
