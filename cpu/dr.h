/*
 * The guest's breakpoints: DR0 to DR7. SDM 3B 17.2, 17.3. The debugger's are cpu/debug.h's.
 *
 * While DR7 enables one, MODE_DR7 is in the mode word; without it none of this is asked.
 * Code breakpoints are looked for between instructions. Data and port breakpoints, single steps
 * and the T bit of a TSS become pending, and trap when the instruction is done.
 */
#ifndef CPU_DR_H
#define CPU_DR_H

#include "cpu/cpu.h"

enum { DR6_B = 0xf, DR6_BD = 1 << 13, DR6_BS = 1 << 14, DR6_BT = 1 << 15 };
enum { DR7_ENABLE = 0xff, DR7_GD = 1 << 13 };

/* DR0 to DR3, DR7 or CR4.DE have been changed. */
void dr_changed(struct cpu *);

/* Which code breakpoints are at the next instruction, as bits of DR6; RF hides them. */
u32 dr_code_hits(const struct cpu *);
/* Whether one is among these bytes, so that they must run one by one. */
bool dr_code_within(const struct cpu *, u64 lin, u64 len);

bool dr_watches_page(const struct cpu *, u64 lin);
void dr_access(struct cpu *, u64 lin, unsigned size, bool write);
void dr_port(struct cpu *, u16 port, unsigned size);

/* What a debug exception says in DR6. */
void dr_report(struct cpu *, u32 dr6_bits);
/* A debug trap is due after this instruction. */
void dr_trap(struct cpu *, u32 dr6_bits);

#endif
