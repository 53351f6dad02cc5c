/* Ports, far memory, and CMOS: the accessors that C has no words for.
 *
 * peek/poke load FS, which no compiled code uses and which the interrupt entry saves. flat_*()
 * reach all of the first 4 GiB through GS, only between flat_begin() and flat_end(). */
#ifndef SPARK_IO_H
#define SPARK_IO_H

#include "types.h"

static inline u8 inb(u16 port)
{
    u8 v;
    __asm__ volatile("inb %w1, %b0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline u16 inw(u16 port)
{
    u16 v;
    __asm__ volatile("inw %w1, %w0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline u32 inl(u16 port)
{
    u32 v;
    __asm__ volatile("inl %w1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline void outb(u16 port, u8 v)
{
    __asm__ volatile("outb %b0, %w1" : : "a"(v), "Nd"(port));
}
static inline void outw(u16 port, u16 v)
{
    __asm__ volatile("outw %w0, %w1" : : "a"(v), "Nd"(port));
}
static inline void outl(u16 port, u32 v)
{
    __asm__ volatile("outl %0, %w1" : : "a"(v), "Nd"(port));
}

#define PEEK(name, type, suffix, constraint)                                                       \
    static inline type peek##name(u16 seg, u32 off)                                                \
    {                                                                                              \
        type v;                                                                                    \
        __asm__ volatile("movw %w1, %%fs\n\tmov" suffix " %%fs:(%2), %0"                           \
                         : constraint(v)                                                           \
                         : "r"(seg), "r"(off)                                                      \
                         : "memory");                                                              \
        return v;                                                                                  \
    }
#define POKE(name, type, suffix, constraint)                                                       \
    static inline void poke##name(u16 seg, u32 off, type v)                                        \
    {                                                                                              \
        __asm__ volatile("movw %w1, %%fs\n\tmov" suffix " %0, %%fs:(%2)"                           \
                         :                                                                         \
                         : constraint(v), "r"(seg), "r"(off)                                       \
                         : "memory");                                                              \
    }
PEEK(8, u8, "b", "=q")
PEEK(16, u16, "w", "=r")
PEEK(32, u32, "l", "=r")
POKE(8, u8, "b", "q")
POKE(16, u16, "w", "r")
POKE(32, u32, "l", "r")
#undef PEEK
#undef POKE

/* entry.S */
void flat_begin(void);
void flat_end(void);

static inline u32 flat_read32(u32 pa)
{
    u32 v;
    __asm__ volatile("movl %%gs:(%1), %0" : "=r"(v) : "r"(pa) : "memory");
    return v;
}
static inline void flat_write32(u32 pa, u32 v)
{
    __asm__ volatile("movl %0, %%gs:(%1)" : : "r"(v), "r"(pa) : "memory");
}

static inline u8 cmos_read(u8 reg)
{
    outb(0x70, reg | 0x80); /* NMI stays masked, as it is out of reset */
    return inb(0x71);
}
static inline void cmos_write(u8 reg, u8 v)
{
    outb(0x70, reg | 0x80);
    outb(0x71, v);
}

static inline void post_code(u8 code)
{
    outb(0x80, code);
}

#endif
