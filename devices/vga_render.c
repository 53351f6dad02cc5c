/*
 * VGA: from registers and memory to a picture, and to text. IBM VGA/XGA Technical Reference.
 *
 * Text, 16 colours in planes, CGA's two bits a pixel, and 256 colours. Nothing here changes the
 * device, and no register value reaches beyond video memory: every address is masked.
 */
#include "devices/vga.h"

/* The cursor is on for 8 frames and off for 8, blinking characters for 16 each. */
enum { CURSOR_NS = 8 * VGA_FRAME_NS, BLINK_NS = 16 * VGA_FRAME_NS, GLYPH_ROWS = 32 };

struct text_geometry {
    unsigned cols, rows, cell_w, cell_h, start, pitch;
};

static unsigned vertical_end(const struct vga *v)
{
    return (v->crtc[CRTC_V_END] | (v->crtc[CRTC_OVERFLOW] & 2u) << 7 | (v->crtc[CRTC_OVERFLOW] & 0x40u) << 3) + 1;
}

static bool graphics(const struct vga *v)
{
    return v->gr[GR_MISC] & 1;
}

static bool blanked(const struct vga *v)
{
    return !(v->attr_index & 0x20) || (v->seq[SEQ_CLOCKING] & 0x20) || (v->seq[SEQ_RESET] & 3) != 3;
}

/* Where a line of the monitor comes from: the address that its part of the screen starts at, the
 * line within that part, and how many dots are cut off at the left. */
struct origin {
    unsigned start, line, pan;
};

/* Lines behind the line compare value are a part of their own from address 0, which panning may
 * leave alone (CRT controller 18h, attribute controller 10h bit 5). */
static struct origin origin_of(const struct vga *v, unsigned y)
{
    unsigned compare = v->crtc[CRTC_LINE_COMPARE] | (v->crtc[CRTC_OVERFLOW] & 0x10u) << 4 |
                       (v->crtc[CRTC_MAX_SCAN] & 0x40u) << 3;
    unsigned bytes = v->crtc[CRTC_PRESET_ROW] >> 5 & 3, pan = v->attr[ATTR_PAN] & 15;

    if (y > compare) {
        bool fixed = v->attr[ATTR_MODE] & 0x20;
        return (struct origin){ fixed ? 0 : bytes, y - compare - 1, fixed ? 0 : pan };
    }
    return (struct origin){ (unsigned)(v->crtc[CRTC_START_HIGH] << 8 | v->crtc[CRTC_START_LOW]) + bytes,
                            y + (v->crtc[CRTC_PRESET_ROW] & 31u), pan };
}

static struct text_geometry geometry(const struct vga *v)
{
    struct text_geometry g;

    g.cols = v->crtc[CRTC_H_END] + 1u;
    g.cell_w = v->seq[SEQ_CLOCKING] & 1 ? 8 : 9;
    g.cell_h = (v->crtc[CRTC_MAX_SCAN] & 31u) + 1;
    g.rows = vertical_end(v) / g.cell_h;
    g.start = v->crtc[CRTC_START_HIGH] << 8 | v->crtc[CRTC_START_LOW];
    g.pitch = v->crtc[CRTC_OFFSET] * 2u;
    return g;
}

static const u8 *cell_at(const struct vga *v, const struct text_geometry *g, unsigned col, unsigned row)
{
    return v->vram + (((g->start + row * g->pitch + col) & 0xffff) << 2);
}

/* A DAC entry as a pixel: six bits a colour, stretched to eight. */
static u32 dac_color(const struct vga *v, u8 index)
{
    const u8 *c = v->dac + 3u * (index & v->dac_mask);
    u32 px = 0;

    for (unsigned i = 0; i < 3; i++)
        px = px << 8 | (u32)(c[i] << 2 | c[i] >> 4);
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
    bool hidden = false;
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
        row = 0xff; /* monochrome text: attribute 1 is underlined */
    if (hidden)
        row = 0;
    if (cursor && y >= (v->crtc[CRTC_CURSOR_START] & 31u) && y <= (v->crtc[CRTC_CURSOR_END] & 31u))
        row = 0xff;
    for (unsigned x = first_dot; x < cell_w && n < room; x++) {
        /* The ninth dot is background, but for line graphics and what spans the cell. */
        bool ninth = row == 0xff || ((v->attr[ATTR_MODE] & 4) && ch >= 0xc0 && ch <= 0xdf);
        bool on = x < 8 ? row >> (7 - x) & 1 : (row & 1) && ninth;

        px[n++] = on ? fg : bg;
    }
    return n;
}

