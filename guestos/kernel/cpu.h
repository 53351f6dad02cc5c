/* The processor: its tables (GDT, TSS, IDT) and what CPUID says of it. */
#ifndef GUESTOS_KERNEL_CPU_H
#define GUESTOS_KERNEL_CPU_H

#include "guestos/kernel/types.h"

#define KERNEL_CS      0x08
#define KERNEL_DS      0x10
#define NOT_PRESENT_DS 0x28 /* for `fault` */

#define IST_NONE         0
#define IST_DOUBLE_FAULT 1

void cpu_init(void);                                       /* GDT, TSS, an IDT without handlers */
void cpu_set_gate(u8 vector, void (*entry)(void), u8 ist); /* an interrupt gate, DPL 0 */
void cpu_load_idt(void);
_Noreturn void cpu_triple_fault(void);

bool cpu_has_nx(void);
void cpu_describe(void); /* prints brand, vendor, model, features */

#endif
