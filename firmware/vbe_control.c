/* VBE 3.0: window, scan lines, display start, DAC width, palette, protected-mode interface (4F05h to
 * 4F0Ah), and DDC (4F15h, VBE/DDC 1.1). The EDID is that of a made-up monitor, whatever the window:
 * an adapter's own cannot be reached from real mode. */
#include "vbe.h"

extern const u8 pmi_table[], pmi_end[]; /* entry.S */

/* EDID 1.3 (VESA E-EDID A): digital, 1024x768 preferred, up to 1920x1200; the sum is added. */
static const u8 edid[127] ROMDATA = {
    0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, /* header */
    0x2D, 0x8E, 0x01, 0x00, 0x01, 0x00, 0x00, 0x00, /* "KLN", product 1, serial number 1 */
    1, 36, 1, 3,                                    /* week, year - 1990; 1.3 */
    0x80, 41, 26, 120, 0x0A,                        /* digital, cm, gamma 2.2, RGB, preferred first */
    0xEE, 0x95, 0xA3, 0x54, 0x4C, 0x99, 0x26, 0x0F, 0x50, 0x54, /* sRGB */
    0x21, 0x08, 0x00, /* 640x480, 800x600, 1024x768 at 60 Hz */
    0x71, 0x4F,       /* 1152x864, 75 Hz */
    0x81, 0x00,       /* 1280x800 */
    0x81, 0x80,       /* 1280x1024 */
    0x95, 0x00,       /* 1440x900 */
    0xA9, 0x40,       /* 1600x1200 */
    0xB3, 0x00,       /* 1680x1050 */
    0xD1, 0xC0,       /* 1920x1080 */
    0xD1, 0x00,       /* 1920x1200 */
    /* 1024x768 at 60 Hz: 65 MHz, blanking 320 and 38 (DMT 10h) */
    0x64, 0x19, 0x00, 0x40, 0x41, 0x00, 0x26, 0x30, 0x18, 0x88, 0x36, 0x00, 0x9A, 0x04, 0x11, 0x00, 0x00, 0x18,
    0x00, 0x00, 0x00, 0xFC, 0x00, 'K', 'i', 'l', 'n', '\n', ' ', ' ', ' ', ' ', ' ', ' ', ' ', ' ', /* name */
    0x00, 0x00, 0x00, 0xFD, 0x00, 50, 85, 15, 96, 30, 0x00, '\n', ' ', ' ', ' ', ' ', ' ', ' ', /* ranges */
    0x00, 0x00, 0x00, 0x10, 0x00, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0x00, /* no extensions */
};

static u8 window(struct regs *r)
{
    if (r->bl != 0 || dispi_read(DISPI_ENABLE) & LINEAR_BUFFER)
        return r->bl != 0 ? VBE_FAILED : VBE_INVALID;
    if (r->bh == 1)
        r->dx = dispi_read(DISPI_BANK);
    else if (r->bh != 0 || r->dx >= vbe_memory() >> 16)
        return VBE_FAILED;
    else
        dispi_write(DISPI_BANK, r->dx);
    return VBE_OK;
}

/* 4F06h: the length of a line, in pixels or bytes. */
static u8 line_length(struct regs *r)
{
    u16 bytes = (u16)((dispi_read(DISPI_BPP) + 7) / 8), width = r->cx;
    if (r->bl == 2)
        width = (u16)((r->cx + bytes - 1) / bytes);
    if (r->bl == 0 || r->bl == 2) {
        if (width < dispi_read(DISPI_XRES) || (u32)width * bytes * dispi_read(DISPI_YRES) > vbe_memory())
            return 2; /* the hardware does not do that */
        dispi_write(DISPI_VIRT_WIDTH, width);
    } else if (r->bl == 3) {
        u32 most = vbe_memory() / ((u32)bytes * dispi_read(DISPI_YRES));
        r->cx = (u16)(most > 0xFFF8u / bytes ? 0xFFF8u / bytes : most);
        r->bx = (u16)(r->cx * bytes);
        r->dx = dispi_read(DISPI_YRES);
        return VBE_OK;
    } else if (r->bl != 1) {
        return VBE_FAILED;
    }
    u32 pitch = vbe_pitch(), lines = vbe_memory() / pitch;
    r->bx = (u16)pitch;
    r->cx = dispi_read(DISPI_VIRT_WIDTH);
    r->dx = (u16)(lines > 0xFFFF ? 0xFFFF : lines);
    return VBE_OK;
}

