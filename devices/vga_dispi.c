/*
 * VGA: the Bochs display interface. Bochs' vbe_display_api.txt; QEMU's docs/specs/standard-vga for
 * the page of registers behind BAR 2, with an EDID (VESA E-EDID 1.4) at its start.
 *
 * Turning a mode on sets the VGA's own registers to a linear mode of its size, as drivers expect.
 */
#include "devices/vga_dispi.h"

enum { ID_FIRST = 0xb0c0, ID_LAST = 0xb0c5, MAX_W = 1920, MAX_H = 1200, BANK_BYTES = 64 << 10 };
enum { PORT_INDEX = 0x1ce, REGISTERS = 4096, EDID_BYTES = 128 };

static unsigned depth(const struct vga *v)
{
    return v->dispi[DISPI_BPP] == 15 ? 16 : v->dispi[DISPI_BPP];
}

unsigned dispi_pitch(const struct vga *v)
{
    return v->dispi[DISPI_VIRT_WIDTH] * depth(v) / (depth(v) == 4 ? 4 * 8 : 8);
}

/* Bytes of video memory behind a line's byte: four planes lie side by side. */
static unsigned line_bytes(const struct vga *v)
{
    return dispi_pitch(v) * (depth(v) == 4 ? 4 : 1);
}

static u16 clamp(u16 v, unsigned low, unsigned high)
{
    return (u16)(v < low ? low : v > high ? high : v);
}

/* Brings the registers that depend on each other into what video memory can show. */
static void settle(struct vga *v)
{
    u16 *d = v->dispi;
    unsigned lines;

    d[DISPI_XRES] = clamp(d[DISPI_XRES] & 0xfff8, 8, MAX_W);
    d[DISPI_YRES] = clamp(d[DISPI_YRES], 1, MAX_H);
    d[DISPI_VIRT_WIDTH] = clamp(d[DISPI_VIRT_WIDTH] & 0xfff8, d[DISPI_XRES], 0x3ff8);
    while ((lines = VGA_VRAM / line_bytes(v)) < d[DISPI_YRES]) /* it must fit in what there is */
        d[DISPI_VIRT_WIDTH] = d[DISPI_XRES] + (d[DISPI_VIRT_WIDTH] - d[DISPI_XRES]) / 2 / 8 * 8;
    d[DISPI_VIRT_HEIGHT] = (u16)(lines > 0xffff ? 0xffff : lines);
    d[DISPI_X_OFFSET] = clamp(d[DISPI_X_OFFSET], 0, d[DISPI_VIRT_WIDTH] - d[DISPI_XRES]);
    d[DISPI_Y_OFFSET] = clamp(d[DISPI_Y_OFFSET], 0, d[DISPI_VIRT_HEIGHT] - d[DISPI_YRES]);
}

/* The VGA's registers for a mode of that size: A0000h to AFFFFh in chained planes. */
static void set_vga_mode(struct vga *v)
{
    unsigned end = v->dispi[DISPI_YRES] - 1u, planar = depth(v) == 4;

    v->seq[SEQ_RESET] = 3;
    v->seq[SEQ_CLOCKING] &= 0xd7;
    v->seq[SEQ_MAP_MASK] = 0x0f;
    v->seq[SEQ_MEMORY] = (u8)((v->seq[SEQ_MEMORY] & ~8) | 4 | (planar ? 0 : 8));
    v->gr[GR_MISC] = (u8)((v->gr[GR_MISC] & ~0x0c) | 5);
    v->gr[GR_MODE] = (u8)((v->gr[GR_MODE] & ~0x60) | (planar ? 0 : 0x40));
    v->crtc[CRTC_MODE] |= 3;
    v->crtc[CRTC_OFFSET] = (u8)(dispi_pitch(v) / 8);
    v->crtc[CRTC_H_END] = (u8)(v->dispi[DISPI_XRES] / 8 - 1);
    v->crtc[CRTC_V_END] = (u8)end;
    v->crtc[CRTC_OVERFLOW] = (u8)((v->crtc[CRTC_OVERFLOW] & ~0x42) | (end >> 7 & 2) | (end >> 3 & 0x40));
    v->crtc[CRTC_MAX_SCAN] &= 0x60;
}

