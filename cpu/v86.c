/*
 * Virtual-8086 mode and virtual interrupts. SDM 3B chapter 20; APM 2, 8.10; 2A IRET; 2B POPF.
 *
 * In this mode CPL is 3, segments are paragraphs, and everything that leaves goes through the IDT
 * to level 0 (cpu/event.c). Instructions that need IOPL call here when it does not suffice.
 */
#include "cpu/v86.h"
#include "cpu/operand.h"
#include "cpu/segment.h"

u32 v86_flags_image(const struct cpu *c)
{
    u32 f = flags_all(c) & ~(u32)(F_RF | F_VM | F_I);

    return f | F_IOPL | (c->eflags & F_VIF ? F_I : 0);
}

void v86_set_flags(struct cpu *c, u32 image)
{
    /* 2B POPF: a pending interrupt, or a single step, is the monitor's. */
    if ((image & F_T) || ((image & F_I) && (c->eflags & F_VIP)))
        cpu_raise(c, EXC_GP, 0);
    flags_set(c, F_ARITH | F_T | F_D | F_NT | F_VIF, (image & 0xffff) | (image & F_I ? F_VIF : 0));
}

void v86_load_segs(struct cpu *c, const u16 sel[NR_SEGS])
{
    c->cpl = 3;
    for (int i = 0; i < NR_SEGS; i++) {
        c->seg[i] = (struct seg){
            .sel = sel[i], .base = (u32)sel[i] << 4, .limit = 0xffff, .usable = 1,
            .attr = SEG_P | SEG_S | 3 << SEG_DPL_SHIFT | SEG_RW | SEG_ACCESSED,
        };
        seg_update_fast(&c->seg[i]);
    }
    cpu_update_mode(c);
}

void v86_iret(struct cpu *c, unsigned size)
{
    u32 flags;
    u64 ip;
    u16 cs;

    if (!iopl_allows(c) && (!(c->cr4 & CR4_VME) || size != 2))
        cpu_raise(c, EXC_GP, 0);
    stack_probe(c, 2 * size, size);
    ip = stack_peek(c, 0, size);
    cs = (u16)stack_peek(c, size, size);
    flags = (u32)stack_peek(c, 2 * size, size);
    if (ip > 0xffff)
        cpu_raise(c, EXC_GP, 0);
    if (iopl_allows(c)) /* VM, IOPL, VIF and VIP stay */
        flags_set(c, F_ARITH | F_T | F_I | F_D | F_NT | (size > 2 ? F_RF | F_AC | F_ID : 0), flags);
    else
        v86_set_flags(c, flags);
    set_sp(c, c->gpr[RSP] + 3 * size);
    seg_load_real(c, CS, cs);
    c->next_rip = ip;
}

/* The frame: EIP, CS, EFLAGS, ESP, SS, ES, DS, FS, GS, each in four bytes. */
void v86_enter(struct cpu *c, u64 rip, u16 cs, u32 flags)
{
    static const u8 order[] = { SS, ES, DS, FS, GS };
    u16 sel[NR_SEGS] = { [CS] = cs };
    u32 sp;

    stack_probe(c, 8 * 4, 4);
    sp = (u32)stack_peek(c, 3 * 4, 4);
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        sel[order[i]] = (u16)stack_peek(c, (4 + i) * 4, 4);
    if (rip > 0xffff)
        cpu_raise(c, EXC_GP, 0);
    flags_set(c, F_ALL, flags); /* at level 0 all of them, IOPL, VIF and VIP too */
    v86_load_segs(c, sel);
    c->gpr[RSP] = sp;
    c->next_rip = rip;
}

bool v86_redirects(struct cpu *c, u8 vector)
{
    u64 map;

    if (!(c->cr4 & CR4_VME))
        return false;
    /* Its 32 bytes lie below the I/O bitmap (3B 20.3.3, figure 20-5). */
    if (c->tr.limit < 0x67)
        cpu_raise(c, EXC_GP, 0);
    map = mmu_load_sys(c, (u32)(c->tr.base + 0x66), 2);
    if (map < 32 || map - 32 + vector / 8 > c->tr.limit)
        cpu_raise(c, EXC_GP, 0);
    return !(mmu_load_sys(c, (u32)(c->tr.base + map - 32 + vector / 8), 1) >> (vector & 7) & 1);
}
