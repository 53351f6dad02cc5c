/*
 * The processor as an object: creation, reset, the mode word, faults, saved state.
 * SDM 3A 10.1 (reset), 6.5 (faults).
 */
#include "cpu/cpu.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/state.h"
#include "cpu/cpu_model.h"
#include "cpu/dr.h"
#include "cpu/operand.h"
#include "cpu/segment.h"
#include "cpu/vec.h"
#include <stdlib.h>

int cpu_init(struct cpu *c, const struct cpu_config *cfg)
{
    memset(c, 0, sizeof(*c));
    c->cfg = *cfg;
    c->features = cfg->features;
    c->random = cfg->seed;
    c->delivering = DELIVER_NONE;
    c->tlb = tlb_create();
    if (!c->tlb)
        return -1;
    for (int i = 0; i < NR_FAST_SETS; i++)
        c->fast_sets[i].nr_filled = FAST_LISTED + 1; /* the first flush visits all */
    c->fast = &c->fast_sets[0];
    silicon_probe(c);
    clock_attach(cfg->clk, &c->budget);
    cpu_reset(c);
    return 0;
}

void cpu_fini(struct cpu *c)
{
    free(c->tlb);
    c->tlb = NULL;
}

void cpu_reset(struct cpu *c)
{
    const u16 data = SEG_P | SEG_S | SEG_RW | SEG_ACCESSED;

    memset(c->gpr, 0, sizeof(c->gpr));
    c->gpr[RDX] = CPU_SIGNATURE;
    c->rip = c->next_rip = 0xfff0;
    c->eflags = F_1;
    c->lf = (struct lazy_flags){ 0 };
    c->cr0 = CR0_ET | CR0_NW | CR0_CD;
    c->cr2 = c->cr3 = c->cr4 = c->cr8 = 0;
    memset(c->pdpte, 0, sizeof(c->pdpte));
    memset(c->dr, 0, sizeof(c->dr));
    c->dr[6] = 0xffff0ff0;
    c->dr[7] = 0x400;
    floating_to_memory(c);
    c->ferr = c->ignne = false;
    c->xcr0 = XCR0_X87;
    c->fpu = (struct fpu){ .cw = 0x40, .valid = 0xff, .mxcsr = 0x1f80 };
    memset(&c->msr, 0, offsetof(struct msrs, mc)); /* what a bank says stays (APM 2 9.3) */
    c->msr.pat = 0x0007040600070406;
    for (int i = 0; i < NR_SEGS; i++) {
        c->seg[i] = (struct seg){ .attr = data, .limit = 0xffff, .usable = 1 };
        seg_update_fast(&c->seg[i]);
    }
    c->seg[CS].sel = 0xf000;
    c->seg[CS].base = 0xffff0000;
    c->gdtr = c->idtr = (struct dtable){ .limit = 0xffff };
    c->ldtr = (struct seg){ .attr = SEG_P | SYS_LDT, .limit = 0xffff };
    c->tr = (struct seg){ .attr = SEG_P | SYS_TSS_BUSY, .limit = 0xffff };
    c->cpl = 0;
    c->halted = HALT_NONE;
    c->nmi_masked = c->monitor_armed = c->rep_interrupted = false;
    c->shadow = SHADOW_NONE;
    c->debug_pending = 0;
    c->delivering = DELIVER_NONE;
    c->attention &= ATT_INTR | ATT_STOP;
    mmu_flush_all(c);
    cpu_update_mode(c);
}

/* What INIT leaves alone: x87 and SSE, MSRs other than EFER, and CR0's cache bits. The TLB goes. */
void cpu_take_init(struct cpu *c)
{
    struct msrs msr = c->msr;
    struct fpu fpu;
    u64 cache = c->cr0 & (CR0_CD | CR0_NW), cr8 = c->cr8, xcr0 = c->xcr0;
    bool nmi = c->attention & ATT_NMI, ferr = c->ferr, ignne = c->ignne;

    floating_to_memory(c);
    fpu = c->fpu;
    cpu_reset(c);
    c->xcr0 = xcr0;
    c->ferr = ferr;
    c->ignne = ignne;
    msr.efer = 0;
    c->msr = msr;
    c->fpu = fpu;
    c->cr0 = CR0_ET | cache;
    c->cr8 = cr8; /* the APIC's, which INIT has reached, too */
    c->attention |= nmi ? ATT_NMI : 0;
}

