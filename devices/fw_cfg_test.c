/* fw_cfg, after QEMU's docs/specs/fw_cfg.txt: selector and data ports, directory, DMA. */
#include "devices/fw_cfg.h"
#include "devices/test_bench.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { DESC = 0x1000, BUF = 0x2000 };
static struct bench b;
static struct fw_cfg f;

static int setup(void **state)
{
    static const u16 five = 5;

    (void)state;
    bench_init(&b);
    memset(&f, 0, sizeof(f));
    bench_attach(&b, &f.dev, &fw_cfg_class, &(struct fw_cfg_cfg){ 0 });
    assert_int_equal(fw_cfg_add(&f, 0x05, &five, 2), 0);
    assert_int_equal(fw_cfg_add_file(&f, "etc/one", "1234567", 7), 0);
    assert_int_equal(fw_cfg_add_file(&f, "opt/two", "xy", 2), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dev_fini(&f.dev);
    bench_fini(&b);
    return 0;
}

static void select_and_read(u16 key, void *out, unsigned n)
{
    bench_out(&b, 0x510, key, 2);
    for (unsigned i = 0; i < n; i++)
        ((u8 *)out)[i] = (u8)bench_in(&b, 0x511, 1);
}

static void items(void **state)
{
    /* Reads beyond an item give zeros; bit 14 asks for writing and does not matter; bit 15 names
     * other items. */
    static const struct { u16 key; unsigned n; const char *bytes; } rows[] = {
        { 0x0000, 6, "QEMU\0\0" }, { 0x0001, 4, "\3\0\0\0" }, { 0x0005, 3, "\5\0\0" }, { 0x4005, 2, "\5\0" },
        { 0x8005, 2, "\0\0" },     { 0x0020, 8, "1234567\0" }, { 0x0021, 3, "xy\0" },   { 0x7777, 2, "\0\0" },
    };
    u8 got[16];

    (void)state;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        select_and_read(rows[i].key, got, rows[i].n);
        assert_memory_equal(got, rows[i].bytes, rows[i].n);
    }
}

static void directory(void **state)
{
    u8 dir[4 + 2 * 64];

    (void)state;
    select_and_read(0x19, dir, sizeof(dir));
    assert_memory_equal(dir, "\0\0\0\2\0\0\0\7\0\x20\0\0etc/one\0", 20);
    assert_memory_equal(dir + 68, "\0\0\0\2\0\x21\0\0opt/two\0", 16);
}

/* Fills in a descriptor, starts it, returns its control field afterwards. */
static u32 run_dma(u32 desc, u32 control, u32 len, u64 to)
{
    u8 *p = b.view.backing + DESC;

    store_le(p, __builtin_bswap32(control), 4);
    store_le(p + 4, __builtin_bswap32(len), 4);
    store_le(p + 8, __builtin_bswap64(to), 8);
    bench_out(&b, 0x514, 0, 4);
    bench_out(&b, 0x518, __builtin_bswap32(desc), 4);
    return __builtin_bswap32((u32)load_le(p, 4));
}

static void dma(void **state)
{
    u8 *buf = b.view.backing + BUF;

    (void)state;
    assert_int_equal(bench_in(&b, 0x514, 4), 0x554d4551); /* "QEMU CFG" */
    assert_int_equal(bench_in(&b, 0x518, 4), 0x47464320);
    memset(buf, 0xee, 16);
    assert_int_equal(run_dma(DESC, 0x20 << 16 | 8 | 2, 3, BUF), 0); /* select and read */
    assert_memory_equal(buf, "123\xee", 4);
    assert_int_equal(run_dma(DESC, 4, 2, 0), 0); /* skip */
    assert_int_equal(run_dma(DESC, 2, 8, BUF), 0);
    assert_memory_equal(buf, "67\0\0\0\0\0\0\xee", 9);
    assert_int_equal(run_dma(DESC, 0x20 << 16 | 8 | 16, 3, BUF), 1); /* no item takes writes */
    assert_int_equal(run_dma(DESC, 0x20 << 16 | 8 | 2, 3, BENCH_RAM - 1), 1);
    assert_int_equal(run_dma(DESC, 0x20 << 16 | 8 | 2, 0xffffffff, BUF), 1); /* as far as memory goes */
    assert_int_equal(run_dma(0xfffffff8, 2, 1, BUF), 2); /* nothing there: nothing happens */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = { TEST(items), TEST(directory), TEST(dma) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
