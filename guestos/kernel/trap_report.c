/*
 * Says what an exception was, in words and in numbers: name, error code decoded (SDM 3A, 6.13 and
 * figure 4-12), registers, the code's bytes, the stack, and the callers by their frame pointers.
 * It reads only memory that is known to be mapped, whatever the registers say.
 */
#include "guestos/kernel/console.h"
#include "guestos/kernel/symbols.h"
#include "guestos/kernel/thread.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/layout.h"

enum { VECTOR_TS = 10, VECTOR_NP = 11, VECTOR_SS = 12, VECTOR_GP = 13, VECTOR_PF = 14 };

#define PF_PRESENT  (1u << 0)
#define PF_WRITE    (1u << 1)
#define PF_USER     (1u << 2)
#define PF_RESERVED (1u << 3)
#define PF_FETCH    (1u << 4)

#define ERROR_EXT (1u << 0)
#define ERROR_IDT (1u << 1)
#define ERROR_LDT (1u << 2)

#define MAX_CALLERS 16
#define CODE_BYTES  16
#define STACK_WORDS 4

extern const char text_begin[], text_end[];                             /* kernel.ld */
extern const char double_fault_stack_guard[], double_fault_stack_top[]; /* boot.S */

static const struct exception {
    const char *mnemonic, *name;
} exceptions[] = {
    [0] = {"#DE", "divide error"},
    [1] = {"#DB", "debug"},
    [2] = {"NMI", "non-maskable interrupt"},
    [3] = {"#BP", "breakpoint"},
    [4] = {"#OF", "overflow"},
    [5] = {"#BR", "bound range exceeded"},
    [6] = {"#UD", "invalid opcode"},
    [7] = {"#NM", "no coprocessor"},
    [8] = {"#DF", "double fault"},
    [10] = {"#TS", "invalid TSS"},
    [11] = {"#NP", "segment or gate not present"},
    [12] = {"#SS", "stack fault"},
    [13] = {"#GP", "general protection"},
    [14] = {"#PF", "page fault"},
    [16] = {"#MF", "x87 error"},
    [17] = {"#AC", "alignment check"},
    [18] = {"#MC", "machine check"},
    [19] = {"#XM", "SIMD floating-point error"},
    [20] = {"#VE", "virtualization"},
    [21] = {"#CP", "control protection"},
};

const char *trap_name(u64 vector)
{
    return vector < ARRAY_LEN(exceptions) && exceptions[vector].mnemonic
               ? exceptions[vector].mnemonic
               : "unknown exception";
}

/* The current thread's stack, or the double fault's. */
static bool on_stack(u64 lin, u64 len)
{
    u64 begin = current()->kernel_stack;

    return (lin >= begin && lin + len <= begin + KERNEL_STACK_BYTES) ||
           (lin >= (u64)double_fault_stack_guard + PAGE_BYTES &&
            lin + len <= (u64)double_fault_stack_top);
}

static bool in_guard_page(u64 lin)
{
    u64 begin = current()->kernel_stack;

    return (lin < begin && lin >= begin - PAGE_BYTES) ||
           (lin >= (u64)double_fault_stack_guard &&
            lin < (u64)double_fault_stack_guard + PAGE_BYTES);
}

static void explain_page_fault(u32 error)
{
    u64 lin = read_cr2();

    print("\n    %s %s %016lx, ", error & PF_USER ? "user" : "kernel",
          error & PF_FETCH   ? "fetched code at"
          : error & PF_WRITE ? "wrote to"
                             : "read",
          lin);
    if (!(error & PF_PRESENT)) {
        print("which is not mapped");
    } else if (error & PF_RESERVED) {
        print("whose page tables have reserved bits set");
    } else {
        print("which the page does not allow");
    }
    if (in_guard_page(lin)) {
        print(" (stack overflow)");
    }
}

static void explain_selector(u32 error)
{
    if (error) {
        print(" (%s entry %02xh%s)",
              error & ERROR_IDT   ? "IDT"
              : error & ERROR_LDT ? "LDT"
                                  : "GDT",
              error >> 3, error & ERROR_EXT ? ", from outside the program" : "");
    }
}

