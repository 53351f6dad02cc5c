/* Inside the benchmark guest: addresses of guest/boot.S, and what its parts call of each other. */
#ifndef TOOLS_BENCH_GUEST_H
#define TOOLS_BENCH_GUEST_H

#include "tools/bench/table.h"

#define PML4       0x100000ull
#define TABLES     0x104000ull /* page tables of the first 128 MiB */
#define CODE_PAGE  0xe00000ull
#define TOUCH_PAGE 0xe80000ull
#define FAULT_PAGE 0xf00000ull /* ORDER: trap.S */
#define ARENA      0x1000000ull

/* trap.S */
u64 call_user(u64 (*function)(u8 *arena, u64 iterations), u8 *arena, u64 iterations);
void syscall_entry(void), int_entry(void), page_fault_entry(void);
extern const u8 exception_entries[], count_beside[], count_beside_end[];
extern u64 syscall_count, int_count, fault_count;
u64 user_syscall(u8 *, u64), user_int(u8 *, u64), user_page_fault(u8 *, u64);

/* table.c */
extern struct table table;

/* Whether this processor can run a system kernel. */
bool system_possible(const struct code *);

static inline void out8(u16 port, u8 value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline u8 in8(u16 port)
{
    u8 value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

#endif
