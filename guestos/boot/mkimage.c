/*
 * mkimage: puts boot sectors, loader and a file system together into a raw disk. Runs on the host.
 *
 *   mkimage OUT MBR VBR LOADER FILESYSTEM
 *
 *   LBA 0      MBR with one active partition of type 83h (Linux, as ext2 has it)
 *   LBA 2      the loader
 *   LBA 2048   the partition: the file system, with the volume boot record and the boot header in
 *              the first 1024 bytes, which ext2 leaves alone; see boot_header.h
 *
 * The same inputs give the same bytes: no times, no random identifiers.
 */
#include "guestos/boot/boot_header.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR_BYTES      512u
#define PARTITION_LBA     2048u
#define PARTITION_TYPE    0x83
#define EXT2_MAGIC_AT     1080 /* of the partition: superblock, s_magic */
#define HIDDEN_SECTORS_AT 506  /* ORDER: vbr.S */

struct blob {
    uint8_t *data;
    size_t len_bytes;
};

static void die(const char *what, const char *why)
{
    fprintf(stderr, "mkimage: %s: %s\n", what, why);
    exit(1);
}

static struct blob read_file(const char *path)
{
    struct blob b = {NULL, 0};
    FILE *f = fopen(path, "rb");

    if (!f || fseek(f, 0, SEEK_END) != 0) {
        die(path, "cannot be opened");
    }
    long size = ftell(f);
    rewind(f);
    b.len_bytes = size > 0 ? (size_t)size : 0;
    b.data = calloc(1, b.len_bytes + SECTOR_BYTES);
    if (!b.data || fread(b.data, 1, b.len_bytes, f) != b.len_bytes) {
        die(path, "cannot be read");
    }
    fclose(f);
    return b;
}

static void put32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint32_t get32(const uint8_t *from)
{
    return from[0] | from[1] << 8 | from[2] << 16 | (uint32_t)from[3] << 24;
}

static uint32_t sum32(const uint8_t *data, size_t len_bytes)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len_bytes; i += 4) {
        sum += get32(data + i);
    }
    return sum;
}

/* The table's CHS triple for an LBA, in the usual 255-head, 63-sector translation. */
static void put_chs(uint8_t *to, uint32_t lba)
{
    uint32_t cylinder = lba / (255 * 63);

    to[0] = (uint8_t)(lba / 63 % 255);
    to[1] = (uint8_t)((lba % 63 + 1) | (cylinder >> 8 & 3) << 6);
    to[2] = (uint8_t)cylinder;
    if (cylinder > 1023) {
        to[0] = 0xFE, to[1] = 0xFF, to[2] = 0xFF;
    }
}

static void write_partition_table(uint8_t *mbr, uint32_t nr_sectors)
{
    uint8_t *entry = mbr + 446;

    memcpy(mbr + 440, "EMBR", 4); /* disk signature */
    entry[0] = 0x80;
    put_chs(entry + 1, PARTITION_LBA);
    entry[4] = PARTITION_TYPE;
    put_chs(entry + 5, PARTITION_LBA + nr_sectors - 1);
    put32(entry + 8, PARTITION_LBA);
    put32(entry + 12, nr_sectors);
}

static void write_header(uint8_t *sector, const struct blob *loader)
{
    uint32_t loader_sectors = (uint32_t)((loader->len_bytes + SECTOR_BYTES - 1) / SECTOR_BYTES);

    memcpy(sector, BOOT_HEADER_MAGIC, 8);
    put32(sector + offsetof(struct boot_header, version), BOOT_HEADER_VERSION);
    put32(sector + offsetof(struct boot_header, loader_lba), BOOT_LOADER_LBA);
    put32(sector + offsetof(struct boot_header, loader_sectors), loader_sectors);
    put32(sector + offsetof(struct boot_header, loader_sum),
          sum32(loader->data, loader_sectors * SECTOR_BYTES));
}

/* All of it, with holes where whole blocks are zero; the last byte is written in any case. */
static bool write_sparse(FILE *out, const uint8_t *data, size_t len_bytes)
{
    static const uint8_t zeroes[4096];

    for (size_t at = 0; at < len_bytes;) {
        size_t n = len_bytes - at < sizeof zeroes ? len_bytes - at : sizeof zeroes;
        if (at + n == len_bytes || memcmp(data + at, zeroes, n) != 0) {
            if (fseek(out, (long)at, SEEK_SET) != 0 || fwrite(data + at, 1, n, out) != n) {
                return false;
            }
        }
        at += n;
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 6) {
        die("usage", "mkimage OUT MBR VBR LOADER FILESYSTEM");
    }
    struct blob mbr = read_file(argv[2]);
    struct blob vbr = read_file(argv[3]);
    struct blob loader = read_file(argv[4]);
    struct blob files = read_file(argv[5]);
    size_t partition = PARTITION_LBA * SECTOR_BYTES;
    size_t image_bytes = partition + files.len_bytes;

    if (mbr.len_bytes != SECTOR_BYTES || vbr.len_bytes != SECTOR_BYTES) {
        die(argv[2], "boot sectors must have 512 bytes");
    }
    if (loader.len_bytes == 0 || loader.len_bytes > BOOT_LOADER_MAX_SECTORS * SECTOR_BYTES) {
        die(argv[4], "the loader is empty or too large");
    }
    if (files.len_bytes < EXT2_MAGIC_AT + 2 || files.len_bytes % SECTOR_BYTES != 0 ||
        files.len_bytes / SECTOR_BYTES > UINT32_MAX - PARTITION_LBA ||
        files.data[EXT2_MAGIC_AT] != 0x53 || files.data[EXT2_MAGIC_AT + 1] != 0xEF) {
        die(argv[5], "this is no ext2 file system");
    }

    uint8_t *image = calloc(1, image_bytes);
    if (!image) {
        die(argv[1], "out of memory");
    }
    memcpy(image, mbr.data, SECTOR_BYTES);
    write_partition_table(image, (uint32_t)(files.len_bytes / SECTOR_BYTES));
    memcpy(image + BOOT_LOADER_LBA * SECTOR_BYTES, loader.data, loader.len_bytes);
    memcpy(image + partition, files.data, files.len_bytes);
    memcpy(image + partition, vbr.data, SECTOR_BYTES);
    put32(image + partition + HIDDEN_SECTORS_AT, PARTITION_LBA);
    write_header(image + partition + SECTOR_BYTES, &loader);

    FILE *out = fopen(argv[1], "wb");
    bool ok = out && write_sparse(out, image, image_bytes);
    if ((out && fclose(out) != 0) || !ok) {
        die(argv[1], "cannot be written");
    }
    free(image);
    free(mbr.data);
    free(vbr.data);
    free(loader.data);
    free(files.data);
    return 0;
}
