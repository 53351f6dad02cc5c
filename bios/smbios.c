/* SMBIOS 2.8 (DMTF DSP0134): the entry point and structures 0, 1, 3, 4, 16, 17, 19, 32, 127. Of what
 * a virtual machine has not (serial numbers, slots, voltages) the value for "unknown" is given. */
#include "board.h"
#include "memory.h"
#include "tables.h"

enum { AREA = 4096, HANDLE_CHASSIS = 0x0300, HANDLE_CPU = 0x0400, HANDLE_ARRAY = 0x1000,
       HANDLE_MODULE = 0x1100, HANDLE_RANGE = 0x1300 };

struct PACKED head { u8 type, length; u16 handle; };

struct PACKED bios {
    struct head h;
    u8 vendor, version;
    u16 segment;
    u8 date, rom_64k;
    u64 characteristics;
    u8 extension[2], release[2], controller[2];
};
struct PACKED computer {
    struct head h;
    u8 maker, product, version, serial, uuid[16], wake_up, sku, family;
};
struct PACKED chassis {
    struct head h;
    u8 maker, kind, version, serial, asset, boot_state, power_state, thermal_state, security;
    u32 oem;
    u8 height, cords, contained, contained_len, sku;
};
struct PACKED processor {
    struct head h;
    u8 socket, kind, family, maker;
    u32 signature, features;
    u8 version, voltage;
    u16 clock, max_speed, speed;
    u8 status, upgrade;
    u16 caches[3];
    u8 serial, asset, part, cores, enabled, threads;
    u16 characteristics, family2;
};
struct PACKED array {
    struct head h;
    u8 location, use, correction;
    u32 kib;
    u16 error, devices;
    u64 bytes;
};
struct PACKED module {
    struct head h;
    u16 array, error, total_width, data_width, mib;
    u8 form, set, locator, bank, type;
    u16 detail, speed;
    u8 maker, serial, asset, part, attributes;
    u32 extended_mib;
    u16 clock, min_voltage, max_voltage, voltage;
};
struct PACKED range {
    struct head h;
    u32 start_kib, end_kib;
    u16 array;
    u8 width;
    u64 start, end;
};
struct PACKED boot_status { struct head h; u8 reserved[6], status; };

enum { /* characteristics of type 0 */
    ISA = 1 << 4,
    PCI = 1 << 7,
    APM = 1 << 10,
    SHADOWED = 1 << 12,
    BOOT_CD = 1 << 15,
    BOOT_CHOICE = 1 << 16,
    EDD = 1 << 19,
    FLOPPY_1200 = 1 << 23,
    FLOPPY_720 = 1 << 24,
    FLOPPY_2880 = 1 << 25,
    KEYBOARD = 1 << 27,
    SERIAL = 1 << 28,
    VIDEO = 1 << 30,
};

static u8 *at, *end;
static u16 nr, longest;

/* A structure and its strings, which end with an empty one. */
static void put(const void *structure, u16 handle, const char *const *strings)
{
    u8 *start = at;
    const struct head *h = structure;
    if (end - at < 256)
        return;
    copy_bytes(at, h, h->length);
    ((struct head *)at)->handle = handle;
    at += h->length;
    for (; *strings != 0; strings++) {
        const char *s = *strings;
        do
            *at++ = (u8)*s;
        while (*s++ != 0);
    }
    if (at == start + h->length)
        *at++ = 0;
    *at++ = 0;
    if (at - start > longest)
        longest = (u16)(at - start);
    nr++;
}

static void put_processors(const struct board *b)
{
    static struct processor p = {
        .h = {4, sizeof p, 0}, .socket = 1, .kind = 3, .family = 2, .maker = 2, .version = 3,
        .status = 0x41, .upgrade = 6, /* populated and enabled; no upgrade */
        .caches = {0xFFFF, 0xFFFF, 0xFFFF}, .cores = 1, .enabled = 1, .threads = 1,
        .characteristics = 1 << 2, .family2 = 2};
    const char *brand = b->cpu_brand;
    while (*brand == ' ')
        brand++;
    p.signature = b->cpu_signature;
    p.features = b->cpu_features;
    for (u8 i = 0; i < b->nr_cpus; i++) {
        static char socket[] = "CPU 00";
        socket[4] = (char)('0' + i / 10);
        socket[5] = (char)('0' + i % 10);
        const char *strings[] = {socket, b->cpu_vendor[0] ? b->cpu_vendor : "unknown",
                                 *brand ? brand : "unknown", 0};
        put(&p, (u16)(HANDLE_CPU + i), strings);
    }
}

