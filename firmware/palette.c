/* Attribute controller and DAC: the modes' palettes, and INT 10h AH=10h, 0Bh (IBM VGA technical
 * reference; the 256-colour palette is 16 CGA colours, 16 grays, then 24 hues at three
 * saturations and three intensities). */
#include "vga.h"

static const u8 attr_rows[][20] ROMDATA = {
    /* 0: 16 colours; index 10h to 13h: mode, overscan, planes, panning */
    {0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3A, 0x3B, 0x3C, 0x3D, 0x3E, 0x3F, 0x0C, 0, 0x0F, 8},
    /* 1: modes 4, 5 */
    {0, 0x13, 0x15, 0x17, 2, 4, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 1, 0, 3, 0},
    /* 2: mode 6 */
    {0, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17, 0x17,
     1, 0, 1, 0},
    /* 3: mono */
    {0, 8, 8, 8, 8, 8, 8, 8, 0x10, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18, 0x18, 0x0E, 0, 0x0F, 8},
    /* 4: modes 0Dh, 0Eh */
    {0, 1, 2, 3, 4, 5, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 1, 0, 0x0F, 0},
    /* 5: mode 11h */
    {0, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F, 0x3F,
     1, 0, 0x0F, 0},
    /* 6: mode 13h */
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x41, 0, 0x0F, 0},
};

static const u8 grays[16] ROMDATA = {0x00, 0x05, 0x08, 0x0B, 0x0E, 0x11, 0x14, 0x18,
                                     0x1C, 0x20, 0x24, 0x28, 0x2D, 0x32, 0x38, 0x3F};
/* Five steps of a hue's ramp: [intensity * 3 + saturation]. */
static const u8 ramps[9][5] ROMDATA = {
    {0, 16, 31, 47, 63},  {31, 39, 47, 55, 63}, {45, 49, 54, 58, 63},
    {0, 7, 14, 21, 28},   {14, 17, 21, 24, 28}, {20, 22, 24, 26, 28},
    {0, 4, 8, 12, 16},    {8, 10, 12, 14, 16},  {11, 12, 13, 15, 16}};

static void reset_flip_flop(void)
{
    (void)inb((u16)(peek16(BDA, B_CRTC) + 6));
}

/* With the screen kept on (bit 5) unless the palette itself is written. */
void attr_write(u8 index, u8 v)
{
    reset_flip_flop();
    outb(ATTR, index);
    outb(ATTR, v);
    reset_flip_flop();
    outb(ATTR, 0x20);
}

u8 attr_read(u8 index)
{
    reset_flip_flop();
    outb(ATTR, index);
    u8 v = inb(ATTR + 1);
    reset_flip_flop();
    outb(ATTR, 0x20);
    return v;
}

void palette_load(u8 row)
{
    reset_flip_flop();
    for (u8 i = 0; i < 20; i++) {
        outb(ATTR, i);
        outb(ATTR, rom8(&attr_rows[row][i]));
    }
    outb(ATTR, 0x14);
    outb(ATTR, 0);
}

static void dac_put(u8 r, u8 g, u8 b)
{
    outb(DAC_DATA, r);
    outb(DAC_DATA, g);
    outb(DAC_DATA, b);
}

/* Six bits rgbRGB: capital bits give two thirds, small ones a third. */
static u8 level(u8 i, u8 strong, u8 weak)
{
    return (u8)((i >> strong & 1) * 0x2A + (i >> weak & 1) * 0x15);
}

static void dac_color16(u8 i, u8 intensity_bit)
{
    u8 add = i >> intensity_bit & 1 ? 0x15 : 0, low = i & 7;
    bool brown = low == 6 && add == 0;
    dac_put((u8)((i >> 2 & 1) * 0x2A + add), (u8)(brown ? 0x15 : (i >> 1 & 1) * 0x2A + add),
            (u8)((i & 1) * 0x2A + add));
}

static u8 ramp(u8 row, u8 step)
{
    return rom8(&ramps[row][step]);
}

static void dac_hues(void)
{
    for (u8 row = 0; row < 9; row++) {
        for (u8 hue = 0; hue < 24; hue++) {
            /* Blue at 0, magenta 4, red 8, yellow 12, green 16, cyan 20. */
            u8 s = hue & 3, up = ramp(row, s), down = ramp(row, (u8)(4 - s));
            u8 zero = ramp(row, 0), full = ramp(row, 4), sector = hue >> 2;
            if (sector == 0)
                dac_put(up, zero, full);
            else if (sector == 1)
                dac_put(full, zero, down);
            else if (sector == 2)
                dac_put(full, up, zero);
            else if (sector == 3)
                dac_put(down, full, zero);
            else if (sector == 4)
                dac_put(zero, full, up);
            else
                dac_put(zero, down, full);
        }
    }
}

