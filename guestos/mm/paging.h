/* The kernel's page tables: 4 levels, 4 KiB and 2 MiB pages. SDM 3A, 4.5. */
#ifndef GUESTOS_MM_PAGING_H
#define GUESTOS_MM_PAGING_H

#include "guestos/kernel/types.h"

void paging_init(void); /* builds the map of layout.h and loads CR3 */
bool paging_has_nx(void);
u64 paging_frames(void); /* how many frames the tables took */

/* A thread's stack: the lowest address of KERNEL_STACK_BYTES, an unmapped page below; 0: no memory. */
u64 kernel_stack_alloc(void);
void kernel_stack_free(u64 stack);

#endif
