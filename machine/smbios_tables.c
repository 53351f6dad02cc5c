/*
 * SMBIOS structures for firmware that takes them from fw_cfg, as SeaBIOS does; Spark builds its own (decisions
 * 008 and 009). SMBIOS 2.8 (DMTF DSP0134, chapter 7): the computer, its case, processor and memory. Structure 0
 * is about the firmware, which adds it. Files are QEMU's: the structures, and their entry point (5.2.1), whose
 * address and sums the firmware fills in. Of what a virtual machine has not the value for "unknown" is given.
 */
#include "machine/smbios_tables.h"

#include "cpu/cpu_model.h"

enum { ROOM = 1024, ANCHOR_LEN = 31, MAX_STRINGS = 3 };
enum { UNKNOWN = 2, SAFE = 3, NO_ERROR_HANDLE = 0xfffe, NO_CACHE = 0xffff };
enum { CHASSIS = 0x300, PROCESSOR = 0x400, ARRAY = 0x1000, MODULE = 0x1100, RANGE = 0x1300 }; /* handles */

struct build {
    u8 bytes[ROOM];
    u32 len, longest, structures;
};

struct field {
    u8 at, size;
    u64 value;
};

/* A structure of len bytes, all zero but for its fields, and its strings, which fields name by 1, 2 and 3. */
static void add(struct build *b, u8 type, u16 handle, u8 len, const char *const strings[MAX_STRINGS],
                const struct field *fields, unsigned n)
{
    u8 *start = b->bytes + b->len;

    ASSERT(b->len + 256 <= ROOM);
    store_le(start, type, 1), store_le(start + 1, len, 1), store_le(start + 2, handle, 2);
    for (unsigned i = 0; i < n; i++)
        store_le(start + fields[i].at, fields[i].value, fields[i].size);
    b->len += len;
    for (unsigned i = 0; i < MAX_STRINGS && strings[i]; i++) {
        memcpy(b->bytes + b->len, strings[i], strlen(strings[i]));
        b->len += (u32)strlen(strings[i]) + 1;
    }
    b->len += strings[0] ? 1 : 2; /* an empty string ends them; two bytes where there are none */
    if (b->len - (start - b->bytes) > b->longest)
        b->longest = (u32)(b->len - (start - b->bytes));
    b->structures++;
}

#define STRINGS(...) (const char *const[MAX_STRINGS]){ __VA_ARGS__ }
#define FIELDS(...)  (const struct field[]){ __VA_ARGS__ }, ARRAY_LEN(((const struct field[]){ __VA_ARGS__ }))

static void add_processor(struct build *b, const struct cpu *c)
{
    u32 vendor[4], version[4];
    char maker[13] = "", brand[49] = "";

    cpu_cpuid(c, 0, 0, vendor);
    cpu_cpuid(c, 1, 0, version);
    if (cpu_offers(c, FEAT_APIC)) /* reset, which is still to come, switches it on */
        version[CPUID_EDX] |= 1u << cpu_feature_places[FEAT_APIC].bit;
    store_le(maker, vendor[CPUID_EBX], 4), store_le(maker + 4, vendor[CPUID_EDX], 4);
    store_le(maker + 8, vendor[CPUID_ECX], 4);
    for (u32 i = 0; i < 3; i++) {
        u32 part[4];

        cpu_cpuid(c, 0x80000002 + i, 0, part);
        for (unsigned r = 0; r < 4; r++)
            store_le(brand + 16 * i + 4 * r, part[r], 4);
    }
    add(b, 4, PROCESSOR, 42, STRINGS("CPU 00", maker, brand), FIELDS(
        { 4, 1, 1 }, { 5, 1, 3 }, { 6, 1, UNKNOWN }, /* in socket 1: a central processor, of no family */
        { 7, 1, 2 }, { 8, 4, version[CPUID_EAX] }, { 12, 4, version[CPUID_EDX] }, { 16, 1, 3 },
        { 24, 1, 0x41 }, { 25, 1, 6 }, /* populated and enabled; no upgrade */
        { 26, 2, NO_CACHE }, { 28, 2, NO_CACHE }, { 30, 2, NO_CACHE },
        { 35, 1, 1 }, { 36, 1, 1 }, { 37, 1, 1 }, /* cores, enabled ones, threads */
        { 38, 2, 1 << 2 }, { 40, 2, UNKNOWN })); /* 64 bits */
}

