/*
 * Model-specific registers. SDM 4 chapter 2; APM 2 appendix A.
 *
 * One table says where each lives and which bits may be set. What is not in it raises #GP(0) and
 * is counted.
 */
#include "core/clock.h"
#include "core/log.h"
#include "cpu/operand.h"

enum msr_check { CHECK_NONE, CHECK_CANONICAL, CHECK_READ_ONLY, CHECK_IGNORES };

struct msr_def {
    u32 first, count, stride; /* stride in bytes between consecutive registers' fields */
    u32 offset;               /* in struct cpu */
    u64 reserved;             /* bits that must be 0, or, with CHECK_IGNORES, that stay 0 */
    u8 check;
    u8 needs; /* enum feature, without which it is not there */
};

#define FIELD(f) offsetof(struct cpu, f)
/* A machine check bank: MCi_CTL, which has an enable bit for each of 64 sources, MCi_STATUS, which can
 * only be cleared, MCi_ADDR and MCi_MISC (APM 2 9.3.2). */
#define BANK(i)                                                                                    \
    { 0x400 + 4 * i, 1, 0, FIELD(msr.mc[4 * i]), 0, CHECK_NONE, FEAT_MCA },                        \
    { 0x401 + 4 * i, 1, 0, FIELD(msr.mc[4 * i + 1]), ~0ull, CHECK_NONE, FEAT_MCA },                \
    { 0x402 + 4 * i, 2, 8, FIELD(msr.mc[4 * i + 2]), 0, CHECK_NONE, FEAT_MCA }
static const struct msr_def msrs[] = {
    { 0x0fe, 1, 0, 0, 0, CHECK_READ_ONLY, FEAT_NONE }, /* MTRRCAP */
    { 0x174, 1, 0, FIELD(msr.sysenter_cs), 0xffffffff00000000, CHECK_NONE, FEAT_NONE },
    { 0x175, 1, 0, FIELD(msr.sysenter_esp), 0, CHECK_CANONICAL, FEAT_NONE },
    { 0x176, 1, 0, FIELD(msr.sysenter_eip), 0, CHECK_CANONICAL, FEAT_NONE },
    { 0x179, 1, 0, 0, 0, CHECK_READ_ONLY, FEAT_MCA }, /* MCG_CAP */
    { 0x17a, 1, 0, FIELD(msr.mcg_status), ~7ull, CHECK_IGNORES, FEAT_MCA },
    { 0x17b, 1, 0, FIELD(msr.mcg_ctl), 0, CHECK_NONE, FEAT_MCA },
    { 0x1a0, 1, 0, FIELD(msr.misc_enable), 0, CHECK_NONE, FEAT_NONE },
    { 0x200, 16, 8, FIELD(msr.mtrr_phys), 0, CHECK_NONE, FEAT_NONE },
    { 0x250, 1, 0, FIELD(msr.mtrr_fix[0]), 0, CHECK_NONE, FEAT_NONE },
    { 0x258, 2, 8, FIELD(msr.mtrr_fix[1]), 0, CHECK_NONE, FEAT_NONE },
    { 0x268, 8, 8, FIELD(msr.mtrr_fix[3]), 0, CHECK_NONE, FEAT_NONE },
    { 0x277, 1, 0, FIELD(msr.pat), 0xf8f8f8f8f8f8f8f8, CHECK_NONE, FEAT_NONE },
    { 0x2ff, 1, 0, FIELD(msr.mtrr_def_type), ~0xcffull, CHECK_NONE, FEAT_NONE },
    BANK(0), BANK(1), BANK(2), BANK(3), BANK(4), BANK(5), BANK(6), BANK(7), BANK(8), BANK(9),
    { 0xc0000081, 1, 0, FIELD(msr.star), 0, CHECK_NONE, FEAT_NONE },
    { 0xc0000082, 1, 0, FIELD(msr.lstar), 0, CHECK_CANONICAL, FEAT_NONE },
    { 0xc0000083, 1, 0, FIELD(msr.cstar), 0, CHECK_CANONICAL, FEAT_NONE },
    { 0xc0000084, 1, 0, FIELD(msr.fmask), 0xffffffff00000000, CHECK_NONE, FEAT_NONE },
    { 0xc0000100, 1, 0, FIELD(seg[FS].base), 0, CHECK_CANONICAL, FEAT_NONE },
    { 0xc0000101, 1, 0, FIELD(seg[GS].base), 0, CHECK_CANONICAL, FEAT_NONE },
    { 0xc0000102, 1, 0, FIELD(msr.kernel_gs_base), 0, CHECK_CANONICAL, FEAT_NONE },
    { 0xc0000103, 1, 0, FIELD(msr.tsc_aux), 0xffffffff00000000, CHECK_NONE, FEAT_NONE },
    /* DEVIATION: nothing is counted; every AMD64 processor has them (APM 2 13.2), so guests ask not. */
    { 0xc0010000, 4, 8, FIELD(msr.perf_select), 0, CHECK_NONE, FEAT_NONE },
    { 0xc0010004, 4, 8, FIELD(msr.perf_count), 0, CHECK_NONE, FEAT_NONE },
    /* APM 2 7.9: MTRR extensions, kept */
    { 0xc0010010, 1, 0, FIELD(msr.syscfg), ~0x7c0000ull, CHECK_NONE, FEAT_NONE },
    /* Which message the chipset gets for a halt; kept. A guest finds C1E off (BKDG 0Fh NPT, C001_0055h). */
    { 0xc0010055, 1, 0, FIELD(msr.int_pending), ~0x1fffffffull, CHECK_NONE, FEAT_NONE },
};
_Static_assert(MC_BANKS == 10, "one BANK for each");
enum { MSR_TSC = 0x10, MSR_APIC_BASE = 0x1b, MSR_MTRRCAP = 0xfe, MSR_MCG_CAP = 0x179,
       MSR_TSC_DEADLINE = 0x6e0, MSR_X2APIC = 0x800, MSR_EFER = 0xc0000080 };
