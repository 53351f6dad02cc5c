/*
 * Ember's loader: offers what /boot/ember.cfg lists, brings a multiboot-1 kernel and its modules
 * from the boot partition's ext2 to extended memory and enters it. Multiboot Specification 0.6.96.
 *
 * UNIMPL: video modes.
 */
#include "guestos/boot/config.h"
#include "guestos/boot/ext2.h"
#include "guestos/boot/kernel_file.h"
#include "guestos/boot/loader.h"
#include "guestos/boot/menu.h"
#include "guestos/boot/multiboot.h"

#define CONFIG_PATH   "/boot/ember.cfg"
#define VARIABLES_KIB 448u /* conventional memory below 70000h; ORDER: loader.ld */

static struct memory_map map;
static struct disk disk;
static struct ext2 fs;
static struct config config;
static struct menu menu;
static struct kernel_file kernel;
static struct multiboot_info info;
static struct multiboot_mmap mmap[MAX_RANGES];
static struct multiboot_module module[MAX_MODULES];
static char config_text[CONFIG_MAX_BYTES + 1];

struct partition {
    uint8_t number; /* in the MBR's table; FFh: the table does not have it */
    uint32_t lba, nr_sectors;
};

/* Which entry of the MBR we came from. */
static bool find_partition(struct partition *p, uint32_t lba)
{
    uint8_t mbr[SECTOR_BYTES];

    *p = (struct partition){.number = 0xFF, .lba = lba};
    if (!disk_read(&disk, 0, 1, mbr)) {
        return false;
    }
    for (uint8_t i = 0; i < 4; i++) {
        const uint8_t *entry = mbr + 446 + 16 * i;
        if (memcmp(entry + 8, &lba, sizeof lba) == 0) {
            p->number = i;
            memcpy(&p->nr_sectors, entry + 12, sizeof p->nr_sectors);
            break;
        }
    }
    return true;
}

/* "PATH TEXT": copies the path, returns the text. */
static const char *split(const char *line, char path[MAX_LINE])
{
    uint32_t n = 0;

    for (; line[n] && line[n] != ' '; n++) {
        path[n] = line[n];
    }
    path[n] = 0;
    while (line[n] == ' ') {
        n++;
    }
    return line + n;
}

static bool read_config(void)
{
    struct ext2_file file;

    if (!ext2_open(&fs, CONFIG_PATH, &file)) {
        return false;
    }
    if (file.size_bytes > CONFIG_MAX_BYTES) {
        return error("%s is longer than %u bytes", CONFIG_PATH, CONFIG_MAX_BYTES);
    }
    if (!ext2_read(&fs, &file, 0, config_text, file.size_bytes)) {
        return false;
    }
    config_text[file.size_bytes] = 0;
    config_parse(&config, config_text);
    return config.problem[0] == 0 || error("%s, %s", CONFIG_PATH, config.problem);
}

/* Module i of an entry goes behind the kernel. Its string is the whole line, as GRUB passes it. */
static bool load_module(const struct config_entry *entry, uint32_t i)
{
    struct ext2_file file;
    char path[MAX_LINE];
    uint32_t paddr;

    split(entry->module[i], path);
    say("module: %s\n", entry->module[i]);
    if (!ext2_open(&fs, path, &file) || !kernel_place(&kernel, file.size_bytes, &paddr) ||
        !ext2_read(&fs, &file, 0, (void *)paddr, file.size_bytes)) {
        return false;
    }
    module[i] = (struct multiboot_module){.start = paddr,
                                          .end = paddr + file.size_bytes,
                                          .string = (uint32_t)(uintptr_t)entry->module[i]};
    return true;
}

static void fill_info(const struct partition *p, const struct config_entry *entry,
                      const char *cmdline)
{
    for (uint32_t i = 0; i < map.nr_ranges; i++) {
        mmap[i] = (struct multiboot_mmap){sizeof mmap[i] - sizeof mmap[i].size, map.range[i].base,
                                          map.range[i].bytes, map.range[i].type};
    }
    info = (struct multiboot_info){
        .flags = MULTIBOOT_INFO_MEMORY | MULTIBOOT_INFO_BOOT_DEVICE | MULTIBOOT_INFO_CMDLINE |
                 MULTIBOOT_INFO_MODULES | MULTIBOOT_INFO_MMAP | MULTIBOOT_INFO_LOADER_NAME,
        .mem_lower = map.lower_kib,
        .mem_upper = map.upper_kib,
        .boot_device = (uint32_t)disk.drive << 24 | (uint32_t)p->number << 16 | 0xFFFF,
        .cmdline = (uint32_t)(uintptr_t)cmdline,
        .mods_count = entry->nr_modules,
        .mods_addr = (uint32_t)(uintptr_t)module,
        .mmap_length = map.nr_ranges * sizeof mmap[0],
        .mmap_addr = (uint32_t)(uintptr_t)mmap,
        .boot_loader_name = (uint32_t)(uintptr_t) "Ember loader 2"};
}

/* Starts what the menu has chosen; returns only if that is not possible. */
static void start(const struct partition *p)
{
    const struct config_entry *entry = &config.entry[menu.chosen];
    struct ext2_file file;
    char path[MAX_LINE];
    const char *cmdline = split(menu.line, path);

    screen_clear();
    say("kernel: %s\n", menu.line);
    if (!path[0]) {
        error("no kernel is named: %s", entry->title);
        return;
    }
    if (!ext2_open(&fs, path, &file) || !kernel_load(&kernel, &map, &fs, &file)) {
        return;
    }
    for (uint32_t i = 0; i < entry->nr_modules; i++) {
        if (!load_module(entry, i)) {
            return;
        }
    }
    fill_info(p, entry, cmdline);
    say("starting it\n");
    enter_kernel(kernel.entry, MULTIBOOT_LOADER_MAGIC, &info);
}

_Noreturn void loader_main(uint32_t drive, uint32_t partition_lba);

void loader_main(uint32_t drive, uint32_t partition_lba)
{
    struct partition partition;

    screen_init();
    say("Ember loader, drive %xh, partition at %u\n", drive, partition_lba);
    memory_detect(&map);
    say("memory: %u KiB + %u KiB (%s), A20: %s\n", map.lower_kib, map.upper_kib, map.source,
        a20_enable());
    if (map.lower_kib < VARIABLES_KIB) {
        fail("less than %u KiB of conventional memory", VARIABLES_KIB);
    }
    disk_open(&disk, (uint8_t)drive);
    if (!find_partition(&partition, partition_lba) ||
        !ext2_mount(&fs, &disk, partition_lba, partition.nr_sectors)) {
        fail("%s", error_text());
    }
    say("file system: %u blocks of %u bytes, read by %s%s\n", fs.nr_blocks, fs.block_bytes,
        disk.has_edd ? "EDD" : "CHS", fs.needs_recovery ? "; its journal is not replayed" : "");
    config_fallback(&config);
    const char *message = read_config() ? "" : error_text();
    menu_init(&menu, &config);
    for (;;) {
        menu_run(&menu, message);
        start(&partition);
        message = error_text();
    }
}