static void add_memory(struct build *b, u64 low, u64 high)
{
    u64 kib = (low + high) >> 10, mib = kib >> 10;
    bool large = kib >= 0x80000000, big = mib >= 0x7fff;

    add(b, 16, ARRAY, 23, STRINGS(NULL), FIELDS(
        { 4, 1, 1 }, { 5, 1, 3 }, { 6, 1, 3 }, /* other than on a board; system memory; no correction */
        { 7, 4, large ? 0x80000000 : kib }, { 11, 2, NO_ERROR_HANDLE }, { 13, 2, 1 },
        { 15, 8, large ? low + high : 0 }));
    add(b, 17, MODULE, 40, STRINGS("DIMM 0"), FIELDS(
        { 4, 2, ARRAY }, { 6, 2, NO_ERROR_HANDLE }, { 8, 2, 0xffff }, { 10, 2, 0xffff }, /* widths */
        { 12, 2, big ? 0x7fff : mib }, { 14, 1, 9 }, { 16, 1, 1 }, { 18, 1, 7 }, { 19, 2, UNKNOWN }, /* DIMM, RAM */
        { 28, 4, big ? mib : 0 }));
    add(b, 19, RANGE, 31, STRINGS(NULL), FIELDS({ 8, 4, (low >> 10) - 1 }, { 12, 2, ARRAY }, { 14, 1, 1 }));
    if (high)
        add(b, 19, RANGE + 1, 31, STRINGS(NULL), FIELDS(
            { 4, 4, 0xffffffff }, { 8, 4, 0xffffffff }, { 12, 2, ARRAY }, { 14, 1, 1 }, /* bytes, below */
            { 15, 8, 4ull << 30 }, { 23, 8, (4ull << 30) + high - 1 }));
}

int smbios_tables_add(struct fw_cfg *f, const struct cpu *c, u64 low_ram, u64 high_ram)
{
    struct build b = { 0 };
    u8 anchor[ANCHOR_LEN] = "_SM_\0\x1f\2\x08"; /* sum, length, version 2.8 */

    add(&b, 1, 0x100, 27, STRINGS("Kiln", "i440FX/PIIX3 PC"), FIELDS(
        { 4, 1, 1 }, { 5, 1, 2 }, { 24, 1, 6 })); /* maker, product; woken by its switch */
    add(&b, 3, CHASSIS, 22, STRINGS("Kiln"), FIELDS(
        { 4, 1, 1 }, { 5, 1, 1 }, { 9, 1, SAFE }, { 10, 1, SAFE }, { 11, 1, SAFE }, { 12, 1, UNKNOWN }));
    add_processor(&b, c);
    add_memory(&b, low_ram, high_ram);
    add(&b, 32, 0x2000, 11, STRINGS(NULL), FIELDS({ 10, 1, 0 })); /* booted without an error */
    add(&b, 127, 0x7f00, 4, STRINGS(NULL), NULL, 0);

    store_le(anchor + 8, b.longest, 2);
    memcpy(anchor + 16, "_DMI_", 5);
    store_le(anchor + 22, b.len, 2);
    store_le(anchor + 28, b.structures, 2);
    anchor[30] = 0x28;
    return fw_cfg_add_file(f, "etc/smbios/smbios-tables", b.bytes, b.len) ||
           fw_cfg_add_file(f, "etc/smbios/smbios-anchor", anchor, sizeof(anchor)) ? -1 : 0;
}
