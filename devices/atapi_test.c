/* CD-ROM drives on IDE: expected values from MMC-5, SPC-3 and ATA/ATAPI-6. */
#include "devices/ide.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* 412,000 CD sectors would be needed for a DVD; 1000 and a bit are a CD. */
enum { SECTORS = 4003, CD_SECTORS = 1000, BM = 0xc000, TABLE = 0x1000, BUFFER = 0x20000, DEVFN = 1 << 3 | 1 };
static struct bench b;
static struct ide ide;
static struct bench_disk cd;

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    memset(&ide, 0, sizeof(ide));
    bench_disk_init(&cd, SECTORS);
    cd.dev.readonly = true;
    /* The master has a medium, the slave is empty. */
    bench_attach(&b, &ide.dev, &ide_class,
                 &(struct ide_cfg){ .bus = &b.pci, .irq14 = bench_wire(&b, 14), .irq15 = bench_wire(&b, 15),
                                    .disk = { &cd.dev }, .cdrom = { true, true } });
    pci_config_write(&b.pci, DEVFN, PCI_BAR0 + 16, BM | 1, 4);
    pci_config_write(&b.pci, DEVFN, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER, 2);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dev_fini(&ide.dev);
    bench_disk_fini(&cd);
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

static u8 wait(void)
{
    for (unsigned n = 0; n < 1000 && (in(0x3f6) & 0x80); n++)
        bench_pass(&b, 1000000);
    return in(0x3f6);
}

static u8 reply[65536];
static unsigned reply_len, nr_blocks;

/* Sends a packet, takes all blocks. The error register's sense key; 0: it went well. */
static u8 packet(bool slave, u16 limit, const u8 *bytes, unsigned len)
{
    u8 whole[12] = { 0 };

    memcpy(whole, bytes, len);
    out(0x1f6, slave ? 0xb0 : 0xa0);
    out(0x1f1, 0);
    out(0x1f4, (u8)limit), out(0x1f5, (u8)(limit >> 8));
    out(0x1f7, 0xa0);
    assert_int_equal(wait(), 0x58);
    assert_int_equal(in(0x1f2) & 3, 1); /* C/D: the packet is wanted */
    for (unsigned i = 0; i < 12; i += 2)
        bench_out(&b, 0x1f0, whole[i] | whole[i + 1] << 8, 2);
    reply_len = nr_blocks = 0;
    while (wait() & 8) {
        unsigned n = in(0x1f4) | in(0x1f5) << 8;

        assert_int_equal(in(0x1f2) & 3, 2); /* I/O: data to the host */
        assert_true(b.level[14]);
        assert_in_range(n, 1, limit);
        in(0x1f7);
        for (unsigned i = 0; i < n; i += 2)
            store_le(reply + reply_len + i, bench_in(&b, 0x1f0, 2), 2);
        reply_len += n;
        nr_blocks++;
    }
    assert_int_equal(in(0x1f2) & 3, 3); /* status */
    assert_true(b.level[14]);
    in(0x1f7);
    assert_int_equal(in(0x3f6) & 1, in(0x1f1) >> 4 != 0);
    return in(0x1f1) >> 4;
}
#define PACKET(slave, limit, ...) packet(slave, limit, (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

static u32 be(const u8 *p, unsigned n)
{
    u32 v = 0;

    while (n--)
        v = v << 8 | *p++;
    return v;
}

static void expect_sense(bool slave, u8 key, u8 asc)
{
    assert_int_equal(PACKET(slave, 64, 0x03, 0, 0, 0, 18), 0);
    assert_int_equal(reply_len, 18);
    assert_int_equal(reply[0] & 0x7f, 0x70);
    assert_int_equal(reply[2] & 15, key);
    assert_int_equal(reply[12], asc);
}

/* Each drive says first that it was reset. */
static void ready(void)
{
    assert_int_equal(PACKET(false, 64, 0x00), 6);
    expect_sense(false, 6, 0x29);
    assert_int_equal(PACKET(false, 64, 0x00), 0);
}

