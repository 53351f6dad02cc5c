/*
 * Descriptors and segment registers. SDM 3A chapter 3 and 5.
 */
#ifndef CPU_SEGMENT_H
#define CPU_SEGMENT_H

#include "cpu/cpu.h"

/* System descriptor types (SDM 3A table 3-2). */
enum sys_type {
    SYS_TSS16 = 1, SYS_LDT = 2, SYS_TSS16_BUSY = 3, SYS_CALL16 = 4, SYS_TASK_GATE = 5,
    SYS_INT16 = 6, SYS_TRAP16 = 7, SYS_TSS = 9, SYS_TSS_BUSY = 11, SYS_CALL = 12, SYS_INT = 14,
    SYS_TRAP = 15,
};

static inline unsigned desc_type(u64 d) { return (d >> 40) & 15; }
static inline bool desc_s(u64 d) { return (d >> 44) & 1; }
static inline unsigned desc_dpl(u64 d) { return (d >> 45) & 3; }
static inline bool desc_present(u64 d) { return (d >> 47) & 1; }
static inline bool desc_is_code(u64 d) { return desc_s(d) && (desc_type(d) & SEG_CODE); }
static inline bool desc_conforming(u64 d) { return desc_type(d) & SEG_DC; }
static inline unsigned seg_dpl(const struct seg *s) { return (s->attr >> SEG_DPL_SHIFT) & 3; }

/* Linear address of the selector's descriptor, if it lies within its table. */
bool desc_address(const struct cpu *, u16 sel, u64 *lin);

/* The descriptor; raises vector(sel) when it is outside of the table. */
u64 desc_load(struct cpu *, u16 sel, enum vector);

struct seg seg_from_desc(u16 sel, u64 desc);
void seg_make(struct seg *, u16 sel, u64 desc); /* the same, in place */
void seg_update_fast(struct seg *);

/* PERF: in the pieces that seg_make() makes. A load that covers several stores, as those of the compiler's own
 * copies do, waits until they are done, which took a third of IRET's time. */
static inline void seg_copy(struct seg *to, const struct seg *from)
{
    for (size_t i = 0; i < sizeof(*to); i += 8) {
        u64 piece;

        __builtin_memcpy(&piece, (const char *)from + i, 8);
        __asm__("" : "+r"(piece));
        __builtin_memcpy((char *)to + i, &piece, 8);
    }
}
_Static_assert(sizeof(struct seg) % 8 == 0, "pieces");

/* A flat 4 GiB segment, readable and writable; attr: what is added to that. */
void seg_set_flat(struct seg *, u16 sel, unsigned attr);

/* What SYSRET takes from R11 (2B SYSRET). */
enum { SYSRET_FLAGS = 0x3c7fd5 };

/* Marks the descriptor accessed in memory, if it is not yet. */
void desc_set_accessed(struct cpu *, u16 sel, u64 *desc);

/* Loads a data or stack segment register with all checks of the mode (MOV, POP, LDS). */
void seg_load(struct cpu *, unsigned seg, u16 sel);

/* Checks a stack segment for privilege level cpl; raises vector(sel), #NP's part as #SS(sel). */
void seg_check_stack(struct cpu *, struct seg *ss, u16 sel, unsigned cpl, enum vector, unsigned ext);

/* Real and virtual-8086 mode: base = sel * 16. */
void seg_load_real(struct cpu *, unsigned seg, u16 sel);

/* Makes cs the code segment at privilege level cpl. */
void seg_set_cs(struct cpu *, const struct seg *cs, unsigned cpl);

/* After a return to an outer level: segments that are too privileged become null. */
void seg_drop_privileged(struct cpu *);

/* The stack of an inner level from the TSS: SDM 3A 5.8.5. 32- or 16-bit TSS. */
void tss_stack(struct cpu *, unsigned cpl, u16 *ss, u64 *sp, unsigned ext);
/* rsp0 to rsp2 (index 0 to 2) or ist1 to ist7 (index 4 to 10) of a 64-bit TSS. */
u64 tss64_stack(struct cpu *, unsigned index, unsigned ext);

#endif
