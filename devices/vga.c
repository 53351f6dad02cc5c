/*
 * VGA: registers and video memory access. IBM VGA/XGA Technical Reference, 2.
 *
 * Retrace bits follow from the virtual clock: 70 frames a second of 449 lines, whatever timing
 * the CRTC holds.
 *
 * UNIMPL: text modes of monochrome cards beyond the port decode.
 */
#include "devices/vga_dispi.h"
#include <stdlib.h>

enum { LINES = 449, VISIBLE_LINES = 400, RETRACE_FIRST = 412, RETRACE_LAST = 414 };
enum { MISC_COLOR = 1, ATTR_ENABLE = 0x20, CRTC_PROTECT = 0x80 };

static u8 input_status(const struct vga *v)
{
    u64 in_frame = clock_now(v->dev.env.clk) % VGA_FRAME_NS, line_ns = VGA_FRAME_NS / LINES;
    u64 line = in_frame / line_ns, in_line = in_frame % line_ns;
    bool blank = line >= VISIBLE_LINES || in_line >= line_ns * 4 / 5;
    bool retrace = line >= RETRACE_FIRST && line < RETRACE_LAST;

    return (u8)((blank ? 1 : 0) | (retrace ? 8 : 0));
}

/* ---- ports 3B0h to 3DFh ---- */

/* The CRTC and input status answer at 3Bxh or 3Dxh, as the miscellaneous register says. */
static bool wrong_decode(const struct vga *v, u64 port)
{
    if (port >= 0x3b0 && port <= 0x3bf)
        return v->misc & MISC_COLOR;
    if (port >= 0x3d0)
        return !(v->misc & MISC_COLOR);
    return false;
}

static u8 read_dac(struct vga *v)
{
    u8 r = v->dac[v->dac_read * 3 + v->dac_component];

    if (++v->dac_component == 3) {
        v->dac_component = 0;
        v->dac_read++;
    }
    return r;
}

static void write_dac(struct vga *v, u8 x)
{
    v->dac[v->dac_write * 3 + v->dac_component] = v->dispi[DISPI_ENABLE] & DISPI_8BIT_DAC ? x : x & 0x3f;
    if (++v->dac_component == 3) {
        v->dac_component = 0;
        v->dac_write++;
    }
}

u64 vga_port_read(struct vga *v, u64 port)
{
    if (wrong_decode(v, port))
        return 0xff;
    switch (port) {
    case 0x3c0: return v->attr_index;
    case 0x3c1: return v->attr[v->attr_index & 31];
    case 0x3c2: return 0x10; /* the sense bit: a colour monitor is there */
    case 0x3c4: return v->seq_index;
    case 0x3c5: return v->seq[v->seq_index & 7];
    case 0x3c6: return v->dac_mask;
    case 0x3c7: return v->dac_reading ? 3 : 0;
    case 0x3c8: return v->dac_write;
    case 0x3c9: return read_dac(v);
    case 0x3ca: return v->feature;
    case 0x3cc: return v->misc;
    case 0x3ce: return v->gr_index;
    case 0x3cf: return v->gr[v->gr_index & 15];
    case 0x3b4: case 0x3d4: return v->crtc_index;
    case 0x3b5: case 0x3d5: return v->crtc[v->crtc_index & 31];
    case 0x3ba: case 0x3da:
        v->attr_data_next = 0;
        return input_status(v);
    }
    return 0xff;
}

static void write_attr(struct vga *v, u8 x)
{
    static const u8 mask[32] = { [0 ... 15] = 0x3f, [16] = 0xef, [17] = 0xff, [18] = 0x3f, [19] = 0x0f, [20] = 0x0f };
    unsigned i = v->attr_index & 31;

    if (!v->attr_data_next)
        v->attr_index = x & 0x3f;
    else if (i >= 16 || !(v->attr_index & ATTR_ENABLE)) /* the palette is open only while off */
        v->attr[i] = x & mask[i];
    v->attr_data_next ^= 1;
}

static void write_crtc(struct vga *v, u8 x)
{
    unsigned i = v->crtc_index & 31;

    if (i <= 7 && (v->crtc[CRTC_V_RETRACE_END] & CRTC_PROTECT)) {
        if (i == CRTC_OVERFLOW) /* the line compare bit is open all the same */
            v->crtc[i] = (u8)((v->crtc[i] & ~0x10) | (x & 0x10));
        return;
    }
    v->crtc[i] = x;
}