static void signature_and_identify(void **state)
{
    (void)state;
    out(0x1f6, 0xa0);
    assert_int_equal(in(0x1f7), 0); /* not ready before it is spoken to */
    assert_int_equal(in(0x1f4), 0x14);
    assert_int_equal(in(0x1f5), 0xeb);
    out(0x1f4, 0), out(0x1f5, 0);
    out(0x1f7, 0xec);
    assert_int_equal(wait() & 1, 1);
    assert_int_equal(in(0x1f1), 4);
    assert_int_equal(in(0x1f4), 0x14);
    assert_int_equal(in(0x1f5), 0xeb);
    out(0x1f7, 0xa1);
    assert_int_equal(wait(), 0x58);
    for (unsigned i = 0; i < 512; i += 2)
        store_le(reply + i, bench_in(&b, 0x1f0, 2), 2);
    assert_int_equal(load_le(reply, 2) & 0xdf03, 0x8500); /* ATAPI, CD-ROM, packets of 12 bytes */
    assert_int_equal(load_le(reply, 2) >> 7 & 1, 1);      /* removable */
    assert_int_equal(load_le(reply + 98, 2) & 0x0300, 0x0300); /* LBA, DMA */
    assert_int_equal(load_le(reply + 164, 2) & 0x4210, 0x4210);
    out(0x1f7, 0xc8); /* READ DMA: not for packet drives */
    assert_int_equal(wait() & 1, 1);
    assert_int_equal(in(0x1f1), 4);
}

static void unit_attention_comes_first(void **state)
{
    (void)state;
    assert_int_equal(PACKET(false, 64, 0x12, 0, 0, 0, 36), 0); /* INQUIRY works before */
    assert_int_equal(reply_len, 36);
    assert_int_equal(reply[0], 5);
    assert_int_equal(reply[1], 0x80);
    assert_int_equal(reply[4], 31);
    ready();
}

static void reads_of_any_block_size(void **state)
{
    static const u16 limits[] = { 2048, 65534, 0xffff, 3000, 512 };

    (void)state;
    ready();
    assert_int_equal(PACKET(false, 64, 0x25), 0);
    assert_int_equal(be(reply, 4), CD_SECTORS - 1);
    assert_int_equal(be(reply + 4, 4), 2048);
    for (unsigned i = 0; i < ARRAY_LEN(limits); i++) {
        assert_int_equal(PACKET(false, limits[i], 0x28, 0, 0, 0, 3, 0xd5, 0, 0, 9), 0); /* 9 from 981 */
        assert_int_equal(reply_len, 9 * 2048);
        if (i == 0)
            assert_int_equal(nr_blocks, 9);
        for (unsigned n = 0; n < 9 * 4; n++)
            assert_int_equal(load_le(reply + n * 512, 8), 981 * 4 + n);
    }
    assert_int_equal(PACKET(false, 2048, 0xa8, 0, 0, 0, 3, 0xe7, 0, 0, 0, 1), 0); /* READ (12), the last */
    assert_int_equal(reply_len, 2048);
    assert_int_equal(PACKET(false, 2048, 0xbe, 0, 0, 0, 0, 5, 0, 0, 2, 0x10), 0); /* READ CD, user data */
    assert_int_equal(reply_len, 4096);
    assert_int_equal(load_le(reply, 8), 20);
    assert_int_equal(PACKET(false, 2048, 0x28, 0, 0, 0, 3, 0xe7, 0, 0, 2), 5);
    expect_sense(false, 5, 0x21);
    assert_int_equal(PACKET(false, 2048, 0x28), 0); /* no sectors: no error */
    cd.fail = -5;
    assert_int_equal(PACKET(false, 2048, 0x28, 0, 0, 0, 0, 5, 0, 0, 1), 3);
    cd.fail = 0;
    expect_sense(false, 3, 0x11);
    assert_int_equal(PACKET(false, 2048, 0xff), 5);
    expect_sense(false, 5, 0x20);
}

