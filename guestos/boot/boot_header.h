/*
 * The boot header: sector 1 of Ember's partition, written by mkimage, read by vbr.S. It says where
 * the loader is: in the gap between the MBR and the first partition, where no file system reaches.
 *
 *   disk sector        0        MBR (mbr.S)
 *                      1        not used
 *                      2 ...    the loader
 *   partition sector   0        volume boot record (vbr.S)
 *                      1        this header
 *                      2 ...    ext2's superblock; ext2 leaves its first 1024 bytes to us
 *
 * loader_lba counts from the start of the disk. All fields are little-endian.
 */
#ifndef GUESTOS_BOOT_BOOT_HEADER_H
#define GUESTOS_BOOT_BOOT_HEADER_H

#include <stdint.h>

#define BOOT_HEADER_MAGIC       "EMBRBOOT"
#define BOOT_HEADER_VERSION     2
#define BOOT_LOADER_LBA         2
#define BOOT_LOADER_MAX_SECTORS 56

/* ORDER: vbr.S repeats the offsets of the first five fields, loader.ld the greatest size. */
struct boot_header {
    char magic[8];           /*  0  "EMBRBOOT", no terminator */
    uint32_t version;        /*  8 */
    uint32_t loader_lba;     /* 12 */
    uint32_t loader_sectors; /* 16  the last one padded with zeros */
    uint32_t loader_sum;     /* 20  sum of the loader's dwords, padding included */
    uint8_t reserved[488];
};

_Static_assert(sizeof(struct boot_header) == 512, "the boot header is one sector");

#endif
