/* The processor: its tables (GDT, TSS, IDT) and what CPUID says of it. */
#ifndef GUESTOS_KERNEL_CPU_H
#define GUESTOS_KERNEL_CPU_H

#define KERNEL_CS      0x08
#define KERNEL_DS      0x10
#define USER_DS        0x20 /* ORDER: SYSRET wants the code segment after the data segment */
#define USER_CS        0x28
#define NOT_PRESENT_DS 0x40 /* for `fault` */

#define MSR_FS_BASE        0xC0000100u
#define MSR_KERNEL_GS_BASE 0xC0000102u /* the program's GS.base, while in the kernel */

#define IST_NONE         0
#define IST_DOUBLE_FAULT 1
#define IST_NMI          2

#ifndef __ASSEMBLER__
#include "guestos/kernel/types.h"

void cpu_init(void); /* GDT, TSS, an IDT without handlers, GS.base, SYSCALL */
void cpu_set_gate(u8 vector, void (*entry)(void), u8 ist, u8 dpl); /* an interrupt gate */
void cpu_set_kernel_stack(u64 top);
void cpu_load_idt(void);
_Noreturn void cpu_triple_fault(void);

bool cpu_has_nx(void);
struct cpu_identity {
    char vendor[13], brand[49];
    u32 family, model, stepping, max_leaf;
};
void cpu_identify(struct cpu_identity *);
const char *cpu_feature(u32 number); /* the name of the number-th that it has; NULL: no more */
void cpu_describe(void);             /* prints all that */

#endif

#endif
