/*
 * Partition tables. MBR: four entries of 16 bytes at 1BEh (IBM PC DOS; UEFI 2.10, table 5.1);
 * extended partitions are a chain of such sectors, each with one logical partition (relative to
 * that sector) and a link (relative to the whole extended partition). GPT: UEFI 2.10, 5.3; the
 * second header, in the last sector, stands in for a damaged first one.
 *
 * Whatever a table says is checked against the disk; an entry that leaves it is reported and left
 * out. Overlaps are not looked for.
 */
#include "guestos/drivers/block.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/slab.h"

#define MBR_ENTRIES     0x1BE
#define MBR_NR_ENTRIES  4u
#define MBR_ENTRY_BYTES 16u
#define MBR_SIGNATURE   0x1FE
#define ACTIVE          0x80

#define TYPE_EMPTY          0x00
#define TYPE_EXTENDED       0x05
#define TYPE_EXTENDED_LBA   0x0F
#define TYPE_EXTENDED_LINUX 0x85
#define TYPE_GPT            0xEE

#define FIRST_LOGICAL 5u

#define GPT_HEADER_MIN   92u
#define GPT_ENTRY_MIN    128u
#define GPT_ARRAY_MAX    0x40000u /* 16 times what is usual */
#define GPT_HEADER_BYTES 12       /* offsets in the header */
#define GPT_HEADER_CRC   16
#define GPT_MY_LBA       24
#define GPT_ENTRIES_LBA  72
#define GPT_NR_ENTRIES   80
#define GPT_ENTRY_BYTES  84
#define GPT_ENTRIES_CRC  88
#define GPT_ENTRY_FIRST  32 /* in an entry */
#define GPT_ENTRY_LAST   40

static u64 get(const u8 *from, u32 nr_bytes)
{
    u64 value = 0;

    memcpy(&value, from, nr_bytes);
    return value;
}

/* CRC-32 of ISO 3309, as GPT uses it. */
static u32 crc32(const u8 *data, u64 len_bytes)
{
    u32 crc = ~0u;

    while (len_bytes--) {
        crc ^= *data++;
        for (u32 bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
        }
    }
    return ~crc;
}

static bool is_empty(const u8 *entry)
{
    return entry[4] == TYPE_EMPTY || get(entry + 12, 4) == 0;
}

static bool is_extended(const u8 *entry)
{
    return entry[4] == TYPE_EXTENDED || entry[4] == TYPE_EXTENDED_LBA ||
           entry[4] == TYPE_EXTENDED_LINUX;
}

static void add(struct block_device *disk, u32 number, u64 first, u64 nr_sectors)
{
    if (first == 0 || first >= disk->nr_sectors || nr_sectors > disk->nr_sectors - first) {
        print("%s: partition %u (%lu sectors from %lu) leaves the disk: not used\n", disk->name,
              number, nr_sectors, first);
        return;
    }
    block_add_partition(disk, number, first, nr_sectors);
}

static bool has_signature(const u8 *sector)
{
    return sector[MBR_SIGNATURE] == 0x55 && sector[MBR_SIGNATURE + 1] == 0xAA;
}

/* A chain that grows without end, or backwards, is cut: numbers run out. */
static void read_extended(struct block_device *disk, u64 base, u8 *sector, u32 *number)
{
    u64 at = base;

    while (*number <= disk->max_partitions) {
        if (at >= disk->nr_sectors || block_read(disk, at, sector, 1) < 0 ||
            !has_signature(sector)) {
            print("%s: the chain of logical partitions breaks at sector %lu\n", disk->name, at);
            return;
        }
        const u8 *entry = sector + MBR_ENTRIES;
        const u8 *link = entry + MBR_ENTRY_BYTES;
        if (!is_empty(entry) && !is_extended(entry)) {
            add(disk, (*number)++, at + get(entry + 8, 4), get(entry + 12, 4));
        }
        u64 next = base + get(link + 8, 4);
        if (is_empty(link) || !is_extended(link)) {
            return;
        }
        if (next <= at) {
            print("%s: the chain of logical partitions goes back at sector %lu\n", disk->name, at);
            return;
        }
        at = next;
    }
}

