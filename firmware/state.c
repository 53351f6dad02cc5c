/* INT 10h AH=1Ch and VBE 4F04h: save and restore the video state in the caller's buffer (IBM PS/2 BIOS
 * reference; VBE 3.0, 4.7). CX: 1 registers, 2 BDA, 4 DAC, 8 (VBE only) the display interface. */
#include "vbe.h"

enum { REGISTERS = 1, DATA = 2, COLORS = 4, SUPER = 8, SEQS = 5, CRTCS = 25, GFXS = 9, ATTRS = 21 };

/* The buffer, read or written as it goes. */
struct cursor { u16 seg, at; bool saving; };

static u8 pass(struct cursor *c, u8 v)
{
    if (c->saving)
        poke8(c->seg, c->at, v);
    else
        v = peek8(c->seg, c->at);
    c->at++;
    return v;
}

static void pass_indexed(struct cursor *c, u16 port, u8 first, u8 n)
{
    for (u8 i = first; i < n; i++) {
        u8 v = pass(c, c->saving ? in_index(port, i) : 0);
        if (!c->saving)
            out_index(port, i, v);
    }
}

static void pass_registers(struct cursor *c)
{
    u8 misc = pass(c, inb(MISC_READ));
    if (!c->saving)
        outb(MISC_WRITE, misc);
    pass_indexed(c, SEQ, 1, SEQS);
    u16 crtc = misc & 1 ? 0x3D4 : 0x3B4;
    u8 protect = pass(c, c->saving ? in_index(crtc, 0x11) : 0);
    if (!c->saving)
        out_index(crtc, 0x11, protect & 0x7F);
    pass_indexed(c, crtc, 0, CRTCS);
    pass_indexed(c, GFX, 0, GFXS);
    for (u8 i = 0; i < ATTRS; i++) {
        u8 v = pass(c, c->saving ? attr_read(i) : 0);
        if (!c->saving)
            attr_write(i, v);
    }
}

static void pass_bda(struct cursor *c)
{
    static const struct { u8 from, to; } parts[] ROMDATA = {{0x10, 0x11}, {0x49, 0x66}, {0x84, 0x8A}, {0xA8, 0xAB}};
    for (u8 k = 0; k < 4; k++) {
        for (u16 at = rom8(&parts[k].from); at <= rom8(&parts[k].to); at++) {
            u8 v = pass(c, peek8(BDA, at));
            if (!c->saving && at > 0x11) /* the equipment is only kept for its video bits */
                poke8(BDA, at, v);
            else if (!c->saving && at == 0x10)
                poke8(BDA, at, (u8)((peek8(BDA, at) & ~0x30) | (v & 0x30)));
        }
    }
}

static void pass_dac(struct cursor *c)
{
    u8 mask = pass(c, inb(DAC_MASK));
    outb(c->saving ? DAC_READ : DAC_WRITE, 0);
    for (u16 i = 0; i < 768; i++) {
        u8 v = pass(c, c->saving ? inb(DAC_DATA) : 0);
        if (!c->saving)
            outb(DAC_DATA, v);
    }
    outb(DAC_MASK, mask);
}

static void pass_dispi(struct cursor *c)
{
    u16 v[NR_DISPI];
    for (u16 i = DISPI_XRES; i < NR_DISPI - 1; i++) {
        v[i] = c->saving ? dispi_read(i) : 0;
        u8 low = pass(c, (u8)v[i]);
        v[i] = (u16)(low | pass(c, (u8)(v[i] >> 8)) << 8);
    }
    if (c->saving)
        return;
    dispi_write(DISPI_ENABLE, 0);
    if (!(v[DISPI_ENABLE] & ENABLED))
        return;
    for (u16 i = DISPI_XRES; i <= DISPI_BPP; i++)
        dispi_write(i, v[i]);
    dispi_write(DISPI_ENABLE, v[DISPI_ENABLE] | NO_CLEAR);
    for (u16 i = DISPI_BANK; i <= DISPI_Y_OFFSET; i++) {
        if (i != DISPI_VIRT_HEIGHT)
            dispi_write(i, v[i]);
    }
}

static u16 size_of(u16 what)
{
    u16 bytes = what & REGISTERS ? 1 + SEQS - 1 + 1 + CRTCS + GFXS + ATTRS : 0;
    bytes = (u16)(bytes + (what & DATA ? 2 + 30 + 7 + 4 : 0) + (what & COLORS ? 769 : 0));
    return (u16)(bytes + (what & SUPER ? 2 * (NR_DISPI - 2) : 0));
}

u8 state_services(struct regs *r)
{
    u8 function = r->ah == 0x1C ? r->al : r->dl;
    u16 what = r->cx & (r->ah == 0x1C ? 7 : 15);
    struct cursor c = {.seg = r->es, .at = r->bx, .saving = function == 1};
    if (what == 0 || function > 2)
        return VBE_FAILED;
    if (function == 0) {
        r->bx = (u16)((size_of(what) + 63) / 64);
        return VBE_OK;
    }
    if (what & SUPER) /* first: a mode of the interface's changes what the rest is */
        pass_dispi(&c);
    if (what & REGISTERS)
        pass_registers(&c);
    if (what & DATA)
        pass_bda(&c);
    if (what & COLORS)
        pass_dac(&c);
    return VBE_OK;
}
