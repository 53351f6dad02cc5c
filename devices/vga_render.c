/*
 * VGA: from registers and memory to a picture. IBM VGA/XGA Technical Reference.
 *
 * Text, 16 colours in planes, CGA's two bits a pixel, 256 colours, and the modes of the Bochs
 * display interface. Nothing here changes the
 * device, and no register value reaches beyond video memory: every address is masked.
 */
#include "devices/vga_layout.h"

/* The cursor is on for 8 frames and off for 8, blinking characters for 16 each. */
enum { CURSOR_NS = 8 * VGA_FRAME_NS, BLINK_NS = 16 * VGA_FRAME_NS, GLYPH_ROWS = 32 };

/* A colour of so many bits, stretched to eight: the high bits once more at the low end. */
static u32 stretch(u32 c, unsigned bits)
{
    return (c << (8 - bits) | c >> (2 * bits - 8)) & 0xff;
}

/* A DAC entry as a pixel: six bits a colour, or eight where the display interface says so. */
static u32 dac_color(const struct vga *v, u8 index)
{
    const u8 *c = v->dac + 3u * (index & v->dac_mask);
    unsigned bits = v->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC ? 8 : 6;
    u32 px = 0;

    for (unsigned i = 0; i < 3; i++)
        px = px << 8 | stretch(c[i], bits);
    return px;
}

static u32 attr_color(const struct vga *v, unsigned n)
{
    u8 a = v->attr[n & v->attr[ATTR_PLANES] & 15];

    if (v->attr[ATTR_MODE] & 0x80)
        a = (u8)((a & 0x0f) | (v->attr[ATTR_COLOR_SELECT] & 3) << 4);
    return dac_color(v, (u8)(a | (v->attr[ATTR_COLOR_SELECT] & 0xc) << 4));
}

/* Offset in plane 2 of the font that attribute bit 3 selects. */
static unsigned font_offset(const struct vga *v, u8 attr)
{
    static const u16 map[8] = { 0x0000, 0x4000, 0x8000, 0xc000, 0x2000, 0x6000, 0xa000, 0xe000 };
    u8 s = v->seq[SEQ_FONT];
    unsigned a = (s >> 2 & 3) | (s >> 5 & 1) << 2, b = (s & 3) | (s >> 4 & 1) << 2;

    return map[attr & 8 ? a : b];
}

/* Line y of a character cell, from its dot first on, to px; returns how many dots were drawn. */
static unsigned draw_cell_line(const struct vga *v, const u8 *cell, bool cursor, unsigned y,
                               unsigned first_dot, unsigned cell_w, u32 *px, unsigned room)
{
    u64 now = clock_now(v->dev.env.clk);
    u8 ch = cell[0], attr = cell[1];
    bool hidden = false, spans = false; /* spans: all dots of the cell */
    unsigned font = font_offset(v, attr), n = 0;
    u8 row = y < GLYPH_ROWS ? v->vram[((font + ch * GLYPH_ROWS + y) & 0xffff) << 2 | 2] : 0;
    u32 fg, bg;

    if (v->attr[ATTR_MODE] & 8) {
        hidden = (attr & 0x80) && (now / BLINK_NS & 1);
        attr &= 0x7f;
    }
    fg = attr_color(v, attr & 15);
    bg = attr_color(v, attr >> 4);
    if ((attr & 0x77) == 1 && (v->attr[ATTR_MODE] & 2) && y == (v->crtc[CRTC_UNDERLINE] & 31u))
        row = 0xff, spans = true; /* monochrome text: attribute 1 is underlined */
    if (hidden)
        row = 0, spans = false;
    if (cursor && y >= (v->crtc[CRTC_CURSOR_START] & 31u) && y <= (v->crtc[CRTC_CURSOR_END] & 31u))
        row = 0xff, spans = true;
    for (unsigned x = first_dot; x < cell_w && n < room; x++) {
        /* The ninth dot is background, but for line graphics and what spans the cell: the cursor and
         * an underline, not another glyph's full row. */
        bool ninth = spans || ((v->attr[ATTR_MODE] & 4) && ch >= 0xc0 && ch <= 0xdf);
        bool on = x < 8 ? row >> (7 - x) & 1 : (row & 1) && ninth;

        px[n++] = on ? fg : bg;
    }
    return n;
}

static void render_text(const struct vga *v, u32 *px, unsigned w, unsigned h)
{
    struct text_geometry g = vga_text_geometry(v);
    unsigned cursor = v->crtc[CRTC_CURSOR_HIGH] << 8 | v->crtc[CRTC_CURSOR_LOW];
    bool cursor_on = !(v->crtc[CRTC_CURSOR_START] & 0x20) && (clock_now(v->dev.env.clk) / CURSOR_NS & 1) == 0;

    for (unsigned y = 0; y < h; y++) {
        struct vga_origin o = vga_origin_of(v, y);
        /* With nine dots a value of 8 means no shift, and 0 means one dot. */
        unsigned pan = g.cell_w == 8 ? o.pan & 7 : o.pan >= 8 ? 0 : o.pan + 1;
        unsigned at = o.start + o.line / g.cell_h * g.pitch;

        for (unsigned x = 0; x < w; at++) {
            const u8 *cell = v->vram + ((at & 0xffff) << 2);
            x += draw_cell_line(v, cell, cursor_on && (at & 0xffff) == cursor, o.line % g.cell_h,
                                x == 0 ? pan : 0, g.cell_w, px + y * w + x, w - x);
        }
    }
}

