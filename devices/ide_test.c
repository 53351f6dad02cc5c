/* IDE disks: expected values from ATA/ATAPI-6 and Intel 290550 (bus master). */
#include "devices/ide.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { IRQ14 = 14, IRQ15 = 15, SECTORS = 70000, BM = 0xc000, TABLE = 0x1000, BUFFER = 0x20000, DEVFN = 1 << 3 | 1 };
static struct bench b;
static struct ide ide;
static struct bench_disk master, slave;

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    memset(&ide, 0, sizeof(ide));
    bench_disk_init(&master, SECTORS);
    bench_disk_init(&slave, 100);
    slave.dev.readonly = true;
    /* The primary channel has both drives, the secondary none. */
    bench_attach(&b, &ide.dev, &ide_class,
                 &(struct ide_cfg){ .bus = &b.pci, .irq14 = bench_wire(&b, IRQ14), .irq15 = bench_wire(&b, IRQ15),
                                    .disk = { &master.dev, &slave.dev, NULL, NULL } });
    pci_config_write(&b.pci, DEVFN, PCI_BAR0 + 16, BM | 1, 4);
    pci_config_write(&b.pci, DEVFN, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dev_fini(&ide.dev);
    bench_disk_fini(&master);
    bench_disk_fini(&slave);
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

/* The alternate status once the drive is not busy; FFh: it stays busy for ten seconds. */
static u8 wait(void)
{
    for (unsigned n = 0; n < 10000; n++, bench_pass(&b, 1000000))
        if (!(in(0x3f6) & 0x80))
            return in(0x3f6);
    return 0xff;
}

static void start(u8 command, u64 lba, u8 count, bool is_slave)
{
    out(0x1f6, (u8)(0xe0 | is_slave << 4 | (lba >> 24 & 15)));
    out(0x1f2, count), out(0x1f3, (u8)lba), out(0x1f4, (u8)(lba >> 8)), out(0x1f5, (u8)(lba >> 16));
    out(0x1f7, command);
}

static void start_ext(u8 command, u64 lba, u16 count)
{
    out(0x1f6, 0xe0);
    out(0x1f2, count >> 8), out(0x1f3, (u8)(lba >> 24)), out(0x1f4, (u8)(lba >> 32)), out(0x1f5, (u8)(lba >> 40));
    out(0x1f2, (u8)count), out(0x1f3, (u8)lba), out(0x1f4, (u8)(lba >> 8)), out(0x1f5, (u8)(lba >> 16));
    out(0x1f7, command);
}

static void read_words(u16 *words, unsigned n)
{
    while (n--)
        *words++ = (u16)bench_in(&b, 0x1f0, 2);
}

static void expect_error(u8 error)
{
    assert_int_equal(wait(), 0x51);
    assert_int_equal(in(0x1f1), error);
    assert_true(b.level[IRQ14]);
    in(0x1f7);
    assert_false(b.level[IRQ14]);
}

static void expect_done(void)
{
    assert_int_equal(wait(), 0x50);
    assert_true(b.level[IRQ14]);
    assert_int_equal(in(0x1f7), 0x50);
    assert_false(b.level[IRQ14]);
}

static void signature_after_reset_and_diagnostics(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        out(0x1f6, 0xb0);
        out(0x1f2, 0x77), out(0x1f4, 0x77);
        if (round == 0) {
            out(0x3f6, 0x04);
            assert_int_equal(in(0x1f7), 0x80);
            out(0x3f6, 0x00);
        } else {
            out(0x1f7, 0x90); /* for both drives, whichever is selected; drive 0 answers */
            assert_int_equal(in(0x3f6), 0x80);
            out(0x1f6, 0xb0); /* busy: not heard */
        }
        assert_int_equal(wait(), 0x50);
        assert_int_equal(b.level[IRQ14], round);
        assert_int_equal(in(0x1f6) & 0x10, 0);
        for (unsigned drive = 0; drive < 2; drive++) {
            out(0x1f6, (u8)(0xa0 | drive << 4));
            assert_int_equal(in(0x1f1), 1);
            assert_int_equal(in(0x1f2), 1);
            assert_int_equal(in(0x1f3), 1);
            assert_int_equal(in(0x1f4) | in(0x1f5), 0);
        }
        out(0x1f6, 0xa0);
        in(0x1f7);
    }
}