static void render_text(const struct vga *v, u32 *px, unsigned max_w, unsigned max_h, unsigned *w, unsigned *h)
{
    struct text_geometry g = geometry(v);
    unsigned cursor = v->crtc[CRTC_CURSOR_HIGH] << 8 | v->crtc[CRTC_CURSOR_LOW];
    bool cursor_on = !(v->crtc[CRTC_CURSOR_START] & 0x20) && (clock_now(v->dev.env.clk) / CURSOR_NS & 1) == 0;

    *w = g.cols * g.cell_w < max_w ? g.cols * g.cell_w : max_w;
    *h = vertical_end(v) < max_h ? vertical_end(v) : max_h;
    for (unsigned y = 0; y < *h; y++) {
        struct origin o = origin_of(v, y);
        /* With nine dots a value of 8 means no shift, and 0 means one dot. */
        unsigned pan = g.cell_w == 8 ? o.pan & 7 : o.pan >= 8 ? 0 : o.pan + 1;
        unsigned at = o.start + o.line / g.cell_h * g.pitch;

        for (unsigned x = 0; x < *w; at++) {
            const u8 *cell = v->vram + ((at & 0xffff) << 2);
            x += draw_cell_line(v, cell, cursor_on && (at & 0xffff) == cursor, o.line % g.cell_h,
                                x == 0 ? pan : 0, g.cell_w, px + y * *w + x, *w - x);
        }
    }
}

/* Two or four bits a pixel: planes side by side, or CGA's pairs of bits in planes 0 and 1. */
static void render_planes(const struct vga *v, u32 *px, unsigned max_w, unsigned max_h, unsigned *w, unsigned *h)
{
    unsigned width = (v->crtc[CRTC_H_END] + 1u) * 8, lines = vertical_end(v);
    unsigned rows = (v->crtc[CRTC_MAX_SCAN] & 31u) + 1, pitch = v->crtc[CRTC_OFFSET] * 2u;
    /* CGA's memory: address bit 13 is the lowest bit of the row in a character (CRTC mode, CMS0);
     * in word mode, with two planes in use, that is every second byte's bit 12. */
    unsigned bank = v->crtc[CRTC_MODE] & 1 ? 0 : v->crtc[CRTC_MODE] & 0x40 ? 0x2000 : 0x1000;
    bool pairs = v->gr[GR_MODE] & 0x20;
    unsigned twice = v->crtc[CRTC_MAX_SCAN] & 0x80 ? 2 : 1;

    lines /= twice;
    *w = width < max_w ? width : max_w;
    *h = lines < max_h ? lines : max_h;
    for (unsigned y = 0; y < *h; y++) {
        struct origin o = origin_of(v, y * twice);
        unsigned line = o.line / twice;

        for (unsigned i = 0; i < *w; i++) {
            unsigned x = i + (o.pan & 7), color = 0;
            unsigned at = o.start + line / rows * pitch + x / 8 + (line % rows & 1 ? bank : 0);
            const u8 *p = v->vram + ((at & 0xffff) << 2);

            if (pairs)
                color = p[x >> 2 & 1] >> (6 - 2 * (x & 3)) & 3;
            else
                for (unsigned k = 0; k < 4; k++)
                    color |= (p[k] >> (7 - (x & 7)) & 1u) << k;
            px[y * *w + i] = attr_color(v, color);
        }
    }
}

/* 256 colours, one byte a pixel, each line shown twice (mode 13h). */
static void render_256(const struct vga *v, u32 *px, unsigned max_w, unsigned max_h, unsigned *w, unsigned *h)
{
    unsigned width = (v->crtc[CRTC_H_END] + 1u) * 4, lines = vertical_end(v);
    unsigned repeat = (v->crtc[CRTC_MAX_SCAN] & 31u) + 1, pitch = v->crtc[CRTC_OFFSET] * 8u;

    if (v->crtc[CRTC_MAX_SCAN] & 0x80)
        repeat *= 2;
    *w = width < max_w ? width : max_w;
    *h = lines / repeat < max_h ? lines / repeat : max_h;
    for (unsigned y = 0; y < *h; y++) {
        struct origin o = origin_of(v, y * repeat);
        unsigned at = o.start * 4 + o.line / repeat * pitch + (o.pan >> 1 & 3); /* 2 is a pixel here */

        for (unsigned x = 0; x < *w; x++)
            px[y * *w + x] = dac_color(v, v->vram[(at + x) & (VGA_PLANES - 1)]);
    }
}

