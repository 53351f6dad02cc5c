/* VGA: registers, memory modes and pictures, after the IBM VGA/XGA Technical Reference. Register
 * values of modes are those that the IBM BIOS sets. */
#include "devices/test_bench.h"
#include "devices/vga.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SEQ = 0x3c4, GR = 0x3ce, CRTC = 0x3d4, W = 720, H = 480, A = 0xa0000, B8 = 0xb8000 };
static struct bench b;
static struct vga vga;
static u32 px[W * H];
static unsigned w, h;

static int setup(void **state)
{
    static const u8 rom[2048] = { 0x55, 0xaa, 4 };

    (void)state;
    bench_init(&b);
    memset(&vga, 0, sizeof(vga));
    bench_attach(&b, &vga.dev, &vga_class, &(struct vga_cfg){ .bus = &b.pci, .rom = rom, .rom_len = sizeof(rom) });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dev_fini(&vga.dev);
    bench_fini(&b);
    return 0;
}

static u8 in(u16 port)
{
    return (u8)bench_in(&b, port, 1);
}

static void out(u16 port, u8 v)
{
    bench_out(&b, port, v, 1);
}

static void attr(u8 index, u8 v)
{
    in(0x3da);
    out(0x3c0, index), out(0x3c0, v);
    out(0x3c0, 0x20);
}

struct mode {
    u8 misc, seq[5], crtc[25], gr[9], attr[21];
};
static const struct mode text_80x25 = {
    0x67, { 3, 0, 3, 0, 2 },
    { 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff },
    { 0, 0, 0, 0, 0, 0x10, 0x0e, 0, 0xff },
    { 0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0, 0x0f, 8, 0 },
};
static const struct mode linear_320x200 = {
    0x63, { 3, 1, 0x0f, 0, 0x0e },
    { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0xbf, 0x1f, 0, 0x41, 0, 0, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x40, 0x96, 0xb9, 0xa3, 0xff },
    { 0, 0, 0, 0, 0, 0x40, 0x05, 0x0f, 0xff },
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x41, 0, 0x0f, 0, 0 },
};
static const struct mode planes_640x480 = {
    0xe3, { 3, 1, 0x0f, 0, 6 },
    { 0x5f, 0x4f, 0x50, 0x82, 0x54, 0x80, 0x0b, 0x3e, 0, 0x40, 0, 0, 0, 0, 0, 0, 0xea, 0x8c, 0xdf, 0x28, 0, 0xe7, 0x04, 0xe3, 0xff },
    { 0, 0, 0, 0, 0, 0, 0x05, 0x0f, 0xff },
    { 0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x01, 0, 0x0f, 0, 0 },
};
static const struct mode cga_320x200 = {
    0x63, { 3, 9, 3, 0, 2 },
    { 0x2d, 0x27, 0x28, 0x90, 0x2b, 0x80, 0xbf, 0x1f, 0, 0xc1, 0, 0, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x14, 0, 0x96, 0xb9, 0xa2, 0xff },
    { 0, 0, 0, 0, 0, 0x30, 0x0f, 0x0f, 0xff },
    { 0, 0x13, 0x15, 0x17, 2, 4, 6, 7, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 1, 0, 3, 0, 0 },
};

/* Sets a mode, and a palette in which entry n is the grey n. */
static void set_mode(const struct mode *m)
{
    out(0x3c2, m->misc);
    for (u8 i = 0; i < 5; i++)
        bench_put(&b, SEQ, i, m->seq[i]);
    bench_put(&b, CRTC, 0x11, 0);
    for (u8 i = 0; i < 25; i++)
        bench_put(&b, CRTC, i, m->crtc[i]);
    for (u8 i = 0; i < 9; i++)
        bench_put(&b, GR, i, m->gr[i]);
    in(0x3da);
    for (u8 i = 0; i < 21; i++)
        out(0x3c0, i), out(0x3c0, m->attr[i]);
    out(0x3c0, 0x20);
    out(0x3c6, 0xff), out(0x3c8, 0);
    for (unsigned i = 0; i < 3 * 256; i++)
        out(0x3c9, (u8)(i / 3));
}

