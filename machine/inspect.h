/*
 * The state of a machine as text, for the monitor: what QEMU's `info mem`, `tlb`, `pic`, `pci` and
 * `mtree` print, in its formats, and Bochs' tables of descriptors. Looking has no side effects.
 */
#ifndef MACHINE_INSPECT_H
#define MACHINE_INSPECT_H

#include "core/types.h"
#include <stdio.h>

struct machine;

void inspect_registers(struct machine *, FILE *);

/* inspect_paging.c: */
void inspect_mem(struct machine *, FILE *); /* mapped ranges and their rights */
void inspect_tlb(struct machine *, FILE *); /* every mapping of the page tables, as QEMU has it */
void inspect_tab(struct machine *, FILE *); /* linear ranges and where they lead */

/* inspect_apic.c: */
void inspect_lapic(struct machine *, FILE *);
void inspect_ioapic(struct machine *, FILE *); /* a part of QEMU's info pic */

/* inspect_board.c: */
void inspect_pic(struct machine *, FILE *);
void inspect_pci(struct machine *, FILE *);
/* Lock and tray of the CD-ROM drive in a place (enum disk_place). */
void inspect_cdrom(struct machine *, FILE *, unsigned place);
void inspect_mtree(struct machine *, FILE *);

/* inspect_code.c: count instructions, as code of the present mode. */
void inspect_code(struct machine *, FILE *, u64 at, bool physical, u64 count);

/* inspect_tables.c. first to last: entries; all of them with last = UINT32_MAX. */
void inspect_idt(struct machine *, FILE *, u32 first, u32 last);
void inspect_gdt(struct machine *, FILE *, u32 first, u32 last);
void inspect_cpuid(struct machine *, FILE *);
void inspect_ldt(struct machine *, FILE *, u32 first, u32 last);
void inspect_ivt(struct machine *, FILE *, u32 first, u32 last);
void inspect_tss(struct machine *, FILE *);

#endif
