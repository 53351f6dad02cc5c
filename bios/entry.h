/* What entry.S offers to C: far calls out of the BIOS, and windows in which interrupts come in.
 *
 * Spark runs with IF = 0 except inside these functions. Each of them first moves `stack_top` below
 * what is in use, so that an interrupt handler which has switched to a stack of its own can call
 * the BIOS again. */
#ifndef SPARK_ENTRY_H
#define SPARK_ENTRY_H

#include "types.h"

/* Far call to r->cs:r->ip with a FLAGS image on the stack, so the target may IRET or RETF. */
void far_call(struct call_regs *r);
/* As `int vector` by software: the target comes from the interrupt table. */
void call_int(u8 vector, struct call_regs *r);
/* Far call with four words pushed, words[0] first (the mouse driver's interface). */
void far_call_words(u32 target, const u16 words[4]);
/* Let pending interrupts in once. */
void irq_window(void);
/* Wait for an interrupt, halted. */
void irq_halt(void);
/* Drop the stack and everything on it, and start `fn` on a fresh one; used by INT 18h, 19h. */
_Noreturn void restart_with(void (*fn)(void));
/* Jump to what lies at seg:0, 07C0h for 0000:7C00, as the boot specification wants it. */
_Noreturn void boot_jump(u8 drive, u16 seg);
/* Call a bootstrap entry of an option ROM, segment in the high half, on a stack at 0000:7C00; if it
 * returns, INT 18h follows. */
_Noreturn void boot_rom(u32 target);
/* INT 15h AH=87h: words from one descriptor's segment to another's; lin is the caller's GDT. */
void block_move(u32 gdt_lin, u16 words);
_Noreturn void halt_forever(void);
/* Copies len bytes between segments; both offsets must not wrap. */
void far_copy(u16 dst_seg, u32 dst, u16 src_seg, u32 src, u32 len);

extern u16 dseg_copy; /* dseg, for C */
extern u8 pam_base;   /* configuration register of PAM0 in the host bridge; 0: no PAM */

#endif