/* The DAC entry that a pixel shows (set_mode's palette has 64 greys, repeated). */
static unsigned entry(unsigned x, unsigned y)
{
    return (px[y * w + x] & 0xff) >> 2;
}

static void poke(u32 pa, u8 v)
{
    bus_write(&b.mem, pa, v, 1);
}

static u8 peek(u32 pa)
{
    return (u8)bus_read(&b.mem, pa, 1);
}

static void render(void)
{
    vga_render(&vga, px, W, H, &w, &h);
}

/* ---- registers ---- */

static void ports_follow_the_misc_register(void **state)
{
    (void)state;
    out(0x3c2, 0x67);
    assert_int_equal(in(0x3cc), 0x67);
    bench_put(&b, 0x3d4, 0x0e, 0x12);
    assert_int_equal(bench_get(&b, 0x3d4, 0x0e), 0x12);
    assert_int_equal(bench_get(&b, 0x3b4, 0x0e), 0xff);
    out(0x3c2, 0x66);
    assert_int_equal(bench_get(&b, 0x3b4, 0x0e), 0x12);
    assert_int_equal(in(0x3da), 0xff);
    assert_int_equal(in(0x3c2) & 0x10, 0x10); /* a colour monitor */
}

static void registers_read_back(void **state)
{
    static const struct { u16 port; u8 index, written, read; } rows[] = {
        { SEQ, 0, 0xff, 0x03 }, { SEQ, 1, 0xff, 0x3d }, { SEQ, 2, 0xff, 0x0f }, { SEQ, 3, 0xff, 0x3f },
        { SEQ, 4, 0xff, 0x0e }, { GR, 0, 0xff, 0x0f },  { GR, 1, 0xff, 0x0f },  { GR, 3, 0xff, 0x1f },
        { GR, 4, 0xff, 0x03 },  { GR, 5, 0xff, 0x7b },  { GR, 6, 0xff, 0x0f },  { GR, 7, 0xff, 0x0f },
        { GR, 8, 0xa5, 0xa5 },  { CRTC, 0x18, 0x5a, 0x5a }, { CRTC, 0x13, 0x28, 0x28 },
    };

    (void)state;
    out(0x3c2, 0x67);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        bench_put(&b, rows[i].port, rows[i].index, rows[i].written);
        assert_int_equal(bench_get(&b, rows[i].port, rows[i].index), rows[i].read);
        assert_int_equal(in(rows[i].port), rows[i].index);
    }
    bench_put(&b, CRTC, 0x11, 0x80); /* protects 0 to 7, but for the line compare bit */
    bench_put(&b, CRTC, 0, 0x11);
    assert_int_equal(bench_get(&b, CRTC, 0), 0);
    bench_put(&b, CRTC, 7, 0xff);
    assert_int_equal(bench_get(&b, CRTC, 7), 0x10);
}

static void attribute_flip_flop(void **state)
{
    (void)state;
    out(0x3c2, 0x67);
    in(0x3da);
    out(0x3c0, 0x05), out(0x3c0, 0x3f), out(0x3c0, 0x10), out(0x3c0, 0x0c);
    out(0x3c0, 0x05);
    assert_int_equal(in(0x3c1), 0x3f); /* reads do not flip it */
    assert_int_equal(in(0x3c0), 0x05);
    in(0x3da);
    out(0x3c0, 0x25), out(0x3c0, 0x01); /* the palette is closed while it is shown */
    in(0x3da);
    out(0x3c0, 0x05);
    assert_int_equal(in(0x3c1), 0x3f);
}

static void dac_counts_by_three(void **state)
{
    (void)state;
    out(0x3c8, 0xff);
    for (u8 i = 1; i <= 6; i++)
        out(0x3c9, (u8)(0xc0 | i));
    assert_int_equal(in(0x3c7) & 3, 0);
    out(0x3c7, 0xff);
    assert_int_equal(in(0x3c7) & 3, 3);
    for (u8 i = 1; i <= 6; i++)
        assert_int_equal(in(0x3c9), i); /* six bits, and entry 0 follows 255 */
    assert_int_equal(in(0x3c6), 0xff);
}

