/*
 * The floppy disk controller with its DMA channel: expected values from the 82077AA data sheet (290166)
 * and the 8237A's (231466).
 */
#include "devices/fdc.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { BUFFER = 0x12000 };
static struct bench b;
static struct i8237 dma;
static struct fdc fdc;
static struct bench_disk a, c; /* in A 1.44M, in B 720K and write-protected */

static u8 in(u16 port)
{
    return (u8)bench_in(&b, port, 1);
}

static void out(u16 port, u8 v)
{
    bench_out(&b, port, v, 1);
}

/* A byte of a command, when the controller says that it takes one. */
static void put(u8 v)
{
    for (unsigned n = 0; n < 100 && (in(0x3f4) & 0xc0) != 0x80; n++)
        bench_pass(&b, 100000);
    assert_int_equal(in(0x3f4) & 0xc0, 0x80);
    out(0x3f5, v);
}

static u8 get(void)
{
    assert_int_equal(in(0x3f4) & 0xc0, 0xc0);
    return in(0x3f5);
}

static void wait_irq(void)
{
    for (unsigned n = 0; n < 1000 && !b.level[6]; n++)
        bench_pass(&b, 1000000);
    assert_true(b.level[6]);
}

static u8 results[16];

static void take(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        results[i] = get();
    assert_int_equal(in(0x3f4) & 0xd0, 0x80); /* and no more */
}

static void command(const u8 *bytes, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        put(bytes[i]);
}
#define COMMAND(...) command((const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

static void sense(u8 st0, u8 pcn)
{
    COMMAND(0x08);
    take(2);
    assert_int_equal(results[0], st0);
    assert_int_equal(results[1], pcn);
}

static void seek(u8 unit, u8 cylinder)
{
    COMMAND(0x0f, unit, cylinder);
    assert_int_equal(in(0x3f4) & 15, 1 << unit); /* that drive is busy */
    wait_irq();
    sense(0x20 | unit, cylinder);
    assert_false(b.level[6]);
    assert_int_equal(in(0x3f4) & 15, 0);
}

/* Channel 2: single transfers, up, from BUFFER. */
static void set_dma(bool to_memory, u32 bytes)
{
    out(0x0a, 6);
    out(0x0b, to_memory ? 0x46 : 0x4a);
    out(0x0c, 0);
    out(0x04, BUFFER & 255), out(0x04, BUFFER >> 8 & 255);
    out(0x81, BUFFER >> 16);
    out(0x05, (u8)(bytes - 1)), out(0x05, (u8)((bytes - 1) >> 8));
    out(0x0a, 2);
}

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    memset(&dma, 0, sizeof(dma));
    memset(&fdc, 0, sizeof(fdc));
    bench_disk_init(&a, 2880);
    bench_disk_init(&c, 1440);
    c.dev.readonly = true;
    bench_attach(&b, &dma.dev, &i8237_class, &(struct i8237_cfg){ .dack = { [2] = { fdc_dack, &fdc, 0 } } });
    bench_attach(&b, &fdc.dev, &fdc_class,
                 &(struct fdc_cfg){ .irq6 = bench_wire(&b, 6), .dma = &dma, .dreq = { i8237_set_dreq, &dma, 2 },
                                    .disk = { &a.dev, &c.dev } });
    out(0xd6, 0xc0); /* the cascade */
    out(0xd4, 0);
    out(0x3f2, 0x1c);
    wait_irq();
    for (u8 unit = 0; unit < 4; unit++)
        sense(0xc0 | unit, 0);
    out(0x3f7, 0);
    COMMAND(0x03, 0xdf, 0x02); /* DMA */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dev_fini(&fdc.dev);
    dev_fini(&dma.dev);
    bench_disk_fini(&a);
    bench_disk_fini(&c);
    bench_fini(&b);
    return 0;
}

