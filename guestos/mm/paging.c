/*
 * Builds the address space of layout.h and leaves the tables of boot.S behind. Entries are global:
 * every future address space will share this half.
 *
 * Entry bits (SDM 3A, figure 4-11): 0 present, 1 writable, 2 user, 4 PCD, 7 large, 8 global, 63 NX.
 */
#include "guestos/mm/paging.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/layout.h"

#define PTE_PRESENT (1ul << 0)
#define PTE_WRITE   (1ul << 1)
#define PTE_LARGE   (1ul << 7)
#define PTE_GLOBAL  (1ul << 8)
#define PTE_NX      (1ul << 63)
#define PTE_ADDR    0x000FFFFFFFFFF000ul

#define CR0_WP   (1ul << 16)
#define CR4_PGE  (1ul << 7)
#define MSR_EFER 0xC0000080u
#define EFER_NXE (1ul << 11)

/* kernel.ld; virtual */
extern const char text_begin[], text_end[], rodata_begin[], rodata_end[], data_begin[], data_end[],
    kernel_end[];
/* boot.S */
extern const char stack_guard[], double_fault_stack_guard[];

/* How map() maps. */
enum {
    PAGE_WRITE = 1u << 1,
    PAGE_SMALL = 1u << 16, /* ours: 4 KiB pages only, so that single pages can be taken out */
    PAGE_EXEC = 1u << 17,  /* ours: absence sets NX, where the CPU has it */
};

static u64 root; /* the PML4's frame */
static u64 nx;   /* PTE_NX, or 0 on a CPU without it */
static u64 nr_frames;

static u64 new_table(void)
{
    u64 pa = frame_alloc();

    if (pa == NO_FRAME) {
        panic("no memory for page tables");
    }
    nr_frames++;
    return pa;
}

/* The entry for lin at a level (4: PML4 ... 1: page table), making the tables above it. */
static u64 *entry_at(u64 lin, unsigned level)
{
    u64 *table = direct(root);

    for (unsigned l = 4;; l--) {
        u64 *entry = &table[lin >> (3 + 9 * l) & 511];
        if (l == level) {
            return entry;
        }
        if (!(*entry & PTE_PRESENT)) {
            *entry = new_table() | PTE_PRESENT | PTE_WRITE; /* the last level restricts */
        }
        ASSERT(!(*entry & PTE_LARGE));
        table = direct(*entry & PTE_ADDR);
    }
}

/* Maps [lin, lin + bytes) to pa on, page-aligned; with large pages where both addresses allow. */
static void map(u64 lin, u64 pa, u64 bytes, u32 access)
{
    u64 flags = PTE_PRESENT | PTE_GLOBAL | (access & PAGE_WRITE) | (access & PAGE_EXEC ? 0 : nx);

    while (bytes) {
        bool large = !(access & PAGE_SMALL) && (lin | pa) % LARGE_PAGE_BYTES == 0 &&
                     bytes >= LARGE_PAGE_BYTES;
        u64 step = large ? LARGE_PAGE_BYTES : PAGE_BYTES;
        *entry_at(lin, large ? 2 : 1) = pa | flags | (large ? PTE_LARGE : 0);
        lin += step;
        pa += step;
        bytes -= step;
    }
}

static void map_image(const char *begin, const char *end, u32 access)
{
    map((u64)begin, (u64)begin - KERNEL_BASE, (u64)(end - begin), access | PAGE_SMALL);
}

static void unmap(const char *page)
{
    *entry_at((u64)page, 1) = 0;
}

void paging_init(void)
{
    u32 nr_ranges;

    if (cpu_has_nx()) {
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
        nx = PTE_NX;
    }
    root = new_table();
    map(DIRECT_MAP, 0, LOW_MEMORY_END, PAGE_WRITE); /* caching of VGA memory: the MTRRs' business */
    const struct frame_range *ram = frames_ranges(&nr_ranges);
    for (u32 i = 0; i < nr_ranges; i++) {
        map(DIRECT_MAP + ram[i].begin, ram[i].begin, ram[i].end - ram[i].begin, PAGE_WRITE);
    }
    map_image(text_begin, text_end, PAGE_EXEC);
    map_image(rodata_begin, rodata_end, 0);
    map_image(data_begin, kernel_end, PAGE_WRITE);
    unmap(stack_guard);
    unmap(double_fault_stack_guard);
    write_cr0(read_cr0() | CR0_WP);
    write_cr3(root);
    write_cr4(read_cr4() | CR4_PGE); /* after CR3: entries of the old tables are gone */
}

bool paging_has_nx(void)
{
    return nx != 0;
}

u64 paging_frames(void)
{
    return nr_frames;
}
