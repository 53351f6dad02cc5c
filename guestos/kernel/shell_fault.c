/*
 * `fault KIND`: provokes an exception on purpose, to look at the report, at a debugger, or at an
 * emulator's own. All but `triple` come back to the prompt. Each kind names the vector that the
 * manual says it must give (SDM 3A, 6.15); another one is pointed out. QEMU 7.2 is known to differ
 * in two: `rbp` gives #GP there, and `gate` an error code with twice the vector.
 */
#include "guestos/kernel/console.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/shell.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/paging.h"

#define NON_CANONICAL 0x0000800000000000ul
#define UNMAPPED      0x0000000000001000ul /* the lower half is empty */
#define CR0_TS        (1ul << 3)
#define UNUSED_VECTOR "0x81" /* has no handler */

static void divide_error(void)
{
    __asm__ volatile("xorl %%edx, %%edx; movl $1, %%eax; xorl %%ecx, %%ecx; divl %%ecx"
                     :
                     :
                     : "eax", "ecx", "edx", "cc");
}

/* TF is set by POPFQ; the trap comes after the instruction that follows it. */
static void single_step(void)
{
    __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop; nop" : : : "cc", "memory");
}

static void breakpoint(void)
{
    __asm__ volatile("int3");
}

static void invalid_opcode(void)
{
    __asm__ volatile("ud2");
}

static void no_coprocessor(void)
{
    write_cr0(read_cr0() | CR0_TS);
    __asm__ volatile("fnop");
}

static void double_fault(void)
{
    /* The stack ends in nothing, so that the page fault's own frame cannot be pushed. */
    __asm__ volatile("movq %0, %%rsp; pushq %%rax" : : "r"(UNMAPPED) : "memory");
}

static void not_present(void)
{
    __asm__ volatile("movl %0, %%fs" : : "r"(NOT_PRESENT_DS));
}

static void gate_not_present(void)
{
    __asm__ volatile("int $" UNUSED_VECTOR);
}

static void stack_fault(void)
{
    __asm__ volatile("movl %0, %%ss" : : "r"(NOT_PRESENT_DS));
}

static void stack_fault_rbp(void)
{
    __asm__ volatile("pushq %%rbp; movq %0, %%rbp; movq (%%rbp), %%rax; popq %%rbp"
                     :
                     : "r"(NON_CANONICAL)
                     : "rax", "memory");
}

static void general_protection(void)
{
    __asm__ volatile("movq (%0), %%rax" : : "r"(NON_CANONICAL) : "rax", "memory");
}

static void bad_selector(void)
{
    __asm__ volatile("movl %0, %%fs" : : "r"(0x1238));
}

static void read_unmapped(void)
{
    __asm__ volatile("movb (%0), %%al" : : "r"(UNMAPPED) : "rax", "memory");
}

static void write_readonly(void)
{
    extern const char rodata_begin[]; /* kernel.ld */

    __asm__ volatile("movb $0, (%0)" : : "r"(rodata_begin) : "memory");
}

static void execute_data(void)
{
    static const u8 ret = 0xC3;

    __asm__ volatile("call *%0" : : "r"(&ret) : "memory");
}

/* Endless, but not in a way that the compiler sees; and no tail call, since f is used again. */
static u32 recurse(u32 (*volatile f)(u32), u32 depth);

static u32 overflow(u32 depth)
{
    return recurse(overflow, depth + 1) + depth;
}

static u32 recurse(u32 (*volatile f)(u32), u32 depth)
{
    return f(depth) + depth;
}

static void stack_overflow(void)
{
    overflow(0);
}

static const struct fault {
    const char *kind, *what;
    u8 vector;
    void (*provoke)(void);
} faults[] = {
    {"de", "divide by zero", 0, divide_error},
    {"db", "single step (TF)", 1, single_step},
    {"bp", "INT3", 3, breakpoint},
    {"ud", "UD2", 6, invalid_opcode},
    {"nm", "FNOP with CR0.TS", 7, no_coprocessor},
    {"df", "a push without a stack", 8, double_fault},
    {"stack", "endless recursion", 8, stack_overflow},
    {"np", "load FS with a segment that is not present", 11, not_present},
    {"gate", "INT " UNUSED_VECTOR ", whose gate is not present", 11, gate_not_present},
    {"ss", "load SS with a segment that is not present", 12, stack_fault},
    {"rbp", "read a non-canonical address through RBP", 12, stack_fault_rbp},
    {"gp", "read a non-canonical address", 13, general_protection},
    {"sel", "load a selector beyond the GDT", 13, bad_selector},
    {"pf", "read an unmapped page", 14, read_unmapped},
    {"wp", "write to read-only data", 14, write_readonly},
    {"nx", "execute data", 14, execute_data},
};

void shell_fault_help(void)
{
    for (u32 i = 0; i < ARRAY_LEN(faults); i++) {
        print("  %-7s %-5s %s\n", faults[i].kind, trap_name(faults[i].vector), faults[i].what);
    }
    print("  %-7s %-5s %s\n", "triple", "", "UD2 without an IDT: the CPU gives up");
}

void shell_fault(const char *kind)
{
    if (strcmp(kind, "triple") == 0) {
        print("triple fault\n");
        cpu_triple_fault();
    }
    for (u32 i = 0; i < ARRAY_LEN(faults); i++) {
        const struct fault *f = &faults[i];
        if (strcmp(kind, f->kind) != 0) {
            continue;
        }
        int vector = trap_try(f->provoke);
        write_cr0(read_cr0() & ~CR0_TS);
        if (vector != f->vector) {
            print("%s was expected\n", trap_name(f->vector));
        }
        return;
    }
    print("unknown kind of fault: %s (fault alone lists them)\n", kind);
}