void vga_port_write(struct vga *v, u64 port, u8 x)
{
    static const u8 seq_mask[8] = { 0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0, 0xff };
    static const u8 gr_mask[16] = { 0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff };

    if (wrong_decode(v, port))
        return;
    switch (port) {
    case 0x3c0: write_attr(v, x); break;
    case 0x3c2: v->misc = x & 0xef; break;
    case 0x3c4: v->seq_index = x & 7; break;
    case 0x3c5: v->seq[v->seq_index] = x & seq_mask[v->seq_index]; break;
    case 0x3c6: v->dac_mask = x; break;
    case 0x3c7:
        v->dac_read = x;
        v->dac_component = 0;
        v->dac_reading = 1;
        break;
    case 0x3c8:
        v->dac_write = x;
        v->dac_component = 0;
        v->dac_reading = 0;
        break;
    case 0x3c9: write_dac(v, x); break;
    case 0x3ce: v->gr_index = x & 15; break;
    case 0x3cf: v->gr[v->gr_index] = x & gr_mask[v->gr_index]; break;
    case 0x3b4: case 0x3d4: v->crtc_index = x & 31; break;
    case 0x3b5: case 0x3d5: write_crtc(v, x); break;
    case 0x3ba: case 0x3da: v->feature = x & 0x0b; break;
    }
}

static u64 port_read(void *dev, u64 off, unsigned size)
{
    (void)size;
    return vga_port_read(dev, 0x3b0 + off);
}

static void port_write(void *dev, u64 off, u64 val, unsigned size)
{
    (void)size;
    vga_port_write(dev, 0x3b0 + off, (u8)val);
}

/* ---- video memory ---- */

void vga_wrote(struct vga *v, u32 off, u32 len)
{
    if (v->cfg.memory.bytes)
        v->cfg.memory.wrote(v->cfg.memory.sink, off, len);
}

/* Where in video memory a byte of the window lies, counted in bytes of one plane or in all of them:
 * the first 256 KiB, or, with the Bochs interface on, its bank and all there is. */
static u32 window_byte(const struct vga *v, u64 off, unsigned planes)
{
    if (!dispi_on(v))
        return (u32)(off * planes & (VGA_PLANES - 1));
    return (u32)((off + ((u64)v->dispi[DISPI_BANK] << 16)) * planes & (VGA_VRAM - 1));
}

/* ---- the window at A0000h ---- */

/* Maps a window offset by GR6's memory map select. False: not decoded. */
static bool window_offset(const struct vga *v, u64 *off)
{
    static const struct { u32 base, len; } maps[4] = {
        { 0, 0x20000 }, { 0, 0x10000 }, { 0x10000, 0x8000 }, { 0x18000, 0x8000 },
    };
    unsigned m = v->gr[GR_MISC] >> 2 & 3;

    if (*off < maps[m].base || *off - maps[m].base >= maps[m].len)
        return false;
    *off -= maps[m].base;
    return true;
}

static bool chain4(const struct vga *v)
{
    return v->seq[SEQ_MEMORY] & 8;
}

/* Where the processor's even and odd addresses are planes 0 and 1 (text modes). */
static bool odd_even(const struct vga *v)
{
    return !(v->seq[SEQ_MEMORY] & 4);
}

static u64 window_read(void *dev, u64 off, unsigned size)
{
    struct vga *v = dev;
    u8 *p;

    (void)size;
    if (!window_offset(v, &off))
        return 0xff;
    if (chain4(v))
        return v->vram[window_byte(v, off, 1)];
    if (v->gr[GR_MODE] & 0x10) /* odd/even for reads */
        p = v->vram + window_byte(v, off >> 1, 4), off &= 1;
    else
        p = v->vram + window_byte(v, off, 4), off = 4;
    memcpy(v->latch, p, 4);
    if (v->gr[GR_MODE] & 8) { /* read mode 1: compare colours, a bit per pixel */
        u8 differ = 0;
        for (unsigned k = 0; k < 4; k++)
            if (v->gr[GR_DONT_CARE] >> k & 1)
                differ |= v->latch[k] ^ (v->gr[GR_COMPARE] >> k & 1 ? 0xff : 0);
        return (u8)~differ;
    }
    return v->latch[off < 2 ? (v->gr[GR_READ_MAP] & 2) | off : v->gr[GR_READ_MAP] & 3u];
}

