/* AHCI: expected values from AHCI 1.3.1, Serial ATA 2.6 (frames, 10.3) and ATA/ATAPI-6. */
#include "devices/ahci.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SECTORS = 70000, CD_SECTORS = 400, ABAR = 0xf0000000, SLOT = 4 };
enum { LIST = 0x10000, FIS = 0x11000, TABLES = 0x20000, BUFFER = 0x40000 }; /* table n: + n * 400h */
enum { PORT = 0x80, CLB = 0x100, FB = 0x108, IS = 0x110, IE = 0x114, CMD = 0x118, TFD = 0x120, SIG = 0x124,
       SSTS = 0x128, SCTL = 0x12c, SERR = 0x130, SACT = 0x134, CI = 0x138 };
static struct bench b;
static struct ahci hba;
static struct bench_disk disk, cd;
static bool inta;

static void pirq(void *sink, unsigned n, bool level)
{
    (void)sink;
    assert_int_equal(n, (SLOT - 1) & 3); /* INTA of a slot: PIIX3's wiring */
    inta = level;
}

static u32 get(u32 reg)
{
    u32 v = (u32)bus_read(&b.mem, ABAR + reg, 4);

    clock_fire_due(&b.clk);
    return v;
}

static void set(u32 reg, u32 v)
{
    bus_write(&b.mem, ABAR + reg, v, 4);
    clock_fire_due(&b.clk);
}

static u8 *ram(u32 pa)
{
    return b.view.backing + pa;
}

/* What drivers do first: memory for lists and frames, FRE, then ST. */
static void start_port(unsigned port)
{
    u32 at = PORT * port;

    set(CLB + at, LIST + port * 0x400);
    set(FB + at, FIS + port * 0x100);
    set(SERR + at, 0xffffffff);
    set(IE + at, 0x7dc0007f);
    set(CMD + at, 0x10);
    set(CMD + at, 0x11);
    set(IS + at, 0xffffffff);
    set(0x08, 0xffffffff);
}

static int setup(void **state)
{
    (void)state;
    bench_init(&b);
    memset(&hba, 0, sizeof(hba));
    bench_disk_init(&disk, SECTORS);
    bench_disk_init(&cd, CD_SECTORS);
    cd.dev.readonly = true;
    b.pci.pirq = pirq;
    bench_attach(&b, &hba.dev, &ahci_class,
                 &(struct ahci_cfg){ .bus = &b.pci, .slot = SLOT, .disk = { &disk.dev, &cd.dev },
                                     .cdrom = { false, true } });
    pci_config_write(&b.pci, SLOT << 3, PCI_BAR0 + 20, ABAR, 4);
    pci_config_write(&b.pci, SLOT << 3, PCI_COMMAND, PCI_COMMAND_MEM | PCI_COMMAND_MASTER, 2);
    set(0x04, 0x80000002);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dev_fini(&hba.dev);
    bench_disk_fini(&disk);
    bench_disk_fini(&cd);
    bench_fini(&b);
    return 0;
}

/* ---- commands ---- */

static void region(unsigned port, unsigned slot, unsigned i, u64 pa, u32 bytes)
{
    u8 *prd = ram(TABLES + port * 0x8000 + slot * 0x400 + 0x80 + 16 * i);

    store_le(prd, pa, 8);
    store_le(prd + 12, bytes - 1, 4);
    store_le(ram(LIST + port * 0x400 + slot * 32) + 2, i + 1, 2);
}

/* Header and frame; regions come after it. */
static u8 *command(unsigned port, unsigned slot, u8 opcode, u64 lba, u16 count)
{
    u8 *header = ram(LIST + port * 0x400 + slot * 32), *t = ram(TABLES + port * 0x8000 + slot * 0x400);

    memset(header, 0, 32);
    memset(t, 0, 0x80);
    header[0] = 5;
    store_le(header + 8, TABLES + port * 0x8000 + slot * 0x400, 8);
    t[0] = 0x27, t[1] = 0x80, t[2] = opcode;
    for (unsigned i = 0; i < 3; i++) {
        t[4 + i] = (u8)(lba >> (8 * i));
        t[8 + i] = (u8)(lba >> (24 + 8 * i));
    }
    t[7] = 0x40;
    if (opcode == 0x60 || opcode == 0x61) {
        t[3] = (u8)count, t[11] = (u8)(count >> 8), t[12] = (u8)(slot << 3);
    } else {
        t[12] = (u8)count, t[13] = (u8)(count >> 8);
    }
    return t;
}