static void identify(void **state)
{
    static const struct { u16 word, mask, value; } rows[] = {
        { 0, 0x8040, 0x0040 }, { 1, 0xffff, 69 }, { 3, 0xffff, 16 }, { 6, 0xffff, 63 }, { 47, 0xff, 16 },
        { 49, 0x0300, 0x0300 }, { 53, 7, 7 }, { 60, 0xffff, SECTORS & 0xffff }, { 61, 0xffff, SECTORS >> 16 },
        { 63, 7, 7 }, { 82, 0x4001, 0x4000 }, { 83, 0xc400, 0x4400 }, { 100, 0xffff, SECTORS & 0xffff },
        { 101, 0xffff, SECTORS >> 16 }, { 102, 0xffff, 0 }, { 84, 0xc000, 0x4000 }, { 87, 0xc000, 0x4000 },
        { 57, 0xffff, (69 * 16 * 63) & 0xffff }, { 58, 0xffff, (69 * 16 * 63) >> 16 },
    };
    u16 w[256];

    (void)state;
    start(0xec, 0, 0, false);
    assert_int_equal(wait(), 0x58);
    assert_true(b.level[IRQ14]);
    read_words(w, 256);
    assert_int_equal(wait(), 0x50);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        if ((w[rows[i].word] & rows[i].mask) != rows[i].value)
            fail_msg("word %u is %04x", rows[i].word, w[rows[i].word]);
    assert_int_equal(w[27], 'K' << 8 | 'I'); /* bytes swapped within words */
    assert_int_equal(bench_in(&b, 0x1f0, 2), 0xffff); /* no data left */
    start(0xa1, 0, 0, false); /* IDENTIFY PACKET: not for disks */
    expect_error(0x04);
}

static void pio_reads(void **state)
{
    static const struct { u8 command; bool ext; u16 count; unsigned sectors, interrupts; } rows[] = {
        { 0x20, false, 1, 1, 1 },    { 0x21, false, 3, 3, 3 },    { 0x20, false, 0, 256, 256 },
        { 0x24, true, 2, 2, 2 },     { 0x24, true, 300, 300, 300 }, { 0x24, true, 0, 65536, 65536 },
        { 0xc4, false, 16, 16, 2 },  { 0xc4, false, 11, 11, 2 },  { 0x29, true, 17, 17, 3 },
    };
    u16 w[256];

    (void)state;
    start(0xc6, 0, 8, false); /* SET MULTIPLE */
    expect_done();
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        u64 lba = 4000;

        b.rises[IRQ14] = 0;
        if (rows[i].ext)
            start_ext(rows[i].command, lba, rows[i].count);
        else
            start(rows[i].command, lba, (u8)rows[i].count, false);
        for (unsigned n = 0; n < rows[i].sectors; n++) {
            if (n % 50 < 2 || rows[i].sectors < 300)
                assert_int_equal(wait(), 0x58);
            while (in(0x1f7) & 0x80)
                bench_pass(&b, 10000);
            read_words(w, 256);
            assert_int_equal(w[0] | w[1] << 16, lba + n);
        }
        assert_int_equal(wait(), 0x50);
        assert_int_equal(b.rises[IRQ14], rows[i].interrupts);
        assert_int_equal(b.level[IRQ14], 0);
    }
    start(0x20, 4, 1, false);
    wait();
    assert_int_equal(bench_in(&b, 0x1f0, 4), 4); /* double words too */
    out(0x1f6, 0xf0); /* data is due: registers take no writes */
    assert_int_equal(in(0x1f6) & 0x10, 0);
}

static void pio_writes(void **state)
{
    (void)state;
    b.rises[IRQ14] = 0;
    start(0x30, 69998, 2, false);
    assert_int_equal(wait(), 0x58); /* the first block is asked for without an interrupt */
    assert_false(b.level[IRQ14]);
    for (unsigned n = 0; n < 2; n++) {
        for (unsigned i = 0; i < 256; i++)
            bench_out(&b, 0x1f0, 0xa500 + n, 2);
        assert_int_equal(wait(), n ? 0x50 : 0x58);
        in(0x1f7);
    }
    assert_int_equal(b.rises[IRQ14], 2);
    assert_int_equal(master.sectors[69998 * 512 + 510], 0x00);
    assert_int_equal(master.sectors[69999 * 512], 0x01);
    start(0x30, 5, 1, true); /* a write-protected disk */
    wait();
    for (unsigned i = 0; i < 256; i++)
        bench_out(&b, 0x1f0, 0, 2);
    expect_error(0x04);
    assert_int_equal(slave.sectors[5 * 512], 5);
}

