/*
 * Builds the kernel's half of the address space (layout.h) and leaves the tables of boot.S behind.
 * Every process' tables share it: their upper 256 entries are copies of the root's, which are all
 * made here and never change afterwards. Entries are global.
 *
 * Turns on what the CPU has of NX, SMEP (the kernel executes no user pages) and SMAP (it touches
 * them only where it says so, smap.inc). SDM 3A, 4.6.
 */
#include "guestos/mm/paging.h"
#include "guestos/kernel/cpu.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/kernel/x86.h"
#include "guestos/kernel/lock.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/pte.h"
#include "guestos/mm/tlb.h"

#define CR0_WP   (1ul << 16)
#define CR4_PGE  (1ul << 7)
#define CR4_SMEP (1ul << 20)
#define CR4_SMAP (1ul << 21)
#define MSR_EFER 0xC0000080u
#define EFER_NXE (1ul << 11)

/* kernel.ld; virtual */
extern const char text_begin[], text_end[], rodata_begin[], rodata_end[], data_begin[], data_end[],
    kernel_end[];
/* boot.S */
extern const char stack_guard[], double_fault_stack_guard[];

extern const u64 smap_begin[], smap_end[]; /* addresses of STAC and CLAC: smap.inc, kernel.ld */

/* How map() maps. */
enum {
    MAP_WRITE = 1u << 0,
    MAP_SMALL = 1u << 1,  /* 4 KiB pages only, so that single pages can be taken out */
    MAP_EXEC = 1u << 2,   /* absence sets NX, where the CPU has it */
    MAP_DEVICE = 1u << 3, /* not cached */
};

static struct spinlock lock = SPINLOCK_INIT("kernel page tables");
static u64 root; /* the PML4's frame */
static u64 nx;   /* PTE_NX, or 0 on a CPU without it */
static u64 nr_frames;
static u64 next_device = KERNEL_DEVICES;

/* The entry for lin at a level (4: PML4 ... 1: page table). Makes the tables above it if `make`;
 * NULL: they are not there, or there is no memory for them. */
static u64 *entry_at(u64 lin, unsigned level, bool make)
{
    u64 *table = direct(root);

    for (unsigned l = 4;; l--) {
        u64 *entry = &table[lin >> (3 + 9 * l) & 511];
        if (l == level) {
            return entry;
        }
        if (!(*entry & PTE_PRESENT)) {
            u64 pa = make ? frame_alloc() : NO_FRAME;
            if (pa == NO_FRAME) {
                return NULL;
            }
            nr_frames++;
            *entry = pa | PTE_PRESENT | PTE_WRITE; /* the last level restricts */
        }
        if (*entry & PTE_LARGE) {
            return NULL;
        }
        table = direct(*entry & PTE_ADDR);
    }
}

/* Maps [lin, lin + bytes) to pa on, page-aligned; with large pages where both addresses allow.
 * False: no memory for the tables; part of it may be mapped. */
static bool map(u64 lin, u64 pa, u64 bytes, u32 how)
{
    u64 flags = PTE_PRESENT | PTE_GLOBAL | (how & MAP_WRITE ? PTE_WRITE : 0) |
                (how & MAP_DEVICE ? PTE_PCD | PTE_PWT : 0) | (how & MAP_EXEC ? 0 : nx);

    while (bytes) {
        bool large =
            !(how & MAP_SMALL) && (lin | pa) % LARGE_PAGE_BYTES == 0 && bytes >= LARGE_PAGE_BYTES;
        u64 step = large ? LARGE_PAGE_BYTES : PAGE_BYTES;
        u64 *entry = entry_at(lin, large ? 2 : 1, true);
        if (!entry) {
            return false;
        }
        *entry = pa | flags | (large ? PTE_LARGE : 0);
        lin += step;
        pa += step;
        bytes -= step;
    }
    return true;
}

static void map_at_start(u64 lin, u64 pa, u64 bytes, u32 how)
{
    if (!map(lin, pa, bytes, how)) {
        panic("no memory for page tables");
    }
}

static void map_image(const char *begin, const char *end, u32 how)
{
    map_at_start((u64)begin, (u64)begin - KERNEL_BASE, (u64)(end - begin), how | MAP_SMALL);
}

