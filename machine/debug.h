/*
 * What a debugger may ask of a machine: registers, memory, points, steps. Between slices only.
 *
 * Looking has no side effects: no accessed bit is set, no TLB entry made, no device reached.
 * Addresses are linear unless they say "phys". Breakpoints are kept beside the guest's memory,
 * so nobody sees them there.
 *
 *     machine_debug_insert(m, &(struct debug_point){ .lin = 0x7c00, .len = 1, .access = DEBUG_EXEC
 * }); machine_debug_resume(m, false); while ((stop = machine_run(m, &limit)) != MACHINE_DEBUG) ...
 */
#ifndef MACHINE_DEBUG_H
#define MACHINE_DEBUG_H

#include "cpu/debug.h"
#include "machine/machine.h"

/* false while the run is recorded or a replay: what a debugger changes is no event of the input
 * log, so registers and memory then stay as they are, and the functions that change them fail. */
bool machine_may_change(struct machine *);

/* ---- registers ---- */

/* ORDER: the first 24 are gdb's numbering of the x86-64; debug_reg_names in debug_regs.c. */
enum debug_reg {
    DR_RAX,
    DR_RBX,
    DR_RCX,
    DR_RDX,
    DR_RSI,
    DR_RDI,
    DR_RBP,
    DR_RSP,
    DR_R8,
    DR_R9,
    DR_R10,
    DR_R11,
    DR_R12,
    DR_R13,
    DR_R14,
    DR_R15,
    DR_RIP,
    DR_EFLAGS,
    DR_CS,
    DR_SS,
    DR_DS,
    DR_ES,
    DR_FS,
    DR_GS,
    DR_CS_BASE,
    DR_SS_BASE,
    DR_DS_BASE,
    DR_ES_BASE,
    DR_FS_BASE,
    DR_GS_BASE,
    DR_K_GS_BASE,
    DR_CR0,
    DR_CR2,
    DR_CR3,
    DR_CR4,
    DR_CR8,
    DR_EFER,
    DR_FCTRL, /* x87 by gdb's names: the control word, */
    DR_FSTAT,
    DR_FTAG,  /* the tag word with two bits a register, */
    DR_FISEG, /* the last instruction's address: its upper half, as the processor has no selector,
               */
    DR_FIOFF, /* and its lower half; */
    DR_FOSEG, /* the last operand's likewise, */
    DR_FOOFF,
    DR_FOP, /* and the last opcode */
    DR_MXCSR,
    DR_PC, /* linear address of the instruction */
    NR_DEBUG_REGS,
    /* Wider than 64 bits. */
    DR_ST0 = NR_DEBUG_REGS,
    DR_XMM0 = DR_ST0 + 8,
};

u64 machine_reg(struct machine *, enum debug_reg);

/* Changes a general register, RIP (canonical in 64-bit code), EFLAGS without VM, where there are no
 * descriptors a segment register, or one of x87 and SSE: reserved bits of the control word and the
 * summary bits of the status word stay what silicon makes of them, of the tags only "empty" counts,
 * MXCSR must be one that LDMXCSR would take. false: it cannot be changed so. */
bool machine_set_reg(struct machine *, enum debug_reg, u64 value);

/* The same of any register, also ST0 to ST7 in 80 bits and XMM0 to XMM15: lower half first. */
void machine_wide_reg(struct machine *, enum debug_reg, u64 value[2]);
bool machine_set_wide_reg(struct machine *, enum debug_reg, const u64 value[2]);

/* "rax", "eax", "ax", "al", "ah", "pc" ... without regard to case: its value, cut to its width. */
bool machine_reg_by_name(struct machine *, const char *name, size_t len, u64 *value);

/* 16, 32 or 64: of the code that is about to run. */
unsigned machine_code_bits(struct machine *);

/* ---- memory ---- */

/* Return how many bytes, from the first on, are mapped and memory. Writes disregard protection,
 * but ROM does not take them. */
u64 machine_read_linear(struct machine *, u64 lin, void *dst, u64 len);
u64 machine_write_linear(struct machine *, u64 lin, const void *src, u64 len);
/* As the processor sees it: A20 applies. The display's memory can be read too. */
u64 machine_peek_phys(struct machine *, u64 pa, void *dst, u64 len);
bool machine_linear_to_phys(struct machine *, u64 lin, u64 *pa);

/* ---- points and steps ---- */

/* false: there are DEBUG_MAX_POINTS already, or the point makes no sense. Adding one that is
 * there already changes nothing. */
bool machine_debug_insert(struct machine *, const struct debug_point *);
bool machine_debug_remove(struct machine *, const struct debug_point *); /* false: none is equal */
void machine_debug_clear(struct machine *);

/* The next machine_run() goes on from here: past a breakpoint at this very instruction, and, with
 * step, until one instruction has retired or an interrupt or exception was delivered. */
void machine_debug_resume(struct machine *, bool step);

/* After MACHINE_DEBUG: why; of a point also its tag, and of a watchpoint the address. */
struct debug_hit {
    enum debug_why why;
    u8 tag;
    u64 lin;
};
struct debug_hit machine_debug_hit(struct machine *);

#endif
