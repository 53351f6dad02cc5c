/*
 * The floating-point and vector registers of programs: saved and loaded with each switch, as the
 * kernel itself uses none. XSAVE where the CPU has it (XCR0 gets what CPUID offers of x87, SSE and
 * AVX), else FXSAVE. SDM 1, chapter 13.
 */
#ifndef GUESTOS_KERNEL_FPU_H
#define GUESTOS_KERNEL_FPU_H

#include "guestos/kernel/types.h"

void fpu_init(void);
void *fpu_alloc(void); /* an area in the registers' initial state; NULL: no memory */
void fpu_free(void *area);
void fpu_save(void *area);
void fpu_load(const void *area); /* one that fpu_save() or fpu_valid() is content with */
void fpu_reset(void *area);      /* the initial state */
u32 fpu_bytes(void);             /* of an area; 64-aligned */
u64 fpu_components(void);        /* XCR0, or 0 without XSAVE */
/* Of the current registers: exceptions that are flagged and not masked, bit 0 invalid to 5 precision. */
u32 fpu_x87_exceptions(void);
u32 fpu_sse_exceptions(void);
/* What a program handed in (sigreturn): clears what would fault. False: it makes no sense. */
bool fpu_sanitize(void *area);

#endif
