/*
 * VGA: the text screen as cells, and as UTF-8.
 *
 * Which characters a guest's own font shows cannot be known: codes are taken for code page 437, as
 * the adapter's ROM has them. IBM VGA/XGA Technical Reference.
 */
#include "devices/vga_layout.h"

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

static u16 unicode_of(u8 ch)
{
    u16 u = ch < 32 ? cp437_low[ch] : ch < 127 ? ch : cp437_high[ch - 127];

    return u == 0xa0 ? ' ' : u;
}

/* What the row of characters that begins at this line of the screen starts at. */
static unsigned row_address(const struct vga *v, const struct text_geometry *g, unsigned row)
{
    struct vga_origin o = vga_origin_of(v, row * g->cell_h);

    return o.start + o.line / g->cell_h * g->pitch;
}

static void find_cursor(const struct vga *v, const struct text_geometry *g, struct text_screen *s)
{
    unsigned at = v->crtc[CRTC_CURSOR_HIGH] << 8 | v->crtc[CRTC_CURSOR_LOW];

    s->cell_lines = g->cell_h;
    s->cursor_first = v->crtc[CRTC_CURSOR_START] & 31u;
    s->cursor_last = v->crtc[CRTC_CURSOR_END] & 31u;
    s->cursor_on = false;
    if ((v->crtc[CRTC_CURSOR_START] & 0x20) || s->cursor_first > s->cursor_last || s->cursor_first >= g->cell_h)
        return;
    for (unsigned row = 0; row < s->rows && !s->cursor_on; row++) {
        unsigned col = (at - row_address(v, g, row)) & 0xffff;

        s->cursor_on = col < s->cols;
        s->cursor_row = row;
        s->cursor_col = col;
    }
}

void vga_text_screen(const struct vga *v, struct text_screen *s)
{
    struct text_geometry g = vga_text_geometry(v);

    s->kind = vga_blanked(v) ? SCREEN_OFF : vga_graphics(v) ? SCREEN_GRAPHICS : SCREEN_TEXT;
    vga_picture_size(v, &s->w, &s->h);
    s->cols = s->rows = 0;
    s->cursor_on = false;
    if (s->kind != SCREEN_TEXT)
        return;
    s->cols = g.cols;
    s->rows = g.rows < TEXT_MAX_CELLS / g.cols ? g.rows : TEXT_MAX_CELLS / g.cols;
    s->blink = v->attr[ATTR_MODE] & 8;
    for (unsigned row = 0; row < s->rows; row++) {
        unsigned at = row_address(v, &g, row);

        for (unsigned col = 0; col < s->cols; col++) {
            const u8 *cell = v->vram + (((at + col) & 0xffff) << 2);

            s->cells[row * s->cols + col] = (struct text_cell){ unicode_of(cell[0]), cell[1] };
        }
    }
    find_cursor(v, &g, s);
}

/* ---- UTF-8 ---- */

static unsigned put_utf8(char *out, unsigned u)
{
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
    struct text_geometry g = vga_text_geometry(v);
    size_t n = 0;

    if (cap == 0)
        return 0;
    out[0] = 0;
    if (vga_graphics(v) || vga_blanked(v))
        return 0;
    for (unsigned row = 0; row < g.rows; row++) {
        unsigned at = row_address(v, &g, row);
        size_t end = n; /* behind the last character of the line that is not blank */

        for (unsigned col = 0; col < g.cols && n + 8 < cap; col++) {
            unsigned len = put_utf8(out + n, unicode_of(v->vram[((at + col) & 0xffff) << 2]));
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
