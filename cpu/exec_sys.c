/*
 * Control and debug registers, flags that guard the system, ports, HLT, time.
 * SDM 2A, 2B, 2D, the pages that the rows name; 3A 2.5 for CR0 to CR8.
 */
#include "core/bus.h"
#include "core/clock.h"
#include "core/log.h"
#include "cpu/dr.h"
#include "cpu/exec_io.h"
#include "cpu/operand.h"
#include "cpu/vec.h"
#include "cpu/v86.h"

void x_cli(struct cpu *c, const struct insn *in)
{
    (void)in;
    if (iopl_allows(c))
        c->eflags &= ~(u32)F_I;
    else if (v86_virtual_if(c))
        c->eflags &= ~(u32)F_VIF;
    else
        cpu_raise(c, EXC_GP, 0);
}

void x_sti(struct cpu *c, const struct insn *in)
{
    (void)in;
    if (!iopl_allows(c)) {
        if (!v86_virtual_if(c) || (c->eflags & F_VIP))
            cpu_raise(c, EXC_GP, 0);
        c->eflags |= F_VIF;
        return;
    }
    if (!(c->eflags & F_I)) {
        c->eflags |= F_I;
        c->shadow = SHADOW_STI; /* interrupts are let in after the next instruction */
        cpu_update_mode(c);
    }
}

/* PUSHF and POPF in virtual-8086 mode with IOPL below 3: the virtual IF, if VME has one. */
static bool flags_are_virtual(struct cpu *c, const struct insn *in)
{
    if (!(c->mode & MODE_VM) || iopl_allows(c))
        return false;
    if (!(c->cr4 & CR4_VME) || in->opsz != 2)
        cpu_raise(c, EXC_GP, 0);
    return true;
}

void x_pushf(struct cpu *c, const struct insn *in)
{
    if (UNLIKELY(flags_are_virtual(c, in)))
        push(c, v86_flags_image(c), 2);
    else
        push(c, flags_all(c) & ~(u32)(F_RF | F_VM), in->opsz);
}

void x_popf(struct cpu *c, const struct insn *in)
{
    u32 mask = F_ARITH | F_T | F_D | F_NT, v;

    if (UNLIKELY(flags_are_virtual(c, in))) {
        v86_set_flags(c, (u32)stack_peek(c, 0, 2));
        set_sp(c, c->gpr[RSP] + 2);
        cpu_update_mode(c);
        return;
    }
    if (in->opsz > 2)
        mask |= F_AC | F_ID | F_RF; /* RF is cleared, since v below has none */
    if (iopl_allows(c))
        mask |= F_I;
    if (cpu_cpl(c) == 0 && !(c->mode & MODE_VM))
        mask |= F_IOPL | (in->opsz > 2 ? F_VIF | F_VIP : 0);
    v = (u32)stack_peek(c, 0, in->opsz) & ~(u32)(F_RF | F_VIF | F_VIP);
    set_sp(c, c->gpr[RSP] + in->opsz);
    flags_set(c, mask, v);
    cpu_update_mode(c);
}

void x_hlt(struct cpu *c, const struct insn *in)
{
    (void)in;
    c->halted = HALT_HLT;
}

/* ---- control registers ---- */

void x_mov_from_cr(struct cpu *c, const struct insn *in)
{
    static const u8 known[] = { 0, 2, 3, 4, 8 };
    const u64 value[] = { c->cr0, c->cr2, c->cr3, c->cr4, c->cr8 };

    for (unsigned i = 0; i < ARRAY_LEN(known); i++)
        if (known[i] == in->reg[1])
            reg_write(c, in->reg[0], value[i], in->opsz);
}