void dac_load(u8 kind)
{
    outb(DAC_WRITE, 0);
    if (kind == DAC_256) {
        for (u8 i = 0; i < 16; i++)
            dac_color16(i, 3);
        for (u8 i = 0; i < 16; i++)
            dac_put(rom8(&grays[i]), rom8(&grays[i]), rom8(&grays[i]));
        dac_hues();
        for (u8 i = 0; i < 8; i++)
            dac_put(0, 0, 0);
        return;
    }
    for (u8 i = 0; i < 64; i++) {
        if (kind == DAC_EGA64) {
            dac_put(level(i, 2, 5), level(i, 1, 4), level(i, 0, 3));
        } else if (kind == DAC_CGA16) {
            dac_color16(i, 4);
        } else {
            u8 v = (u8)((i & 0x08 ? 0x2A : 0) + (i & 0x10 ? 0x15 : 0));
            dac_put(v, v, v);
        }
    }
    for (u8 i = 0; i < 192; i++)
        dac_put(0, 0, 0);
}

void gray_sum(u16 first, u16 count)
{
    for (; count > 0 && first < 256; count--, first++) {
        outb(DAC_READ, (u8)first);
        u16 r = inb(DAC_DATA), g = inb(DAC_DATA), b = inb(DAC_DATA);
        u8 v = (u8)((r * 77 + g * 151 + b * 28 + 128) >> 8); /* 30, 59, 11 percent */
        outb(DAC_WRITE, (u8)first);
        dac_put(v, v, v);
    }
}

static void cga_color(struct regs *r)
{
    u8 palette = peek8(BDA, B_CGA_PALETTE);
    if (r->bh == 0) { /* border, or background in graphics; bit 4: bright foreground */
        palette = (u8)((palette & 0xE0) | (r->bl & 0x1F));
        u8 color = (u8)((r->bl & 7) | (r->bl & 8) << 1);
        attr_write(0x11, color);
        if (MODE(mode_now(), kind) != TEXT)
            attr_write(0, color);
    } else {
        palette = (u8)((palette & 0xDF) | (r->bl & 1) << 5);
    }
    poke8(BDA, B_CGA_PALETTE, palette);
    if (MODE(mode_now(), kind) == CGA4) {
        u8 odd = palette >> 5 & 1, bright = palette & 0x10;
        for (u8 i = 1; i < 4; i++)
            attr_write(i, (u8)(i * 2 + odd) | bright);
    }
}

static void dac_block(struct regs *r, bool read)
{
    u16 at = r->dx;
    outb(read ? DAC_READ : DAC_WRITE, (u8)r->bx);
    for (u32 i = 0; i < r->cx * 3u; i++, at++) {
        if (read)
            poke8(r->es, at, inb(DAC_DATA));
        else
            outb(DAC_DATA, peek8(r->es, at));
    }
}

/* Pages of the DAC: attribute register 10h bit 7 chooses 16 pages of 16 over 4 of 64. */
static void color_page(struct regs *r)
{
    u8 mode = attr_read(0x10);
    if (r->bl == 0)
        attr_write(0x10, (u8)((mode & 0x7F) | r->bh << 7));
    else
        attr_write(0x14, mode & 0x80 ? r->bh & 15 : (u8)((r->bh & 3) << 2));
}

void palette_services(struct regs *r)
{
    if (r->ah == 0x0B) {
        cga_color(r);
        return;
    }
    switch (r->al) {
    case 0x00:
        if (r->bl <= 0x14)
            attr_write(r->bl, r->bh);
        break;
    case 0x01: attr_write(0x11, r->bh); break;
    case 0x02:
        for (u8 i = 0; i < 16; i++)
            attr_write(i, peek8(r->es, (u16)(r->dx + i)));
        attr_write(0x11, peek8(r->es, (u16)(r->dx + 16)));
        break;
    case 0x03: attr_write(0x10, (u8)((attr_read(0x10) & ~8) | (r->bl & 1) << 3)); break;
    case 0x07: r->bh = attr_read(r->bl); break;
    case 0x08: r->bh = attr_read(0x11); break;
    case 0x09:
        for (u8 i = 0; i < 16; i++)
            poke8(r->es, (u16)(r->dx + i), attr_read(i));
        poke8(r->es, (u16)(r->dx + 16), attr_read(0x11));
        break;
    case 0x10:
        outb(DAC_WRITE, (u8)r->bx);
        dac_put(r->dh, r->ch, r->cl);
        break;
    case 0x12: dac_block(r, 0); break;
    case 0x13: color_page(r); break;
    case 0x15:
        outb(DAC_READ, (u8)r->bx);
        r->dh = inb(DAC_DATA);
        r->ch = inb(DAC_DATA);
        r->cl = inb(DAC_DATA);
        break;
    case 0x17: dac_block(r, 1); break;
    case 0x18: outb(DAC_MASK, r->bl); break;
    case 0x19: r->bl = inb(DAC_MASK); break;
    case 0x1A:
        r->bl = attr_read(0x10) >> 7;
        r->bh = attr_read(0x14);
        if (!r->bl)
            r->bh >>= 2;
        break;
    case 0x1B: gray_sum(r->bx, r->cx); break;
    }
}
