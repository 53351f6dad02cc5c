/* The Bochs display interface: registers, banks, pictures of every depth, the page of registers.
 * Expected values: Bochs' vbe_display_api.txt, QEMU's docs/specs/standard-vga, VESA E-EDID. */
#include "devices/test_bench.h"
#include "devices/vga_dispi.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { INDEX = 0x1ce, DATA = 0x1cf, DEVFN = 2 << 3, LFB = 0xe0000000u, MMIO = 0xe1000000u, W = 1920, H = 1200 };
static struct bench b;
static struct vga vga;
static u32 *px;
static unsigned w, h;

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    memset(&vga, 0, sizeof(vga));
    bench_attach(&b, &vga.dev, &vga_class, &(struct vga_cfg){ .bus = &b.pci });
    pci_config_write(&b.pci, DEVFN, PCI_BAR0, LFB, 4);
    pci_config_write(&b.pci, DEVFN, PCI_BAR0 + 8, MMIO, 4);
    pci_config_write(&b.pci, DEVFN, PCI_COMMAND, PCI_COMMAND_MEM, 2);
    bench_out(&b, 0x3c2, 0x67, 1); /* colour: 3DAh answers */
    px = calloc(W * H, sizeof(*px));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(px);
    dev_fini(&vga.dev);
    bench_fini(&b);
    return 0;
}

static u16 get(unsigned reg)
{
    bench_out(&b, INDEX, reg, 2);
    return (u16)bench_in(&b, DATA, 2);
}

static void set(unsigned reg, unsigned v)
{
    bench_out(&b, INDEX, reg, 2);
    bench_out(&b, DATA, v, 2);
}

static void mode(unsigned x, unsigned y, unsigned bpp, unsigned flags)
{
    set(DISPI_ENABLE, 0);
    set(DISPI_XRES, x);
    set(DISPI_YRES, y);
    set(DISPI_BPP, bpp);
    set(DISPI_ENABLE, DISPI_ENABLED | DISPI_LFB | flags);
    bench_in(&b, 0x3da, 1);
    bench_out(&b, 0x3c0, 0x20, 1); /* the attribute controller shows the picture */
}

static void poke(u32 pa, u64 v, unsigned size)
{
    bus_write(&b.mem, pa, v, size);
}

static u32 pixel(unsigned x, unsigned y)
{
    vga_render(&vga, px, W, H, &w, &h);
    return px[y * w + x];
}

static void it_names_itself_and_what_it_can(void **state)
{
    (void)state;
    assert_int_equal(get(DISPI_ID), 0xb0c5);
    set(DISPI_ID, 0xb0c0);
    assert_int_equal(get(DISPI_ID), 0xb0c0);
    set(DISPI_ID, 0x1234);
    assert_int_equal(get(DISPI_ID), 0xb0c0);
    assert_int_equal(get(DISPI_MEMORY), 256); /* 16 MiB in units of 64 KiB */
    set(DISPI_XRES, 640);
    set(DISPI_ENABLE, DISPI_GETCAPS);
    assert_int_equal(get(DISPI_XRES), 1920);
    assert_int_equal(get(DISPI_YRES), 1200);
    assert_int_equal(get(DISPI_BPP), 32);
    set(DISPI_ENABLE, 0);
    assert_int_equal(get(DISPI_XRES), 640);
    bench_out(&b, INDEX, DISPI_XRES, 2);
    assert_int_equal(bench_in(&b, 0x1d0, 2), 640); /* data, for processors that cannot read odd ports */
}