static void retrace_70_times_a_second(void **state)
{
    unsigned frames = 0, lines = 0;
    u8 last = 0;

    (void)state;
    out(0x3c2, 0x67);
    for (u64 end = clock_ticks(&b.clk) + NS_PER_SEC; clock_ticks(&b.clk) < end;) {
        u8 now = in(0x3da);

        frames += (now & ~last) >> 3 & 1;
        lines += (now & ~last) & 1;
        assert_true(!(now & 8) || (now & 1)); /* retrace is part of the blank time */
        last = now;
    }
    assert_in_range(frames, 69, 71);
    assert_in_range(lines, 70 * 395, 71 * 402); /* one a visible line */
}

/* ---- memory ---- */

static void planes(u32 pa, u8 expected[4])
{
    for (u8 k = 0; k < 4; k++) {
        bench_put(&b, GR, 4, k);
        expected[k] = peek(pa);
    }
}

static void write_modes(void **state)
{
    /* Set/reset, its enable, rotate and function, mode, bit mask, map mask; byte; planes, which
     * held 0Fh, 33h, 55h, FFh. */
    static const struct { u8 sr, enable, rotate, mode, mask, map, byte, planes[4]; } rows[] = {
        { 0, 0, 0x00, 0, 0xff, 0x0f, 0xa5, { 0xa5, 0xa5, 0xa5, 0xa5 } },
        { 0, 0, 0x00, 0, 0xff, 0x05, 0xa5, { 0xa5, 0x33, 0xa5, 0xff } },
        { 0, 0, 0x00, 0, 0xf0, 0x0f, 0xa5, { 0xaf, 0xa3, 0xa5, 0xaf } },
        { 0, 0, 0x04, 0, 0xff, 0x01, 0xa1, { 0x1a, 0x33, 0x55, 0xff } },
        { 5, 3, 0x00, 0, 0xff, 0x0f, 0xa5, { 0xff, 0x00, 0xa5, 0xa5 } },
        { 0, 0, 0x08, 0, 0xff, 0x0f, 0xa5, { 0x05, 0x21, 0x05, 0xa5 } }, /* and */
        { 0, 0, 0x10, 0, 0xff, 0x0f, 0xa5, { 0xaf, 0xb7, 0xf5, 0xff } }, /* or */
        { 0, 0, 0x18, 0, 0xff, 0x0f, 0xa5, { 0xaa, 0x96, 0xf0, 0x5a } }, /* xor */
        { 0, 0, 0x00, 2, 0x3c, 0x0f, 0x06, { 0x03, 0x3f, 0x7d, 0xc3 } },
        { 6, 0, 0x00, 3, 0xf0, 0x0f, 0xcc, { 0x0f, 0xf3, 0xd5, 0x3f } },
    };
    u8 got[4];

    (void)state;
    set_mode(&planes_640x480);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        static const u8 before[4] = { 0x0f, 0x33, 0x55, 0xff };

        bench_put(&b, GR, 5, 0), bench_put(&b, GR, 1, 0), bench_put(&b, GR, 3, 0), bench_put(&b, GR, 8, 0xff);
        for (u8 k = 0; k < 4; k++) {
            bench_put(&b, SEQ, 2, (u8)(1 << k));
            poke(A + 100, before[k]);
        }
        bench_put(&b, GR, 0, rows[i].sr), bench_put(&b, GR, 1, rows[i].enable), bench_put(&b, GR, 3, rows[i].rotate);
        bench_put(&b, GR, 5, rows[i].mode), bench_put(&b, GR, 8, rows[i].mask), bench_put(&b, SEQ, 2, rows[i].map);
        peek(A + 100); /* fills the latches */
        poke(A + 100, rows[i].byte);
        planes(A + 100, got);
        assert_memory_equal(got, rows[i].planes, 4);
    }
    peek(A + 100); /* write mode 1 copies what was read */
    bench_put(&b, GR, 5, 1), bench_put(&b, SEQ, 2, 0x0f);
    poke(A + 200, 0);
    planes(A + 200, got);
    assert_memory_equal(got, rows[ARRAY_LEN(rows) - 1].planes, 4);
    bench_put(&b, GR, 5, 8); /* read mode 1: pixels of colour 2, planes 0 and 1 cared for */
    bench_put(&b, GR, 2, 2), bench_put(&b, GR, 7, 3);
    assert_int_equal(peek(A + 200), (u8)(~0x0f & 0xf3));
}

