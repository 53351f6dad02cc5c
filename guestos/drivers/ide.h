/* ATA disks on the two legacy IDE channels: hda to hdd as block devices. */
#ifndef GUESTOS_DRIVERS_IDE_H
#define GUESTOS_DRIVERS_IDE_H

#include "guestos/drivers/ata.h"
#include "guestos/drivers/block.h"

#define IDE_SECTOR_BYTES 512
#define IDE_MAX_DISKS    4

struct ide_disk {
    struct block_device block;
    struct ide_channel *channel;
    u8 unit;      /* 0 master, 1 slave */
    bool use_dma; /* until it fails too often */
    struct ata_identity id;
};

void ide_init(void); /* finds the disks and their partitions; clock and threads must be there */
u32 ide_nr_disks(void);
const struct ide_disk *ide_disk(u32 number);

/* For the kernel's prompt: one sector. False: beyond the end, or the disk failed; says which. */
bool ide_read(const struct ide_disk *disk, u64 lba, void *to);

#endif