static void enable(struct vga *v, u16 x)
{
    u16 *d = v->dispi;
    bool was = dispi_on(v);

    d[DISPI_ENABLE] = x & (DISPI_ENABLED | DISPI_GETCAPS | DISPI_8BIT_DAC | DISPI_LFB | DISPI_NOCLEARMEM);
    if (!dispi_on(v)) {
        d[DISPI_BANK] = 0;
        return;
    }
    if (was)
        return;
    d[DISPI_VIRT_WIDTH] = d[DISPI_X_OFFSET] = d[DISPI_Y_OFFSET] = d[DISPI_BANK] = 0;
    settle(v);
    set_vga_mode(v);
    if (!(x & DISPI_NOCLEARMEM)) {
        u32 len = line_bytes(v) * d[DISPI_YRES];
        memset(v->vram, 0, len);
        vga_wrote(v, 0, len);
    }
}

static u16 read_register(const struct vga *v, unsigned n)
{
    if (n >= NR_DISPI)
        return 0;
    if (v->dispi[DISPI_ENABLE] & DISPI_GETCAPS)
        switch (n) {
        case DISPI_XRES: return MAX_W;
        case DISPI_YRES: return MAX_H;
        case DISPI_BPP: return 32;
        }
    return v->dispi[n];
}

static void write_register(struct vga *v, unsigned n, u16 x)
{
    static const u8 depths[] = { 4, 8, 15, 16, 24, 32 };

    switch (n) {
    case DISPI_ID:
        if (x >= ID_FIRST && x <= ID_LAST)
            v->dispi[DISPI_ID] = x;
        return;
    case DISPI_ENABLE: enable(v, x); return;
    case DISPI_BANK:
        v->dispi[DISPI_BANK] = x & (VGA_VRAM / BANK_BYTES - 1);
        return;
    case DISPI_BPP:
        for (unsigned i = 0; i < sizeof(depths); i++)
            if (x == depths[i] || (x == 0 && depths[i] == 8))
                v->dispi[DISPI_BPP] = depths[i];
        break;
    case DISPI_XRES: case DISPI_YRES: case DISPI_VIRT_WIDTH: case DISPI_X_OFFSET: case DISPI_Y_OFFSET:
        v->dispi[n] = x;
        break;
    default: return; /* read-only */
    }
    if (dispi_on(v)) {
        settle(v);
        set_vga_mode(v);
    }
}

/* ---- ports ---- */

static u64 index_read(void *dev, u64 off, unsigned size)
{
    (void)off;
    (void)size;
    return ((struct vga *)dev)->dispi_index;
}

static void index_write(void *dev, u64 off, u64 x, unsigned size)
{
    (void)off;
    (void)size;
    ((struct vga *)dev)->dispi_index = (u16)x;
}

static u64 data_read(void *dev, u64 off, unsigned size)
{
    struct vga *v = dev;

    (void)off;
    (void)size;
    return read_register(v, v->dispi_index);
}

static void data_write(void *dev, u64 off, u64 x, unsigned size)
{
    struct vga *v = dev;

    (void)off;
    (void)size;
    write_register(v, v->dispi_index, (u16)x);
}

/* ---- BAR 2: EDID at 0, VGA ports 3C0h to 3DFh at 400h, the interface's registers at 500h, the
 * frame buffer's byte order at 604h ---- */

enum { PAGE_PORTS = 0x400, PAGE_DISPI = 0x500, PAGE_BYTE_ORDER = 0x604, LITTLE_ENDIAN_ORDER = 0x1e1e1e1e };

/* A monitor that prefers 1280x800 at 60 Hz and takes the usual sizes. */
static const u8 edid[EDID_BYTES - 1] = {
    0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00,
    0x2d, 0x2c, 0x01, 0x00, 0, 0, 0, 0, 1, 34, /* "KIL", product 1, week 1 of 2024 */
    1, 4, 0xa5, 34, 21, 120, 0x06,             /* EDID 1.4, digital, 34 by 21 cm, gamma 2.2, sRGB */
    0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54, /* sRGB's primaries */
    0x21, 0x08, 0x00,                          /* 640x480, 800x600, 1024x768 at 60 Hz */
    0xd1, 0xc0, 0x81, 0x00, 0x81, 0x80, 0x81, 0xc0, 0xa9, 0x40, 1, 1, 1, 1, 1, 1,
    /* 1280x800: 83.5 MHz, 400 and 38 lines' and dots' blanking (CVT) */
    0x9e, 0x20, 0x00, 0x90, 0x51, 0x20, 0x1f, 0x30, 0x48, 0x80, 0x36, 0x00, 0x54, 0xd2, 0x10, 0, 0, 0x18,
    0, 0, 0, 0xfc, 0, 'K', 'i', 'l', 'n', 10, 32, 32, 32, 32, 32, 32, 32, 32,
    0, 0, 0, 0xfd, 0, 50, 75, 30, 90, 20, 0x00, 10, 32, 32, 32, 32, 32, 32, /* 50-75 Hz, 30-90 kHz */
    0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* unused */
    0, /* no further blocks */
};