void cpu_update_mode(struct cpu *c)
{
    u32 m = 0;

    if (c->cr0 & CR0_PE) {
        m |= MODE_PE | c->cpl << MODE_CPL_SHIFT;
        if (c->eflags & F_VM)
            m |= MODE_VM;
    }
    if (c->cr0 & CR0_PG)
        m |= MODE_PG;
    if (c->msr.efer & EFER_LMA)
        m |= MODE_LMA;
    if ((m & MODE_LMA) && (c->seg[CS].attr & SEG_L))
        m |= MODE_CODE64 | MODE_SS32;
    else {
        m |= c->seg[CS].attr & SEG_DB && !(m & MODE_VM) ? MODE_CODE32 : MODE_CODE16;
        m |= c->seg[SS].attr & SEG_DB && !(m & MODE_VM) ? MODE_SS32 : 0;
    }
    if (c->eflags & F_T)
        m |= MODE_TF;
    if (c->shadow)
        m |= MODE_SHADOW;
    if (c->dr[7] & DR7_ENABLE)
        m |= MODE_DR7;
    if (c->cr0 & (CR0_EM | CR0_TS))
        m |= MODE_EM_TS;
    if ((c->cr0 & (CR0_EM | CR0_TS)) || !(c->cr4 & CR4_OSFXSR))
        m |= MODE_NO_SSE;
    if ((c->cr0 & CR0_AM) && (c->eflags & F_AC) && c->cpl == 3)
        m |= MODE_AC;
    if (UNLIKELY((c->eflags & (F_VIF | F_VIP)) == (F_VIF | F_VIP)) && c->cpl == 3 &&
        (c->cr4 & (m & MODE_VM ? CR4_VME : CR4_PVI)))
        m |= MODE_VIP;
    c->mode = m;
    c->fast = &c->fast_sets[(m & MODE_AC) || (c->observer && c->observer->mem) || c->cfg.engine.hash_writes
                                    ? FAST_NONE
                                    : cpu_fast_set(c)];
}

unsigned cpu_fast_set(const struct cpu *c)
{
    if (c->cpl == 3)
        return FAST_USER;
    return (c->cr4 & CR4_SMAP) && (c->eflags & F_AC) ? FAST_SMAP_LIFTED : FAST_SUPERVISOR;
}

void cpu_set_intr(void *cpu, unsigned pin, bool level)
{
    struct cpu *c = cpu;

    (void)pin;
    if (level) {
        if (!(c->attention & ATT_INTR)) /* a load drives again what is high already */
            cpu_device_event(c);
        c->attention |= ATT_INTR;
        c->leave = true;
    } else {
        c->attention &= ~(u32)ATT_INTR;
    }
}

void cpu_set_nmi(void *cpu, unsigned pin, bool level)
{
    struct cpu *c = cpu;

    (void)pin;
    if (level && !c->nmi_line) {
        c->attention |= ATT_NMI;
        c->leave = true;
        cpu_device_event(c);
    }
    c->nmi_line = level;
}

static void show_apic(void *cpu, u64 apic_base, u8 cr8)
{
    struct cpu *c = cpu;

    c->msr.apic_base = apic_base;
    c->cr8 = cr8;
}

static void set_init(void *cpu)
{
    struct cpu *c = cpu;

    c->attention |= ATT_INIT;
    c->leave = true;
    cpu_device_event(c);
}

u64 cpu_tsc(const void *cpu)
{
    const struct cpu *c = cpu;

    return clock_ticks(c->cfg.clk) + c->msr.tsc_offset;
}

struct apic_cpu cpu_apic_side(struct cpu *c)
{
    return (struct apic_cpu){ show_apic, cpu_tsc, set_init, c };
}

/* Devices write memory inside their timers and accesses alone, so that is when a line that MONITOR
 * watches may have changed. MWAIT may end for less (SDM 2B MWAIT). */
void cpu_device_event(struct cpu *c)
{
    c->monitor_armed = false;
    if (c->halted == HALT_MWAIT)
        c->halted = HALT_NONE;
}