static void tables_of_contents(void **state)
{
    (void)state;
    ready();
    assert_int_equal(PACKET(false, 2048, 0x43, 0, 0, 0, 0, 0, 0, 3, 0), 0);
    assert_int_equal(reply_len, 20);
    assert_int_equal(be(reply, 2), 18);
    assert_int_equal(be(reply + 2, 2), 0x0101); /* tracks 1 to 1 */
    assert_int_equal(reply[5], 0x14);           /* data, copying permitted or not is bit 1 */
    assert_int_equal(reply[6], 1);
    assert_int_equal(be(reply + 8, 4), 0);
    assert_int_equal(reply[14], 0xaa);
    assert_int_equal(be(reply + 16, 4), CD_SECTORS);
    assert_int_equal(PACKET(false, 2048, 0x43, 2, 0, 0, 0, 0, 0xaa, 3, 0), 0); /* MSF of the lead-out */
    assert_int_equal(reply_len, 12);
    assert_int_equal(be(reply + 8, 4), 15 << 8 | 25); /* 1000 + 150 frames: 0:15.25 */
    assert_int_equal(PACKET(false, 2048, 0x43, 0, 1, 0, 0, 0, 0, 3, 0), 0);
    assert_int_equal(reply_len, 12);
    assert_int_equal(PACKET(false, 2048, 0x43, 0, 0, 0, 0, 0, 0, 3, 0, 0x40), 0); /* the old place of the format */
    assert_int_equal(reply_len, 12);
    assert_int_equal(PACKET(false, 2048, 0x43, 2, 2, 0, 0, 0, 0, 3, 0), 0);
    assert_int_equal(reply_len, 4 + 4 * 11);
    assert_int_equal(reply[4 + 3], 0xa0);
    assert_int_equal(reply[26 + 3], 0xa2);
    assert_int_equal(be(reply + 26 + 8, 3), 15 << 8 | 25);
    assert_int_equal(be(reply + 37 + 8, 3), 2 << 8); /* track 1 begins at 0:02.00 */
    assert_int_equal(PACKET(false, 2048, 0x43, 0, 0, 0, 0, 0, 0, 0, 4), 0); /* little room */
    assert_int_equal(reply_len, 4);
    assert_int_equal(be(reply, 2), 18);
    assert_int_equal(PACKET(false, 2048, 0x43, 0, 0, 0, 0, 0, 2, 3, 0), 5);
    expect_sense(false, 5, 0x24);
}