static void issue(unsigned port, unsigned slot)
{
    set(CI + PORT * port, 1u << slot);
    for (unsigned n = 0; n < 1000 && (get(CI + PORT * port) >> slot & 1) && !(get(IS + PORT * port) >> 24); n++)
        bench_pass(&b, 1000000);
}

static const u8 *frame(unsigned port, unsigned area)
{
    return ram(FIS + port * 0x100 + area);
}

/* ---- the tests ---- */

static void registers_after_reset(void **state)
{
    u32 cap = get(0x00);

    (void)state;
    assert_int_equal(pci_config_read(&b.pci, SLOT << 3, 0, 4), 0x29228086);
    assert_int_equal(pci_config_read(&b.pci, SLOT << 3, PCI_CLASS, 4) & 0xffffff, 0x010601);
    assert_int_equal(cap & 31, 5);          /* NP is zero-based */
    assert_int_equal(cap >> 8 & 31, 31);    /* NCS too */
    assert_int_equal(cap >> 30, 3);         /* S64A, SNCQ */
    assert_int_equal(get(0x0c), 0x3f);      /* PI */
    assert_int_equal(get(0x04) >> 31, 1);   /* AE, since CAP.SAM */
    assert_int_equal(cap >> 18 & 1, 1);
    assert_int_equal(get(CMD), 6);          /* SUD, POD: neither SSS nor CPD */
    assert_int_equal(get(TFD) & 0xff, 0x7f);
    assert_int_equal(get(SIG), 0xffffffff); /* 3.3.9: until the first frame */
    assert_int_equal(get(SSTS) & 0xf0f, 0x103);
    assert_int_equal(get(SSTS + 2 * PORT), 0);
    assert_int_equal(get(SERR) >> 26 & 1, 1);
    assert_int_equal(get(IS) >> 6 & 1, 1);  /* PCS mirrors DIAG.X */
    start_port(0), start_port(1);
    assert_int_equal(get(SIG), 0x00000101);
    assert_int_equal(get(TFD), 0x0150);
    assert_int_equal(get(SIG + PORT), 0xeb140101);
    assert_int_equal(get(TFD + PORT), 0x0100);
    assert_int_equal(get(CMD) & 0xc000, 0xc000); /* FR, CR */
    assert_int_equal(frame(0, 0x40)[0], 0x34);
    assert_false(inta);
}

static void identify_comes_by_pio(void **state)
{
    const u8 *w = ram(BUFFER), *fis = frame(0, 0x20);

    (void)state;
    start_port(0);
    command(0, 3, 0xec, 0, 0);
    region(0, 3, 0, BUFFER, 200), region(0, 3, 1, BUFFER + 200, 1000);
    issue(0, 3);
    assert_int_equal(get(CI), 0);
    assert_int_equal(get(TFD), 0x0050);
    assert_int_equal(get(CMD) >> 8 & 31, 3);
    assert_int_equal(load_le(ram(LIST + 3 * 32 + 4), 4), 512); /* PRDBC */
    assert_int_equal(load_le(w + 120, 4), SECTORS);
    assert_int_equal(load_le(w + 150, 2), 31);             /* queue depth - 1 */
    assert_int_equal(load_le(w + 152, 2) & 0x106, 0x106);  /* queued commands, both speeds */
    assert_int_equal(load_le(w + 186, 2), 0);              /* no cable */
    assert_int_equal(fis[0], 0x5f);
    assert_int_equal(fis[1] & 0x60, 0x60);                 /* interrupt, device to host */
    assert_int_equal(fis[2], 0x58);
    assert_int_equal(fis[15], 0x50);                       /* E_Status */
    assert_int_equal(load_le(fis + 16, 2), 512);
    assert_int_equal(get(IS), 2);                          /* PSS, and no register frame */
    assert_true(inta);
    assert_int_equal(get(0x08), 1);
    set(0x08, 1);
    assert_int_equal(get(0x08), 1); /* still asserted by the port */
    set(IS, 2), set(0x08, 1);
    assert_int_equal(get(0x08), 0);
    assert_false(inta);
}

