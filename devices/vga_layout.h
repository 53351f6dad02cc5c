/*
 * VGA: how the screen lies in video memory. Shared by the files that read it; changes nothing.
 */
#ifndef DEVICES_VGA_LAYOUT_H
#define DEVICES_VGA_LAYOUT_H

#include "devices/vga_dispi.h"

struct text_geometry {
    unsigned cols, rows, cell_w, cell_h, pitch;
};

/* Where a line of the monitor comes from: the address that its part of the screen starts at, the
 * line within that part, and how many dots are cut off at the left. */
struct vga_origin {
    unsigned start, line, pan;
};

static inline unsigned vga_vertical_end(const struct vga *v)
{
    return (v->crtc[CRTC_V_END] | (v->crtc[CRTC_OVERFLOW] & 2u) << 7 | (v->crtc[CRTC_OVERFLOW] & 0x40u) << 3) + 1;
}

static inline bool vga_graphics(const struct vga *v)
{
    return (v->gr[GR_MISC] & 1) || dispi_on(v);
}

static inline bool vga_256_colors(const struct vga *v)
{
    return v->gr[GR_MODE] & 0x40;
}

static inline bool vga_blanked(const struct vga *v)
{
    return !(v->attr_index & 0x20) || (v->seq[SEQ_CLOCKING] & 0x20) || (v->seq[SEQ_RESET] & 3) != 3;
}

/* Lines behind the line compare value are a part of their own from address 0, which panning may
 * leave alone (CRT controller 18h, attribute controller 10h bit 5). */
static inline struct vga_origin vga_origin_of(const struct vga *v, unsigned y)
{
    unsigned compare = v->crtc[CRTC_LINE_COMPARE] | (v->crtc[CRTC_OVERFLOW] & 0x10u) << 4 |
                       (v->crtc[CRTC_MAX_SCAN] & 0x40u) << 3;
    unsigned bytes = v->crtc[CRTC_PRESET_ROW] >> 5 & 3, pan = v->attr[ATTR_PAN] & 15;

    if (y > compare) {
        bool fixed = v->attr[ATTR_MODE] & 0x20;
        return (struct vga_origin){ fixed ? 0 : bytes, y - compare - 1, fixed ? 0 : pan };
    }
    return (struct vga_origin){ (unsigned)(v->crtc[CRTC_START_HIGH] << 8 | v->crtc[CRTC_START_LOW]) + bytes,
                                y + (v->crtc[CRTC_PRESET_ROW] & 31u), pan };
}

static inline struct text_geometry vga_text_geometry(const struct vga *v)
{
    struct text_geometry g;

    g.cols = v->crtc[CRTC_H_END] + 1u;
    g.cell_w = v->seq[SEQ_CLOCKING] & 1 ? 8 : 9;
    g.cell_h = (v->crtc[CRTC_MAX_SCAN] & 31u) + 1;
    g.rows = vga_vertical_end(v) / g.cell_h;
    g.pitch = v->crtc[CRTC_OFFSET] * 2u;
    return g;
}

/* How often a line of memory is shown, in graphics modes. */
static inline unsigned vga_line_repeat(const struct vga *v)
{
    unsigned twice = v->crtc[CRTC_MAX_SCAN] & 0x80 ? 2 : 1;

    return vga_256_colors(v) ? twice * ((v->crtc[CRTC_MAX_SCAN] & 31u) + 1) : twice;
}

/* The picture's dots. */
static inline void vga_picture_size(const struct vga *v, unsigned *w, unsigned *h)
{
    struct text_geometry g = vga_text_geometry(v);

    if (dispi_on(v) && !vga_blanked(v)) {
        *w = v->dispi[DISPI_XRES];
        *h = v->dispi[DISPI_YRES];
        return;
    }
    *w = vga_blanked(v) ? 640 : !vga_graphics(v) ? g.cols * g.cell_w : g.cols * (vga_256_colors(v) ? 4 : 8);
    *h = vga_blanked(v) ? 400 : vga_graphics(v) ? vga_vertical_end(v) / vga_line_repeat(v) : vga_vertical_end(v);
}

#endif