static void window_places_and_odd_even(void **state)
{
    (void)state;
    set_mode(&text_80x25);
    poke(B8 + 0, 'A'), poke(B8 + 1, 0x1f), poke(B8 + 0x7ffe, 'Z');
    assert_int_equal(vga.vram[0], 'A');
    assert_int_equal(vga.vram[1], 0x1f);
    assert_int_equal(vga.vram[0x3fff * 4], 'Z');
    assert_int_equal(bus_read(&b.mem, B8, 2), 0x1f41);
    assert_int_equal(peek(A), 0xff); /* not decoded in this mode */
    bench_put(&b, GR, 6, 0x0a); /* B0000h */
    assert_int_equal(peek(0xb0000), 'A');
    assert_int_equal(peek(B8), 0xff);
    set_mode(&linear_320x200);
    poke(A + 0xffff, 0x77);
    assert_int_equal(vga.vram[0xffff], 0x77);
    assert_int_equal(peek(A + 0xffff), 0x77);
}

/* ---- pictures ---- */

static void glyph(unsigned font, u8 ch, const u8 rows[16])
{
    for (unsigned y = 0; y < 16; y++)
        vga.vram[(font + ch * 32 + y) * 4 + 2] = rows[y];
}

static void text_cells_fonts_and_cursor(void **state)
{
    static const u8 one[16] = { 0x80, 0x01, 0xff }, other[16] = { 0x40, 0xff };

    (void)state;
    set_mode(&text_80x25);
    glyph(0, 'A', one), glyph(0, 0xc4, one), glyph(0x4000, 'A', other);
    bench_put(&b, CRTC, 0x0a, 0x20); /* no cursor */
    poke(B8, 'A'), poke(B8 + 1, 0x1e), poke(B8 + 2, 0xc4), poke(B8 + 3, 0x1e);
    render();
    assert_int_equal(w, 720);
    assert_int_equal(h, 400);
    assert_int_equal(entry(0, 0), 0x3e); /* yellow: palette entry 14 is DAC 3Eh */
    assert_int_equal(entry(1, 0), 0x01);
    assert_int_equal(entry(7, 1), 0x3e);
    assert_int_equal(entry(8, 1), 0x01);      /* the ninth dot is background */
    assert_int_equal(entry(7, 2), 0x3e);
    assert_int_equal(entry(8, 2), 0x01);      /* beside a full row too */
    assert_int_equal(entry(9 + 8, 1), 0x3e);  /* but continues line graphics */
    bench_put(&b, SEQ, 3, 0x04);              /* map A: the font at 4000h, for attribute bit 3 */
    attr(18, 0x07);                           /* which is no colour then */
    render();
    assert_int_equal(entry(0, 0), 0x01);
    assert_int_equal(entry(1, 0), 0x14);
    bench_put(&b, SEQ, 3, 0x00);
    bench_put(&b, CRTC, 0x0a, 14), bench_put(&b, CRTC, 0x0b, 15), bench_put(&b, CRTC, 0x0f, 1);
    while (clock_ticks(&b.clk) / (8 * VGA_FRAME_NS) & 1)
        bench_pass(&b, 1000000);
    render();
    assert_int_equal(entry(9, 14), 0x14);
    assert_int_equal(entry(17, 15), 0x14);
    assert_int_equal(entry(9, 13), 0x01);
    assert_int_equal(entry(8, 14), 0x01);
    bench_pass(&b, 8 * VGA_FRAME_NS); /* half of the time it is off */
    render();
    assert_int_equal(entry(9, 14), 0x01);
}

