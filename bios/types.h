/* Fixed-width types of the firmware, and the registers an interrupt's caller had.
 *
 * Spark's one memory model: CS = F000h, DS = ES = SS = `dseg` (reset.S decides which segment that
 * is). All C data, read-only data included, lies in dseg, so pointers are plain near pointers and
 * the address of a local may be taken. Everything else is reached with io.h's peek and poke. */
#ifndef SPARK_TYPES_H
#define SPARK_TYPES_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef _Bool bool;
#define true  1
#define false 0

/* ORDER: entry.S builds this on the stack (isr_common). */
struct regs {
    u16 gs, fs, es, ds;
    union { u32 edi; u16 di; };
    union { u32 esi; u16 si; };
    union { u32 ebp; u16 bp; };
    u32 unused_esp;
    union { u32 ebx; u16 bx; struct { u8 bl, bh; }; };
    union { u32 edx; u16 dx; struct { u8 dl, dh; }; };
    union { u32 ecx; u16 cx; struct { u8 cl, ch; }; };
    union { u32 eax; u16 ax; struct { u8 al, ah; }; };
    u32 handler;
    u16 ip, cs, flags;
};

/* What far_call() loads and brings back. ORDER: entry.S uses these offsets. */
struct call_regs {
    union { u32 eax; u16 ax; struct { u8 al, ah; }; }; /* 0 */
    union { u32 ebx; u16 bx; struct { u8 bl, bh; }; }; /* 4 */
    union { u32 ecx; u16 cx; struct { u8 cl, ch; }; }; /* 8 */
    union { u32 edx; u16 dx; struct { u8 dl, dh; }; }; /* 12 */
    u32 esi, edi, ebp;                                 /* 16, 20, 24 */
    u16 ds, es;                                        /* 28, 30 */
    u16 ip, cs;                                        /* 32, 34: the far target */
    u16 flags;                                         /* 36: CF in; all as result */
};

enum { FLAG_CF = 0x0001, FLAG_ZF = 0x0040, FLAG_IF = 0x0200 };

static inline void set_cf(struct regs *r, bool on)
{
    r->flags = (u16)(on ? r->flags | FLAG_CF : r->flags & ~FLAG_CF);
}

static inline void set_zf(struct regs *r, bool on)
{
    r->flags = (u16)(on ? r->flags | FLAG_ZF : r->flags & ~FLAG_ZF);
}

#endif