static u8 rotate(const struct vga *v, u8 x)
{
    unsigned n = v->gr[GR_ROTATE] & 7;
    return (u8)(x >> n | x << (8 - n));
}

static u8 logic(const struct vga *v, u8 x, u8 latch)
{
    switch (v->gr[GR_ROTATE] >> 3 & 3) {
    case 1: return x & latch;
    case 2: return x | latch;
    case 3: return x ^ latch;
    }
    return x;
}

/* What write mode, set/reset, logic and bit mask make of a byte for plane k. */
static u8 plane_value(const struct vga *v, unsigned k, u8 x)
{
    u8 mask = v->gr[GR_BIT_MASK], fill = v->gr[GR_SET_RESET] >> k & 1 ? 0xff : 0;

    switch (v->gr[GR_MODE] & 3) {
    case 0:
        x = v->gr[GR_ENABLE_SR] >> k & 1 ? fill : rotate(v, x);
        break;
    case 1: return v->latch[k];
    case 2: x = x >> k & 1 ? 0xff : 0; break;
    default:
        mask &= rotate(v, x);
        x = fill;
        break;
    }
    x = logic(v, x, v->latch[k]);
    return (u8)((x & mask) | (v->latch[k] & ~mask));
}

static void window_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct vga *v = dev;
    u8 planes = v->seq[SEQ_MAP_MASK] & 15, *p;

    (void)size;
    if (!window_offset(v, &off))
        return;
    if (chain4(v)) {
        u32 at = window_byte(v, off, 1);

        if (planes >> (off & 3) & 1) {
            v->vram[at] = (u8)val;
            vga_wrote(v, at, 1);
        }
        return;
    }
    if (odd_even(v)) {
        planes &= off & 1 ? 0xa : 0x5;
        off >>= 1;
    }
    p = v->vram + window_byte(v, off, 4);
    for (unsigned k = 0; k < 4; k++)
        if (planes >> k & 1)
            p[k] = plane_value(v, k, (u8)val);
    vga_wrote(v, (u32)(p - v->vram), 4);
}

static u64 frame_read(void *dev, u64 off, unsigned size)
{
    return load_le(((struct vga *)dev)->vram + off, size);
}

static void frame_write(void *dev, u64 off, u64 x, unsigned size)
{
    struct vga *v = dev;

    store_le(v->vram + off, x, size);
    vga_wrote(v, (u32)off, size);
}

static void place_frame_buffer(void *dev)
{
    const struct vga *v = dev;

    if (v->cfg.memory.bytes)
        v->cfg.memory.place(v->cfg.memory.sink, v->frame_buffer.base, v->frame_buffer.on);
}

static u64 rom_read(void *dev, u64 off, unsigned size)
{
    const struct vga *v = dev;
    u64 r = 0;

    for (unsigned i = 0; i < size; i++)
        r |= (u64)(off + i < v->cfg.rom_len ? v->cfg.rom[off + i] : 0xff) << (8 * i);
    return r;
}

static void rom_write(void *dev, u64 off, u64 val, unsigned size)
{
    struct vga *v = dev;

    (void)off;
    (void)val;
    (void)size;
    guest_error(v->dev.env.log, "vga: write to the option ROM");
}