void cpu_request_stop(struct cpu *c)
{
    c->attention |= ATT_STOP;
    c->leave = true;
}

bool cpu_can_wake(const struct cpu *c)
{
    return (c->attention & ATT_INIT) || ((c->attention & ATT_NMI) && !c->nmi_masked) ||
           ((c->attention & ATT_INTR) && (c->eflags & F_I));
}

void cpu_observe(struct cpu *c, struct cpu_observer *observer)
{
    c->observer = observer;
    cpu_update_mode(c);
}

u64 cpu_lin_rip(const struct cpu *c)
{
    if ((c->mode & MODE_CODE_MASK) == MODE_CODE64)
        return c->rip;
    return (u32)(c->seg[CS].base + c->rip);
}

u32 cpu_flags(const struct cpu *c)
{
    return flags_all(c);
}

void cpu_set_flags(struct cpu *c, u32 eflags)
{
    c->eflags = eflags | F_1;
    c->lf.lazy = 0;
    cpu_update_mode(c);
}

bool cpu_peek_translate(struct cpu *c, u64 lin, u64 *pa)
{
    return mmu_peek(c, lin, pa);
}

static void note(struct cpu *c, enum vector v, u32 error, bool has_error)
{
    /* Real mode has no error codes (SDM 3A 20.1.4). */
    c->exc_vector = (u8)v;
    c->exc_error = error;
    c->exc_has_error = has_error && (c->mode & MODE_PE);
    c->exc_during = c->delivering;
}

static _Noreturn void unwind(struct cpu *c)
{
    ASSERT(c->unwind);
    longjmp(*c->unwind, UNWIND_FAULT);
}

static _Noreturn void raise(struct cpu *c, enum vector v, u32 error, bool has_error)
{
    note(c, v, error, has_error);
    unwind(c);
}

void cpu_raise(struct cpu *c, enum vector v, u32 error_code)
{
    raise(c, v, error_code, true);
}

void cpu_raise_no_code(struct cpu *c, enum vector v)
{
    raise(c, v, 0, false);
}

void cpu_note_pf(struct cpu *c, u64 lin, u32 error_code)
{
    c->cr2 = lin;
    note(c, EXC_PF, error_code, true);
}

void cpu_raise_pf(struct cpu *c, u64 lin, u32 error_code)
{
    cpu_note_pf(c, lin, error_code);
    unwind(c);
}

void cpu_wait_at(struct cpu *c, u8 halted)
{
    c->halted = halted;
    ASSERT(c->unwind);
    longjmp(*c->unwind, UNWIND_WAIT);
}

/* ---- saved state ---- */