static void dma_moves_data_both_ways(void **state)
{
    (void)state;
    start_port(0);
    command(0, 0, 0x25, 60000, 5); /* READ DMA EXT */
    region(0, 0, 0, BUFFER + 2, 514), region(0, 0, 1, BUFFER + 0x2000, 5 * 512 - 514);
    ram(TABLES + 0x80 + 12)[3] |= 0x80; /* interrupt when it is full */
    issue(0, 0);
    assert_int_equal(get(IS), 0x21); /* DHRS, DPS */
    assert_int_equal(load_le(ram(BUFFER + 2), 8), 60000);
    assert_int_equal(load_le(ram(BUFFER + 0x2000 + 4 * 512 - 514), 8), 60004);
    assert_int_equal(load_le(ram(LIST + 4), 4), 5 * 512);
    assert_int_equal(frame(0, 0x40)[1], 0x40);
    memset(ram(BUFFER), 0xa5, 1024);
    command(0, 0, 0xca, 7, 2); /* WRITE DMA, 28 bits */
    region(0, 0, 0, BUFFER, 1024);
    issue(0, 0);
    assert_int_equal(disk.sectors[7 * 512], 0xa5);
    assert_int_equal(disk.sectors[9 * 512 - 1], 0xa5);
    assert_int_equal(disk.sectors[9 * 512], 9);
    command(0, 1, 0x34, 20, 3); /* WRITE SECTORS EXT: three PIO blocks */
    region(0, 1, 0, BUFFER, 1536);
    issue(0, 1);
    assert_int_equal(disk.sectors[20 * 512 + 511], 0xa5);
    assert_int_equal(get(CI), 0);
}

static void queued_commands_overlap(void **state)
{
    (void)state;
    start_port(0);
    for (unsigned i = 0; i < 3; i++) {
        unsigned slot = 2 + 7 * i;

        command(0, slot, i == 2 ? 0x61 : 0x60, 100 + i, 1);
        region(0, slot, 0, BUFFER + i * 0x1000, 512);
        store_le(ram(BUFFER + i * 0x1000), i == 2 ? 0x77777777 : 0, 4);
        set(SACT, 1u << slot);
        set(CI, 1u << slot);
    }
    assert_int_equal(get(CI), 0); /* taken at once, none done */
    assert_int_equal(get(SACT), 1u << 2 | 1u << 9 | 1u << 16);
    assert_int_equal(get(TFD), 0x0050);
    assert_int_equal(get(IS) & 8, 0);
    bench_pass(&b, 10000000);
    assert_int_equal(get(SACT), 0);
    assert_int_equal(get(IS) & 8, 8); /* SDBS */
    assert_int_equal(frame(0, 0x58)[0], 0xa1);
    assert_int_equal(frame(0, 0x58)[1], 0x40);
    assert_int_equal(load_le(frame(0, 0x5c), 4), 1u << 16); /* the last one */
    assert_int_equal(load_le(ram(BUFFER), 4), 100);
    assert_int_equal(load_le(ram(BUFFER + 0x1000), 4), 101);
    assert_int_equal(load_le(disk.sectors + 102 * 512, 4), 0x77777777);
}

