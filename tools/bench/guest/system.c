/*
 * Kernels of what an operating system does. They run in ring 0, or enter ring 3 by call_user(); each
 * returns a number that is the same on every machine.
 */
#include "tools/bench/guest/guest.h"

enum { PCIDE = 1 << 17, CR3_PAGES = 8, SCRATCH_PORT = 0x3ff }; /* COM1's scratch register */
#define LAPIC_TASK_PRIORITY 0xfee00080ull
#define KEEP_ENTRIES        (1ull << 63)

static u64 run_syscall(u8 *arena, u64 iterations)
{
    syscall_count = 0;
    return call_user(user_syscall, arena, iterations);
}
const struct code system_syscall = {NULL, run_syscall};

static u64 run_int(u8 *arena, u64 iterations)
{
    int_count = 0;
    return call_user(user_int, arena, iterations);
}
const struct code system_int = {NULL, run_int};

static u64 run_page_fault(u8 *arena, u64 iterations)
{
    fault_count = 0;
    return call_user(user_page_fault, arena, iterations);
}
const struct code system_page_fault = {NULL, run_page_fault};

/* A page's entry is dropped, and walked for again. */
static u64 run_invlpg(u8 *arena, u64 iterations)
{
    u64 sum = 0;

    (void)arena;
    *(u64 *)TOUCH_PAGE = 3;
    while (iterations--) {
        __asm__ volatile("invlpg (%0)" : : "r"(TOUCH_PAGE) : "memory");
        sum += *(volatile u64 *)TOUCH_PAGE;
    }
    return sum;
}
const struct code system_invlpg = {NULL, run_invlpg};

static void load_cr3(u64 value)
{
    __asm__ volatile("movq %0, %%cr3" : : "r"(value) : "memory");
}

static u64 touch_pages(void)
{
    u64 sum = 0;

    for (u64 i = 0; i < CR3_PAGES; i++)
        sum += *(volatile u64 *)(TOUCH_PAGE + i * 4096);
    return sum;
}

static void setup_pages(u8 *arena)
{
    (void)arena;
    for (u64 i = 0; i < CR3_PAGES; i++)
        *(volatile u64 *)(TOUCH_PAGE + i * 4096) = i;
}

/* A switch of address spaces, after which eight pages of data are used. */
static u64 run_cr3(u8 *arena, u64 iterations)
{
    u64 sum = 0;

    (void)arena;
    while (iterations--) {
        load_cr3(PML4);
        sum += touch_pages();
    }
    return sum;
}
const struct code system_cr3 = {setup_pages, run_cr3};

/* The same between two process contexts that keep their entries. */
static u64 run_cr3_pcid(u8 *arena, u64 iterations)
{
    u64 sum = 0, cr4;

    (void)arena;
    __asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
    __asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | PCIDE) : "memory");
    while (iterations--) {
        load_cr3(PML4 | (1 + (iterations & 1)) | KEEP_ENTRIES);
        sum += touch_pages();
    }
    load_cr3(PML4);
    __asm__ volatile("movq %0, %%cr4" : : "r"(cr4) : "memory");
    return sum;
}
const struct code system_cr3_pcid = {setup_pages, run_cr3_pcid};

static u64 run_port(u8 *arena, u64 iterations)
{
    u64 sum = 0;

    (void)arena;
    while (iterations--) {
        out8(SCRATCH_PORT, (u8)iterations);
        sum += in8(SCRATCH_PORT);
    }
    return sum;
}
const struct code system_port = {NULL, run_port};

static u64 run_mmio(u8 *arena, u64 iterations)
{
    volatile u32 *reg = (volatile u32 *)LAPIC_TASK_PRIORITY;
    u64 sum = 0;

    (void)arena;
    while (iterations--) {
        *reg = (u32)iterations & 0xff;
        sum += *reg;
    }
    *reg = 0;
    return sum;
}
const struct code system_mmio = {NULL, run_mmio};

/* A function whose constant is written anew before each call, as a just-in-time compiler does. */
static u64 user_smc_patch(u8 *arena, u64 iterations)
{
    u8 *code = (u8 *)CODE_PAGE;
    u64 sum = 0;

    (void)arena;
    while (iterations--) {
        *(volatile u32 *)(code + 1) = (u32)iterations;
        sum += ((u32(*)(void))code)();
    }
    return sum;
}

static u64 run_smc_patch(u8 *arena, u64 iterations)
{
    u8 *code = (u8 *)CODE_PAGE;

    code[0] = 0xb8; /* movl $..., %eax; ret */
    code[5] = 0xc3;
    return call_user(user_smc_patch, arena, iterations);
}
const struct code system_smc_patch = {NULL, run_smc_patch};

/* Data in the page of the code that writes it. */
static u64 run_smc_beside(u8 *arena, u64 iterations)
{
    u8 *code = (u8 *)CODE_PAGE + 4096;
    u64 (*count)(u8 *, u64) = (u64(*)(u8 *, u64))code;

    (void)arena;
    for (u64 i = 0; count_beside + i < count_beside_end; i++)
        code[i] = count_beside[i];
    *(volatile u64 *)(code + 2048) = 0;
    return call_user(count, code, iterations);
}
const struct code system_smc_beside = {NULL, run_smc_beside};

bool system_possible(const struct code *code)
{
    u32 a = 1, b, c = 0, d;

    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    if (code == &system_cr3_pcid)
        return c & 1 << 17;
    if (code == &system_mmio)
        return d & 1 << 9;
    return true;
}