static void write_cr0(struct cpu *c, u64 v)
{
    const u64 known = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_NE | CR0_WP | CR0_AM | CR0_NW |
                      CR0_CD | CR0_PG;
    u64 old = c->cr0, changed;

    if (v >> 32)
        cpu_raise(c, EXC_GP, 0);
    v = (v & known) | CR0_ET;
    changed = v ^ old;
    if (((v & CR0_PG) && !(v & CR0_PE)) || ((v & CR0_NW) && !(v & CR0_CD)))
        cpu_raise(c, EXC_GP, 0);
    if ((changed & CR0_PG) && (v & CR0_PG)) {
        if (c->msr.efer & EFER_LME) {
            if (!(c->cr4 & CR4_PAE) || (c->seg[CS].attr & SEG_L))
                cpu_raise(c, EXC_GP, 0);
            c->msr.efer |= EFER_LMA;
        } else if (c->cr4 & CR4_PAE) {
            mmu_load_pdptes(c, c->cr3, c->pdpte);
        }
    }
    if ((changed & CR0_PG) && !(v & CR0_PG)) {
        if ((c->mode & MODE_CODE_MASK) == MODE_CODE64 || (c->cr4 & CR4_PCIDE))
            cpu_raise(c, EXC_GP, 0);
        c->msr.efer &= ~(u64)EFER_LMA;
    }
    c->cr0 = v;
    if (changed & CR0_PG)
        mmu_flush_all(c);
    else if (changed & CR0_WP)
        mmu_flush_fast(c);
    cpu_update_mode(c);
}

static void write_cr3(struct cpu *c, u64 v)
{
    bool keep = (c->cr4 & CR4_PCIDE) && v >> 63; /* bit 63: what is cached stays (3A 4.10.4.1) */

    v &= keep ? ~BIT(63) : ~0ull;
    if (c->mode & MODE_LMA) {
        if (v >> 40) /* MAXPHYADDR, as CPUID 80000008h says */
            cpu_raise(c, EXC_GP, 0);
    } else {
        v = (u32)v;
        if ((c->cr0 & CR0_PG) && (c->cr4 & CR4_PAE)) {
            u64 pdpte[4];
            mmu_load_pdptes(c, v, pdpte);
            memcpy(c->pdpte, pdpte, sizeof(pdpte));
        }
    }
    c->cr3 = v;
    if (keep)
        mmu_flush_fast(c);
    else
        mmu_flush_pcid(c, mmu_pcid(c));
}

/* The bits of CR4 that are not reserved, given what CPUID offers. */
static u64 cr4_known(const struct cpu *c)
{
    static const struct { enum feature f; u32 bit; } offered[] = {
        { FEAT_FSGSBASE, CR4_FSGSBASE }, { FEAT_PCID, CR4_PCIDE }, { FEAT_SMEP, CR4_SMEP },
        { FEAT_SMAP, CR4_SMAP },         { FEAT_UMIP, CR4_UMIP }, { FEAT_XSAVE, CR4_OSXSAVE },
        { FEAT_MCE, CR4_MCE },
    };
    u64 known = CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_PGE |
                CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;

    for (unsigned i = 0; i < ARRAY_LEN(offered); i++)
        if (cpu_offers(c, offered[i].f))
            known |= offered[i].bit;
    return known;
}

static void write_cr4(struct cpu *c, u64 v)
{
    const u64 known = cr4_known(c);
    u64 changed = v ^ c->cr4;

    if ((v & ~known) || ((c->mode & MODE_LMA) && !(v & CR4_PAE)))
        cpu_raise(c, EXC_GP, 0);
    if ((changed & v & CR4_PCIDE) && (!(c->mode & MODE_LMA) || (c->cr3 & 0xfff)))
        cpu_raise(c, EXC_GP, 0);
    if ((changed & CR4_PAE) && (v & CR4_PAE) && (c->cr0 & CR0_PG) && !(c->mode & MODE_LMA))
        mmu_load_pdptes(c, c->cr3, c->pdpte);
    c->cr4 = v;
    if ((changed & (CR4_PGE | CR4_PAE | CR4_PSE)) || (changed & v & CR4_SMEP) ||
        (changed & ~v & CR4_PCIDE)) /* 3A 4.10.4.1 */
        mmu_flush_all(c);
    else if (changed & (CR4_SMEP | CR4_SMAP | CR4_PCIDE | CR4_DE))
        mmu_flush_fast(c);
    cpu_update_mode(c);
}

void x_mov_to_cr(struct cpu *c, const struct insn *in)
{
    u64 v = reg_read(c, in->reg[1], in->srcsz);

    switch (in->reg[0]) {
    case 0: write_cr0(c, v); break;
    case 2: c->cr2 = v; break;
    case 3: write_cr3(c, v); break;
    case 4: write_cr4(c, v); break;
    default:
        if (v > 15)
            cpu_raise(c, EXC_GP, 0);
        if (c->cfg.apic.apic)
            c->cfg.apic.set_cr8(c->cfg.apic.apic, (u8)v);
        else
            c->cr8 = v;
        break;
    }
}