static void unmap_guard(const char *page)
{
    *entry_at((u64)page, 1, false) = 0;
}

static bool cpu_has(u32 leaf7_ebx_bit)
{
    return cpuid(0, 0).eax >= 7 && cpuid(7, 0).ebx >> leaf7_ebx_bit & 1;
}

/* While the kernel's text can still be written to. */
static void remove_smap_instructions(void)
{
    static const u8 nop3[] = {0x0F, 0x1F, 0x00};

    for (const u64 *site = smap_begin; site < smap_end; site++) {
        memcpy((void *)*site, nop3, sizeof nop3);
    }
}

void paging_init(void)
{
    u32 nr_ranges;

    if (cpu_has_nx()) {
        wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_NXE);
        nx = PTE_NX;
    }
    u64 protections = (cpu_has(7) ? CR4_SMEP : 0) | (cpu_has(20) ? CR4_SMAP : 0);
    if (!(protections & CR4_SMAP)) {
        remove_smap_instructions();
    }
    root = frame_alloc();
    nr_frames++;
    map_at_start(DIRECT_MAP, 0, LOW_MEMORY_END,
                 MAP_WRITE); /* caching of VGA memory: the MTRRs' business */
    const struct frame_range *ram = frames_ranges(&nr_ranges);
    for (u32 i = 0; i < nr_ranges; i++) {
        map_at_start(DIRECT_MAP + ram[i].begin, ram[i].begin, ram[i].end - ram[i].begin, MAP_WRITE);
    }
    map_image(text_begin, text_end, MAP_EXEC);
    map_image(rodata_begin, rodata_end, 0);
    map_image(data_begin, kernel_end, MAP_WRITE);
    unmap_guard(stack_guard);
    unmap_guard(double_fault_stack_guard);
    if (!entry_at(KERNEL_AREA, 3, true)) {
        panic("no memory for page tables");
    }
    write_cr0(read_cr0() | CR0_WP);
    write_cr3(root);
    /* After CR3: the old tables' entries are gone. */
    write_cr4(read_cr4() | CR4_PGE | protections);
}

bool paging_has_nx(void)
{
    return nx != 0;
}

u64 paging_frames(void)
{
    return nr_frames;
}

u64 paging_root(void)
{
    return root;
}

u64 paging_nx(void)
{
    return nx;
}

bool kernel_map_page(u64 lin, u64 pa)
{
    spin_lock(&lock);
    bool done = map(lin, pa, PAGE_BYTES, MAP_WRITE | MAP_SMALL);
    spin_unlock(&lock);
    return done;
}

u64 kernel_unmap_page(u64 lin)
{
    spin_lock(&lock);
    u64 *entry = entry_at(lin, 1, false);
    ASSERT(entry && *entry & PTE_PRESENT);
    u64 pa = *entry & PTE_ADDR;
    *entry = 0;
    tlb_drop_kernel(lin);
    spin_unlock(&lock);
    return pa;
}

bool kernel_is_mapped(u64 lin)
{
    const u64 *table = direct(root);

    for (unsigned l = 4; l >= 1; l--) {
        u64 entry = table[lin >> (3 + 9 * l) & 511];
        if (!(entry & PTE_PRESENT)) {
            return false;
        }
        if (entry & PTE_LARGE) {
            return true;
        }
        table = direct(entry & PTE_ADDR);
    }
    return lin >= DIRECT_MAP;
}

void *device_map(u64 pa, u64 bytes)
{
    u64 offset = pa % PAGE_BYTES;
    u64 len = ROUND_UP(offset + bytes, (u64)PAGE_BYTES);

    spin_lock(&lock);
    u64 lin = next_device;
    bool done = len <= KERNEL_DEVICES + KERNEL_DEVICES_BYTES - lin &&
                map(lin, pa - offset, len, MAP_WRITE | MAP_SMALL | MAP_DEVICE);
    if (done) {
        next_device += len + PAGE_BYTES; /* an unmapped page between devices */
    }
    spin_unlock(&lock);
    return done ? (void *)(lin + offset) : NULL;
}