static void ranges_and_arguments(void **state)
{
    (void)state;
    start(0x20, SECTORS, 1, false), expect_error(0x10);
    start(0x20, SECTORS - 1, 2, false), expect_error(0x10);
    start(0x20, SECTORS - 200, 0, false), expect_error(0x10);
    start_ext(0x24, 1ull << 47, 1), expect_error(0x10);
    start(0x40, SECTORS - 1, 1, false), expect_done();
    start(0xc4, 0, 1, false), expect_error(0x04); /* READ MULTIPLE before SET MULTIPLE */
    start(0xc6, 0, 3, false), expect_error(0x04);
    start(0xc6, 0, 32, false), expect_error(0x04);
    start(0xb0, 0, 0, false), expect_error(0x04); /* SMART: not claimed */
    start(0x00, 0, 0, false), expect_error(0x04); /* NOP always aborts */
    out(0x1f6, 0xa0), out(0x1f1, 0x03);
    out(0x1f2, 0x22), out(0x1f7, 0xef), expect_done();
    out(0x1f2, 0x23), out(0x1f7, 0xef), expect_error(0x04); /* multiword DMA 3 */
    out(0x1f2, 0x46), out(0x1f7, 0xef), expect_error(0x04); /* ultra DMA 6 */
    out(0x1f1, 0x77), out(0x1f7, 0xef), expect_error(0x04);
    start(0xe7, 0, 0, false), expect_done();
    start(0xea, 0, 0, false), expect_done();
    assert_int_equal(master.nr_flushes, 2);
    start(0xe5, 0, 0, false), expect_done();
    assert_int_equal(in(0x1f2), 0xff); /* active */
    start_ext(0x27, 0, 0), expect_done();
    assert_int_equal(in(0x1f3) | in(0x1f4) << 8 | in(0x1f5) << 16, SECTORS - 1);
    out(0x3f6, 0x80); /* HOB */
    assert_int_equal(in(0x1f3), 0);
    out(0x3f6, 0);
    master.fail = -5;
    start(0x20, 77, 1, false), expect_error(0x40);
    assert_int_equal(in(0x1f3), 77); /* the sector that failed */
    start(0xe7, 0, 0, false), expect_error(0x04);
}

static void cylinders_heads_and_sectors(void **state)
{
    static const struct { u8 heads, spt, c, h, s; i32 lba; } rows[] = {
        { 16, 63, 0, 0, 1, 0 },      { 16, 63, 0, 1, 1, 63 },     { 16, 63, 1, 0, 1, 1008 },
        { 16, 63, 3, 15, 63, 4031 }, { 16, 63, 0, 0, 0, -1 },     { 16, 63, 0, 0, 64, -1 },
        { 4, 17, 2, 3, 17, 203 },    { 4, 17, 0, 4, 1, -1 },      { 4, 17, 0, 0, 18, -1 },
    };

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        out(0x1f6, (u8)(0xa0 | (rows[i].heads - 1))), out(0x1f2, rows[i].spt), out(0x1f7, 0x91);
        expect_done();
        out(0x1f6, 0xa0 | rows[i].h);
        out(0x1f2, 1), out(0x1f3, rows[i].s), out(0x1f4, rows[i].c), out(0x1f5, 0);
        out(0x1f7, 0x20);
        if (rows[i].lba < 0) {
            expect_error(0x10);
        } else {
            u16 w[256];

            wait();
            read_words(w, 256);
            assert_int_equal(w[0], rows[i].lba);
        }
    }
}

static void interrupts_belong_to_the_selected_drive(void **state)
{
    (void)state;
    out(0x3f6, 0x02); /* nIEN */
    start(0xe7, 0, 0, false);
    assert_int_equal(wait(), 0x50);
    assert_false(b.level[IRQ14]);
    assert_int_equal(in(BM + 2) & 4, 0); /* the bus master sees the line */
    out(0x3f6, 0x00);
    assert_true(b.level[IRQ14]); /* still pending */
    assert_int_equal(in(BM + 2) & 4, 4);
    out(0x1f6, 0xb0);
    assert_false(b.level[IRQ14]);
    in(0x1f7); /* acknowledges the other drive's */
    out(0x1f6, 0xa0);
    assert_true(b.level[IRQ14]);
    in(0x1f7);
    assert_false(b.level[IRQ14]);
    assert_int_equal(in(BM + 2) & 4, 4); /* latched until a one is written */
    out(BM + 2, 4);
    assert_int_equal(in(BM + 2) & 4, 0);
    start(0xe7, 0, 0, false);
    start(0x20, 0, 1, true); /* busy: neither registers nor commands are taken */
    expect_done();
    assert_int_equal(in(0x1f6) & 0x10, 0);
}

static void absent_drives(void **state)
{
    (void)state;
    assert_int_equal(in(0x177) & 0x80, 0); /* pulled low, the rest floats */
    out(0x172, 0x55);
    assert_int_equal(in(0x172), 0xff);
    out(0x177, 0xec), out(0x177, 0x90);
    bench_pass(&b, NS_PER_SEC);
    assert_int_equal(b.rises[IRQ15], 0);
    ide.ch[0].drive[1].cfg.disk = NULL; /* as configured without a slave */
    dev_reset(&ide.dev, RESET_HARD);
    out(0x1f6, 0xb0);
    assert_int_equal(in(0x1f7), 0); /* drive 0 answers for it */
    out(0x1f7, 0xec);
    bench_pass(&b, NS_PER_SEC);
    assert_int_equal(in(0x1f7), 0);
    assert_int_equal(b.rises[IRQ14], 0);
}

