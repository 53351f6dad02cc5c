/*
 * Reads the multiboot information (Multiboot 0.6.96, 3.3) through the direct map that boot.S made
 * of the first GiB. The map is E820h's where the loader passed it on, else mem_lower and mem_upper.
 */
#include "guestos/kernel/boot_info.h"
#include "guestos/boot/multiboot.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"

static void add(struct boot_info *boot, u64 base, u64 bytes, u32 type)
{
    if (bytes && base + bytes > base && boot->nr_ranges < BOOT_MAX_RANGES) {
        boot->range[boot->nr_ranges++] =
            (struct boot_range){base, bytes, type, type == MULTIBOOT_MEMORY_RAM};
    }
}

static bool reachable(u64 pa, u64 bytes)
{
    return pa && pa + bytes <= EARLY_MAP_BYTES;
}

static void read_map(struct boot_info *boot, const struct multiboot_info *mb)
{
    u64 at = mb->mmap_addr;
    u64 end = at + mb->mmap_length;

    while (at + sizeof(struct multiboot_mmap) <= end) {
        struct multiboot_mmap m;
        memcpy(&m, direct(at), sizeof m);
        add(boot, m.base, m.bytes, m.type);
        at += m.size + sizeof m.size;
    }
}

static void read_string(char *to, u32 pa, size_t size)
{
    if (reachable(pa, size)) {
        string_copy(to, direct(pa), size);
    }
}

static void read_modules(struct boot_info *boot, const struct multiboot_info *mb)
{
    for (u32 i = 0; i < mb->mods_count && boot->nr_modules < BOOT_MAX_MODULES; i++) {
        struct multiboot_module m;
        struct boot_module *to = &boot->module[boot->nr_modules++];
        memcpy(&m, direct(mb->mods_addr + i * sizeof m), sizeof m);
        to->base = m.start;
        to->bytes = m.end > m.start ? m.end - m.start : 0;
        read_string(to->name, m.string, sizeof to->name);
    }
}

bool boot_info_read(struct boot_info *boot, u32 magic, u32 info)
{
    struct multiboot_info mb;

    if (magic != MULTIBOOT_LOADER_MAGIC || !reachable(info, sizeof mb)) {
        return false;
    }
    memcpy(&mb, direct(info), sizeof mb);
    if ((mb.flags & MULTIBOOT_INFO_MMAP) && reachable(mb.mmap_addr, mb.mmap_length)) {
        read_map(boot, &mb);
    } else if (mb.flags & MULTIBOOT_INFO_MEMORY) {
        add(boot, 0, (u64)mb.mem_lower << 10, MULTIBOOT_MEMORY_RAM);
        add(boot, LOW_MEMORY_END, (u64)mb.mem_upper << 10, MULTIBOOT_MEMORY_RAM);
    }
    if (mb.flags & MULTIBOOT_INFO_CMDLINE) {
        read_string(boot->cmdline, mb.cmdline, sizeof boot->cmdline);
    }
    if ((mb.flags & MULTIBOOT_INFO_MODULES) &&
        reachable(mb.mods_addr, mb.mods_count * (u64)sizeof(struct multiboot_module))) {
        read_modules(boot, &mb);
    }
    if (mb.flags & MULTIBOOT_INFO_LOADER_NAME) {
        read_string(boot->loader, mb.boot_loader_name, sizeof boot->loader);
    }
    return boot->nr_ranges > 0;
}

const char *boot_range_name(u32 type)
{
    static const char *const names[] = {"?",           "RAM",      "reserved",
                                        "ACPI tables", "ACPI NVS", "bad RAM"};

    return type < ARRAY_LEN(names) ? names[type] : "reserved (other)";
}

bool boot_option(const struct boot_info *boot, const char *name, char *value, size_t size)
{
    const char *at = boot->cmdline;
    size_t name_len = strlen(name);
    bool found = false;

    while (*at) {
        size_t len = 0;
        while (at[len] && at[len] != ' ') {
            len++;
        }
        bool equal = len >= name_len && memcmp(at, name, name_len) == 0;
        if (equal && (len == name_len || at[name_len] == '=')) {
            size_t skip = MIN(name_len + 1, len);
            found = true;
            if (value) {
                string_copy(value, at + skip, MIN(size, len - skip + 1));
            }
        }
        at += len;
        at += *at == ' ';
    }
    return found;
}
