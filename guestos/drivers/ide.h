/* ATA disks on the two legacy IDE channels, by programmed I/O. */
#ifndef GUESTOS_DRIVERS_IDE_H
#define GUESTOS_DRIVERS_IDE_H

#include "guestos/kernel/types.h"

#define IDE_SECTOR_BYTES 512
#define IDE_MAX_DISKS    4

struct ide_disk {
    u16 command, control; /* port blocks of its channel */
    u8 unit;              /* 0 master, 1 slave */
    bool has_lba48;
    u64 nr_sectors;
    char model[41];
};

void ide_init(void); /* looks for disks; the clock must run */
u32 ide_nr_disks(void);
const struct ide_disk *ide_disk(u32 number);

/* Reads one sector. False: beyond the end, or the disk failed; says which on the console. */
bool ide_read(const struct ide_disk *disk, u64 lba, void *to);

#endif