/* ---- bus master ---- */

static void prd(unsigned i, u32 base, u32 count)
{
    store_le(b.view.backing + TABLE + 8 * i, base, 4);
    store_le(b.view.backing + TABLE + 8 * i + 4, count, 4);
}

static void start_dma(u8 command, u64 lba, u8 count, bool to_memory)
{
    out(BM, 0), out(BM + 2, 6);
    bench_out(&b, BM + 4, TABLE, 4);
    out(BM, to_memory ? 8 : 0);
    start(command, lba, count, false);
    out(BM, to_memory ? 9 : 1);
}

static void dma_moves_data_both_ways(void **state)
{
    u8 *ram = b.view.backing + BUFFER;

    (void)state;
    prd(0, BUFFER, 512 + 2), prd(1, BUFFER + 0x1002, 0x80000000 | (1024 - 2));
    start_dma(0xc8, 1000, 3, true);
    assert_int_equal(in(BM + 2) & 5, 1);
    expect_done();
    assert_int_equal(in(BM + 2) & 7, 4); /* interrupt, not active: all of the table, all of the data */
    assert_int_equal(load_le(ram, 8), 1000);
    assert_int_equal(load_le(ram + 512, 2), 1001);
    assert_int_equal(load_le(ram + 0x1002 + 510, 8), 1002);
    assert_int_equal(ram[514], 0);
    for (unsigned i = 0; i < 1536; i++)
        ram[i] = (u8)(i * 7);
    prd(0, BUFFER, 0x80000000 | 1536);
    start_dma(0xca, 50, 3, false);
    expect_done();
    assert_memory_equal(master.sectors + 50 * 512, ram, 1536);
    prd(0, 0x40000, 0); /* 0 is 64 KiB */
    prd(1, 0x50000, 0x80000000);
    start_dma(0xc8, 2000, 0, true);
    expect_done();
    assert_int_equal(load_le(b.view.backing + 0x50000, 4), 2128);
}

/* 290550: interrupt and active bits after a transfer. */
static void tables_longer_and_shorter_than_the_data(void **state)
{
    (void)state;
    prd(0, BUFFER, 0x80000000 | 4096);
    start_dma(0xc8, 7, 1, true);
    expect_done();
    assert_int_equal(in(BM + 2) & 7, 5);
    prd(0, BUFFER, 0x80000000 | 512);
    start_dma(0xc8, 7, 2, true);
    assert_int_equal(wait(), 0xff); /* the drive waits for ever */
    assert_int_equal(in(BM + 2) & 7, 0);
    out(0x3f6, 4), out(0x3f6, 0);
    assert_int_equal(wait(), 0x50);
    prd(0, 0x7ffff000, 0x80000000 | 512); /* no memory there: master abort */
    start_dma(0xc8, 7, 1, true);
    assert_int_equal(wait(), 0xff);
    assert_int_equal(in(BM + 2) & 7, 2);
}

static void dma_waits_for_start_and_for_the_bus(void **state)
{
    (void)state;
    prd(0, BUFFER, 0x80000000 | 512);
    out(BM, 0), out(BM + 2, 6);
    bench_out(&b, BM + 4, TABLE, 4);
    start(0xc8, 9, 1, false);
    assert_int_equal(wait(), 0xff);
    pci_config_write(&b.pci, DEVFN, PCI_COMMAND, PCI_COMMAND_IO, 2);
    out(BM, 9);
    assert_int_equal(wait(), 0xff); /* bus mastering is off */
    pci_config_write(&b.pci, DEVFN, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER, 2);
    expect_done();
    assert_int_equal(b.view.backing[BUFFER], 9);
}

static void ports_go_with_idetim(void **state)
{
    (void)state;
    pci_config_write(&b.pci, DEVFN, 0x40, 0x0000, 2);
    assert_int_equal(in(0x1f7), 0xff);
    assert_int_equal(in(0x177), 0x7f);
    pci_config_write(&b.pci, DEVFN, 0x40, 0x8000, 2);
    assert_int_equal(in(0x1f7), 0x50);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(signature_after_reset_and_diagnostics), TEST(identify), TEST(pio_reads), TEST(pio_writes),
        TEST(ranges_and_arguments), TEST(cylinders_heads_and_sectors), TEST(interrupts_belong_to_the_selected_drive),
        TEST(absent_drives), TEST(dma_moves_data_both_ways), TEST(tables_longer_and_shorter_than_the_data),
        TEST(dma_waits_for_start_and_for_the_bus), TEST(ports_go_with_idetim),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
