/*
 * The boot header: sector 1 of Ember's partition, written by mkimage, read by vbr.S and the loader.
 *
 *   partition sector   0        volume boot record (vbr.S)
 *                      1        this header
 *                      2 ...    the loader
 *                      64 ...   the kernel, a multiboot-1 file
 *
 * LBAs count from the start of the partition. All fields are little-endian.
 * UNIMPL: reading the kernel from a file system; the header then only finds the loader.
 */
#ifndef GUESTOS_BOOT_BOOT_HEADER_H
#define GUESTOS_BOOT_BOOT_HEADER_H

#include <stdint.h>

#define BOOT_HEADER_MAGIC       "EMBRBOOT"
#define BOOT_HEADER_VERSION     1
#define BOOT_LOADER_LBA         2
#define BOOT_LOADER_MAX_SECTORS 56
#define BOOT_KERNEL_LBA         64

/* ORDER: vbr.S repeats the offsets of the first five fields. */
struct boot_header {
    char magic[8];           /*  0  "EMBRBOOT", no terminator */
    uint32_t version;        /*  8 */
    uint32_t loader_lba;     /* 12 */
    uint32_t loader_sectors; /* 16  the last one padded with zeros */
    uint32_t loader_sum;     /* 20  sum of the loader's dwords, padding included */
    uint32_t kernel_lba;     /* 24 */
    uint32_t kernel_bytes;   /* 28 */
    uint32_t kernel_crc32;   /* 32  CRC-32 (IEEE 802.3) of kernel_bytes bytes */
    uint32_t header_sum;     /* 36  makes the sum of the sector's 128 dwords zero */
    uint8_t reserved[24];    /* 40 */
    char cmdline[192];       /* 64  zero-terminated, handed to the kernel */
    uint8_t reserved2[256];
};

_Static_assert(sizeof(struct boot_header) == 512, "the boot header is one sector");

#endif
