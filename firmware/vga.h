/* The VGA BIOS's shared words: types, ports, far memory, mode records.
 *
 * Memory model: CS = FS = the ROM's segment, DS = ES = SS = the caller's stack. So locals and
 * pointers to them are ordinary, and constants must be read with rom8() (they are placed by
 * ROMDATA; the linker script refuses any other data). The only RAM of its own is the BDA. */
#ifndef VGABIOS_VGA_H
#define VGABIOS_VGA_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef _Bool bool;
#define true  1
#define false 0

#define ROMDATA __attribute__((section(".romdata"), used))

/* ORDER: entry.S pushes these. */
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
};

enum {
    BDA = 0x40,
    B_EQUIPMENT = 0x10,
    B_MODE = 0x49,
    B_COLUMNS = 0x4A,
    B_PAGE_SIZE = 0x4C,
    B_PAGE_START = 0x4E,
    B_CURSOR = 0x50, /* 8 words: column, row of each page */
    B_CURSOR_SHAPE = 0x60,
    B_PAGE = 0x62,
    B_CRTC = 0x63,
    B_CGA_MODE = 0x65,
    B_CGA_PALETTE = 0x66,
    B_ROWS = 0x84, /* minus one */
    B_CHAR_HEIGHT = 0x85,
    B_EGA_INFO = 0x87,
    B_EGA_SWITCHES = 0x88,
    B_VGA_FLAGS = 0x89,
    B_DCC = 0x8A,
    B_SAVE_PTR = 0xA8,

    SEQ = 0x3C4,
    GFX = 0x3CE,
    ATTR = 0x3C0,
    DAC_MASK = 0x3C6,
    DAC_READ = 0x3C7,
    DAC_WRITE = 0x3C8,
    DAC_DATA = 0x3C9,
    MISC_WRITE = 0x3C2,
    MISC_READ = 0x3CC
};

enum mode_kind { TEXT, CGA2, CGA4, PLANAR, LINEAR };
enum dac_kind { DAC_EGA64, DAC_CGA16, DAC_256, DAC_MONO };

struct mode { /* one row of modes.c's table; 1-byte members only, so that rom8 reads it */
    u8 number, kind, dac;
    u8 columns, rows, char_height;
    u8 segment_high;    /* B8h for B800h */
    u8 page_kib;        /* spacing of pages */
    u8 crtc, seq, attr; /* rows of the register tables */
    u8 misc;
    u8 gfx5, gfx6, gfx7; /* graphics controller: mode, miscellaneous, don't care */
};

static inline u8 inb(u16 port)
{
    u8 v;
    __asm__ volatile("inb %w1, %b0" : "=a"(v) : "Nd"(port));
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
static inline u16 inw(u16 port)
{
    u16 v;
    __asm__ volatile("inw %w1, %w0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline void outl(u16 port, u32 v)
{
    __asm__ volatile("outl %0, %w1" : : "a"(v), "Nd"(port));
}
static inline u32 inl(u16 port)
{
    u32 v;
    __asm__ volatile("inl %w1, %0" : "=a"(v) : "Nd"(port));
    return v;
}
static inline void out_index(u16 port, u8 index, u8 v)
{
    outb(port, index);
    outb((u16)(port + 1), v);
}
static inline u8 in_index(u16 port, u8 index)
{
    outb(port, index);
    return inb((u16)(port + 1));
}

static inline u8 rom8(const void *p)
{
    u8 v;
    __asm__ volatile("movb %%fs:(%1), %0" : "=q"(v) : "r"(p));
    return v;
}
static inline u16 rom16(const void *p)
{
    u16 v;
    __asm__ volatile("movw %%fs:(%1), %0" : "=r"(v) : "r"(p));
    return v;
}
static inline u8 peek8(u16 seg, u16 off)
{
    u8 v;
    __asm__ volatile("movw %w1, %%gs\n\tmovb %%gs:(%2), %0"
                     : "=q"(v) : "r"(seg), "r"((u32)off) : "memory");
    return v;
}
static inline u16 peek16(u16 seg, u16 off)
{
    u16 v;
    __asm__ volatile("movw %w1, %%gs\n\tmovw %%gs:(%2), %0"
                     : "=r"(v) : "r"(seg), "r"((u32)off) : "memory");
    return v;
}
static inline void poke8(u16 seg, u16 off, u8 v)
{
    __asm__ volatile("movw %w1, %%gs\n\tmovb %0, %%gs:(%2)"
                     : : "q"(v), "r"(seg), "r"((u32)off) : "memory");
}
static inline void poke16(u16 seg, u16 off, u16 v)
{
    __asm__ volatile("movw %w1, %%gs\n\tmovw %0, %%gs:(%2)"
                     : : "r"(v), "r"(seg), "r"((u32)off) : "memory");
}
static inline u16 rom_segment(void)
{
    u16 v;
    __asm__ volatile("movw %%cs, %0" : "=r"(v));
    return v;
}

/* modes.c */
const struct mode *mode_find(u8 number); /* 0 if unknown */
const struct mode *mode_now(void);
void mode_set(u8 number_and_flag);
bool dac_loading(void);
#define MODE(m, field) rom8(&(m)->field)

/* palette.c */
void attr_write(u8 index, u8 v);
u8 attr_read(u8 index);
void dac_load(u8 kind);
void palette_load(u8 row);
void palette_services(struct regs *r);
void gray_sum(u16 first, u16 count);

/* fonts.c */
extern const u8 font_8x16[], font_8x14[], font_8x8[];
void font_load(u8 height, u8 block);
void font_set_pointers(u8 height);
void font_services(struct regs *r);

/* text.c */
void cursor_show(void);
void text_services(struct regs *r); /* 01h to 0Ah, 0Eh, 13h */
u16 page_offset(u8 page);

/* entry.S: the far call that sets a window */
void vbe_window_entry(void);

/* pixels.c */
void pixel_put(const struct mode *m, u16 x, u16 y, u8 page, u8 color);
u8 pixel_get(const struct mode *m, u16 x, u16 y, u8 page);
void glyph_draw(const struct mode *m, u8 column, u8 row, u8 page, u8 c, u8 color);
void graphics_scroll(const struct mode *m, u8 lines, bool down, u8 top, u8 left, u8 bottom,
                     u8 right, u8 fill);

#endif
