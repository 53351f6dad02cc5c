/* The kernel's page tables: 4 levels, 4 KiB and 2 MiB pages. SDM 3A, 4.5. */
#ifndef GUESTOS_MM_PAGING_H
#define GUESTOS_MM_PAGING_H

#include "guestos/kernel/types.h"

void paging_init(void); /* builds the map of layout.h and loads CR3 */
bool paging_has_nx(void);
u64 paging_frames(void); /* how many frames the kernel's tables took */
u64 paging_root(void);   /* the kernel's own PML4: what runs without a process uses it */
u64 paging_nx(void);     /* the entry bit that forbids execution; 0: the CPU has none */

/* Single pages of KERNEL_AREA. False: no memory for tables. Unmapping gives back the frame. */
bool kernel_map_page(u64 lin, u64 pa);
u64 kernel_unmap_page(u64 lin);
bool kernel_is_mapped(u64 lin); /* for backtraces: reading a kernel address will not fault */

/* A thread's stack: the lowest address of KERNEL_STACK_BYTES, below which an unmapped page lies.
 * 0: no memory. Not to be freed by who runs on it. */
u64 kernel_stack_alloc(void);
void kernel_stack_free(u64 stack);

/* Registers of a device, not cached; NULL: no memory. There is no way back. */
void *device_map(u64 pa, u64 bytes);

/* A thread's stack: the lowest address of KERNEL_STACK_BYTES, an unmapped page below; 0: no memory.
 */
u64 kernel_stack_alloc(void);
void kernel_stack_free(u64 stack);

#endif