static void blink_or_bright_background(void **state)
{
    static const u8 dot[16] = { 0x80 };

    (void)state;
    set_mode(&text_80x25);
    glyph(0, 'A', dot);
    bench_put(&b, CRTC, 0x0a, 0x20);
    poke(B8, 'A'), poke(B8 + 1, 0x9e);
    while (clock_ticks(&b.clk) / (16 * VGA_FRAME_NS) & 1)
        bench_pass(&b, 1000000);
    render();
    assert_int_equal(entry(0, 0), 0x3e);
    assert_int_equal(entry(1, 0), 0x01);
    bench_pass(&b, 16 * VGA_FRAME_NS);
    render();
    assert_int_equal(entry(0, 0), 0x01);
    attr(16, 0x04);
    render();
    assert_int_equal(entry(0, 0), 0x3e);
    assert_int_equal(entry(1, 0), 0x39);
}

static void eight_dots_scroll_and_blank(void **state)
{
    static const u8 dot[16] = { 0x80 };

    (void)state;
    set_mode(&text_80x25);
    bench_put(&b, SEQ, 1, 1);
    glyph(0, 'A', dot);
    poke(B8 + 160, 'A'), poke(B8 + 161, 0x07);
    bench_put(&b, CRTC, 0x0d, 80); /* starts at the second line */
    render();
    assert_int_equal(w, 640);
    assert_int_equal(entry(0, 0), 7);
    bench_put(&b, SEQ, 1, 0x21); /* screen off */
    render();
    assert_int_equal(entry(0, 0), 0);
    bench_put(&b, SEQ, 1, 1);
    in(0x3da), out(0x3c0, 0x00); /* palette open */
    render();
    assert_int_equal(entry(0, 0), 0);
}

static void screen_text(void **state)
{
    char text[4000];

    (void)state;
    set_mode(&text_80x25);
    for (unsigned i = 0; i < 2000; i++)
        poke(B8 + 2 * i, ' ');
    for (const char *p = "Hi \x81\x01", *q = p; *q; q++)
        poke(B8 + 320 + 2 * (u32)(q - p), (u8)*q);
    assert_int_equal(vga_text(&vga, text, sizeof(text)), strlen("\n\nHi \xc3\xbc\xe2\x98\xba"));
    assert_string_equal(text, "\n\nHi \xc3\xbc\xe2\x98\xba");
    assert_true(vga_text(&vga, text, 4) < 4);
    set_mode(&linear_320x200);
    assert_int_equal(vga_text(&vga, text, sizeof(text)), 0);
}

static struct text_screen ts;

static unsigned cell_is(unsigned row, unsigned col, u16 unicode, u8 attr)
{
    struct text_cell c = ts.cells[row * ts.cols + col];

    return c.unicode == unicode && c.attr == attr;
}

