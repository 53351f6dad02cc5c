/* What ATA disks have in common, whatever carries the commands: ATA/ATAPI-6 (T13 1410D). */
#ifndef GUESTOS_DRIVERS_ATA_H
#define GUESTOS_DRIVERS_ATA_H

#include "guestos/kernel/types.h"

#define ATA_LBA28_END 0x10000000ul

enum ata_command {
    ATA_READ = 0x20,
    ATA_READ_EXT = 0x24,
    ATA_READ_DMA_EXT = 0x25,
    ATA_WRITE = 0x30,
    ATA_WRITE_EXT = 0x34,
    ATA_WRITE_DMA_EXT = 0x35,
    ATA_READ_DMA = 0xC8,
    ATA_WRITE_DMA = 0xCA,
    ATA_FLUSH = 0xE7,
    ATA_FLUSH_EXT = 0xEA,
    ATA_IDENTIFY = 0xEC,
};

enum ata_status {
    ATA_ERR = 0x01,
    ATA_DRQ = 0x08,
    ATA_DF = 0x20,
    ATA_BSY = 0x80,
};

struct ata_identity {
    u64 nr_sectors;
    bool has_dma, has_lba48, has_flush, has_flush_ext;
    char model[41];
};

/* Reads the 256 words of IDENTIFY DEVICE; false: no disk that takes block addresses. */
bool ata_identify(struct ata_identity *, const u16 words[256]);

#endif