static void expect(u8 st0, u8 st1, u8 st2, u8 cyl, u8 head, u8 sector)
{
    const u8 want[7] = { st0, st1, st2, cyl, head, sector, 2 };

    wait_irq();
    assert_int_equal(in(0x3f4) & 0xf0, 0xd0);
    results[0] = get();
    assert_false(b.level[6]); /* the first result takes the interrupt back */
    for (unsigned i = 1; i < 7; i++)
        results[i] = get();
    for (unsigned i = 0; i < 7; i++)
        if (results[i] != want[i])
            fail_msg("result %u is %02x, not %02x", i, results[i], want[i]);
    assert_int_equal(in(0x3f4), 0x80);
}

/* ---- the tests ---- */

static void resets(void **state)
{
    (void)state;
    COMMAND(0x08); /* nothing is pending: invalid */
    take(1);
    assert_int_equal(results[0], 0x80);
    seek(0, 5);
    COMMAND(0x13, 0, 0x57, 3), COMMAND(0x94); /* CONFIGURE, LOCK */
    take(1);
    assert_int_equal(results[0], 0x10);
    out(0x3f2, 0x08);
    assert_int_equal(in(0x3f4) & 0x80, 0);
    out(0x3f2, 0x0c);
    bench_pass(&b, 1000000);
    assert_false(b.level[6]); /* POLL is off, and LOCK has kept that */
    COMMAND(0x0e);
    take(10);
    assert_int_equal(results[4], 0xdf);
    assert_int_equal(results[7] >> 7, 1);
    assert_int_equal(results[8], 0x57);
    assert_int_equal(results[9], 3);
    COMMAND(0x14);
    take(1);
    assert_int_equal(results[0], 0);
    out(0x3f4, 0x80); /* the software reset of DSR */
    wait_irq();
    for (u8 unit = 0; unit < 4; unit++) {
        COMMAND(0x08);
        take(2);
        assert_int_equal(results[0], 0xc0 | unit);
    }
    out(0x3f2, 0x14); /* without the DMA gate there is no interrupt */
    COMMAND(0x07, 0);
    bench_pass(&b, NS_PER_SEC);
    assert_false(b.level[6]);
    out(0x3f2, 0x1c);
    assert_true(b.level[6]);
}

static void questions(void **state)
{
    (void)state;
    COMMAND(0x10);
    take(1);
    assert_int_equal(results[0], 0x90); /* an enhanced controller */
    COMMAND(0x18);                      /* PART ID: none of an 82077AA's */
    take(1);
    assert_int_equal(results[0], 0x80);
    COMMAND(0x04, 0x04); /* track 0, head 1 */
    take(1);
    assert_int_equal(results[0], 0x3c);
    COMMAND(0x04, 0x01); /* write-protected */
    take(1);
    assert_int_equal(results[0], 0x79);
    COMMAND(0x12, 0x84 | 3); /* PERPENDICULAR: drive 0, GAP and WGATE */
    COMMAND(0x0e);
    take(10);
    assert_int_equal(results[7] & 0x3f, 7);
}

static void seeks_and_recalibrates(void **state)
{
    (void)state;
    assert_int_equal(in(0x3f7) & 0x80, 0x80); /* a medium was put in */
    seek(0, 40);
    assert_int_equal(in(0x3f7) & 0x80, 0); /* a step says that it was seen */
    COMMAND(0xcf, 0, 3); /* RELATIVE SEEK inwards */
    wait_irq();
    sense(0x20, 43);
    COMMAND(0x8f, 0, 1);
    wait_irq();
    sense(0x20, 42);
    COMMAND(0x07, 0);
    wait_irq();
    sense(0x20, 0);
    seek(0, 82);
    COMMAND(0x07, 0); /* 79 steps are not enough */
    wait_irq();
    sense(0x70, 3);
    COMMAND(0x07, 2); /* no such drive */
    wait_irq();
    sense(0x72, 0);
    COMMAND(0x0f, 0, 10), COMMAND(0x0f, 1, 20); /* both at once */
    assert_int_equal(in(0x3f4) & 15, 3);
    bench_pass(&b, NS_PER_SEC);
    sense(0x20, 10);
    assert_true(b.level[6]); /* the other one's */
    sense(0x21, 20);
    assert_false(b.level[6]);
}

