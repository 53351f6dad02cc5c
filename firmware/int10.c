/* INT 10h: the dispatcher, initialisation, and the functions that only report (IBM VGA and PS/2
 * BIOS references). 4Fh is in vbe.c. */
#include "vbe.h"

void vga_init(struct regs *r);
void int10(struct regs *r);
extern void int10_entry(void);
extern const u8 save_table[];

enum { DCC_VGA_COLOR = 8, DCC_VGA_MONO = 7 };

/* Functionality table that INT 10h AH=1Bh points at. */
static const u8 functionality[16] ROMDATA = {
    0xFF, 0xE0, 0x0F, /* modes 0 to 13h */
    0, 0, 0, 0,
    0x04,             /* 400 scan lines */
    2, 8,             /* character blocks: active at once, in all */
    0xE7, 0x0C,       /* palette, cursor emulation, fonts, DAC; DCC, colour paging */
    0, 0, 0, 0};

void vga_init(struct regs *r)
{
    (void)r;
    outb(MISC_WRITE, 0x67); /* ports at 3D4h, RAM on */
    outb(0x3C3, 1);
    poke16(0, 0x42 * 4, peek16(0, 0x10 * 4));
    poke16(0, 0x42 * 4 + 2, peek16(0, 0x10 * 4 + 2));
    poke16(0, 0x10 * 4, (u16)(u32)int10_entry);
    poke16(0, 0x10 * 4 + 2, rom_segment());
    poke16(BDA, B_CRTC, 0x3D4);
    poke8(BDA, B_VGA_FLAGS, 0x51);
    poke8(BDA, B_DCC, 0x0B); /* the row of a colour VGA */
    poke16(BDA, B_SAVE_PTR, (u16)(u32)save_table);
    poke16(BDA, B_SAVE_PTR + 2, rom_segment());
    mode_set(3);
}

static void set_mode(struct regs *r)
{
    u8 number = r->al & 0x7F;
    mode_set(r->al);
    r->al = number > 7 ? 0x20 : number == 6 ? 0x3F : 0x30;
}

static void alternate_select(struct regs *r)
{
    u8 flags = peek8(BDA, B_VGA_FLAGS), info = peek8(BDA, B_EGA_INFO);
    switch (r->bl) {
    case 0x10: /* colour at 3D4h?, 256 KiB, feature bits, switches */
        r->bh = !(inb(MISC_READ) & 1);
        r->bl = 3;
        r->cx = peek8(BDA, B_EGA_SWITCHES) & 15;
        return;
    case 0x20: return;
    case 0x30: break; /* scan lines: see modes.c */
    case 0x31: poke8(BDA, B_VGA_FLAGS, (u8)((flags & ~8) | (r->al & 1) << 3)); break;
    case 0x32:
        outb(MISC_WRITE, (u8)((inb(MISC_READ) & ~2) | !(r->al & 1) << 1));
        break;
    case 0x33: poke8(BDA, B_VGA_FLAGS, (u8)((flags & ~2) | !(r->al & 1) << 1)); break;
    case 0x34: poke8(BDA, B_EGA_INFO, (u8)((info & ~1) | (r->al & 1))); break;
    case 0x36: out_index(SEQ, 1, (u8)((in_index(SEQ, 1) & ~0x20) | (r->al & 1) << 5)); break;
    default: return;
    }
    r->al = 0x12;
}

static void state_info(struct regs *r)
{
    const struct mode *m = mode_now();
    u8 kind = MODE(m, kind);
    u16 at = r->di, colors = kind == LINEAR ? 256 : kind == CGA4 ? 4 : kind == CGA2 ? 2 : 16;
    if (r->bx != 0)
        return;
    for (u16 i = 0; i < 64; i++)
        poke8(r->es, (u16)(at + i), 0);
    poke16(r->es, at, (u16)(u32)functionality);
    poke16(r->es, (u16)(at + 2), rom_segment());
    for (u16 i = 0; i < 30; i++) /* 40:49 to 40:66 */
        poke8(r->es, (u16)(at + 4 + i), peek8(BDA, (u16)(B_MODE + i)));
    poke8(r->es, (u16)(at + 0x22), (u8)(peek8(BDA, B_ROWS) + 1));
    poke16(r->es, (u16)(at + 0x23), peek16(BDA, B_CHAR_HEIGHT));
    poke8(r->es, (u16)(at + 0x25), MODE(m, misc) & 1 ? DCC_VGA_COLOR : DCC_VGA_MONO);
    poke16(r->es, (u16)(at + 0x27), colors);
    poke8(r->es, (u16)(at + 0x29), kind == TEXT ? 8 : 1);
    poke8(r->es, (u16)(at + 0x2A), MODE(m, rows) == 30 ? 3 : MODE(m, char_height) == 14 ? 1 : 2);
    poke8(r->es, (u16)(at + 0x2D), 0x21);
    poke8(r->es, (u16)(at + 0x31), 3); /* 256 KiB */
    r->al = 0x1B;
}

/* Text and pixels in a VBE mode go nowhere: mode 13h's layout, which the BDA names, is not that mode's. */
static bool draws(const struct regs *r)
{
    return (r->ah >= 0x06 && r->ah <= 0x0E) || r->ah == 0x13;
}

void int10(struct regs *r)
{
    if (draws(r) && peek8(BDA, B_MODE) == 0x13 && vbe_active())
        return;
    switch (r->ah) {
    case 0x00: set_mode(r); break;
    case 0x0B:
    case 0x10: palette_services(r); break;
    case 0x0C: pixel_put(mode_now(), r->cx, r->dx, r->bh, r->al); break;
    case 0x0D: r->al = pixel_get(mode_now(), r->cx, r->dx, r->bh); break;
    case 0x0F:
        r->al = (u8)(peek8(BDA, B_MODE) | (peek8(BDA, B_EGA_INFO) & 0x80));
        r->ah = peek8(BDA, B_COLUMNS);
        r->bh = peek8(BDA, B_PAGE);
        break;
    case 0x11: font_services(r); break;
    case 0x12: alternate_select(r); break;
    case 0x1A:
        if (r->al == 0)
            r->bx = MODE(mode_now(), misc) & 1 ? DCC_VGA_COLOR : DCC_VGA_MONO;
        if (r->al <= 1)
            r->al = 0x1A;
        break;
    case 0x1B: state_info(r); break;
    case 0x1C:
        if (state_services(r) == VBE_OK)
            r->al = 0x1C;
        break;
    case 0x4F: vbe_services(r); break;
    default:
        if (r->ah <= 0x0E || r->ah == 0x13)
            text_services(r);
        break;
    }
}