void vga_render(const struct vga *v, u32 *px, unsigned max_w, unsigned max_h, unsigned *w, unsigned *h)
{
    if (!blanked(v) && !graphics(v)) {
        render_text(v, px, max_w, max_h, w, h);
    } else if (!blanked(v) && (v->gr[GR_MODE] & 0x40)) {
        render_256(v, px, max_w, max_h, w, h);
    } else if (!blanked(v)) {
        render_planes(v, px, max_w, max_h, w, h);
    } else {
        *w = 640 < max_w ? 640 : max_w;
        *h = 400 < max_h ? 400 : max_h;
        memset(px, 0, (size_t)*w * *h * sizeof(*px));
    }
    if (*w == 0 || *h == 0)
        *w = *h = 1, px[0] = 0;
}

/* ---- text ---- */

/* Code page 437 as Unicode, for the parts that are not ASCII. */
static const u16 cp437_low[32] = {
    0x20, 0x263a, 0x263b, 0x2665, 0x2666, 0x2663, 0x2660, 0x2022, 0x25d8, 0x25cb, 0x25d9, 0x2642,
    0x2640, 0x266a, 0x266b, 0x263c, 0x25ba, 0x25c4, 0x2195, 0x203c, 0xb6, 0xa7, 0x25ac, 0x21a8,
    0x2191, 0x2193, 0x2192, 0x2190, 0x221f, 0x2194, 0x25b2, 0x25bc,
};
static const u16 cp437_high[129] = {
    0x2302, 0xc7, 0xfc, 0xe9, 0xe2, 0xe4, 0xe0, 0xe5, 0xe7, 0xea, 0xeb, 0xe8, 0xef, 0xee, 0xec, 0xc4,
    0xc5, 0xc9, 0xe6, 0xc6, 0xf4, 0xf6, 0xf2, 0xfb, 0xf9, 0xff, 0xd6, 0xdc, 0xa2, 0xa3, 0xa5, 0x20a7,
    0x192, 0xe1, 0xed, 0xf3, 0xfa, 0xf1, 0xd1, 0xaa, 0xba, 0xbf, 0x2310, 0xac, 0xbd, 0xbc, 0xa1, 0xab,
    0xbb, 0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551,
    0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e,
    0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565,
    0x2559, 0x2558, 0x2552, 0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590,
    0x2580, 0x3b1, 0xdf, 0x393, 0x3c0, 0x3a3, 0x3c3, 0xb5, 0x3c4, 0x3a6, 0x398, 0x3a9, 0x3b4, 0x221e,
    0x3c6, 0x3b5, 0x2229, 0x2261, 0xb1, 0x2265, 0x2264, 0x2320, 0x2321, 0xf7, 0x2248, 0xb0, 0x2219,
    0xb7, 0x221a, 0x207f, 0xb2, 0x25a0, 0xa0,
};

static unsigned put_utf8(char *out, u8 ch)
{
    unsigned u = ch < 32 ? cp437_low[ch] : ch < 127 ? ch : cp437_high[ch - 127];

    if (u == 0xa0)
        u = ' ';
    if (u < 0x80) {
        out[0] = (char)u;
        return 1;
    }
    if (u < 0x800) {
        out[0] = (char)(0xc0 | u >> 6);
        out[1] = (char)(0x80 | (u & 63));
        return 2;
    }
    out[0] = (char)(0xe0 | u >> 12);
    out[1] = (char)(0x80 | (u >> 6 & 63));
    out[2] = (char)(0x80 | (u & 63));
    return 3;
}

size_t vga_text(const struct vga *v, char *out, size_t cap)
{
    struct text_geometry g = geometry(v);
    size_t n = 0;

    if (cap == 0)
        return 0;
    out[0] = 0;
    if (graphics(v) || blanked(v))
        return 0;
    for (unsigned row = 0; row < g.rows; row++) {
        size_t end = n; /* behind the last character of the line that is not blank */

        for (unsigned col = 0; col < g.cols && n + 8 < cap; col++) {
            unsigned len = put_utf8(out + n, cell_at(v, &g, col, row)[0]);
            bool blank = len == 1 && out[n] == ' ';

            n += len;
            if (!blank)
                end = n;
        }
        n = end;
        if (n + 2 >= cap)
            break;
        out[n++] = '\n';
    }
    while (n && out[n - 1] == '\n')
        n--;
    out[n] = 0;
    return n;
}