static void reads_by_dma(void **state)
{
    (void)state;
    seek(0, 3);
    set_dma(true, 1024);
    COMMAND(0xe6, 0, 3, 0, 17, 2, 18, 27, 0xff); /* MT: the last two of the track */
    expect(0x04, 0, 0, 3, 1, 1);                 /* table 6-1: other side, sector 1 */
    assert_int_equal(load_le(b.view.backing + BUFFER, 8), 3 * 36 + 16);
    assert_int_equal(load_le(b.view.backing + BUFFER + 512, 8), 3 * 36 + 17);
    assert_int_equal(in(0x08) & 0x04, 4); /* the terminal count was reached; read once */
    assert_int_equal(in(0x08) & 0x04, 0);
    set_dma(true, 1536);
    COMMAND(0xe6, 0, 3, 0, 18, 2, 18, 27, 0xff); /* over to the other side */
    expect(0x04, 0, 0, 3, 1, 3);
    assert_int_equal(load_le(b.view.backing + BUFFER + 512, 8), 3 * 36 + 18);
    set_dma(true, 2048);
    COMMAND(0x46, 0, 3, 0, 17, 2, 18, 27, 0xff); /* not MT: the cylinder ends before the count */
    expect(0x40, 0x80, 0, 4, 0, 1);
    set_dma(true, 512);
    COMMAND(0x46, 4, 3, 1, 1, 2, 18, 27, 0xff);
    expect(0x04, 0, 0, 3, 1, 2);
    assert_int_equal(load_le(b.view.backing + BUFFER, 8), 3 * 36 + 18);
}

static void sectors_that_are_not_there(void **state)
{
    static const struct { u8 c, h, r, n, st1, st2; } rows[] = {
        { 4, 0, 1, 2, 0x04, 0x10 }, /* another cylinder's number */
        { 3, 0, 19, 2, 0x04, 0 }, { 3, 0, 0, 2, 0x04, 0 }, { 3, 1, 1, 2, 0x04, 0 }, { 3, 0, 1, 1, 0x04, 0 },
    };

    (void)state;
    seek(0, 3);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        set_dma(true, 512);
        COMMAND(0x46, 0, rows[i].c, rows[i].h, rows[i].r, rows[i].n, 18, 27, 0xff);
        expect(0x40, rows[i].st1, rows[i].st2, rows[i].c, rows[i].h, rows[i].r);
    }
    out(0x3f7, 2); /* the wrong rate: no address mark is recognised */
    COMMAND(0x46, 0, 3, 0, 1, 2, 18, 27, 0xff);
    expect(0x40, 0x01, 0, 3, 0, 1);
    COMMAND(0x4a, 1); /* READ ID of the 720K medium, which has it */
    expect(0x01, 0, 0, 0, 0, 2);
    out(0x3f7, 0);
    COMMAND(0x46, 3, 3, 0, 1, 2, 18, 27, 0xff); /* no drive */
    expect(0x43, 0x01, 0, 3, 0, 1);
    a.fail = -5;
    COMMAND(0x46, 0, 3, 0, 1, 2, 18, 27, 0xff);
    expect(0x40, 0x20, 0x20, 3, 0, 1);
    a.fail = 0;
    COMMAND(0x13, 0, 0x60, 0); /* CONFIGURE: implied seeks */
    set_dma(true, 512);
    COMMAND(0x46, 0, 77, 0, 2, 2, 18, 27, 0xff);
    expect(0x00, 0, 0, 77, 0, 3);
    assert_int_equal(load_le(b.view.backing + BUFFER, 8), 77 * 36 + 1);
}

