/* VBE 3.0: 4F00h to 4F03h; modes of 8, 15, 16, 24 and 32 bits with banks of 64 KiB at A0000h and with the
 * linear frame buffer of BAR0 (VESA BIOS Extension Core Functions Standard 3.0; the interface is the one
 * that Bochs defined). UNIMPL: text output in these modes (the attribute says so), refresh rates. */
#include "vbe.h"

enum { BITS = 5, DISPI_FIRST = 0xB0C0, DISPI_LAST = 0xB0CF, DEFAULT_BUFFER_HIGH = 0xE000 };
enum { DONT_CLEAR = 0x8000, USE_LINEAR = 0x4000, NUMBER = 0x01FF };

static const u8 depth[BITS] ROMDATA = {8, 15, 16, 24, 32};
static const struct vbe_mode { u16 width, height, number[BITS]; } vbe_modes[] ROMDATA = {
    {320, 200, {0, 0x10D, 0x10E, 0x10F, 0x140}},
    {640, 400, {0x100, 0, 0, 0, 0x141}},
    {640, 480, {0x101, 0x110, 0x111, 0x112, 0x142}},
    {800, 600, {0x103, 0x113, 0x114, 0x115, 0x143}},
    {1024, 768, {0x105, 0x116, 0x117, 0x118, 0x144}},
    {1152, 864, {0x150, 0x151, 0x152, 0x153, 0x154}}, /* from here on, numbers of our own mostly */
    {1280, 720, {0x158, 0x159, 0x15A, 0x15B, 0x15C}},
    {1280, 800, {0x160, 0x161, 0x162, 0x163, 0x164}},
    {1280, 1024, {0x107, 0x119, 0x11A, 0x11B, 0x145}},
    {1400, 1050, {0x168, 0x169, 0x16A, 0x16B, 0x16C}},
    {1440, 900, {0x170, 0x171, 0x172, 0x173, 0x174}},
    {1600, 900, {0x178, 0x179, 0x17A, 0x17B, 0x17C}},
    {1600, 1200, {0x11C, 0x11D, 0x11E, 0x11F, 0x147}},
    {1680, 1050, {0x180, 0x181, 0x182, 0x183, 0x184}},
    {1920, 1080, {0x188, 0x189, 0x18A, 0x18B, 0x18C}},
    {1920, 1200, {0x190, 0x191, 0x192, 0x193, 0x194}},
};
enum { NR_ROWS = sizeof vbe_modes / sizeof vbe_modes[0] };

struct found { u16 number, width, height; u8 bits; };

static const char oem[] ROMDATA = "Kiln VGA BIOS";
static const char vendor[] ROMDATA = "Kiln";
static const char product[] ROMDATA = "Bochs display interface";
static const char revision[] ROMDATA = "1";

u16 dispi_read(u16 index)
{
    outw(0x1CE, index);
    return inw(0x1CF);
}

void dispi_write(u16 index, u16 v)
{
    outw(0x1CE, index);
    outw(0x1CF, v);
}

static bool present(void)
{
    u16 id = dispi_read(DISPI_ID);
    return id >= DISPI_FIRST && id <= DISPI_LAST;
}

bool vbe_active(void)
{
    return present() && dispi_read(DISPI_ENABLE) & ENABLED;
}

u32 vbe_memory(void)
{
    return (u32)(dispi_read(DISPI_ID) >= 0xB0C4 ? dispi_read(DISPI_MEMORY_64K) : 64) << 16;
}

u32 vbe_pitch(void)
{
    return (u32)dispi_read(DISPI_VIRT_WIDTH) * ((dispi_read(DISPI_BPP) + 7u) / 8);
}

static u32 pitch(const struct found *m)
{
    return m->width * ((m->bits + 7u) / 8);
}

/* The i-th mode that the memory is enough for; false behind the last. */
static bool mode_at(unsigned i, struct found *m)
{
    u32 memory = vbe_memory();
    for (unsigned k = 0; k < NR_ROWS * BITS; k++) {
        const struct vbe_mode *row = &vbe_modes[k / BITS];
        m->number = rom16(&row->number[k % BITS]);
        m->width = rom16(&row->width);
        m->height = rom16(&row->height);
        m->bits = rom8(&depth[k % BITS]);
        if (m->number != 0 && pitch(m) * m->height <= memory && i-- == 0)
            return true;
    }
    return false;
}

