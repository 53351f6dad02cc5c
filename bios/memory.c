/* RAM: its size from CMOS and fw_cfg, a quick test, and the map that INT 15h E820h gives.
 *
 * CMOS holds the size as QEMU, Bochs and Kiln leave it: 34h/35h in 64 KiB above 16 MiB, else
 * 30h/31h in KiB above 1 MiB; 5Bh to 5Dh in 64 KiB above 4 GiB. The test writes two patterns to
 * one word of each page of base memory, of each page up to 8 MiB, of each 64 KiB up to 512 MiB and
 * of each MiB beyond: it finds stuck bits and missing banks, not single bad cells. */
#include "memory.h"
#include "bda.h"
#include "console.h"
#include "entry.h"

enum { KIB = 1024, MIB = 1024 * 1024, MAP_MAX = 16, BASE_END = 0x9FC00 };

static u32 low_end;
static u64 high_bytes;
static u32 bad_at; /* first page that failed, 0 if none */
static u16 base_kib;
static struct e820_entry map[MAP_MAX];
static unsigned nr_map;
enum { TAKEN_MAX = 6 };
static struct { u32 pa, bytes, type; } taken[TAKEN_MAX]; /* downwards from low_end */
static unsigned nr_taken;

void memory_size(void)
{
    u32 above_16m = (u32)(cmos_read(0x34) | cmos_read(0x35) << 8);
    u32 above_1m = (u32)(cmos_read(0x30) | cmos_read(0x31) << 8);
    if (above_16m != 0 && above_16m != 0xFFFF)
        low_end = above_16m * (64 * KIB) + 16 * MIB;
    else if (above_1m != 0xFFFF)
        low_end = above_1m * KIB + MIB;
    else
        low_end = MIB;
    u32 above_4g = (u32)(cmos_read(0x5B) | cmos_read(0x5C) << 8 | cmos_read(0x5D) << 16);
    high_bytes = above_4g == 0xFFFFFF ? 0 : (u64)above_4g << 16;

    struct e820_entry fw[8];
    unsigned n = fwcfg_e820(fw, 8);
    if (n == 0)
        return;
    u64 fw_low = 0, fw_high = 0;
    for (unsigned i = 0; i < n; i++) {
        if (fw[i].type != E820_RAM)
            continue;
        if (fw[i].addr >> 32 != 0)
            fw_high += fw[i].len;
        else if (fw[i].addr + fw[i].len > fw_low)
            fw_low = fw[i].addr + fw[i].len;
    }
    if (fw_low >= MIB && (fw_low != low_end || fw_high != high_bytes)) {
        con_printf("Memory: CMOS says %u KiB, fw_cfg %u KiB; using fw_cfg\n", low_end / KIB,
                   (u32)(fw_low >> 10));
        low_end = (u32)fw_low;
        high_bytes = fw_high;
    }
}

static bool word_works(u32 pa)
{
    u32 keep = flat_read32(pa);
    bool good = true;
    flat_write32(pa, 0x5AA5C33C);
    flat_write32(pa + 4, 0xA55A3CC3); /* so that a floating bus does not remember the first */
    good = flat_read32(pa) == 0x5AA5C33C;
    flat_write32(pa, 0xA55A3CC3);
    flat_write32(pa + 4, 0x5AA5C33C);
    good = good && flat_read32(pa) == 0xA55A3CC3;
    flat_write32(pa, keep);
    return good;
}

/* Tests one word pair in each `step` from start to end, at offsets that vary with the address.
 * Memory in use is tested too: both words are put back, and IF is 0. */
static u32 test_range(u32 start, u32 end, u32 step)
{
    for (u32 pa = start; pa < end; pa += step) {
        u32 at = pa + (pa >> 7 & 0xFF8);
        u32 keep = flat_read32(at + 4);
        bool good = word_works(at);
        flat_write32(at + 4, keep);
        if (!good)
            return at;
    }
    return 0;
}