static void put_memory(void)
{
    static const char *const none[] = {0}, *const slot[] = {"DIMM 0", 0};
    u64 low = memory_low_end(), high = memory_high_bytes();
    u32 mib = (u32)((low + high) >> 20);
    static struct array a = {.h = {16, sizeof a, 0}, .location = 1, .use = 3, .correction = 3,
                             .error = 0xFFFE, .devices = 1};
    a.kib = mib < 0x200000 ? mib << 10 : 0x80000000u; /* else: see bytes */
    a.bytes = mib < 0x200000 ? 0 : low + high;
    put(&a, HANDLE_ARRAY, none);
    static struct module m = {.h = {17, sizeof m, 0}, .array = HANDLE_ARRAY, .error = 0xFFFE,
                              .total_width = 0xFFFF, .data_width = 0xFFFF, .form = 9, /* DIMM */
                              .locator = 1, .type = 7, .detail = 2}; /* RAM */
    m.mib = (u16)(mib < 0x7FFF ? mib : 0x7FFF);
    m.extended_mib = mib < 0x7FFF ? 0 : mib;
    put(&m, HANDLE_MODULE, slot);
    static struct range r = {.h = {19, sizeof r, 0}, .array = HANDLE_ARRAY, .width = 1};
    r.end_kib = (u32)(low >> 10) - 1;
    put(&r, HANDLE_RANGE, none);
    if (high == 0)
        return;
    r.start_kib = r.end_kib = 0xFFFFFFFF;
    r.start = 1ull << 32;
    r.end = r.start + high - 1;
    put(&r, HANDLE_RANGE + 1, none);
}

void smbios_build(void)
{
    const struct board *b = board_get();
    u8 *start = table_alloc(AREA);
    if (start == 0)
        return;
    at = start;
    end = start + AREA;
    nr = longest = 0;

    static const char *const bios_strings[] = {"Kiln", "Spark 1", "11/24/2026", 0};
    static const struct bios bios = {
        .h = {0, sizeof bios, 0}, .vendor = 1, .version = 2, .segment = 0xE000, .date = 3,
        .rom_64k = 1, /* minus one */
        .characteristics = ISA | PCI | APM | SHADOWED | BOOT_CD | BOOT_CHOICE | EDD | FLOPPY_1200 |
                           FLOPPY_720 | FLOPPY_2880 | KEYBOARD | SERIAL | VIDEO,
        .extension = {0x01, 0x10}, /* ACPI; a virtual machine */
        .release = {1, 0}, .controller = {0xFF, 0xFF}};
    put(&bios, 0, bios_strings);

    const char *computer_strings[] = {b->maker, b->i440fx ? "i440FX/PIIX3 PC" : "PC", 0};
    static struct computer computer = {.h = {1, sizeof computer, 0}, .maker = 1, .product = 2,
                                       .wake_up = 6}; /* by its switch */
    fwcfg_uuid(computer.uuid);
    put(&computer, 0x0100, computer_strings);

    const char *chassis_strings[] = {b->maker, 0};
    static const struct chassis chassis = {.h = {3, sizeof chassis, 0}, .maker = 1, .kind = 1, /* other */
                                           .boot_state = 3, .power_state = 3, .thermal_state = 3,
                                           .security = 2};
    put(&chassis, HANDLE_CHASSIS, chassis_strings);
    put_processors(b);
    put_memory();
    static const char *const none[] = {0};
    static const struct boot_status status = {.h = {32, sizeof status, 0}};
    put(&status, 0x2000, none);
    static const struct head last = {127, sizeof last, 0};
    put(&last, 0x7F00, none);

    struct PACKED {
        char signature[4];
        u8 checksum, length, major, minor;
        u16 longest;
        u8 revision, formatted[5];
        char dmi[5];
        u8 dmi_checksum;
        u16 table_length;
        u32 table;
        u16 structures;
        u8 bcd;
    } e = {.signature = "_SM_", .length = 0x1F, .major = 2, .minor = 8, .dmi = "_DMI_", .bcd = 0x28};
    e.longest = longest;
    e.table_length = (u16)(at - start);
    e.table = table_pa(start);
    e.structures = nr;
    e.dmi_checksum = sum_of(e.dmi, 15);
    e.checksum = sum_of(&e, 0x1F);
    anchor_put((u16)(u32)anchor_smbios, &e, sizeof e);
}