static bool mode_numbered(u16 number, struct found *m)
{
    for (unsigned i = 0; mode_at(i, m); i++) {
        if (m->number == number)
            return true;
    }
    return false;
}

/* BAR0 of the adapter, found on bus 0 by mechanism 1. */
static u32 buffer_address(void)
{
    for (u32 slot = 0; slot < 32; slot++) {
        u32 at = 0x80000000u | slot << 11;
        outl(0xCF8, at);
        if (inl(0xCFC) != 0x11111234)
            continue;
        outl(0xCF8, at | 0x10);
        return inl(0xCFC) & 0xFFFFFFF0u;
    }
    return (u32)DEFAULT_BUFFER_HIGH << 16; /* Bochs without PCI */
}

static void put_pointer(u16 seg, u16 at, const void *p)
{
    poke16(seg, at, (u16)(u32)p);
    poke16(seg, (u16)(at + 2), rom_segment());
}

/* 4F00h: VbeInfoBlock. The list of modes lies in its reserved bytes. */
static u8 information(struct regs *r)
{
    u16 seg = r->es, at = r->di, list = (u16)(at + 0x22);
    bool wants_2 = peek16(seg, at) == 0x4256 && peek16(seg, (u16)(at + 2)) == 0x3245; /* "VBE2" */
    struct found m;
    unsigned n = 0;
    for (u16 i = 0; i < (wants_2 ? 512 : 256); i++)
        poke8(seg, (u16)(at + i), 0);
    poke16(seg, at, 0x4556); /* "VESA" */
    poke16(seg, (u16)(at + 2), 0x4153);
    poke16(seg, (u16)(at + 4), 0x0300);
    put_pointer(seg, (u16)(at + 6), oem);
    poke16(seg, (u16)(at + 0x0A), 1); /* the DAC can have 8 bits */
    poke16(seg, (u16)(at + 0x0E), list);
    poke16(seg, (u16)(at + 0x10), seg);
    poke16(seg, (u16)(at + 0x12), (u16)(vbe_memory() >> 16));
    if (wants_2) {
        poke16(seg, (u16)(at + 0x14), 0x0100);
        put_pointer(seg, (u16)(at + 0x16), vendor);
        put_pointer(seg, (u16)(at + 0x1A), product);
        put_pointer(seg, (u16)(at + 0x1E), revision);
    }
    for (; mode_at(n, &m); n++)
        poke16(seg, (u16)(list + 2 * n), m.number);
    poke16(seg, (u16)(list + 2 * n), 0xFFFF);
    return VBE_OK;
}

/* Size and position of red, green, blue and reserved, for 15, 16, 24 and 32 bits. */
static const u8 colors[4][8] ROMDATA = {{5, 10, 5, 5, 5, 0, 1, 15},
                                        {5, 11, 6, 5, 5, 0, 0, 0},
                                        {8, 16, 8, 8, 8, 0, 0, 0},
                                        {8, 16, 8, 8, 8, 0, 8, 24}};

