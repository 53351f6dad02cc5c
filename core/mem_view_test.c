/* The physical address space: overlays, A20, DMA, code and dirty pages. */
#include "core/bus.h"
#include "core/mem_view.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RAM = 4 << 20, ROM_OFF = RAM, ROM_LEN = 64 << 10, ROM_LOW = 0xf0000, HOLE = 0xa0000 };

static struct {
    struct mem_view view;
    struct dma dma;
    struct bus bus;
    unsigned changes, code_writes;
    u64 code_off, code_len;
} t;

static void changed(void *sink)
{
    (void)sink;
    t.changes++;
}

static void code_written(void *sink, u64 off, u64 len)
{
    (void)sink;
    t.code_writes++;
    t.code_off = off;
    t.code_len = len;
}

static struct mem_overlay *pam;

static int setup(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    bus_init(&t.bus, "mem", 0, 0, NULL, NULL, NULL);
    if (mem_view_init(&t.view, RAM + ROM_LEN, &t.bus, NULL))
        return -1;
    t.dma.view = &t.view;
    t.view.changed = changed;
    t.view.code_written = code_written;
    mem_view_add(&t.view, (struct mem_overlay){ "ram", 0, RAM, 0, 0, 0, true });
    mem_view_add(&t.view, (struct mem_overlay){ "hole", HOLE, 0x20000, MEM_BUS, MEM_BUS, 1, true });
    mem_view_add(&t.view, (struct mem_overlay){ "rom", ROM_LOW, ROM_LEN, ROM_OFF, MEM_DROP, 1, true });
    pam = mem_view_add(&t.view, (struct mem_overlay){ "pam", ROM_LOW, ROM_LEN, MEM_PASS, MEM_PASS, 2, true });
    mem_view_add(&t.view, (struct mem_overlay){ "rom high", 0xffff0000, ROM_LEN, ROM_OFF, MEM_DROP, 1, true });
    memset(t.view.backing + ROM_OFF, 0xea, ROM_LEN);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mem_view_fini(&t.view);
    bus_fini(&t.bus);
    return 0;
}

static void rom_reads_and_drops(void **state)
{
    (void)state;
    assert_int_equal(mem_read(&t.view, 0xfffffff0, 4), 0xeaeaeaea);
    mem_write(&t.view, 0xffff0, 0x11, 1);
    assert_int_equal(mem_read(&t.view, 0xffff0, 1), 0xea);
    assert_int_equal(t.view.backing[0xffff0], 0); /* the RAM below was not touched */
    assert_int_equal(mem_read(&t.view, HOLE, 4), 0xffffffff); /* nobody on the bus */
    assert_int_equal(mem_read(&t.view, 0x80000000, 2), 0xffff);
}

/* 440FX, PAM: read ROM and write RAM, then read RAM and write ROM. */
static void shadow_ram_has_two_targets(void **state)
{
    (void)state;
    pam->write_off = ROM_LOW;
    mem_view_update(&t.view);
    mem_write(&t.view, 0xf1234, 0x5a, 1);
    assert_int_equal(mem_read(&t.view, 0xf1234, 1), 0xea);
    pam->read_off = ROM_LOW;
    pam->write_off = MEM_PASS;
    mem_view_update(&t.view);
    assert_int_equal(mem_read(&t.view, 0xf1234, 1), 0x5a);
    mem_write(&t.view, 0xf1234, 0x77, 1);
    assert_int_equal(mem_read(&t.view, 0xf1234, 1), 0x5a);
    assert_int_equal(t.changes, 2);
}

static void a20_off_aliases_odd_megabytes_for_the_processor_only(void **state)
{
    u8 byte = 0x99;

    (void)state;
    mem_write(&t.view, 0x100010, 0x22, 1);
    mem_view_set_a20(&t.view, false);
    mem_write(&t.view, 0x100010, 0x33, 1);
    assert_int_equal(t.view.backing[0x10], 0x33);
    assert_int_equal(t.view.backing[0x100010], 0x22);
    assert_int_equal(mem_read(&t.view, 0x300010, 1), mem_read(&t.view, 0x200010, 1));
    assert_int_equal(mem_view_page(&t.view, 0x101000).read_off, 0x1000);
    assert_int_equal(dma_write(&t.dma, 0x100010, &byte, 1), 0);
    assert_int_equal(t.view.backing[0x100010], 0x99);
    mem_view_set_a20(&t.view, false); /* no change, nothing told */
    assert_int_equal(t.changes, 1);
    mem_view_set_a20(&t.view, true);
    assert_int_equal(mem_read(&t.view, 0x100010, 1), 0x99);
}

static void accesses_cross_pages_and_targets(void **state)
{
    (void)state;
    mem_write(&t.view, 0x1ffd, 0x1122334455667788, 8);
    assert_int_equal(mem_read(&t.view, 0x1ffd, 8), 0x1122334455667788);
    assert_int_equal(t.view.backing[0x2000], 0x55);
    mem_write(&t.view, ROM_LOW - 2, 0xaabbccdd, 4); /* RAM, then ROM */
    assert_int_equal(mem_read(&t.view, ROM_LOW - 2, 4), 0xeaeaccdd);
    mem_write(&t.view, RAM - 2, 0xaabbccdd, 4); /* RAM, then nothing */
    assert_int_equal(mem_read(&t.view, RAM - 2, 4), 0xffffccdd);
}

static void writes_mark_backing_pages_whatever_the_alias(void **state)
{
    u8 many[0x1800] = { 0 };

    (void)state;
    t.view.page_flags[2] = MEM_CODE;
    mem_write(&t.view, 0x1000, 1, 1);
    assert_int_equal(t.code_writes, 0);
    assert_int_equal(t.view.page_flags[1], MEM_DIRTY);
    mem_view_set_a20(&t.view, false);
    mem_write(&t.view, 0x102345, 1, 2); /* an alias of 2345h */
    assert_int_equal(t.code_writes, 1);
    assert_int_equal(t.code_off, 0x2345);
    assert_int_equal(t.code_len, 2);
    assert_int_equal(t.view.page_flags[2], MEM_CODE | MEM_DIRTY);
    assert_int_equal(dma_write(&t.dma, 0x1c00, many, sizeof(many)), 0); /* 1C00h to 33FFh */
    assert_int_equal(t.code_writes, 2);
    assert_int_equal(t.code_off, 0x2000);
    assert_int_equal(t.code_len, 0x1000);
}

static void dma_beyond_memory_is_told_and_harmless(void **state)
{
    static const u64 places[] = { RAM - 16, RAM, 0x80000000, UINT64_MAX - 15, ROM_LOW - 16, HOLE };
    u8 out[32], in[32];

    (void)state;
    memset(out, 0x5c, sizeof(out));
    for (unsigned i = 0; i < ARRAY_LEN(places); i++)
        assert_int_equal(dma_write(&t.dma, places[i], out, sizeof(out)), -1);
    assert_int_equal(dma_read(&t.dma, RAM - 16, in, sizeof(in)), -1);
    assert_int_equal(in[15], 0x5c);
    assert_int_equal(in[16], 0xff);
    assert_int_equal(t.view.backing[ROM_OFF], 0xea);
    assert_int_equal(dma_read(&t.dma, ROM_LOW, in, sizeof(in)), 0); /* ROM can be read */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(rom_reads_and_drops), TEST(shadow_ram_has_two_targets),
        TEST(a20_off_aliases_odd_megabytes_for_the_processor_only),
        TEST(accesses_cross_pages_and_targets), TEST(writes_mark_backing_pages_whatever_the_alias),
        TEST(dma_beyond_memory_is_told_and_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