static void turning_on_clears_and_resets(void **state)
{
    (void)state;
    poke(LFB, 0x11223344, 4);
    set(DISPI_X_OFFSET, 5);
    mode(800, 600, 32, DISPI_NOCLEARMEM);
    assert_int_equal(pixel(0, 0), 0x223344);
    assert_int_equal(w, 800);
    assert_int_equal(h, 600);
    assert_int_equal(get(DISPI_VIRT_WIDTH), 800);
    assert_int_equal(get(DISPI_VIRT_HEIGHT), VGA_VRAM / 3200);
    assert_int_equal(get(DISPI_X_OFFSET), 0);
    mode(800, 600, 32, 0);
    assert_int_equal(pixel(0, 0), 0);
    set(DISPI_ENABLE, 0);
    vga_render(&vga, px, W, H, &w, &h);
    assert_true(w != 800);
}

static void pixels_of_every_depth(void **state)
{
    (void)state;
    mode(1024, 768, 32, 0);
    poke(LFB + (7 * 1024 + 9) * 4, 0xffa1b2c3, 4);
    assert_int_equal(pixel(9, 7), 0xa1b2c3);
    mode(1024, 768, 24, 0);
    poke(LFB + (7 * 1024 + 9) * 3, 0xc3, 1), poke(LFB + (7 * 1024 + 9) * 3 + 1, 0xa1b2, 2);
    assert_int_equal(pixel(9, 7), 0xa1b2c3);
    mode(640, 480, 16, 0);
    poke(LFB + (640 * 3 + 2) * 2, 0xf800 | 0x20 << 5 | 1, 2);
    assert_int_equal(pixel(2, 3), 0xff8208); /* 31, 32 of 63, 1 of 31 */
    mode(640, 480, 15, 0);
    poke(LFB + (640 * 3 + 2) * 2, 0x7c00 | 0x10 << 5 | 1, 2);
    assert_int_equal(pixel(2, 3), 0xff8408);
    mode(640, 480, 8, DISPI_8BIT_DAC);
    bench_out(&b, 0x3c6, 0xff, 1);
    bench_out(&b, 0x3c8, 0x42, 1);
    bench_out(&b, 0x3c9, 0xfe, 1), bench_out(&b, 0x3c9, 0x81, 1), bench_out(&b, 0x3c9, 0x03, 1);
    poke(LFB + 640 * 3 + 2, 0x42, 1);
    assert_int_equal(pixel(2, 3), 0xfe8103);
    mode(640, 480, 8, 0); /* six bits again: 3Eh, 01h, 03h */
    bench_out(&b, 0x3c8, 0x42, 1);
    bench_out(&b, 0x3c9, 0xfe, 1), bench_out(&b, 0x3c9, 0x81, 1), bench_out(&b, 0x3c9, 0x03, 1);
    poke(LFB + 640 * 3 + 2, 0x42, 1);
    assert_int_equal(pixel(2, 3), 0xfb040c);
}

/* 16 colours: a bit of each plane, here through the window and the map mask. */
static void four_bits_are_planes(void **state)
{
    (void)state;
    mode(1024, 768, 4, 0);
    for (u8 i = 0; i < 16; i++) {
        bench_in(&b, 0x3da, 1);
        bench_out(&b, 0x3c0, i, 1), bench_out(&b, 0x3c0, i, 1);
    }
    bench_out(&b, 0x3c0, 0x12, 1), bench_out(&b, 0x3c0, 0x0f, 1); /* all planes */
    bench_out(&b, 0x3c0, 0x20, 1);
    bench_out(&b, 0x3c8, 5, 1);
    bench_out(&b, 0x3c9, 0x3f, 1), bench_out(&b, 0x3c9, 0, 1), bench_out(&b, 0x3c9, 0x3f, 1);
    bench_put(&b, 0x3ce, 8, 0xff);
    bench_put(&b, 0x3c4, 2, 0x05);
    set(DISPI_BANK, 1); /* line 600: 76,800 bytes of a plane, behind the first 64 KiB */
    poke(0xa0000 + 600 * 128 + 1 - 0x10000, 0x80, 1);
    assert_int_equal(pixel(8, 600), 0xff00ff);
    assert_int_equal(pixel(9, 600), 0);
}