/* LMSW sets PE but cannot clear it (SDM 2A LMSW). */
void x_lmsw(struct cpu *c, const struct insn *in)
{
    u64 v = opnd_load(c, in, 0, 2);

    write_cr0(c, (c->cr0 & ~0xeull) | (v & 0xf));
}

void x_clts(struct cpu *c, const struct insn *in)
{
    (void)in;
    c->cr0 &= ~(u64)CR0_TS;
    cpu_update_mode(c);
}

void x_invlpg(struct cpu *c, const struct insn *in)
{
    u64 off = ea_of(c, in), lin = off;

    if ((c->mode & MODE_CODE_MASK) != MODE_CODE64)
        lin = (u32)(c->seg[in->seg].base + off);
    else if (in->seg >= FS)
        lin += c->seg[in->seg].base;
    mmu_flush_page(c, lin);
}

void x_invpcid(struct cpu *c, const struct insn *in)
{
    enum { ADDRESS, CONTEXT, ALL, ALL_NONGLOBAL };
    u64 type = reg_read(c, in->reg[0], in->opsz), at, pcid, lin;

    at = opnd_lin(c, in, 1, 16, ACC_READ);
    mmu_probe(c, at, 16, ACC_READ);
    pcid = mmu_load(c, at, 8);
    lin = mmu_load(c, at + 8, 8);
    if (type > ALL_NONGLOBAL || pcid >> 12)
        cpu_raise(c, EXC_GP, 0);
    if (type <= CONTEXT && pcid && !(c->cr4 & CR4_PCIDE))
        cpu_raise(c, EXC_GP, 0);
    if (type == ADDRESS && !canonical(lin))
        cpu_raise(c, EXC_GP, 0);
    switch (type) {
    case ADDRESS: mmu_flush_pcid_page(c, (u16)pcid, lin); break;
    case CONTEXT: mmu_flush_pcid(c, (u16)pcid); break;
    case ALL: mmu_flush_all(c); break;
    default: mmu_flush_nonglobal(c); break;
    }
}

/* ---- SMAP: EFLAGS.AC lets level 0 at the user's pages ---- */

static void need_level_0(struct cpu *c)
{
    if (c->cpl != 0)
        cpu_raise_no_code(c, EXC_UD);
}

void x_stac(struct cpu *c, const struct insn *in)
{
    need_level_0(c);
    if (in->row == ROW_STAC)
        c->eflags |= F_AC;
    else
        c->eflags &= ~(u32)F_AC;
    cpu_update_mode(c);
}

/* ---- MONITOR and MWAIT ---- */

void x_monitor(struct cpu *c, const struct insn *in)
{
    u64 off = ea_mask(c->gpr[RAX], in->adsz);

    need_level_0(c);
    if ((u32)c->gpr[RCX])
        cpu_raise(c, EXC_GP, 0);
    mmu_probe(c, seg_lin(c, in->seg, off, 1, ACC_READ), 1, ACC_READ);
    c->monitor_armed = true;
}

/* Halts until an interrupt, or until a device may have written the line: cpu_device_event(). So it
 * ends, too, where ECX asks that masked interrupts end it. */
void x_mwait(struct cpu *c, const struct insn *in)
{
    (void)in;
    need_level_0(c);
    if ((u32)c->gpr[RCX] & ~1u)
        cpu_raise(c, EXC_GP, 0);
    if (c->monitor_armed && !(c->attention & ATT_INTR))
        c->halted = HALT_MWAIT;
    c->monitor_armed = false;
}

/* ---- debug registers: cpu/dr.h says what they do ---- */

static unsigned debug_register(struct cpu *c, unsigned n)
{
    if (n == 4 || n == 5) {
        if (c->cr4 & CR4_DE)
            cpu_raise_no_code(c, EXC_UD);
        n += 2;
    }
    if (c->dr[7] & DR7_GD) { /* a fault before the access (3B 17.2.4) */
        dr_report(c, DR6_BD);
        cpu_raise_no_code(c, EXC_DB);
    }
    return n;
}

void x_mov_from_dr(struct cpu *c, const struct insn *in)
{
    reg_write(c, in->reg[0], c->dr[debug_register(c, in->reg[1])], in->opsz);
}

