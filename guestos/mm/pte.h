/* Entries of page tables; SDM 3A, figure 4-11 and tables 4-14 to 4-20. */
#ifndef GUESTOS_MM_PTE_H
#define GUESTOS_MM_PTE_H

#define PTE_PRESENT  (1ul << 0)
#define PTE_WRITE    (1ul << 1)
#define PTE_USER     (1ul << 2)
#define PTE_PWT      (1ul << 3)
#define PTE_PCD      (1ul << 4)
#define PTE_ACCESSED (1ul << 5)
#define PTE_DIRTY    (1ul << 6)
#define PTE_LARGE    (1ul << 7)
#define PTE_GLOBAL   (1ul << 8)
#define PTE_NX       (1ul << 63)
#define PTE_ADDR     0x000FFFFFFFFFF000ul

#define PTES_PER_TABLE 512u

#endif