enum { APIC_BASE_EXTD = 1 << 10, MCG_CTLP = 1 << 8 };

/* The local APIC's; what CPUID does not report is not there (SDM 4 table 2-2, 3A 10.12.1). */
static bool is_apics(const struct cpu *c, u32 n)
{
    return c->cfg.apic.apic && (n == MSR_APIC_BASE ||
                                (n == MSR_TSC_DEADLINE && cpu_offers(c, FEAT_TSC_DEADLINE)) ||
                                (n >> 8 == MSR_X2APIC >> 8 && cpu_offers(c, FEAT_X2APIC)));
}

static bool apic_read(struct cpu *c, u32 n, u64 *v)
{
    return c->cfg.apic.read_msr(c->cfg.apic.apic, n, v);
}

static bool apic_write(struct cpu *c, u32 n, u64 v)
{
    const u64 reserved = ~(BIT(40) - 1) | /* MAXPHYADDR, as CPUID 80000008h says */
                         (cpu_offers(c, FEAT_X2APIC) ? 0 : APIC_BASE_EXTD);

    if (n == MSR_APIC_BASE && (v & reserved))
        return false;
    return c->cfg.apic.write_msr(c->cfg.apic.apic, n, v);
}

static const struct msr_def *find(u32 n, u64 **field, struct cpu *c)
{
    for (unsigned i = 0; i < ARRAY_LEN(msrs); i++)
        if (n - msrs[i].first < msrs[i].count && cpu_offers(c, msrs[i].needs)) {
            *field = (u64 *)((char *)c + msrs[i].offset + (n - msrs[i].first) * msrs[i].stride);
            return &msrs[i];
        }
    return NULL;
}

void x_rdmsr(struct cpu *c, const struct insn *in)
{
    u32 n = (u32)c->gpr[RCX];
    u64 *field, v;

    (void)in;
    if (n == MSR_TSC) {
        v = cpu_tsc(c);
    } else if (is_apics(c, n)) {
        if (!apic_read(c, n, &v))
            cpu_raise(c, EXC_GP, 0);
    } else if (n == MSR_MTRRCAP) {
        v = 0x508; /* eight variable ranges, fixed ranges, write-combining */
    } else if (n == MSR_MCG_CAP && cpu_offers(c, FEAT_MCA)) {
        v = MCG_CTLP | MC_BANKS; /* APM 2 9.3.1.1; QEMU's has Intel's SER_P, too */
    } else if (n == MSR_EFER) {
        v = c->msr.efer;
    } else if (find(n, &field, c)) {
        v = *field;
    } else {
        guest_error(c->cfg.log, "cpu: RDMSR of unknown register %08x", n);
        cpu_raise(c, EXC_GP, 0);
    }
    c->gpr[RAX] = (u32)v;
    c->gpr[RDX] = v >> 32;
}

static void write_efer(struct cpu *c, u64 v)
{
    const u64 known = EFER_LME | EFER_LMA | (cpu_offers(c, FEAT_SYSCALL) ? EFER_SCE : 0) |
                      (cpu_offers(c, FEAT_NX) ? EFER_NXE : 0);
    u64 changed = v ^ c->msr.efer;

    if ((v & ~known) || ((changed & EFER_LME) && (c->cr0 & CR0_PG)))
        cpu_raise(c, EXC_GP, 0);
    c->msr.efer = (v & ~(u64)EFER_LMA) | (c->msr.efer & EFER_LMA);
    if (changed & EFER_NXE)
        mmu_flush_all(c);
    cpu_update_mode(c);
}

void x_wrmsr(struct cpu *c, const struct insn *in)
{
    u32 n = (u32)c->gpr[RCX];
    u64 v = (u32)c->gpr[RAX] | c->gpr[RDX] << 32, *field;
    const struct msr_def *d;

    (void)in;
    if (n == MSR_TSC) {
        c->msr.tsc_offset = v - clock_ticks(c->cfg.clk);
        if (c->cfg.apic.apic)
            c->cfg.apic.tsc_moved(c->cfg.apic.apic);
        return;
    }
    if (is_apics(c, n)) {
        if (!apic_write(c, n, v))
            cpu_raise(c, EXC_GP, 0);
        return;
    }
    if (n == MSR_EFER) {
        write_efer(c, v);
        return;
    }
    d = find(n, &field, c);
    if (!d) {
        guest_error(c->cfg.log, "cpu: WRMSR of unknown register %08x", n);
        cpu_raise(c, EXC_GP, 0);
    }
    if (d->check == CHECK_IGNORES)
        v &= ~d->reserved;
    if (d->check == CHECK_READ_ONLY || (v & d->reserved) ||
        (d->check == CHECK_CANONICAL && !canonical(v)))
        cpu_raise(c, EXC_GP, 0);
    *field = v;
}