static void writes_and_formats(void **state)
{
    u8 *ram = b.view.backing + BUFFER;

    (void)state;
    memset(ram, 0x5a, 700);
    set_dma(false, 700);
    COMMAND(0xc5, 0, 0, 0, 2, 2, 18, 27, 0xff);
    expect(0, 0, 0, 0, 0, 4);
    assert_int_equal(a.sectors[512], 0x5a);
    assert_int_equal(a.sectors[1024 + 187], 0x5a);
    assert_int_equal(a.sectors[1024 + 188], 0); /* the count ended: zeros */
    assert_int_equal(load_le(a.sectors + 3 * 512, 8), 3);
    out(0x3f7, 2);
    COMMAND(0xc5, 1, 0, 0, 2, 2, 9, 27, 0xff);
    expect(0x41, 0x02, 0, 0, 0, 2); /* protected */
    out(0x3f7, 0);
    for (unsigned i = 0; i < 18; i++)
        memcpy(ram + 4 * i, (const u8[]){ 0, 1, (u8)(18 - i), 2 }, 4);
    set_dma(false, 72);
    COMMAND(0x4d, 4, 2, 18, 84, 0xf6);
    wait_irq();
    take(7);
    assert_int_equal(results[0], 0x04);
    for (unsigned i = 18 * 512; i < 36 * 512; i++)
        assert_int_equal(a.sectors[i], 0xf6);
    assert_int_equal(load_le(a.sectors + 36 * 512, 8), 36);
    assert_int_equal(load_le(a.sectors + 17 * 512, 8), 17);
}

static void without_dma(void **state)
{
    (void)state;
    COMMAND(0x03, 0xdf, 0x03);
    COMMAND(0x46, 0, 0, 0, 17, 2, 18, 27, 0xff);
    for (unsigned n = 0; n < 2; n++) {
        wait_irq();
        assert_int_equal(in(0x3f4) & 0xf0, 0xf0); /* RQM, DIO, non-DMA, busy */
        for (unsigned i = 0; i < 512; i++) {
            u8 v = in(0x3f5);

            assert_int_equal(v, i ? 0 : 16 + n);
        }
    }
    expect(0x40, 0x80, 0, 1, 0, 1); /* nobody gives a terminal count */
    COMMAND(0x45, 0, 0, 0, 1, 2, 1, 27, 0xff);
    wait_irq();
    assert_int_equal(in(0x3f4) & 0xf0, 0xb0);
    for (unsigned i = 0; i < 512; i++)
        out(0x3f5, (u8)i);
    expect(0x40, 0x80, 0, 1, 0, 1);
    assert_int_equal(a.sectors[255], 255);
}

static void scans_and_verifies(void **state)
{
    u8 *ram = b.view.backing + BUFFER;

    (void)state;
    memset(ram, 0, 18 * 512);
    for (unsigned i = 0; i < 18; i++)
        ram[i * 512] = 5; /* sectors hold their own number: the sixth equals it */
    set_dma(false, 18 * 512);
    COMMAND(0x51, 0, 0, 0, 1, 2, 18, 27, 1);
    expect(0, 0, 0x08, 0, 0, 6);
    set_dma(false, 18 * 512);
    COMMAND(0x5d, 0, 0, 0, 7, 2, 18, 27, 1); /* high or equal: higher */
    expect(0, 0, 0, 0, 0, 7);
    set_dma(false, 18 * 512);
    COMMAND(0x51, 0, 0, 0, 7, 2, 9, 27, 1); /* none */
    expect(0, 0, 0x04, 1, 0, 1);
    COMMAND(0x56, 0, 0, 0, 1, 2, 18, 27, 0xff); /* VERIFY */
    expect(0, 0, 0, 1, 0, 1);
    COMMAND(0xd6, 0x80, 0, 0, 17, 2, 18, 27, 4); /* EC: four sectors, over to the other side */
    expect(0x04, 0, 0, 0, 1, 3);
}