static u8 display_start(struct regs *r)
{
    switch (r->bl) {
    case 0x00:
    case 0x80: { /* at the next retrace: the picture is made whole anyway */
        u32 last = r->dx + (u32)dispi_read(DISPI_YRES);
        if (last * vbe_pitch() > vbe_memory())
            return VBE_FAILED;
        dispi_write(DISPI_X_OFFSET, r->cx);
        dispi_write(DISPI_Y_OFFSET, r->dx);
        return VBE_OK;
    }
    case 0x01:
        r->bh = 0;
        r->cx = dispi_read(DISPI_X_OFFSET);
        r->dx = dispi_read(DISPI_Y_OFFSET);
        return VBE_OK;
    }
    return VBE_FAILED;
}

static u8 dac_width(struct regs *r)
{
    u16 enable = dispi_read(DISPI_ENABLE);
    if (dispi_read(DISPI_BPP) != 8)
        return VBE_INVALID;
    if (r->bl > 1)
        return VBE_FAILED;
    if (r->bl == 0)
        dispi_write(DISPI_ENABLE, (u16)((enable & ~DAC_8BIT) | NO_CLEAR | (r->bh >= 8 ? DAC_8BIT : 0)));
    r->bh = dispi_read(DISPI_ENABLE) & DAC_8BIT ? 8 : 6;
    return VBE_OK;
}

/* 4F09h: entries of blue, green, red and a byte of padding. */
static u8 palette(struct regs *r)
{
    u16 at = r->di;
    if (r->bl > 1 && r->bl != 0x80)
        return r->bl == 2 || r->bl == 3 ? 2 : VBE_FAILED; /* there is no second palette */
    if (r->cx > 256 || r->dx > 255 || r->cx + r->dx > 256)
        return VBE_FAILED;
    outb(r->bl == 1 ? DAC_READ : DAC_WRITE, (u8)r->dx);
    for (u16 n = r->cx; n > 0; n--, at = (u16)(at + 4)) {
        for (u16 k = 3; k-- > 0; ) {
            if (r->bl == 1)
                poke8(r->es, (u16)(at + k), inb(DAC_DATA));
            else
                outb(DAC_DATA, peek8(r->es, (u16)(at + k)));
        }
    }
    return VBE_OK;
}

static u8 ddc(struct regs *r)
{
    u8 sum = 0;
    if (r->bl == 0) {
        r->bh = 1; /* seconds for a block */
        r->bl = 2; /* DDC2 */
        return VBE_OK;
    }
    if (r->bl != 1 || r->dx != 0)
        return VBE_FAILED;
    for (u16 i = 0; i < 127; i++) {
        u8 v = rom8(&edid[i]);
        sum = (u8)(sum + v);
        poke8(r->es, (u16)(r->di + i), v);
    }
    poke8(r->es, (u16)(r->di + 127), (u8)-sum);
    return VBE_OK;
}

u8 vbe_control(struct regs *r)
{
    if (r->al == 0x15)
        return ddc(r);
    if (r->al == 0x0A) {
        if (r->bl != 0)
            return VBE_FAILED;
        r->es = rom_segment();
        r->di = (u16)(u32)pmi_table;
        r->cx = (u16)(u32)(pmi_end - pmi_table);
        return VBE_OK;
    }
    if (!vbe_active())
        return r->al == 0x09 ? palette(r) : VBE_INVALID;
    switch (r->al) {
    case 0x05: return window(r);
    case 0x06: return line_length(r);
    case 0x07: return display_start(r);
    case 0x08: return dac_width(r);
    default: return palette(r);
    }
}