static void read_mbr(struct block_device *disk, const u8 *mbr, u8 *sector)
{
    u32 logical = FIRST_LOGICAL;

    for (u32 i = 0; i < MBR_NR_ENTRIES; i++) {
        const u8 *entry = mbr + MBR_ENTRIES + i * MBR_ENTRY_BYTES;
        if (is_empty(entry)) {
            continue;
        }
        if (is_extended(entry)) {
            read_extended(disk, get(entry + 8, 4), sector, &logical);
        } else {
            add(disk, i + 1, get(entry + 8, 4), get(entry + 12, 4));
        }
    }
}

/* The table whose header is in sector `at`; false: that is none, or damaged. */
static bool read_gpt(struct block_device *disk, u64 at, u8 *header)
{
    if (at >= disk->nr_sectors || block_read(disk, at, header, 1) < 0 ||
        memcmp(header, "EFI PART", 8) != 0) {
        return false;
    }
    u32 header_bytes = (u32)get(header + GPT_HEADER_BYTES, 4);
    u32 header_crc = (u32)get(header + GPT_HEADER_CRC, 4);
    u64 entries_lba = get(header + GPT_ENTRIES_LBA, 8);
    u32 nr_entries = (u32)get(header + GPT_NR_ENTRIES, 4);
    u32 entry_bytes = (u32)get(header + GPT_ENTRY_BYTES, 4);
    u64 array_bytes = (u64)nr_entries * entry_bytes;
    if (header_bytes < GPT_HEADER_MIN || header_bytes > SECTOR_BYTES) {
        return false;
    }
    memset(header + GPT_HEADER_CRC, 0, 4);
    if (crc32(header, header_bytes) != header_crc || get(header + GPT_MY_LBA, 8) != at ||
        entry_bytes < GPT_ENTRY_MIN || array_bytes == 0 || array_bytes > GPT_ARRAY_MAX) {
        return false;
    }
    u32 nr_sectors = (u32)((array_bytes + SECTOR_BYTES - 1) / SECTOR_BYTES);
    u8 *array = kmalloc(nr_sectors * SECTOR_BYTES);
    bool good = array && entries_lba < disk->nr_sectors &&
                nr_sectors <= disk->nr_sectors - entries_lba &&
                block_read(disk, entries_lba, array, nr_sectors) == 0 &&
                crc32(array, array_bytes) == (u32)get(header + GPT_ENTRIES_CRC, 4);
    for (u32 i = 0; good && i < nr_entries; i++) {
        const u8 *entry = array + (u64)i * entry_bytes;
        u64 first = get(entry + GPT_ENTRY_FIRST, 8), last = get(entry + GPT_ENTRY_LAST, 8);
        if (get(entry, 8) == 0 && get(entry + 8, 8) == 0) {
            continue; /* of no type: unused */
        }
        add(disk, i + 1, first, last >= first ? last - first + 1 : ~0ul);
    }
    kfree(array);
    return good;
}

static bool is_protective(const u8 *mbr)
{
    for (u32 i = 0; i < MBR_NR_ENTRIES; i++) {
        if (mbr[MBR_ENTRIES + i * MBR_ENTRY_BYTES + 4] == TYPE_GPT) {
            return true;
        }
    }
    return false;
}

/* A file system without partitions may end in 55 AA too: its bytes there make no flags. */
static bool is_mbr(const u8 *mbr)
{
    for (u32 i = 0; i < MBR_NR_ENTRIES; i++) {
        if (mbr[MBR_ENTRIES + i * MBR_ENTRY_BYTES] & ~ACTIVE) {
            return false;
        }
    }
    return has_signature(mbr);
}

void partitions_read(struct block_device *disk)
{
    u8 *mbr = kmalloc(2 * SECTOR_BYTES);
    u8 *sector = mbr + SECTOR_BYTES;

    if (!mbr || block_read(disk, 0, mbr, 1) < 0) {
        print("%s: the partition table cannot be read\n", disk->name);
    } else if (is_mbr(mbr) && !is_protective(mbr)) {
        read_mbr(disk, mbr, sector);
    } else if (is_mbr(mbr) && !read_gpt(disk, 1, sector)) {
        print("%s: the GUID partition table is damaged; trying its copy\n", disk->name);
        if (!read_gpt(disk, disk->nr_sectors - 1, sector)) {
            print("%s: so is that one\n", disk->name);
        }
    }
    kfree(mbr);
}
