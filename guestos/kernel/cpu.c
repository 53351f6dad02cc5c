/*
 * Descriptor tables of 64-bit mode; SDM 3A, 3.4.5 (segments), 8.7 (TSS), 6.14.1 (gates); and the
 * MSRs of SYSCALL (SDM 2B, SYSCALL). The double fault has a stack of its own: it is where an
 * overflow of the kernel's stack ends. So has the NMI, which may come before a stack is there.
 */
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/x86.h"

#define DESC_PRESENT   (1ul << 47)
#define DESC_USER      (3ul << 45) /* DPL 3 */
#define DESC_SEGMENT   (1ul << 44)
#define DESC_CODE      (1ul << 43)
#define DESC_WRITABLE  (1ul << 41) /* readable, for code */
#define DESC_ACCESSED  (1ul << 40)
#define DESC_LONG      (1ul << 53)
#define DESC_TSS       (9ul << 40) /* available 64-bit TSS */
#define TSS_SELECTOR   0x30
#define GATE_INTERRUPT 0x0E /* type 14 */
#define GATE_PRESENT   0x80
#define NR_VECTORS     256

#define MSR_EFER       0xC0000080u
#define MSR_STAR       0xC0000081u
#define MSR_LSTAR      0xC0000082u
#define MSR_SFMASK     0xC0000084u
#define MSR_GS_BASE    0xC0000101u
#define EFER_SCE       1ul
#define SYSRET_BASE    (USER_DS - 8) /* SYSRET takes SS from here + 8 and CS from here + 16 */
#define SYSCALL_CLEARS 0x257700ul    /* ID, AC, RF, NT, IOPL, OF, DF, IF, TF */

struct tss {
    u32 reserved0;
    u64 rsp[3], reserved1, ist[7], reserved2;
    u16 reserved3, io_map;
} __attribute__((packed));

struct gate {
    u16 offset_low, selector;
    u8 ist, type;
    u16 offset_mid;
    u32 offset_high, reserved;
};

struct table_pointer {
    u16 limit;
    u64 base;
} __attribute__((packed));

_Static_assert(sizeof(struct tss) == 104, "64-bit TSS");
_Static_assert(sizeof(struct gate) == 16, "64-bit gate");

#define CODE64 (DESC_PRESENT | DESC_SEGMENT | DESC_CODE | DESC_WRITABLE | DESC_ACCESSED | DESC_LONG)
#define DATA   (DESC_PRESENT | DESC_SEGMENT | DESC_WRITABLE | DESC_ACCESSED)

extern const char stack_top[], double_fault_stack_top[], nmi_stack_top[]; /* boot.S */
extern void syscall_entry(void);                                          /* traps.S */

static struct cpu_local cpu0;
static struct tss tss;
static struct gate idt[NR_VECTORS];
static u64 gdt[] = {
    [0] = 0,
    [KERNEL_CS / 8] = CODE64,
    [KERNEL_DS / 8] = DATA,
    [USER_DS / 8] = DATA | DESC_USER,
    [USER_CS / 8] = CODE64 | DESC_USER,
    [TSS_SELECTOR / 8] = 0, /* and the next one: 16 bytes */
    [NOT_PRESENT_DS / 8] = DATA & ~DESC_PRESENT,
};

/* Where interrupts and system calls from user mode enter. */
void cpu_set_kernel_stack(u64 top)
{
    tss.rsp[0] = top;
    cpu_local()->kernel_rsp = top;
}

static void syscall_init(void)
{
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE);
    wrmsr(MSR_STAR, (u64)KERNEL_CS << 32 | (u64)(SYSRET_BASE | 3) << 48);
    wrmsr(MSR_LSTAR, (u64)syscall_entry);
    wrmsr(MSR_SFMASK, SYSCALL_CLEARS);
}

/* Also marks every vector as a gate that is not present, so that unused ones give #NP. */
void cpu_init(void)
{
    u64 base = (u64)&tss;
    struct table_pointer p = {sizeof gdt - 1, (u64)gdt};

    for (u32 v = 0; v < NR_VECTORS; v++) {
        idt[v].type = GATE_INTERRUPT;
    }
    cpu0.self = &cpu0;
    wrmsr(MSR_GS_BASE, (u64)&cpu0);
    wrmsr(MSR_KERNEL_GS_BASE, 0);
    cpu_set_kernel_stack((u64)stack_top);
    tss.ist[IST_DOUBLE_FAULT - 1] = (u64)double_fault_stack_top;
    tss.ist[IST_NMI - 1] = (u64)nmi_stack_top;
    tss.io_map = sizeof tss; /* none */
    gdt[TSS_SELECTOR / 8] = (sizeof tss - 1) | (base & 0xFFFFFF) << 16 | DESC_TSS | DESC_PRESENT |
                            (base >> 24 & 0xFF) << 56;
    gdt[TSS_SELECTOR / 8 + 1] = base >> 32;
    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\tmovl %2, %%eax\n\t"
                     "movl %%eax, %%ds\n\t"
                     "movl %%eax, %%es\n\t"
                     "movl %%eax, %%ss\n\t"
                     "ltr %w3"
                     :
                     : "m"(p), "i"(KERNEL_CS), "i"(KERNEL_DS), "r"(TSS_SELECTOR)
                     : "rax", "memory");
    syscall_init();
}

void cpu_set_gate(u8 vector, void (*entry)(void), u8 ist, u8 dpl)
{
    u64 offset = (u64)entry;

    idt[vector] = (struct gate){.offset_low = (u16)offset,
                                .selector = KERNEL_CS,
                                .ist = ist,
                                .type = (u8)(GATE_INTERRUPT | GATE_PRESENT | dpl << 5),
                                .offset_mid = (u16)(offset >> 16),
                                .offset_high = (u32)(offset >> 32)};
}

static void load_idt(u16 limit)
{
    struct table_pointer p = {limit, (u64)idt};

    __asm__ volatile("lidt %0" : : "m"(p));
}

void cpu_load_idt(void)
{
    load_idt(sizeof idt - 1);
}

/* No gate lies within the limit: #UD cannot be delivered, nor #GP, nor #DF. */
void cpu_triple_fault(void)
{
    load_idt(0);
    for (;;) {
        __asm__ volatile("ud2");
    }
}