static void text_screen_cells(void **state)
{
    (void)state;
    set_mode(&text_80x25);
    poke(B8, 0xb3), poke(B8 + 1, 0x1e);                        /* address 0 */
    poke(B8 + 160 + 158, 'z'), poke(B8 + 160 + 159, 0x87);     /* the last one of the second row */
    bench_put(&b, CRTC, 0x0a, 13), bench_put(&b, CRTC, 0x0b, 14);
    bench_put(&b, CRTC, 0x0e, 0), bench_put(&b, CRTC, 0x0f, 159);
    vga_text_screen(&vga, &ts);
    assert_int_equal(ts.kind, SCREEN_TEXT);
    assert_int_equal(ts.w, 720), assert_int_equal(ts.h, 400);
    assert_int_equal(ts.cols, 80), assert_int_equal(ts.rows, 25);
    assert_true(ts.blink);
    assert_true(cell_is(0, 0, 0x2502, 0x1e));
    assert_true(cell_is(1, 79, 'z', 0x87));
    assert_true(ts.cursor_on);
    assert_int_equal(ts.cursor_row, 1), assert_int_equal(ts.cursor_col, 79);
    assert_int_equal(ts.cursor_first, 13), assert_int_equal(ts.cursor_last, 14);
    assert_int_equal(ts.cell_lines, 16);

    attr(0x10, 0x04); /* bright backgrounds */
    bench_put(&b, CRTC, 0x0d, 80), bench_put(&b, CRTC, 0x0a, 0x20); /* a row on; no cursor */
    vga_text_screen(&vga, &ts);
    assert_false(ts.blink);
    assert_false(ts.cursor_on);
    assert_true(cell_is(0, 79, 'z', 0x87));
    bench_put(&b, CRTC, 0x0a, 0); /* a cursor above the screen */
    bench_put(&b, CRTC, 0x0f, 79);
    vga_text_screen(&vga, &ts);
    assert_false(ts.cursor_on);
    bench_put(&b, CRTC, 0x18, 159); /* lines 160 and on, ten rows down, are address 0 */
    bench_put(&b, CRTC, 7, 0x0f), bench_put(&b, CRTC, 9, 0x0f);
    vga_text_screen(&vga, &ts);
    assert_true(cell_is(10, 0, 0x2502, 0x1e));
    assert_true(ts.cursor_on);
    assert_int_equal(ts.cursor_row, 10);

    set_mode(&text_80x25);
    bench_put(&b, CRTC, 0x11, 0x0e), bench_put(&b, CRTC, 1, 39); /* 40 columns; cells of 8 lines */
    bench_put(&b, CRTC, 9, 0x47);
    vga_text_screen(&vga, &ts);
    assert_int_equal(ts.cols, 40), assert_int_equal(ts.rows, 50);
    bench_put(&b, CRTC, 1, 255), bench_put(&b, CRTC, 9, 0x40); /* more than fits */
    vga_text_screen(&vga, &ts);
    assert_int_equal(ts.cols, 256), assert_int_equal(ts.rows, TEXT_MAX_CELLS / 256);

    set_mode(&linear_320x200);
    vga_text_screen(&vga, &ts);
    assert_int_equal(ts.kind, SCREEN_GRAPHICS);
    assert_int_equal(ts.w, 320), assert_int_equal(ts.h, 200);
    bench_put(&b, SEQ, 1, 0x20);
    vga_text_screen(&vga, &ts);
    assert_int_equal(ts.kind, SCREEN_OFF);
}

/* IBM VGA/XGA Technical Reference: preset row scan (CRTC 08h), line compare (18h with bits in 07h
 * and 09h), horizontal PEL panning (attribute controller 13h) and its compatibility bit (10h). */
static void panning_and_split_screen(void **state)
{
    static const u8 edge[16] = { [3] = 0x80 }, top[16] = { 0x01 };

    (void)state;
    set_mode(&text_80x25);
    bench_put(&b, CRTC, 0x0a, 0x20);
    glyph(0, 'A', edge), glyph(0, 'B', top);
    poke(B8, 'B'), poke(B8 + 1, 0x0f);                 /* address 0 */
    poke(B8 + 160, 'A'), poke(B8 + 161, 0x0f);         /* the second row */
    bench_put(&b, CRTC, 0x0d, 80);                     /* which is shown first */
    render();
    assert_int_equal(entry(0, 3), 0x3f);
    bench_put(&b, CRTC, 8, 2);                         /* two lines are cut off above */
    render();
    assert_int_equal(entry(0, 1), 0x3f);
    assert_int_equal(entry(0, 3), 0);
    bench_put(&b, CRTC, 0x18, 99);                     /* compare at 99: bits 8 and 9 off */
    bench_put(&b, CRTC, 7, 0x0f), bench_put(&b, CRTC, 9, 0x0f);
    render();
    assert_int_equal(entry(7, 100), 0x3f);             /* line 100 is address 0, line 0 */
    assert_int_equal(entry(7, 99), 0);
    attr(0x13, 0);                                     /* nine dots: 0 shifts by one */
    render();
    assert_int_equal(entry(6, 100), 0x3f);
    bench_put(&b, SEQ, 1, 1), attr(0x13, 3);           /* eight dots: 3 shifts by three */
    render();
    assert_int_equal(entry(4, 100), 0x3f);
    attr(0x10, 0x2c);                                  /* the lower part stays */
    render();
    assert_int_equal(entry(7, 100), 0x3f);

    set_mode(&linear_320x200);
    poke(A + 2, 0x2a);
    attr(0x13, 4); /* two pixels of eight bits */
    render();
    assert_int_equal(entry(0, 0), 0x2a);
}