static void print_flags(u64 rflags)
{
    static const struct {
        u8 bit;
        const char *name;
    } flags[] = {{0, "CF"}, {2, "PF"},  {4, "AF"},  {6, "ZF"},  {7, "SF"}, {8, "TF"},
                 {9, "IF"}, {10, "DF"}, {11, "OF"}, {14, "NT"}, {16, "RF"}};

    print("RFLAGS %08lx [", rflags);
    for (u32 i = 0; i < ARRAY_LEN(flags); i++) {
        if (rflags >> flags[i].bit & 1) {
            print(" %s", flags[i].name);
        }
    }
    print(" ]\n");
}

static void print_registers(const struct trap_frame *f)
{
    const struct {
        const char *name;
        u64 value;
    } regs[] = {{"RAX", f->rax},     {"RBX", f->rbx},    {"RCX", f->rcx}, {"RDX", f->rdx},
                {"RSI", f->rsi},     {"RDI", f->rdi},    {"RBP", f->rbp}, {"RSP", f->rsp},
                {"R8", f->r8},       {"R9", f->r9},      {"R10", f->r10}, {"R11", f->r11},
                {"R12", f->r12},     {"R13", f->r13},    {"R14", f->r14}, {"R15", f->r15},
                {"CR2", read_cr2()}, {"CR3", read_cr3()}};

    print("  RIP %04lx:%016lx  SS %04lx  ", f->cs, f->rip, f->ss);
    print_flags(f->rflags);
    for (u32 i = 0; i < ARRAY_LEN(regs); i++) {
        print("  %-3s %016lx%s", regs[i].name, regs[i].value, i % 3 == 2 ? "\n" : "");
    }
    print("  CR0 %016lx  CR4 %016lx\n", read_cr0(), read_cr4());
}

static void print_place(const char *indent, u64 address)
{
    u64 offset;
    const char *name = symbol_of(address, &offset);

    print("%s%016lx", indent, address);
    if (name) {
        print("  %s+%lxh", name, offset);
    }
    print("\n");
}

void print_callers(u64 frame)
{
    print("  callers\n");
    for (u32 i = 0; i < MAX_CALLERS && frame % 8 == 0 && on_stack(frame, 16); i++) {
        const u64 *link = (const u64 *)frame; /* the caller's RBP, the return address */
        print_place("    ", link[1]);
        if (link[0] <= frame) {
            break; /* stacks grow down: a chain that does not climb is no chain */
        }
        frame = link[0];
    }
}

static void print_memory(const struct trap_frame *f)
{
    if (f->rip >= (u64)text_begin && f->rip + CODE_BYTES <= (u64)text_end) {
        print("  code ");
        for (u32 i = 0; i < CODE_BYTES; i++) {
            print(" %02x", ((const u8 *)f->rip)[i]);
        }
        print("\n");
    }
    if (f->rsp % 8 == 0 && on_stack(f->rsp, 8)) {
        print("  stack");
        for (u32 i = 0; i < STACK_WORDS && on_stack(f->rsp + 8 * i, 8); i++) {
            print(" %016lx", ((const u64 *)f->rsp)[i]);
        }
        print("\n");
    }
    print_callers(f->rbp);
}

void trap_report(const struct trap_frame *f)
{
    u32 error = (u32)f->error;

    print("\n*** %s", trap_name(f->vector));
    if (f->vector < ARRAY_LEN(exceptions) && exceptions[f->vector].name) {
        print(" (%s)", exceptions[f->vector].name);
    }
    print(", vector %lu, error %04x", f->vector, error);
    if (f->vector == VECTOR_PF) {
        explain_page_fault(error);
    } else if (f->vector >= VECTOR_TS && f->vector <= VECTOR_GP) {
        explain_selector(error);
    }
    print("\n");
    print_place("  in ", f->rip);
    print_registers(f);
    print_memory(f);
}
