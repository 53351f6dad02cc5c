/*
 * A VGA as the PCI function 1234:1111: IBM VGA registers, 256 KiB behind the window at A0000h,
 * 16 MiB of frame buffer, an option ROM, and the Bochs display interface. IBM VGA/XGA Technical
 * Reference; FreeVGA; Bochs' vbe_display_api.txt; QEMU's docs/specs/standard-vga.
 *
 * Video memory holds the four planes interleaved: byte off of plane p is vram[off * 4 + p], so
 * that the linear modes are the plain order of bytes.
 */
#ifndef DEVICES_VGA_H
#define DEVICES_VGA_H

#include "core/text_screen.h"
#include "devices/pci.h"

enum { VGA_VRAM = 16 << 20, VGA_PLANES = 256 << 10 };
enum { VGA_FRAME_NS = 14268000 }; /* 70.1 frames a second: 449 lines of 31.78 us */

/* Video memory that the board keeps among the rest of its memory, so that the processor reaches the
 * frame buffer as it reaches RAM. */
struct vga_memory {
    u8 *bytes; /* VGA_VRAM of them; NULL: the device has its own, and is reached by the bus alone */
    void (*wrote)(void *sink, u32 off, u32 len);  /* the device has written there */
    void (*place)(void *sink, u64 pa, bool on);   /* where the frame buffer is now */
    void *sink;
};

struct vga_cfg {
    struct pci_bus *bus;
    struct vga_memory memory;
    const u8 *rom; /* NULL: none; must outlive the device */
    u32 rom_len;
};

/* The Bochs display interface's registers. */
enum dispi_reg {
    DISPI_ID, DISPI_XRES, DISPI_YRES, DISPI_BPP, DISPI_ENABLE, DISPI_BANK, DISPI_VIRT_WIDTH,
    DISPI_VIRT_HEIGHT, DISPI_X_OFFSET, DISPI_Y_OFFSET, DISPI_MEMORY, NR_DISPI,
};

struct vga {
    struct dev dev;
    struct vga_cfg cfg;
    struct pci_func func;
    struct bus_region ports, window, frame_buffer, rom_region, dispi_ports[3], registers;
    u8 *vram; /* the board's or owned: cfg.memory */
    u8 misc, feature, seq_index, crtc_index, gr_index, attr_index, attr_data_next;
    u8 seq[8], crtc[32], gr[16], attr[32];
    u8 dac[768], dac_mask, dac_read, dac_write, dac_component, dac_reading;
    u8 latch[4];
    u16 dispi_index, dispi[NR_DISPI];
};

/* The registers as bytes, by port: 3B0h to 3DFh. */
u64 vga_port_read(struct vga *, u64 port);
void vga_port_write(struct vga *, u64 port, u8 value);
/* Tells the board that the device has written its memory. */
void vga_wrote(struct vga *, u32 off, u32 len);

extern const struct dev_class vga_class;

/* Draws what a monitor would show now, as XRGB8888 with stride *w. Changes nothing in the device.
 * A picture larger than max_w by max_h is cut. */
void vga_render(const struct vga *, u32 *px, unsigned max_w, unsigned max_h, unsigned *w, unsigned *h);

/* The text screen as UTF-8, blanks at line ends cut; "" in graphics modes. Returns the length. */
size_t vga_text(const struct vga *, char *utf8, size_t cap);

/* The screen as a text display wants it. Changes nothing in the device. */
void vga_text_screen(const struct vga *, struct text_screen *);

/* Shared between the files of this device: register numbers by name. */
enum vga_reg {
    SEQ_RESET = 0, SEQ_CLOCKING = 1, SEQ_MAP_MASK = 2, SEQ_FONT = 3, SEQ_MEMORY = 4,
    CRTC_H_END = 1, CRTC_OVERFLOW = 7, CRTC_PRESET_ROW = 8, CRTC_MAX_SCAN = 9, CRTC_CURSOR_START = 10,
    CRTC_CURSOR_END = 11, CRTC_START_HIGH = 12, CRTC_START_LOW = 13, CRTC_CURSOR_HIGH = 14,
    CRTC_CURSOR_LOW = 15, CRTC_V_RETRACE_END = 17, CRTC_V_END = 18, CRTC_OFFSET = 19,
    CRTC_UNDERLINE = 20, CRTC_MODE = 23, CRTC_LINE_COMPARE = 24,
    GR_SET_RESET = 0, GR_ENABLE_SR = 1, GR_COMPARE = 2, GR_ROTATE = 3, GR_READ_MAP = 4, GR_MODE = 5,
    GR_MISC = 6, GR_DONT_CARE = 7, GR_BIT_MASK = 8,
    ATTR_MODE = 16, ATTR_OVERSCAN = 17, ATTR_PLANES = 18, ATTR_PAN = 19, ATTR_COLOR_SELECT = 20,
};

#endif