/* Two or four bits a pixel: planes side by side, or CGA's pairs of bits in planes 0 and 1. */
static void render_planes(const struct vga *v, u32 *px, unsigned w, unsigned h)
{
    unsigned rows = (v->crtc[CRTC_MAX_SCAN] & 31u) + 1, pitch = v->crtc[CRTC_OFFSET] * 2u;
    /* CGA's memory: address bit 13 is the lowest bit of the row in a character (CRTC mode, CMS0);
     * in word mode, with two planes in use, that is every second byte's bit 12. */
    unsigned bank = v->crtc[CRTC_MODE] & 1 ? 0 : v->crtc[CRTC_MODE] & 0x40 ? 0x2000 : 0x1000;
    bool pairs = v->gr[GR_MODE] & 0x20;
    unsigned twice = vga_line_repeat(v);

    for (unsigned y = 0; y < h; y++) {
        struct vga_origin o = vga_origin_of(v, y * twice);
        unsigned line = o.line / twice;

        for (unsigned i = 0; i < w; i++) {
            unsigned x = i + (o.pan & 7), color = 0;
            unsigned at = o.start + line / rows * pitch + x / 8 + (line % rows & 1 ? bank : 0);
            const u8 *p = v->vram + ((at & 0xffff) << 2);

            if (pairs)
                color = p[x >> 2 & 1] >> (6 - 2 * (x & 3)) & 3;
            else
                for (unsigned k = 0; k < 4; k++)
                    color |= (p[k] >> (7 - (x & 7)) & 1u) << k;
            px[y * w + i] = attr_color(v, color);
        }
    }
}

/* 256 colours, one byte a pixel, each line shown twice (mode 13h). */
static void render_256(const struct vga *v, u32 *px, unsigned w, unsigned h)
{
    unsigned repeat = vga_line_repeat(v), pitch = v->crtc[CRTC_OFFSET] * 8u;

    for (unsigned y = 0; y < h; y++) {
        struct vga_origin o = vga_origin_of(v, y * repeat);
        unsigned at = o.start * 4 + o.line / repeat * pitch + (o.pan >> 1 & 3); /* 2 is a pixel here */

        for (unsigned x = 0; x < w; x++)
            px[y * w + x] = dac_color(v, v->vram[(at + x) & (VGA_PLANES - 1)]);
    }
}

/* One pixel at p, of 8 to 32 bits. */
static u32 linear_pixel(const struct vga *v, const u8 *p)
{
    u32 x;

    switch (v->dispi[DISPI_BPP]) {
    case 8: return dac_color(v, p[0]);
    case 15:
        x = (u32)load_le(p, 2);
        return stretch(x >> 10 & 31, 5) << 16 | stretch(x >> 5 & 31, 5) << 8 | stretch(x & 31, 5);
    case 16:
        x = (u32)load_le(p, 2);
        return stretch(x >> 11, 5) << 16 | stretch(x >> 5 & 63, 6) << 8 | stretch(x & 31, 5);
    default: return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16;
    }
}

/* The display interface has seen to it that the picture lies in video memory. */
static void render_dispi(const struct vga *v, u32 *px, unsigned w, unsigned h)
{
    unsigned pitch = dispi_pitch(v), depth = v->dispi[DISPI_BPP], bytes = (depth + 7) / 8;

    for (unsigned y = 0; y < h; y++) {
        unsigned line = (y + v->dispi[DISPI_Y_OFFSET]) * pitch;

        for (unsigned i = 0; i < w; i++) {
            unsigned x = i + v->dispi[DISPI_X_OFFSET], color = 0;

            if (depth == 4) {
                const u8 *p = v->vram + (size_t)(line + x / 8) * 4;
                for (unsigned k = 0; k < 4; k++)
                    color |= (p[k] >> (7 - (x & 7)) & 1u) << k;
                px[y * w + i] = attr_color(v, color);
            } else {
                px[y * w + i] = linear_pixel(v, v->vram + line + (size_t)x * bytes);
            }
        }
    }
}

void vga_render(const struct vga *v, u32 *px, unsigned max_w, unsigned max_h, unsigned *w, unsigned *h)
{
    vga_picture_size(v, w, h);
    *w = *w < max_w ? *w : max_w;
    *h = *h < max_h ? *h : max_h;
    if (vga_blanked(v))
        memset(px, 0, (size_t)*w * *h * sizeof(*px));
    else if (dispi_on(v))
        render_dispi(v, px, *w, *h);
    else if (!vga_graphics(v))
        render_text(v, px, *w, *h);
    else if (vga_256_colors(v))
        render_256(v, px, *w, *h);
    else
        render_planes(v, px, *w, *h);
    if (*w == 0 || *h == 0)
        *w = *h = 1, px[0] = 0;
}