static void report(u32 pa)
{
    flat_begin();
    u32 keep = flat_read32(pa), stuck = 0, got;
    flat_write32(pa, 0);
    flat_write32(pa + 4, 0xFFFFFFFF);
    got = flat_read32(pa);
    stuck |= got;
    flat_write32(pa, 0xFFFFFFFF);
    flat_write32(pa + 4, 0);
    got = flat_read32(pa);
    stuck |= ~got;
    flat_write32(pa, keep);
    flat_end();
    post_fail("ram", "address %08Xh, bits %08Xh are stuck", pa, stuck);
}

void memory_test_base(void)
{
    base_kib = (u16)((dseg_copy == 0xE000 ? BASE_END : (u32)dseg_copy << 4) / KIB);
    flat_begin();
    u32 bad = test_range(0, BASE_END, 4096);
    flat_end();
    if (bad != 0) {
        bad_at = bad;
        report(bad);
        /* Base memory ends where it fails, if enough is left to boot with. */
        if (bad / KIB >= 64 && bad / KIB < base_kib)
            base_kib = (u16)(bad / KIB & ~3u);
    }
}

void memory_test_extended(void)
{
    static const struct { u32 end, step; } zones[] = {
        {8u * MIB, 4096}, {512u * MIB, 64 * KIB}, {0xFFF00000u, MIB}};
    u32 start = MIB, bad = 0;
    flat_begin();
    for (unsigned i = 0; i < 3 && bad == 0 && start < low_end; i++) {
        u32 end = zones[i].end < low_end ? zones[i].end : low_end;
        bad = test_range(start, end, zones[i].step);
        start = end;
    }
    flat_end();
    if (bad != 0) {
        report(bad);
        if (bad_at == 0)
            bad_at = bad;
        low_end = bad & ~0xFFFFu;
        con_printf("Memory: only %u KiB below the fault will be used\n", low_end / KIB);
    }
}

static void add(u64 addr, u64 len, u32 type)
{
    if (len == 0 || nr_map == MAP_MAX)
        return;
    map[nr_map].addr = addr;
    map[nr_map].len = len;
    map[nr_map].type = type;
    nr_map++;
}

void memory_build_map(void)
{
    nr_map = 0;
    add(0, (u32)base_kib * KIB, E820_RAM);
    add((u32)base_kib * KIB, 0xA0000 - (u32)base_kib * KIB, E820_RESERVED);
    add(dseg_copy == 0xE000 ? 0xE0000 : 0xF0000, dseg_copy == 0xE000 ? 0x20000 : 0x10000,
        E820_RESERVED);
    add(MIB, memory_usable_end() - MIB, E820_RAM);
    for (unsigned i = nr_taken; i-- > 0; )
        add(taken[i].pa, taken[i].bytes, taken[i].type);
    add(0xFEC00000, 0x1000, E820_RESERVED); /* I/O APIC */
    add(0xFEE00000, 0x1000, E820_RESERVED); /* local APIC */
    add(0xFFFC0000, 0x40000, E820_RESERVED);
    add(1ull << 32, high_bytes, E820_RAM);
}

u32 memory_usable_end(void)
{
    return nr_taken == 0 ? low_end : taken[nr_taken - 1].pa;
}

u32 memory_take_top(u32 bytes, u32 type)
{
    u32 end = memory_usable_end() & ~0xFFFu;
    if (nr_taken == TAKEN_MAX || end < 2u * MIB || end - 2u * MIB < bytes)
        return 0;
    taken[nr_taken].pa = end - bytes;
    taken[nr_taken].bytes = memory_usable_end() - (end - bytes);
    taken[nr_taken++].type = type;
    memory_build_map();
    return end - bytes;
}

void memory_retype_top(u32 bytes, u32 type)
{
    unsigned i = nr_taken - 1;
    if (nr_taken == TAKEN_MAX)
        return;
    taken[i + 1] = taken[i];
    taken[i + 1].bytes -= bytes;
    taken[i].pa += taken[i + 1].bytes;
    taken[i].bytes = bytes;
    taken[i].type = type;
    nr_taken++;
    memory_build_map();
}

u32 memory_low_end(void) { return low_end; }
u64 memory_high_bytes(void) { return high_bytes; }
u16 memory_base_kib(void) { return base_kib; }
unsigned memory_map_count(void) { return nr_map; }
const struct e820_entry *memory_map_entry(unsigned i) { return &map[i]; }
