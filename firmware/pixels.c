/* Graphics modes: pixels (INT 10h 0Ch, 0Dh), glyphs, and scrolling. Plain rather than fast.
 * DEVIATION: mode 0Fh is treated as four planes. */
#include "vga.h"

static u16 page_base(const struct mode *m, u8 page)
{
    return MODE(m, kind) == LINEAR ? 0 : page_offset(page);
}

static u16 width_of(const struct mode *m)
{
    return (u16)(MODE(m, columns) * 8);
}

static u16 segment_of(const struct mode *m)
{
    return (u16)(MODE(m, segment_high) << 8);
}

/* Byte of a CGA pixel: odd lines lie 8 KiB further. */
static u16 cga_at(const struct mode *m, u16 x, u16 y)
{
    return (u16)((y & 1) * 0x2000 + (y >> 1) * 80 + (MODE(m, kind) == CGA4 ? x >> 2 : x >> 3));
}

void pixel_put(const struct mode *m, u16 x, u16 y, u8 page, u8 color)
{
    u16 seg = segment_of(m), at;
    u8 kind = MODE(m, kind);
    if (x >= width_of(m))
        return;
    if (kind == LINEAR) {
        poke8(seg, (u16)(y * 320 + x), color);
    } else if (kind == PLANAR) {
        at = (u16)(page_base(m, page) + y * MODE(m, columns) + (x >> 3));
        out_index(GFX, 8, (u8)(0x80 >> (x & 7)));
        (void)peek8(seg, at);
        if (color & 0x80) { /* exclusive or with what is there */
            out_index(GFX, 3, 0x18);
            out_index(GFX, 5, 2);
            poke8(seg, at, color & 15);
            out_index(GFX, 3, 0);
        } else {
            out_index(GFX, 5, 2);
            poke8(seg, at, color);
        }
        out_index(GFX, 5, MODE(m, gfx5));
        out_index(GFX, 8, 0xFF);
    } else {
        at = cga_at(m, x, y);
        u8 shift = kind == CGA4 ? (u8)((3 - (x & 3)) * 2) : (u8)(7 - (x & 7));
        u8 mask = kind == CGA4 ? 3 : 1, old = peek8(seg, at);
        if (color & 0x80)
            poke8(seg, at, (u8)(old ^ (color & mask) << shift));
        else
            poke8(seg, at, (u8)((old & ~(mask << shift)) | (color & mask) << shift));
    }
}

u8 pixel_get(const struct mode *m, u16 x, u16 y, u8 page)
{
    u16 seg = segment_of(m), at;
    u8 kind = MODE(m, kind), color = 0;
    if (kind == LINEAR)
        return peek8(seg, (u16)(y * 320 + x));
    if (kind == PLANAR) {
        at = (u16)(page_base(m, page) + y * MODE(m, columns) + (x >> 3));
        for (u8 plane = 4; plane-- > 0;) {
            out_index(GFX, 4, plane);
            color = (u8)(color << 1 | (peek8(seg, at) >> (7 - (x & 7)) & 1));
        }
        return color;
    }
    at = cga_at(m, x, y);
    if (kind == CGA4)
        return peek8(seg, at) >> (3 - (x & 3)) * 2 & 3;
    return peek8(seg, at) >> (7 - (x & 7)) & 1;
}

void glyph_draw(const struct mode *m, u8 column, u8 row, u8 page, u8 c, u8 color)
{
    u8 height = peek8(BDA, B_CHAR_HEIGHT);
    u16 vector = c >= 128 && (MODE(m, kind) == CGA2 || MODE(m, kind) == CGA4) ? 0x1F : 0x43;
    u16 glyph = (u16)(peek16(0, vector * 4) + (vector == 0x1F ? c - 128 : c) * height);
    u16 seg = peek16(0, (u16)(vector * 4 + 2));
    bool exclusive = color & 0x80 && MODE(m, kind) != LINEAR;
    for (u8 y = 0; y < height; y++) {
        u8 bits = peek8(seg, (u16)(glyph + y));
        for (u8 x = 0; x < 8; x++, bits = (u8)(bits << 1)) {
            if (bits & 0x80)
                pixel_put(m, (u16)(column * 8 + x), (u16)(row * height + y), page, color);
            else if (!exclusive)
                pixel_put(m, (u16)(column * 8 + x), (u16)(row * height + y), page, 0);
        }
    }
}

/* One line of `count` bytes at to: a copy of the one at from, or filled. */
static void line(u16 seg, u16 to, u16 from, u16 count, bool copy, u8 fill)
{
    for (; count > 0; count--, to++, from++)
        poke8(seg, to, copy ? peek8(seg, from) : fill);
}

void graphics_scroll(const struct mode *m, u8 lines, bool down, u8 top, u8 left, u8 bottom,
                     u8 right, u8 fill)
{
    u8 h = peek8(BDA, B_CHAR_HEIGHT), kind = MODE(m, kind);
    u16 rows = (u16)((bottom - top + 1) * h), step = (u16)(lines * h), seg = segment_of(m);
    u8 per_cell = kind == LINEAR ? 8 : kind == CGA4 ? 2 : 1;
    u16 count = (u16)((right - left + 1) * per_cell), x = (u16)(left * per_cell);
    u16 pitch = kind == LINEAR ? 320 : MODE(m, columns);
    u16 base = page_base(m, peek8(BDA, B_PAGE));
    for (u16 i = 0; i < rows; i++) {
        u16 y = down ? (u16)(bottom * h + h - 1 - i) : (u16)(top * h + i);
        u16 y2 = down ? (u16)(y - step) : (u16)(y + step), to, from;
        bool copy = i + step < rows;
        if (kind == CGA2 || kind == CGA4) {
            to = (u16)((y & 1) * 0x2000 + (y >> 1) * 80 + x);
            from = (u16)((y2 & 1) * 0x2000 + (y2 >> 1) * 80 + x);
            line(seg, to, from, count, copy, 0);
            continue;
        }
        to = (u16)(base + y * pitch + x);
        from = (u16)(base + y2 * pitch + x);
        if (kind == PLANAR) /* write mode 1 moves all planes; 2 fills with a colour */
            out_index(GFX, 5, copy ? 1 : 2);
        line(seg, to, from, count, copy, fill);
    }
    if (kind == PLANAR)
        out_index(GFX, 5, MODE(m, gfx5));
}