static void a_masked_channel_waits(void **state)
{
    (void)state;
    set_dma(true, 512);
    out(0x0a, 6);
    COMMAND(0x46, 0, 0, 0, 9, 2, 18, 27, 0xff);
    bench_pass(&b, NS_PER_SEC);
    assert_false(b.level[6]);
    assert_int_equal(in(0x08) >> 4, 4); /* it asks */
    out(0xd4, 4); /* the cascade closed */
    out(0x0a, 2);
    bench_pass(&b, NS_PER_SEC);
    assert_false(b.level[6]);
    out(0xd4, 0);
    expect(0, 0, 0, 0, 0, 10);
    assert_int_equal(b.view.backing[BUFFER], 8);
}

/* 8237A: two halves through one port, current against base, autoinitialisation, downwards, words. */
static void the_dma_controller(void **state)
{
    u8 bytes[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    bool tc;

    (void)state;
    out(0x0d, 0);
    assert_int_equal(in(0x0f) & 15, 15); /* master clear masks */
    out(0xd4, 0);
    out(0x0c, 0);
    out(0x06, 0x34), out(0x06, 0x12), out(0x07, 3), out(0x07, 0);
    assert_int_equal(in(0x06), 0x34);
    assert_int_equal(in(0x06), 0x12);
    out(0x82, 0x01);
    assert_int_equal(in(0x82), 0x01);
    out(0x0b, 0x57); /* channel 3: to memory, autoinitialising */
    out(0x0a, 3);
    i8237_set_dreq(&dma, 3, true);
    assert_int_equal(i8237_move(&dma, 3, bytes, 8, true, &tc), 4);
    assert_true(tc);
    assert_memory_equal(b.view.backing + 0x11234, bytes, 4);
    assert_int_equal(in(0x0f) & 8, 0); /* not masked */
    assert_int_equal(in(0x06), 0x34);
    out(0x0c, 0);
    out(0x0b, 0x67); /* downwards, once */
    assert_int_equal(i8237_move(&dma, 3, bytes, 8, true, &tc), 4);
    assert_int_equal(b.view.backing[0x11234], 1);
    assert_int_equal(b.view.backing[0x11231], 4);
    assert_int_equal(in(0x0f) & 8, 8);
    out(0xd8, 0);
    out(0xc4, 0x00), out(0xc4, 0x80), out(0xc6, 1), out(0xc6, 0); /* channel 5: word 8000h */
    out(0x8b, 0x03); /* its lowest bit is not used */
    out(0xd6, 0x49), out(0xd4, 1);
    store_le(b.view.backing + 0x30000, 0x04030201, 4);
    i8237_set_dreq(&dma, 5, true);
    assert_int_equal(i8237_move(&dma, 5, bytes + 4, 4, false, &tc), 4);
    assert_true(tc);
    assert_memory_equal(bytes, bytes + 4, 4);
}

static void formats_by_size(void **state)
{
    static const struct { u32 n; u8 cylinders, spt, rate, cmos; } rows[] = {
        { 2880, 80, 18, 0, 4 }, { 1440, 80, 9, 2, 4 }, { 5760, 80, 36, 3, 5 }, { 2400, 80, 15, 0, 2 },
        { 720, 40, 9, 1, 2 },   { 1, 80, 18, 0, 4 },   { 2879, 80, 18, 0, 4 },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        const struct fdc_format *m = fdc_format_of(rows[i].n);

        assert_non_null(m);
        assert_int_equal(m->cylinders, rows[i].cylinders);
        assert_int_equal(m->spt, rows[i].spt);
        assert_int_equal(m->rate, rows[i].rate);
        assert_int_equal(m->cmos, rows[i].cmos);
    }
    assert_null(fdc_format_of(5761));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(resets), TEST(questions), TEST(seeks_and_recalibrates), TEST(reads_by_dma),
        TEST(sectors_that_are_not_there), TEST(writes_and_formats), TEST(without_dma), TEST(scans_and_verifies),
        TEST(a_masked_channel_waits), TEST(the_dma_controller), TEST(formats_by_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