static u8 edid_byte(u64 off)
{
    u8 sum = 0;

    if (off >= EDID_BYTES)
        return 0;
    if (off < EDID_BYTES - 1)
        return edid[off];
    for (unsigned i = 0; i < EDID_BYTES - 1; i++)
        sum = (u8)(sum + edid[i]);
    return (u8)-sum;
}

static u64 registers_read(void *dev, u64 off, unsigned size)
{
    struct vga *v = dev;
    u64 r = 0;

    if (off >= PAGE_DISPI && off < PAGE_DISPI + 2 * NR_DISPI)
        return size == 1 ? 0 : read_register(v, (unsigned)(off - PAGE_DISPI) / 2);
    if (off == PAGE_BYTE_ORDER && size == 4)
        return LITTLE_ENDIAN_ORDER;
    for (unsigned i = 0; i < size; i++, off++)
        r |= (off >= PAGE_PORTS && off < PAGE_PORTS + 0x20 ? vga_port_read(v, off - PAGE_PORTS + 0x3c0)
                                                           : edid_byte(off)) << (8 * i);
    return r;
}

static void registers_write(void *dev, u64 off, u64 x, unsigned size)
{
    struct vga *v = dev;

    if (off >= PAGE_DISPI && off < PAGE_DISPI + 2 * NR_DISPI && size >= 2)
        write_register(v, (unsigned)(off - PAGE_DISPI) / 2, (u16)x);
    else if (off >= PAGE_PORTS && off < PAGE_PORTS + 0x20)
        for (unsigned i = 0; i < size; i++)
            vga_port_write(v, off + i - PAGE_PORTS + 0x3c0, (u8)(x >> (8 * i)));
}

/* Words at 1CEh (index), 1CFh and 1D0h (data both): each lies over the last byte of the one before. */
int dispi_init(struct vga *v)
{
    static const struct bus_ops index = { index_read, index_write, 2 }, data = { data_read, data_write, 2 };
    static const struct bus_ops registers = { registers_read, registers_write, 1 | 2 | 4 };
    int bad = 0;

    for (unsigned i = 0; i < ARRAY_LEN(v->dispi_ports); i++) {
        v->dispi_ports[i] = (struct bus_region){ .base = PORT_INDEX + i, .len = 2, .ops = i ? &data : &index,
                                                 .dev = v, .name = "vga dispi", .priority = (int)i };
        bad |= bus_map(v->dev.env.io, &v->dispi_ports[i]);
    }
    v->registers = (struct bus_region){ .ops = &registers, .dev = v, .name = "vga registers" };
    return bad | pci_add_bar(&v->func, 2, &v->registers, REGISTERS, false);
}

void dispi_reset(struct vga *v)
{
    v->dispi_index = 0;
    memset(v->dispi, 0, sizeof(v->dispi));
    v->dispi[DISPI_ID] = ID_LAST;
    v->dispi[DISPI_BPP] = 8;
    v->dispi[DISPI_MEMORY] = VGA_VRAM / BANK_BYTES;
}

bool dispi_plausible(const struct vga *v)
{
    struct vga copy = *v;

    if (v->dispi[DISPI_BANK] >= VGA_VRAM / BANK_BYTES || v->dispi[DISPI_MEMORY] != VGA_VRAM / BANK_BYTES)
        return false;
    switch (v->dispi[DISPI_BPP]) {
    case 4: case 8: case 15: case 16: case 24: case 32: break;
    default: return false;
    }
    settle(&copy);
    return !dispi_on(v) || !memcmp(copy.dispi, v->dispi, sizeof(copy.dispi));
}