static void an_error_stops_the_port(void **state)
{
    (void)state;
    start_port(0);
    command(0, 4, 0x25, SECTORS, 1);
    region(0, 4, 0, BUFFER, 512);
    command(0, 5, 0x25, 9, 1);
    region(0, 5, 0, BUFFER, 512);
    set(CI, 1 << 4 | 1 << 5);
    bench_pass(&b, 10000000);
    assert_int_equal(get(IS) >> 30, 1);      /* TFES */
    assert_int_equal(get(TFD), 0x1051);      /* IDNF, ERR */
    assert_int_equal(get(CI), 1 << 4 | 1 << 5); /* nothing goes on: 6.2.2.1 */
    assert_int_equal(get(CMD) >> 8 & 31, 4);
    set(CMD, 0x10);
    assert_int_equal(get(CI), 0);
    assert_int_equal(get(CMD) >> 15 & 1, 0);
    set(SERR, 0xffffffff), set(IS, 0xffffffff);
    set(CMD, 0x11);
    issue(0, 5);
    assert_int_equal(get(TFD), 0x0050);
    assert_int_equal(load_le(ram(BUFFER), 4), 9);
}

/* SATA 2.6, 13.6.4: the queue is aborted, log 10h says which one failed. */
static void a_queued_error_is_in_the_log(void **state)
{
    const u8 *log = ram(BUFFER);
    u8 sum = 0;

    (void)state;
    start_port(0);
    disk.fail = -5;
    for (unsigned slot = 6; slot < 8; slot++) {
        command(0, slot, 0x60, 0x11111 + slot - 6, 1);
        region(0, slot, 0, BUFFER, 512);
    }
    set(SACT, 3 << 6), set(CI, 3 << 6);
    bench_pass(&b, 10000000);
    disk.fail = 0;
    assert_int_equal(get(IS) & 0x40000008, 0x40000008); /* TFES, SDBS */
    assert_int_equal(get(TFD) & 0xff01, 0x4001);        /* UNC, ERR */
    assert_int_equal(get(SACT), 3 << 6);
    set(CMD, 0x10);
    assert_int_equal(get(SACT), 0);
    set(CMD, 0x11), set(IS, 0xffffffff);
    command(0, 0, 0x2f, 0x10, 1);
    region(0, 0, 0, BUFFER, 512);
    issue(0, 0);
    assert_int_equal(log[0], 6);
    assert_int_equal(log[3], 0x40);
    assert_int_equal(log[4] | log[5] << 8 | log[6] << 16, 0x11111);
    for (unsigned i = 0; i < 512; i++)
        sum = (u8)(sum + log[i]);
    assert_int_equal(sum, 0);
}

static void tables_that_are_wrong(void **state)
{
    (void)state;
    start_port(0);
    command(0, 0, 0x25, 1, 4); /* more data than room: dropped, and said */
    region(0, 0, 0, BUFFER, 1024);
    store_le(ram(BUFFER + 1024), 0x55, 4);
    issue(0, 0);
    bench_pass(&b, 1000000);
    assert_int_equal(get(IS) >> 24 & 1, 1); /* OFS */
    assert_int_equal(get(CI), 0);
    assert_int_equal(load_le(ram(BUFFER + 1024), 4), 0x55);
    set(IS, 0xffffffff);
    command(0, 0, 0x25, 1, 1);
    region(0, 0, 0, 0x7fffff000, 512); /* no memory */
    issue(0, 0);
    assert_int_equal(get(IS) >> 29 & 1, 1); /* HBFS */
    assert_int_equal(get(CI), 1);
    set(CMD, 0x10), set(IS, 0xffffffff), set(CMD, 0x11);
    assert_int_equal(get(TFD) & 0x88, 0);
    command(0, 0, 0x25, 1, 1)[0] = 0x34; /* no command */
    issue(0, 0);
    assert_int_equal(get(IS) >> 27 & 1, 1); /* IFS */
    set(CMD, 0x10), set(IS, 0xffffffff), set(CLB, 0x70000000), set(CMD, 0x11);
    issue(0, 0);
    assert_int_equal(get(IS) >> 29 & 1, 1);
}