static void graphics_modes(void **state)
{
    (void)state;
    set_mode(&linear_320x200);
    poke(A + 320 * 199 + 319, 0x2a);
    render();
    assert_int_equal(w, 320);
    assert_int_equal(h, 200);
    assert_int_equal(entry(319, 199), 0x2a);
    out(0x3c6, 0x0f);
    render();
    assert_int_equal(entry(319, 199), 0x0a); /* the DAC's mask */
    set_mode(&planes_640x480);
    bench_put(&b, SEQ, 2, 0x06), bench_put(&b, GR, 8, 0x10);
    peek(A + 80 * 479 + 79);
    poke(A + 80 * 479 + 79, 0xff);
    render();
    assert_int_equal(w, 640);
    assert_int_equal(h, 480);
    assert_int_equal(entry(632 + 3, 479), 0x14); /* colour 6 */
    assert_int_equal(entry(632 + 4, 479), 0);
    set_mode(&cga_320x200);
    memset(vga.vram, 0, VGA_PLANES);
    poke(B8 + 80 + 1, 0x1b);             /* line 2, pixels 4 to 7: 0 1 2 3 */
    poke(B8 + 0x2000 + 99 * 80 + 79, 3); /* line 199, the last pixel: 3 */
    render();
    assert_int_equal(w, 320);
    assert_int_equal(h, 200);
    assert_int_equal(entry(4, 2), 0);
    assert_int_equal(entry(5, 2), 0x13);
    assert_int_equal(entry(6, 2), 0x15);
    assert_int_equal(entry(7, 2), 0x17);
    assert_int_equal(entry(319, 199), 0x17);
}

static void pci_frame_buffer_and_rom(void **state)
{
    unsigned devfn = 2 << 3;

    (void)state;
    assert_int_equal(pci_config_read(&b.pci, devfn, 0, 4), 0x11111234);
    assert_int_equal(pci_config_read(&b.pci, devfn, 8, 4) >> 8, 0x030000);
    pci_config_write(&b.pci, devfn, 0x10, 0xffffffff, 4);
    assert_int_equal(pci_config_read(&b.pci, devfn, 0x10, 4), 0xff000008); /* 16 MiB, prefetchable */
    pci_config_write(&b.pci, devfn, 0x30, 0xfffffffe, 4);
    assert_int_equal(pci_config_read(&b.pci, devfn, 0x30, 4), 0xfffff800); /* 2 KiB */
    pci_config_write(&b.pci, devfn, 0x10, 0xe0000000, 4);
    pci_config_write(&b.pci, devfn, 0x30, 0xe1000001, 4);
    assert_int_equal(bus_read(&b.mem, 0xe1000000, 2), 0xffff); /* memory decode is off */
    pci_config_write(&b.pci, devfn, PCI_COMMAND, PCI_COMMAND_MEM, 2);
    assert_int_equal(bus_read(&b.mem, 0xe1000000, 4), 0x0004aa55);
    bus_write(&b.mem, 0xe0ffffff, 0x5a, 1);
    assert_int_equal(vga.vram[VGA_VRAM - 1], 0x5a);
    pci_config_write(&b.pci, devfn, 0x30, 0xe1000000, 4); /* ROM decode off */
    assert_int_equal(bus_read(&b.mem, 0xe1000000, 2), 0xffff);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(ports_follow_the_misc_register), TEST(registers_read_back), TEST(attribute_flip_flop),
        TEST(dac_counts_by_three), TEST(retrace_70_times_a_second), TEST(write_modes), TEST(window_places_and_odd_even),
        TEST(text_cells_fonts_and_cursor), TEST(blink_or_bright_background), TEST(eight_dots_scroll_and_blank),
        TEST(screen_text), TEST(text_screen_cells), TEST(panning_and_split_screen), TEST(graphics_modes), TEST(pci_frame_buffer_and_rom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
