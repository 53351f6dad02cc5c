/*
 * What memory the machine has, as the BIOS tells it: INT 15h E820h (ACPI 6.4, 15.1), else E801h,
 * else AH=88h; conventional memory from INT 12h. The map is passed on to the kernel as it came:
 * the kernel sorts out overlaps.
 */
#include "guestos/boot/loader.h"

#define SMAP       0x534D4150u
#define RAM        1u
#define MIB        LOW_MEMORY_END
#define ACPI_VALID 1u /* bit 0 of the extended attributes: do not ignore this entry */

struct e820_entry {
    uint64_t base, bytes;
    uint32_t type, attributes;
} __attribute__((packed));

static struct e820_entry entry BIOS_DATA;

static void add(struct memory_map *map, uint64_t base, uint64_t bytes, uint32_t type)
{
    if (bytes && map->nr_ranges < MAX_RANGES) {
        map->range[map->nr_ranges++] = (struct memory_range){base, bytes, type};
    }
}

static bool detect_e820(struct memory_map *map)
{
    struct bios_regs r = {0};

    do {
        entry.attributes = ACPI_VALID; /* kept by BIOSes that return 20 bytes */
        r.eax = 0xE820;
        r.edx = SMAP;
        r.ecx = sizeof entry;
        r.edi = (uint32_t)(uintptr_t)&entry;
        r.es = 0;
        bios_call(0x15, &r);
        if (r.eax != SMAP || (r.flags & EFLAGS_CF)) {
            break; /* carry also marks the end of the list on some BIOSes */
        }
        if (entry.attributes & ACPI_VALID) {
            add(map, entry.base, entry.bytes, entry.type);
        }
    } while (r.ebx && map->nr_ranges < MAX_RANGES);
    map->source = "E820h";
    return map->nr_ranges > 0;
}

static bool detect_e801(struct memory_map *map)
{
    struct bios_regs r = {.eax = 0xE801};

    bios_call(0x15, &r);
    if (r.flags & EFLAGS_CF) {
        return false;
    }
    uint32_t low_kib = r.ecx & 0xFFFF ? r.ecx & 0xFFFF : r.eax & 0xFFFF;    /* 1 to 16 MiB */
    uint32_t high_64kib = r.edx & 0xFFFF ? r.edx & 0xFFFF : r.ebx & 0xFFFF; /* above 16 MiB */
    add(map, 0, (uint64_t)map->lower_kib << 10, RAM);
    add(map, MIB, (uint64_t)low_kib << 10, RAM);
    add(map, 16 * (uint64_t)MIB, (uint64_t)high_64kib << 16, RAM);
    map->source = "E801h";
    return low_kib != 0;
}

static void detect_88(struct memory_map *map)
{
    struct bios_regs r = {.eax = 0x8800};

    bios_call(0x15, &r);
    add(map, 0, (uint64_t)map->lower_kib << 10, RAM);
    add(map, MIB, (r.flags & EFLAGS_CF) ? 0 : (uint64_t)(r.eax & 0xFFFF) << 10, RAM);
    map->source = "88h";
}

void memory_detect(struct memory_map *map)
{
    struct bios_regs r = {0};

    bios_call(0x12, &r);
    map->lower_kib = r.eax & 0xFFFF;
    if (!detect_e820(map)) {
        map->nr_ranges = 0;
        if (!detect_e801(map)) {
            map->nr_ranges = 0;
            detect_88(map);
        }
    }

    /* RAM from 1 MiB on, over adjoining ranges, up to the first hole (Multiboot: mem_upper). */
    uint64_t end = MIB;
    for (bool grown = true; grown;) {
        grown = false;
        for (uint32_t i = 0; i < map->nr_ranges; i++) {
            const struct memory_range *m = &map->range[i];
            if (m->type == RAM && m->base <= end && m->base + m->bytes > end) {
                end = m->base + m->bytes;
                grown = true;
            }
        }
    }
    uint64_t upper_kib = (end - MIB) >> 10;
    map->upper_kib = upper_kib > 0xFFFFFFFFu ? 0xFFFFFFFFu : (uint32_t)upper_kib;
    if (map->upper_kib == 0) {
        fail("no memory above 1 MiB (BIOS call %s)", map->source);
    }
}

bool memory_is_usable(const struct memory_map *map, uint64_t base, uint64_t bytes)
{
    uint64_t end = base + bytes;

    return base >= MIB && end >= base && end <= MIB + ((uint64_t)map->upper_kib << 10) &&
           end <= 0xFFFFFFFFu;
}