static void banks_reach_all_memory(void **state)
{
    (void)state;
    mode(1024, 768, 32, 0);
    set(DISPI_BANK, 32); /* 2 MiB */
    poke(0xa0010, 0x77, 1);
    assert_int_equal(bus_read(&b.mem, LFB + (2 << 20) + 0x10, 1), 0x77);
    assert_int_equal(bus_read(&b.mem, 0xa0010, 1), 0x77);
    set(DISPI_BANK, 0xffff);
    assert_int_equal(get(DISPI_BANK), 255);
    set(DISPI_ENABLE, 0);
    assert_int_equal(get(DISPI_BANK), 0);
}

static void the_picture_moves_within_a_wider_one(void **state)
{
    (void)state;
    mode(640, 480, 32, 0);
    set(DISPI_VIRT_WIDTH, 1000);
    assert_int_equal(get(DISPI_VIRT_WIDTH), 1000);
    assert_int_equal(get(DISPI_VIRT_HEIGHT), VGA_VRAM / 4000);
    set(DISPI_X_OFFSET, 100);
    set(DISPI_Y_OFFSET, 50);
    poke(LFB + (51 * 1000 + 102) * 4, 0x123456, 4);
    assert_int_equal(pixel(2, 1), 0x123456);
    set(DISPI_X_OFFSET, 0xffff);
    assert_int_equal(get(DISPI_X_OFFSET), 360); /* no farther than the line's end */
}

/* Sizes that cannot be are brought to ones that can, and nothing outside of memory is read (the
 * sanitizers watch). */
static void no_size_leaves_video_memory(void **state)
{
    static const u16 sizes[] = { 0, 1, 7, 8, 639, 1920, 1921, 16384, 0xffff };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++)
        for (unsigned k = 0; k < ARRAY_LEN(sizes); k++) {
            mode(sizes[i], sizes[k], k % 2 ? 32 : 4, 0);
            set(DISPI_VIRT_WIDTH, sizes[(i + k) % ARRAY_LEN(sizes)]);
            set(DISPI_Y_OFFSET, 0xffff);
            vga_render(&vga, px, W, H, &w, &h);
            assert_true(w >= 8 && w <= 1920 && h >= 1 && h <= 1200);
            assert_true(dispi_plausible(&vga));
        }
}

static void bar_2_shows_the_registers_and_an_edid(void **state)
{
    static const u8 head[8] = { 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0 };
    u8 sum = 0;

    (void)state;
    assert_int_equal(bus_read(&b.mem, MMIO + 0x500, 2), 0xb0c5);
    poke(MMIO + 0x502, 1280, 2);
    assert_int_equal(get(DISPI_XRES), 1280);
    poke(MMIO + 0x402, 0x67, 1); /* 3C2h */
    assert_int_equal(bench_in(&b, 0x3cc, 1), 0x67);
    assert_int_equal(bus_read(&b.mem, MMIO + 0x40c, 1), 0x67);
    for (unsigned i = 0; i < 128; i++) {
        u8 v = (u8)bus_read(&b.mem, MMIO + i, 1);
        sum = (u8)(sum + v);
        if (i < 8)
            assert_int_equal(v, head[i]);
    }
    assert_int_equal(sum, 0);
    /* the preferred timing's active size: E-EDID 3.10.2 */
    assert_int_equal(bus_read(&b.mem, MMIO + 56, 1) | (bus_read(&b.mem, MMIO + 58, 1) & 0xf0) << 4, 1280);
    assert_int_equal(bus_read(&b.mem, MMIO + 59, 1) | (bus_read(&b.mem, MMIO + 61, 1) & 0xf0) << 4, 800);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(it_names_itself_and_what_it_can), TEST(turning_on_clears_and_resets),
        TEST(pixels_of_every_depth),           TEST(four_bits_are_planes),
        TEST(banks_reach_all_memory),          TEST(the_picture_moves_within_a_wider_one),
        TEST(no_size_leaves_video_memory),     TEST(bar_2_shows_the_registers_and_an_edid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