static const struct state_field seg_fields[] = {
    STATE(struct seg, sel), STATE(struct seg, attr), STATE(struct seg, limit),
    STATE(struct seg, base), STATE_UPTO(struct seg, usable, 1), STATE_END,
};
static const struct state_field dtable_fields[] = {
    STATE(struct dtable, base), STATE(struct dtable, limit), STATE_END,
};
static const struct state_field msr_fields[] = {
    STATE(struct msrs, efer), STATE(struct msrs, star), STATE(struct msrs, lstar),
    STATE(struct msrs, cstar), STATE(struct msrs, fmask), STATE(struct msrs, kernel_gs_base),
    STATE(struct msrs, tsc_aux), STATE(struct msrs, tsc_offset), STATE(struct msrs, sysenter_cs),
    STATE(struct msrs, sysenter_esp), STATE(struct msrs, sysenter_eip),
    STATE(struct msrs, apic_base), STATE(struct msrs, pat), STATE(struct msrs, misc_enable),
    STATE(struct msrs, mtrr_def_type), STATE_ARRAY(struct msrs, mtrr_fix),
    STATE_ARRAY(struct msrs, mtrr_phys), STATE(struct msrs, syscfg),
    STATE(struct msrs, int_pending), STATE_UPTO(struct msrs, mcg_status, 7),
    STATE(struct msrs, mcg_ctl), STATE_ARRAY(struct msrs, mc),
    STATE_ARRAY(struct msrs, perf_select),
    STATE_ARRAY(struct msrs, perf_count), STATE_END,
};
static const struct state_field xmm_fields[] = { STATE_ARRAY(struct xmm, q), STATE_END };
static const struct state_field st_fields[] = {
    STATE(struct st, mant), STATE(struct st, exp), STATE_END,
};
static const struct state_field fpu_fields[] = {
    STATE_STRUCTS(struct fpu, xmm, xmm_fields), STATE_UPTO(struct fpu, mxcsr, 0xffff),
    STATE(struct fpu, cw), STATE(struct fpu, sw), STATE(struct fpu, valid),
    STATE(struct fpu, fop), STATE(struct fpu, fip), STATE(struct fpu, fdp),
    STATE_STRUCTS(struct fpu, r, st_fields), STATE_END,
};
#define SINCE(version, f, max)                                                                     \
    { #f, offsetof(struct cpu, f), STATE_FIELD_SIZE(struct cpu, f), 1, STATE_KIND_INT, version, NULL, max }
static const struct state_field cpu_fields[] = {
    STATE_ARRAY(struct cpu, gpr), STATE(struct cpu, rip), STATE(struct cpu, eflags),
    STATE_UPTO(struct cpu, halted, HALT_MAX), STATE_UPTO(struct cpu, shadow, SHADOW_MOV_SS),
    STATE_UPTO(struct cpu, nmi_masked, 1),
    STATE_STRUCTS(struct cpu, seg, seg_fields), STATE_STRUCT(struct cpu, ldtr, seg_fields),
    STATE_STRUCT(struct cpu, tr, seg_fields), STATE_STRUCT(struct cpu, gdtr, dtable_fields),
    STATE_STRUCT(struct cpu, idtr, dtable_fields), STATE_UPTO(struct cpu, cr0, UINT32_MAX),
    STATE(struct cpu, cr2),
    STATE(struct cpu, cr3), STATE_UPTO(struct cpu, cr4, UINT32_MAX),
    STATE_UPTO(struct cpu, cr8, 15),
    STATE_ARRAY(struct cpu, pdpte), STATE_ARRAY(struct cpu, dr),
    SINCE(2, debug_pending, 0xe00f), SINCE(3, monitor_armed, 1), SINCE(3, nmi_line, 1),
    STATE_STRUCT(struct cpu, msr, msr_fields), STATE_UPTO(struct cpu, cpl, 3),
    STATE_STRUCT(struct cpu, fpu, fpu_fields), SINCE(5, random, 0),
    SINCE(5, ferr, 1), SINCE(5, ignne, 1), SINCE(5, xcr0, XCR0_KNOWN),
    STATE_UPTO(struct cpu, attention, 31 /* enum attention */), STATE_END,
};
const struct state_desc cpu_state = { "cpu", 5, cpu_fields };

/* What decoding, segments and paging rely on. Everything else that a field may hold is a state
 * that some program could have made. */
bool cpu_plausible(const struct cpu *c, const char **why_not)
{
    bool pe = c->cr0 & CR0_PE, pg = c->cr0 & CR0_PG, vm = pe && (c->eflags & F_VM);
    bool lma = c->msr.efer & EFER_LMA, code64 = lma && (c->seg[CS].attr & SEG_L);

    *why_not = NULL;
    if (c->gpr[NO_REG])
        *why_not = "a register that is always 0 is not";
    else if (!(c->eflags & F_1))
        *why_not = "bit 1 of EFLAGS is 0";
    else if (pg && !pe)
        *why_not = "paging is on in real mode";
    else if (lma != (pg && (c->msr.efer & EFER_LME)) || (lma && !(c->cr4 & CR4_PAE)))
        *why_not = "long mode is on without what it needs";
    else if (c->cpl && !pe)
        *why_not = "real mode has no privilege levels";
    else if (vm && (lma || c->cpl != 3))
        *why_not = "virtual-8086 mode is on where it cannot be";
    else if (!code64 && c->rip >> 33)
        *why_not = "RIP has more than 32 bits";
    return !*why_not;
}

void cpu_loaded(struct cpu *c)
{
    c->lf.lazy = 0;
    fpu_settle(c);
    for (int i = 0; i < NR_SEGS; i++)
        seg_update_fast(&c->seg[i]);
    mmu_flush_fast(c);
    cpu_update_mode(c);
}
