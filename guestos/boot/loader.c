/*
 * Ember's loader: brings a multiboot-1 kernel from the boot partition to extended memory and
 * enters it. Multiboot Specification 0.6.96; what the partition looks like: boot_header.h.
 *
 * UNIMPL: boot modules, video modes, a menu.
 */
#include "guestos/boot/boot_header.h"
#include "guestos/boot/loader.h"
#include "guestos/boot/multiboot.h"

static struct memory_map map;
static struct disk disk;
static struct boot_header header;
static struct kernel_file kernel;
static struct multiboot_info info;
static struct multiboot_mmap mmap[MAX_RANGES];
static uint32_t crc_table[256];

static void crc32_init(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) {
            c = c & 1 ? c >> 1 ^ 0xEDB88320u : c >> 1;
        }
        crc_table[i] = c;
    }
}

static uint32_t crc32_add(uint32_t crc, const uint8_t *data, uint32_t len_bytes)
{
    while (len_bytes--) {
        crc = crc >> 8 ^ crc_table[(crc ^ *data++) & 0xFF];
    }
    return crc;
}

static void read_header(uint32_t partition_lba)
{
    disk_read(&disk, partition_lba + 1, 1);
    memcpy(&header, (const void *)BOUNCE_ADDR, sizeof header);

    uint32_t sum = 0;
    for (uint32_t i = 0; i < SECTOR_BYTES / 4; i++) {
        sum += ((const uint32_t *)(const void *)&header)[i];
    }
    if (memcmp(header.magic, BOOT_HEADER_MAGIC, sizeof header.magic) != 0 ||
        header.version != BOOT_HEADER_VERSION || sum != 0) {
        fail("the boot header at sector %u is damaged", partition_lba + 1);
    }
    header.cmdline[sizeof header.cmdline - 1] = 0;
}

static void load_kernel(uint32_t partition_lba)
{
    const uint8_t *bounce = (const uint8_t *)BOUNCE_ADDR;
    uint32_t crc = 0xFFFFFFFFu;
    uint32_t lba = partition_lba + header.kernel_lba;

    crc32_init();
    for (uint32_t offset = 0; offset < header.kernel_bytes;) {
        uint32_t len = header.kernel_bytes - offset;
        if (len > BOUNCE_SECTORS * SECTOR_BYTES) {
            len = BOUNCE_SECTORS * SECTOR_BYTES;
        }
        uint32_t nr_sectors = (len + SECTOR_BYTES - 1) / SECTOR_BYTES;
        disk_read(&disk, lba, nr_sectors);
        if (offset == 0) {
            kernel_begin(&kernel, &map, bounce, len, header.kernel_bytes);
        }
        kernel_feed(&kernel, offset, bounce, len);
        crc = crc32_add(crc, bounce, len);
        lba += nr_sectors;
        offset += len;
        say(".");
    }
    if (kernel.nr_segments == 0 || ~crc != header.kernel_crc32) {
        fail("the kernel's checksum is %x, not %x", ~crc, header.kernel_crc32);
    }
}

static void fill_info(uint32_t drive, uint8_t partition)
{
    for (uint32_t i = 0; i < map.nr_ranges; i++) {
        mmap[i] = (struct multiboot_mmap){sizeof mmap[i] - sizeof mmap[i].size, map.range[i].base,
                                          map.range[i].bytes, map.range[i].type};
    }
    info.flags = MULTIBOOT_INFO_MEMORY | MULTIBOOT_INFO_BOOT_DEVICE | MULTIBOOT_INFO_CMDLINE |
                 MULTIBOOT_INFO_MMAP | MULTIBOOT_INFO_LOADER_NAME;
    info.mem_lower = map.lower_kib;
    info.mem_upper = map.upper_kib;
    info.boot_device = drive << 24 | (uint32_t)partition << 16 | 0xFFFF; /* no sub-partitions */
    info.cmdline = (uint32_t)(uintptr_t)header.cmdline;
    info.mmap_length = map.nr_ranges * sizeof mmap[0];
    info.mmap_addr = (uint32_t)(uintptr_t)mmap;
    info.boot_loader_name = (uint32_t)(uintptr_t) "Ember loader 1";
}

/* Which entry of the MBR we came from; FFh (none) if the disk has no such partition. */
static uint8_t partition_number(uint32_t partition_lba)
{
    const uint8_t *sector = (const uint8_t *)BOUNCE_ADDR;

    disk_read(&disk, 0, 1);
    for (uint8_t i = 0; i < 4; i++) {
        uint32_t lba;
        memcpy(&lba, sector + 446 + 16 * i + 8, sizeof lba);
        if (lba == partition_lba) {
            return i;
        }
    }
    return 0xFF;
}

_Noreturn void loader_main(uint32_t drive, uint32_t partition_lba);

void loader_main(uint32_t drive, uint32_t partition_lba)
{
    screen_init();
    say("Ember loader, drive %xh, partition at %u\n", drive, partition_lba);
    memory_detect(&map);
    say("memory: %u KiB + %u KiB (%s), A20: %s\n", map.lower_kib, map.upper_kib, map.source,
        a20_enable());
    disk_open(&disk, (uint8_t)drive);
    read_header(partition_lba);
    say("kernel: %u bytes, by %s ", header.kernel_bytes, disk.has_edd ? "EDD" : "CHS");
    load_kernel(partition_lba);
    say(" ok\n");
    fill_info(drive & 0xFF, partition_number(partition_lba));
    enter_kernel(kernel.entry, MULTIBOOT_LOADER_MAGIC, &info);
}
