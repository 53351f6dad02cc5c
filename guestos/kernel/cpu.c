/*
 * Descriptor tables of 64-bit mode; SDM 3A, 3.4.5 (segments), 8.7 (TSS), 6.14.1 (gates).
 * The double fault has a stack of its own: it is where an overflow of the kernel's stack ends.
 */
#include "guestos/kernel/cpu.h"

#define DESC_PRESENT   (1ul << 47)
#define DESC_SEGMENT   (1ul << 44)
#define DESC_CODE      (1ul << 43)
#define DESC_WRITABLE  (1ul << 41) /* readable, for code */
#define DESC_ACCESSED  (1ul << 40)
#define DESC_LONG      (1ul << 53)
#define DESC_TSS       (9ul << 40) /* available 64-bit TSS */
#define TSS_SELECTOR   0x18
#define GATE_INTERRUPT 0x0E /* type 14, DPL 0 */
#define GATE_PRESENT   0x80
#define NR_VECTORS     256

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

extern const char stack_top[], double_fault_stack_top[]; /* boot.S */

static struct tss tss;
static struct gate idt[NR_VECTORS];
static u64 gdt[] = {
    0,
    DESC_PRESENT | DESC_SEGMENT | DESC_CODE | DESC_WRITABLE | DESC_ACCESSED | DESC_LONG, /* 08 */
    DESC_PRESENT | DESC_SEGMENT | DESC_WRITABLE | DESC_ACCESSED,                         /* 10 */
    0,
    0,                                            /* 18: the TSS, 16 bytes */
    DESC_SEGMENT | DESC_WRITABLE | DESC_ACCESSED, /* 28: data, not present */
};

/* Also marks every vector as a gate that is not present, so that unused ones give #NP. */
void cpu_init(void)
{
    u64 base = (u64)&tss;
    struct table_pointer p = {sizeof gdt - 1, (u64)gdt};

    for (u32 v = 0; v < NR_VECTORS; v++) {
        idt[v].type = GATE_INTERRUPT;
    }
    tss.rsp[0] = (u64)stack_top;
    tss.ist[IST_DOUBLE_FAULT - 1] = (u64)double_fault_stack_top;
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
}

void cpu_set_gate(u8 vector, void (*entry)(void), u8 ist)
{
    u64 offset = (u64)entry;

    idt[vector] = (struct gate){.offset_low = (u16)offset,
                                .selector = KERNEL_CS,
                                .ist = ist,
                                .type = GATE_INTERRUPT | GATE_PRESENT,
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