void x_mov_to_dr(struct cpu *c, const struct insn *in)
{
    unsigned n = debug_register(c, in->reg[0]);
    u64 v = reg_read(c, in->reg[1], in->srcsz);

    if (n >= 6 && v >> 32)
        cpu_raise(c, EXC_GP, 0);
    if (n == 6)
        v = (v & 0xe00f) | 0xffff0ff0;
    if (n == 7)
        v = (v & 0xffff23ff) | 0x400;
    c->dr[n] = v;
    dr_changed(c);
}

/* ---- ports ---- */

void io_check(struct cpu *c, u16 port, unsigned size)
{
    u64 map;
    unsigned bits16;

    if (!(c->mode & MODE_PE) || (!(c->mode & MODE_VM) && iopl_allows(c)))
        return;
    if (!c->tr.usable || (c->tr.attr & SEG_TYPE) < 9 || c->tr.limit < 0x67)
        cpu_raise(c, EXC_GP, 0);
    map = mmu_load_sys(c, c->tr.base + 0x66, 2) + port / 8;
    if (map + 1 > c->tr.limit) /* two bytes are always read */
        cpu_raise(c, EXC_GP, 0);
    bits16 = (unsigned)mmu_load_sys(c, c->tr.base + map, 2);
    if (bits16 >> (port & 7) & ((1u << size) - 1))
        cpu_raise(c, EXC_GP, 0);
}

static void before_port(struct cpu *c, u16 port, unsigned size)
{
    if (UNLIKELY(c->mode & MODE_DR7))
        dr_port(c, port, size);
    c->monitor_armed = false;
    mxcsr_to_memory(c);
}

u64 io_read(struct cpu *c, u16 port, unsigned size)
{
    before_port(c, port, size);
    return bus_read(c->cfg.io, port, size);
}

void io_write(struct cpu *c, u16 port, u64 v, unsigned size)
{
    before_port(c, port, size);
    bus_write(c->cfg.io, port, v, size);
    if (c->observer && c->observer->port_write)
        c->observer->port_write(c->observer->h, c, port, v);
}

static u16 port_operand(const struct cpu *c, const struct insn *in, int i)
{
    return in->kind[i] == K_IMM ? (u8)in->imm : (u16)c->gpr[RDX];
}

/* A device is reached: the deadline or the wires may move. */
void x_in(struct cpu *c, const struct insn *in)
{
    u16 port = port_operand(c, in, 1);

    io_check(c, port, in->opsz);
    leave_block(c);
    reg_write(c, RAX, io_read(c, port, in->opsz), in->opsz);
}

void x_out(struct cpu *c, const struct insn *in)
{
    u16 port = port_operand(c, in, 0);

    io_check(c, port, in->srcsz);
    leave_block(c);
    io_write(c, port, reg_read(c, RAX, in->srcsz), in->srcsz);
}

/* ---- time ---- */

static void check_tsd(struct cpu *c)
{
    if ((c->cr4 & CR4_TSD) && cpu_cpl(c) > 0)
        cpu_raise(c, EXC_GP, 0);
}

void x_rdtsc(struct cpu *c, const struct insn *in)
{
    u64 tsc;

    (void)in;
    check_tsd(c);
    tsc = cpu_tsc(c);
    c->gpr[RAX] = (u32)tsc;
    c->gpr[RDX] = tsc >> 32;
}

void x_rdtscp(struct cpu *c, const struct insn *in)
{
    x_rdtsc(c, in);
    c->gpr[RCX] = (u32)c->msr.tsc_aux;
}

/* The four counters of cpu/msr.c, at the width that AMD's have (APM 2 13.2, APM 3 RDPMC). */
void x_rdpmc(struct cpu *c, const struct insn *in)
{
    u32 n = (u32)c->gpr[RCX];
    u64 v;

    (void)in;
    if (n >= ARRAY_LEN(c->msr.perf_count) || ((c->mode & MODE_PE) && c->cpl && !(c->cr4 & CR4_PCE)))
        cpu_raise(c, EXC_GP, 0);
    v = c->msr.perf_count[n] & (BIT(48) - 1);
    c->gpr[RAX] = (u32)v;
    c->gpr[RDX] = v >> 32;
}