static void resets(void **state)
{
    u8 *t;

    (void)state;
    start_port(0);
    t = command(0, 0, 0, 0, 0); /* software reset: two control frames (10.4.1) */
    t[1] = 0, t[15] = 4;
    issue(0, 0);
    assert_int_equal(get(CI), 0);
    ram(FIS + 0x40)[0] = 0;
    t = command(0, 1, 0, 0, 0);
    t[1] = 0;
    issue(0, 1);
    assert_int_equal(frame(0, 0x40)[0], 0x34);
    assert_int_equal(get(TFD), 0x0150);
    set(CMD, 0x10);
    set(SCTL, 0x301); /* COMRESET */
    assert_int_equal(get(TFD) & 0xff, 0x7f);
    set(SCTL, 0x300);
    assert_int_equal(get(SSTS) & 15, 3);
    assert_int_equal(get(TFD), 0x0150);
    assert_int_equal(get(SERR) >> 26 & 1, 1);
    set(SCTL, 0x304); /* off */
    assert_int_equal(get(SSTS) & 15, 4);
    set(0x04, 0x80000001); /* the whole host */
    assert_int_equal(get(0x04), 0x80000000);
    assert_int_equal(get(SSTS) & 15, 3);
    assert_int_equal(get(CMD), 6);
    assert_int_equal(get(SIG), 0xffffffff);
}

static void handoff(void **state)
{
    (void)state;
    assert_int_equal(get(0x24) & 1, 1);
    set(0x28, 1);
    assert_int_equal(get(0x28), 1);
    set(0x28, 3); /* the OS asks; nobody holds on to it */
    assert_int_equal(get(0x28) & 3, 2);
}

static void packets_to_a_cd(void **state)
{
    u8 *t;

    (void)state;
    start_port(1);
    for (unsigned round = 0; round < 3; round++) {
        bool dma = round == 2;

        t = command(1, 0, 0xa0, 0, 0);
        ram(LIST + 0x400)[0] |= 0x20; /* A */
        region(1, 0, 0, BUFFER, 8192);
        t[3] = dma;                    /* FEATURE: DMA */
        t[5] = 0x00, t[6] = 0x08;      /* byte count limit 2048 */
        t[0x40] = 0x28, t[0x40 + 5] = 7, t[0x40 + 8] = 3; /* READ (10) of 3 from 7 */
        memset(ram(BUFFER), 0, 8192);
        issue(1, 0);
        bench_pass(&b, 1000000);
        if (round == 0) { /* power on: unit attention */
            assert_int_equal(get(TFD + PORT), 0x6051);
            assert_int_equal(get(IS + PORT) >> 30, 1);
            set(CMD + PORT, 0x10), set(IS + PORT, 0xffffffff), set(CMD + PORT, 0x11);
            continue;
        }
        assert_int_equal(get(CI + PORT), 0);
        assert_int_equal(get(TFD + PORT), 0x0050);
        for (unsigned i = 0; i < 3; i++)
            assert_int_equal(load_le(ram(BUFFER + i * 2048), 8), (7 + i) * 4);
        assert_int_equal(load_le(ram(LIST + 0x404), 4), 6144);
        if (!dma)
            assert_int_equal(load_le(frame(1, 0x30), 2), 2048); /* the last block's setup */
    }
}

static void waits_for_the_bus(void **state)
{
    (void)state;
    start_port(0);
    pci_config_write(&b.pci, SLOT << 3, PCI_COMMAND, PCI_COMMAND_MEM, 2);
    command(0, 0, 0x25, 5, 1);
    region(0, 0, 0, BUFFER, 512);
    set(CI, 1);
    bench_pass(&b, 10000000);
    assert_int_equal(get(CI), 1);
    pci_config_write(&b.pci, SLOT << 3, PCI_COMMAND, PCI_COMMAND_MEM | PCI_COMMAND_MASTER, 2);
    bench_pass(&b, 10000000);
    assert_int_equal(get(CI), 0);
    assert_int_equal(load_le(ram(BUFFER), 4), 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(registers_after_reset), TEST(identify_comes_by_pio), TEST(dma_moves_data_both_ways),
        TEST(queued_commands_overlap), TEST(an_error_stops_the_port), TEST(a_queued_error_is_in_the_log),
        TEST(tables_that_are_wrong), TEST(resets), TEST(handoff), TEST(packets_to_a_cd), TEST(waits_for_the_bus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