/* 4F01h: ModeInfoBlock. */
static u8 mode_information(struct regs *r)
{
    u16 seg = r->es, at = r->di;
    struct found m;
    if (!mode_numbered(r->cx & NUMBER, &m))
        return VBE_FAILED;
    for (u16 i = 0; i < 256; i++)
        poke8(seg, (u16)(at + i), 0);
    u16 line = (u16)pitch(&m);
    u32 images = vbe_memory() / ((u32)line * m.height) - 1, buffer = buffer_address();
    if (images > 255)
        images = 255;
    poke16(seg, at, 0x009B); /* supported, described, colour, graphics, banks and linear */
    poke8(seg, (u16)(at + 2), 7); /* window A: there, readable, writable */
    poke16(seg, (u16)(at + 4), 64);
    poke16(seg, (u16)(at + 6), 64);
    poke16(seg, (u16)(at + 8), 0xA000);
    put_pointer(seg, (u16)(at + 0x0C), (const void *)(u32)vbe_window_entry);
    poke16(seg, (u16)(at + 0x10), line);
    poke16(seg, (u16)(at + 0x12), m.width);
    poke16(seg, (u16)(at + 0x14), m.height);
    poke8(seg, (u16)(at + 0x16), 8); /* characters */
    poke8(seg, (u16)(at + 0x17), 16);
    poke8(seg, (u16)(at + 0x18), 1); /* planes */
    poke8(seg, (u16)(at + 0x19), m.bits);
    poke8(seg, (u16)(at + 0x1A), 1); /* banks */
    poke8(seg, (u16)(at + 0x1B), m.bits == 8 ? 4 : 6); /* packed pixels, direct colour */
    poke8(seg, (u16)(at + 0x1D), (u8)images);
    poke8(seg, (u16)(at + 0x1E), 1);
    u8 row = m.bits == 15 ? 0 : m.bits == 16 ? 1 : m.bits == 24 ? 2 : 3;
    for (u16 i = 0; m.bits != 8 && i < 8; i++) {
        poke8(seg, (u16)(at + 0x1F + i), rom8(&colors[row][i]));
        poke8(seg, (u16)(at + 0x36 + i), rom8(&colors[row][i]));
    }
    poke16(seg, (u16)(at + 0x28), (u16)buffer);
    poke16(seg, (u16)(at + 0x2A), (u16)(buffer >> 16));
    poke16(seg, (u16)(at + 0x32), line);
    poke8(seg, (u16)(at + 0x34), (u8)images);
    poke8(seg, (u16)(at + 0x35), (u8)images);
    poke16(seg, (u16)(at + 0x3E), 0xBA80); /* 300 MHz */
    poke16(seg, (u16)(at + 0x40), 0x11E1);
    return VBE_OK;
}

static u8 set(struct regs *r)
{
    struct found m;
    u16 number = r->bx & NUMBER;
    if (number < 0x100) {
        if (mode_find(number & 0x7F) == 0)
            return VBE_FAILED;
        mode_set((u8)((number & 0x7F) | (r->bx & DONT_CLEAR) >> 8));
        return VBE_OK;
    }
    if (!mode_numbered(number, &m))
        return VBE_FAILED;
    mode_set(0x13 | 0x80); /* its palette; 64 KiB at A0000h, chained */
    dispi_write(DISPI_XRES, m.width);
    dispi_write(DISPI_YRES, m.height);
    dispi_write(DISPI_BPP, m.bits);
    dispi_write(DISPI_ENABLE, ENABLED | (r->bx & USE_LINEAR ? LINEAR_BUFFER : 0) |
                                  (r->bx & DONT_CLEAR ? NO_CLEAR : 0));
    dispi_write(DISPI_BANK, 0);
    return VBE_OK;
}

static u8 get(struct regs *r)
{
    struct found m;
    u16 enable = dispi_read(DISPI_ENABLE);
    r->bx = peek8(BDA, B_MODE) & 0x7F;
    for (unsigned i = 0; enable & ENABLED && mode_at(i, &m); i++) {
        if (m.width != dispi_read(DISPI_XRES) || m.height != dispi_read(DISPI_YRES) ||
            m.bits != dispi_read(DISPI_BPP))
            continue;
        r->bx = (u16)(m.number | (enable & LINEAR_BUFFER ? USE_LINEAR : 0) |
                      (enable & NO_CLEAR ? DONT_CLEAR : 0));
        break;
    }
    return VBE_OK;
}

void vbe_services(struct regs *r)
{
    u8 status;
    if (!present())
        return;
    switch (r->al) {
    case 0x00: status = information(r); break;
    case 0x01: status = mode_information(r); break;
    case 0x02: status = set(r); break;
    case 0x03: status = get(r); break;
    case 0x04: status = state_services(r); break;
    case 0x05:
    case 0x06:
    case 0x07:
    case 0x08:
    case 0x09:
    case 0x0A:
    case 0x15: status = vbe_control(r); break;
    default: return; /* AL is not 4Fh: not supported */
    }
    r->al = 0x4F;
    r->ah = status;
}