static void configuration_events_and_modes(void **state)
{
    (void)state;
    assert_int_equal(PACKET(false, 2048, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 0);
    assert_int_equal(reply[2] & 7, 4);
    assert_int_equal(reply[5] & 3, 2); /* a medium, tray closed */
    assert_int_equal(PACKET(false, 2048, 0x4a, 0, 0, 0, 0x10, 0, 0, 0, 8), 5); /* only polled */
    assert_int_equal(PACKET(false, 2048, 0x46, 0, 0, 0, 0, 0, 0, 1, 0), 0);
    assert_int_equal(be(reply, 4), reply_len - 4);
    assert_int_equal(be(reply + 6, 2), 0x0008); /* CD-ROM */
    assert_int_equal(be(reply + 8, 2), 0);      /* the profile list comes first */
    assert_int_equal(PACKET(false, 2048, 0x46, 2, 0, 3, 0, 0, 0, 1, 0), 0); /* only removable medium */
    assert_int_equal(reply_len, 16);
    assert_int_equal(be(reply + 8, 2), 3);
    ready();
    assert_int_equal(PACKET(false, 2048, 0x5a, 0, 0x2a, 0, 0, 0, 0, 1, 0), 0);
    assert_int_equal(be(reply, 2), reply_len - 2);
    assert_int_equal(reply[8] & 0x3f, 0x2a);
    assert_int_equal(PACKET(false, 2048, 0x1a, 0, 0x2a, 0, 200), 0);
    assert_int_equal(reply[0], reply_len - 1);
    assert_int_equal(reply[4] & 0x3f, 0x2a);
    assert_int_equal(PACKET(false, 2048, 0x5a, 0, 0x08, 0, 0, 0, 0, 1, 0), 5);
    expect_sense(false, 5, 0x24);
    assert_int_equal(PACKET(false, 2048, 0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8), 0);
    assert_int_equal(reply_len, 8);
}

static void tray_and_lock(void **state)
{
    (void)state;
    ready();
    assert_int_equal(PACKET(false, 64, 0x1e, 0, 0, 0, 1), 0);
    assert_int_equal(PACKET(false, 64, 0x1b, 0, 0, 0, 2), 5); /* locked */
    expect_sense(false, 5, 0x53);
    assert_int_equal(PACKET(false, 64, 0x1e), 0);
    assert_int_equal(PACKET(false, 64, 0x1b, 0, 0, 0, 2), 0);
    assert_int_equal(PACKET(false, 64, 0x00), 2);
    expect_sense(false, 2, 0x3a);
    assert_int_equal(PACKET(false, 64, 0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8), 0);
    assert_int_equal(reply[5] & 3, 1);
    assert_int_equal(PACKET(false, 64, 0x1b, 0, 0, 0, 3), 0);
    assert_int_equal(PACKET(false, 64, 0x00), 6); /* the medium may be another */
    expect_sense(false, 6, 0x28);
    assert_int_equal(PACKET(false, 64, 0x00), 0);
}

static void an_empty_drive(void **state)
{
    (void)state;
    assert_int_equal(PACKET(true, 64, 0x00), 6);
    assert_int_equal(PACKET(true, 64, 0x00), 2);
    expect_sense(true, 2, 0x3a);
    assert_int_equal(PACKET(true, 64, 0x28, 0, 0, 0, 0, 0, 0, 0, 1), 2);
    assert_int_equal(PACKET(true, 64, 0x46, 0, 0, 0, 0, 0, 0, 1, 0), 0);
    assert_int_equal(be(reply + 6, 2), 0); /* no current profile */
}

static void device_reset_is_heard_at_any_time(void **state)
{
    (void)state;
    ready();
    out(0x1f6, 0xa0), out(0x1f4, 0), out(0x1f5, 8);
    out(0x1f7, 0xa0);
    assert_int_equal(wait(), 0x58);
    out(0x1f7, 0x08);
    assert_int_equal(in(0x3f6), 0);
    assert_int_equal(in(0x1f4), 0x14);
    assert_int_equal(in(0x1f5), 0xeb);
    assert_false(b.level[14]);
}

static void dma(void **state)
{
    static const u8 read[12] = { 0x28, 0, 0, 0, 0, 100, 0, 0, 10 }, inquiry[12] = { 0x12, 0, 0, 0, 36 };

    (void)state;
    ready();
    for (unsigned round = 0; round < 2; round++) {
        const u8 *bytes = round ? inquiry : read;
        u32 len = round ? 36 : 10 * 2048;

        store_le(b.view.backing + TABLE, BUFFER, 4);
        store_le(b.view.backing + TABLE + 4, 0x80000000 | len, 4);
        out(BM, 0), out(BM + 2, 6);
        bench_out(&b, BM + 4, TABLE, 4);
        out(0x1f6, 0xa0), out(0x1f1, 1);
        out(0x1f4, 0), out(0x1f5, 0);
        out(0x1f7, 0xa0);
        wait();
        for (unsigned i = 0; i < 12; i += 2)
            bench_out(&b, 0x1f0, bytes[i] | bytes[i + 1] << 8, 2);
        out(BM, 9);
        assert_int_equal(wait(), 0x50);
        assert_int_equal(in(BM + 2) & 7, 4);
        assert_int_equal(in(0x1f2) & 3, 3);
        assert_true(b.level[14]);
        in(0x1f7);
        if (round)
            assert_int_equal(b.view.backing[BUFFER], 5);
        else
            assert_int_equal(load_le(b.view.backing + BUFFER + 9 * 2048, 8), 109 * 4);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(signature_and_identify), TEST(unit_attention_comes_first), TEST(reads_of_any_block_size),
        TEST(tables_of_contents), TEST(configuration_events_and_modes), TEST(tray_and_lock), TEST(an_empty_drive),
        TEST(device_reset_is_heard_at_any_time), TEST(dma),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
