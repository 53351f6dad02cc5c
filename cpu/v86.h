/*
 * Virtual-8086 mode, and the virtual interrupt flag (VME, and PVI in protected mode).
 * SDM 3B chapter 20.
 */
#ifndef CPU_V86_H
#define CPU_V86_H

#include "cpu/cpu.h"

/* Whether CLI, STI, PUSHF, POPF, INT n and IRET may act on IF itself: CPL <= IOPL. In real mode
 * that is always so. */
static inline bool iopl_allows(const struct cpu *c)
{
    return c->cpl <= ((c->eflags >> 12) & 3);
}

/* Whether VIF stands for IF where iopl_allows() does not: VME in virtual-8086 mode, PVI at
 * level 3. */
static inline bool v86_virtual_if(const struct cpu *c)
{
    return c->mode & MODE_VM ? c->cr4 & CR4_VME : c->cpl == 3 && (c->cr4 & CR4_PVI);
}

/* FLAGS as a program sees them whose IF is virtual: IF from VIF, IOPL 3. */
u32 v86_flags_image(const struct cpu *);

/* POPF and IRET with a virtual IF: raises #GP(0) where the monitor must know. */
void v86_set_flags(struct cpu *, u32 image);

/* Segment registers as virtual-8086 mode has them; F_VM is in eflags already. */
void v86_load_segs(struct cpu *, const u16 sel[NR_SEGS]);

/* IRET in virtual-8086 mode. */
void v86_iret(struct cpu *, unsigned size);

/* IRETD at level 0 to virtual-8086 mode; the flags' image has VM. */
void v86_enter(struct cpu *, u64 rip, u16 cs, u32 flags);

/* Whether INT n goes to the handler in the 8086 program itself, by the redirection bitmap. */
bool v86_redirects(struct cpu *, u8 vector);

#endif