static int vga_init(struct dev *dev, const void *cfg, char err[160])
{
    static const struct bus_ops ports = { port_read, port_write, 1 };
    static const struct bus_ops window = { window_read, window_write, 1 };
    static const struct bus_ops frame = { frame_read, frame_write, 1 | 2 | 4 | 8 };
    static const struct bus_ops rom = { rom_read, rom_write, 1 | 2 | 4 | 8 };
    struct vga *v = CONTAINER_OF(dev, struct vga, dev);
    u32 rom_size = 2048;
    int bad = 0;

    v->cfg = *(const struct vga_cfg *)cfg;
    v->vram = v->cfg.memory.bytes ? v->cfg.memory.bytes : calloc(1, VGA_VRAM);
    if (!v->vram) {
        snprintf(err, 160, "the host has no memory for the VGA");
        return -1;
    }
    pci_add(v->cfg.bus, 2 << 3, &v->func, v);
    pci_header(&v->func, 0x1234, 0x1111, 0x030000, 0x02);
    v->ports = (struct bus_region){ .base = 0x3b0, .len = 0x30, .ops = &ports, .dev = v, .name = "vga" };
    v->window = (struct bus_region){ .base = 0xa0000, .len = 0x20000, .ops = &window, .dev = v, .name = "vga window" };
    v->frame_buffer = (struct bus_region){ .ops = &frame, .dev = v, .name = "vga frame buffer" };
    v->rom_region = (struct bus_region){ .ops = &rom, .dev = v, .name = "vga rom" };
    bad |= bus_map(dev->env.io, &v->ports) | bus_map(dev->env.mem, &v->window);
    v->func.bars_placed = place_frame_buffer;
    bad |= pci_add_bar(&v->func, 0, &v->frame_buffer, VGA_VRAM, false) | dispi_init(v);
    if (v->cfg.rom) {
        while (rom_size < v->cfg.rom_len)
            rom_size *= 2;
        bad |= pci_add_bar(&v->func, PCI_ROM, &v->rom_region, rom_size, false);
    }
    return bad;
}

static void vga_reset(struct dev *dev, enum reset_kind kind)
{
    struct vga *v = CONTAINER_OF(dev, struct vga, dev);

    if (kind == RESET_POWER_ON) {
        memset(v->vram, 0, VGA_VRAM);
        vga_wrote(v, 0, VGA_VRAM);
    }
    dispi_reset(v);
    pci_func_reset(&v->func);
    v->misc = v->feature = v->seq_index = v->crtc_index = v->gr_index = 0;
    v->attr_index = v->attr_data_next = 0;
    memset(v->seq, 0, sizeof(v->seq));
    memset(v->crtc, 0, sizeof(v->crtc));
    memset(v->gr, 0, sizeof(v->gr));
    memset(v->attr, 0, sizeof(v->attr));
    memset(v->dac, 0, sizeof(v->dac));
    memset(v->latch, 0, sizeof(v->latch));
    v->dac_mask = 0xff;
    v->dac_read = v->dac_write = v->dac_component = v->dac_reading = 0;
    pci_set(&v->func, PCI_BAR0, 4, 8); /* prefetchable */
}

static void vga_loaded(struct dev *dev)
{
    struct vga *v = CONTAINER_OF(dev, struct vga, dev);

    pci_update_bars(&v->func);
    vga_wrote(v, 0, VGA_VRAM);
}

static int vga_check(const struct dev *dev, char err[160])
{
    if (dispi_plausible(CONTAINER_OF(dev, struct vga, dev)))
        return 0;
    snprintf(err, 160, "vga: the display interface holds a mode that cannot be");
    return -1;
}

static void vga_fini(struct dev *dev)
{
    struct vga *v = CONTAINER_OF(dev, struct vga, dev);

    if (!v->cfg.memory.bytes)
        free(v->vram);
    v->vram = NULL;
}

static const struct state_field vga_fields[] = {
    STATE_STRUCT(struct vga, func, pci_func_fields), STATE(struct vga, misc),
    STATE(struct vga, feature), STATE_UPTO(struct vga, seq_index, 7),
    STATE_UPTO(struct vga, crtc_index, 31), STATE_UPTO(struct vga, gr_index, 15),
    STATE_UPTO(struct vga, attr_index, 0x3f), STATE_UPTO(struct vga, attr_data_next, 1),
    STATE_BYTES(struct vga, seq), STATE_BYTES(struct vga, crtc), STATE_BYTES(struct vga, gr),
    STATE_BYTES(struct vga, attr), STATE_BYTES(struct vga, dac), STATE(struct vga, dac_mask),
    STATE(struct vga, dac_read), STATE(struct vga, dac_write), STATE_UPTO(struct vga, dac_component, 2),
    STATE_UPTO(struct vga, dac_reading, 1), STATE_BYTES(struct vga, latch),
    STATE(struct vga, dispi_index), STATE_ARRAY(struct vga, dispi),
    STATE_INDIRECT(struct vga, vram, VGA_VRAM), STATE_END,
};
static const struct state_desc vga_state = { "vga", 2, vga_fields };
const struct dev_class vga_class = { "vga", vga_init, vga_reset, vga_loaded, vga_fini,
                                     &vga_state, vga_check };
