/* Character generators: loading plane 2, the vectors 1Fh and 43h, and INT 10h AH=11h. */
#include "vga.h"

#include "fonts.inc"

static const u8 *rom_font(u8 height)
{
    return height >= 16 ? font_8x16 : height >= 14 ? font_8x14 : font_8x8;
}

/* Plane 2 at A000h, one byte after another; undone by close_plane2. */
static void open_plane2(void)
{
    out_index(SEQ, 0, 1);
    out_index(SEQ, 2, 4);
    out_index(SEQ, 4, 7);
    out_index(SEQ, 0, 3);
    out_index(GFX, 4, 2);
    out_index(GFX, 5, 0);
    out_index(GFX, 6, 4);
}

static void close_plane2(void)
{
    const struct mode *m = mode_now();
    out_index(SEQ, 0, 1);
    out_index(SEQ, 2, 3);
    out_index(SEQ, 4, 2);
    out_index(SEQ, 0, 3);
    out_index(GFX, 4, 0);
    out_index(GFX, 5, MODE(m, gfx5));
    out_index(GFX, 6, MODE(m, gfx6));
}

static void load(u16 seg, u16 off, u16 first, u16 count, u8 height, u8 block)
{
    /* Blocks 0 to 7 lie at 0, 4000h, 8000h, C000h, 2000h, 6000h, A000h, E000h. */
    u16 base = (u16)((block & 3) << 14 | (block & 4) << 11);
    open_plane2();
    for (; count > 0; count--, first++) {
        for (u8 y = 0; y < 32; y++)
            poke8(0xA000, (u16)(base + first * 32 + y), y < height ? peek8(seg, off++) : 0);
    }
    close_plane2();
}

void font_load(u8 height, u8 block)
{
    load(rom_segment(), (u16)(u32)rom_font(height), 0, 256, height, block);
}

void font_set_pointers(u8 height)
{
    poke16(0, 0x43 * 4, (u16)(u32)rom_font(height));
    poke16(0, 0x43 * 4 + 2, rom_segment());
    poke16(0, 0x1F * 4, (u16)((u32)font_8x8 + 128 * 8));
    poke16(0, 0x1F * 4 + 2, rom_segment());
}

/* Rows follow the height of a character in a text mode of 400 lines. */
static void set_height(u8 height)
{
    u16 crtc = peek16(BDA, B_CRTC);
    u8 rows = (u8)(400 / height);
    u16 lines = (u16)(rows * height - 1);
    out_index(crtc, 9, (u8)((in_index(crtc, 9) & 0xE0) | (height - 1)));
    out_index(crtc, 0x12, (u8)lines);
    out_index(crtc, 7, (u8)((in_index(crtc, 7) & ~0x42) | (lines >> 8 & 1) << 1 |
                            (lines >> 9 & 1) << 6));
    poke8(BDA, B_ROWS, (u8)(rows - 1));
    poke16(BDA, B_CHAR_HEIGHT, height);
    poke16(BDA, B_PAGE_SIZE, (u16)(rows * peek16(BDA, B_COLUMNS) * 2 + 255) & 0xFF00);
    cursor_show();
}

static void info(struct regs *r)
{
    u16 seg = rom_segment();
    switch (r->bh) {
    case 0:
        r->bp = peek16(0, 0x1F * 4);
        r->es = peek16(0, 0x1F * 4 + 2);
        break;
    case 1:
        r->bp = peek16(0, 0x43 * 4);
        r->es = peek16(0, 0x43 * 4 + 2);
        break;
    case 2:
    case 5: r->bp = (u16)(u32)font_8x14, r->es = seg; break;
    case 3: r->bp = (u16)(u32)font_8x8, r->es = seg; break;
    case 4: r->bp = (u16)((u32)font_8x8 + 128 * 8), r->es = seg; break;
    case 6:
    case 7: r->bp = (u16)(u32)font_8x16, r->es = seg; break;
    }
    r->cx = peek16(BDA, B_CHAR_HEIGHT);
    r->dl = peek8(BDA, B_ROWS);
}

static void graphics_font(struct regs *r, u8 height)
{
    if (r->al == 0x21) {
        poke16(0, 0x43 * 4, r->bp);
        poke16(0, 0x43 * 4 + 2, r->es);
        height = r->cl;
    } else {
        font_set_pointers(height);
    }
    u8 rows = r->bl == 1 ? 14 : r->bl == 2 ? 25 : r->bl == 3 ? 43 : r->dl;
    poke16(BDA, B_CHAR_HEIGHT, height);
    poke8(BDA, B_ROWS, (u8)(rows - 1));
}

void font_services(struct regs *r)
{
    u8 height = 0;
    switch (r->al) {
    case 0x00:
    case 0x10:
        load(r->es, r->bp, r->dx, r->cx, r->bh, r->bl & 7);
        height = r->bh;
        break;
    case 0x01:
    case 0x11: height = 14; break;
    case 0x02:
    case 0x12: height = 8; break;
    case 0x03: out_index(SEQ, 3, r->bl); return;
    case 0x04:
    case 0x14: height = 16; break;
    case 0x20:
        poke16(0, 0x1F * 4, r->bp);
        poke16(0, 0x1F * 4 + 2, r->es);
        return;
    case 0x21: graphics_font(r, 0); return;
    case 0x22: graphics_font(r, 14); return;
    case 0x23: graphics_font(r, 8); return;
    case 0x24: graphics_font(r, 16); return;
    case 0x30: info(r); return;
    default: return;
    }
    if (r->al != 0x00 && r->al != 0x10)
        font_load(height, r->bl & 7);
    if (r->al & 0x10 && height != 0)
        set_height(height);
}
