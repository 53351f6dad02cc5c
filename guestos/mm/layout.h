/*
 * The memory map, physical and virtual, in one place: C, assembly and the linker script read it.
 *
 * Physical, below 2 MiB                        Virtual
 *
 *   000000  IVT, BIOS data area                  0000000000000000  a process': mm/vm.h
 *   001000  free (never given out: firmware,       00007FFFFFFFFFFF
 *           loaders and DMA keep their           (non-canonical)
 *           habits here)                         FFFF800000000000  DIRECT_MAP: physical memory at
 *   0A0000  VGA memory, B8000 text                                 its own address, RAM and VGA
 *   0C0000  option ROMs, BIOS                      FFFF87FFFFFFFFFF  8 TiB of it at most
 *   100000  the kernel, as it was loaded:        (unmapped)
 *           .boot .text .rodata .data .bss       FFFFC00000000000  KERNEL_AREA: KERNEL_STACKS, the
 *   ......  frames                                                 threads' stacks
 *                                                FFFFC04000000000  KERNEL_DEVICES: registers of
 *                                                                  devices, uncached
 *                                                  FFFFC07FFFFFFFFF  512 GiB: one entry of the PML4
 *                                                (unmapped)
 *                                                FFFFFFFF80000000  KERNEL_BASE: the kernel's image
 *                                                                  at its physical address + base
 *                                                  FFFFFFFFFFFFFFFF
 *
 * In KERNEL_BASE only the image is mapped, in 4 KiB pages: text read-execute, rodata read-only,
 * data and stacks read-write; each stack, there and in KERNEL_STACKS, has an unmapped page below
 * it. The direct map holds the first MiB and the frames, read-write and never executable; the image
 * is not in it. The upper half is the same in all address spaces.
 */
#ifndef GUESTOS_MM_LAYOUT_H
#define GUESTOS_MM_LAYOUT_H

#ifdef __ASSEMBLER__
#define LAYOUT_ADDR(x) x
#else
#define LAYOUT_ADDR(x) x##ul
#endif

#define PAGE_BYTES       4096
#define LARGE_PAGE_BYTES 0x200000

#define KERNEL_LOAD      0x100000 /* physical */
#define KERNEL_BASE      LAYOUT_ADDR(0xFFFFFFFF80000000)
#define DIRECT_MAP       LAYOUT_ADDR(0xFFFF800000000000)
#define DIRECT_MAP_BYTES LAYOUT_ADDR(0x0000080000000000)

#define KERNEL_AREA          LAYOUT_ADDR(0xFFFFC00000000000)
#define KERNEL_STACKS        KERNEL_AREA
#define KERNEL_DEVICES       LAYOUT_ADDR(0xFFFFC04000000000)
#define KERNEL_DEVICES_BYTES LAYOUT_ADDR(0x0000004000000000)

#define LOW_MEMORY_END 0x100000
#define VGA_TEXT       0xB8000 /* colour text, physical */

#define STACK_BYTES 16384 /* of the first thread, and of the double fault */

/* What boot.S maps before there is an allocator: this much from 0, three times over. */
#define EARLY_MAP_BYTES 0x40000000

#ifndef __ASSEMBLER__
#include "guestos/kernel/types.h"

/* Only for RAM and VGA memory, which the direct map covers. */
static inline void *direct(u64 pa)
{
    return (void *)(DIRECT_MAP + pa);
}
#endif

#endif
