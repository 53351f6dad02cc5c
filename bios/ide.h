/* ATA drives on the two legacy IDE channels, in PIO. */
#ifndef SPARK_IDE_H
#define SPARK_IDE_H

#include "types.h"

enum ide_kind { IDE_NONE, IDE_DISK, IDE_ATAPI };

struct ide_drive {
    u8 kind;          /* enum ide_kind */
    u8 channel, unit; /* 0 or 1 each */
    bool lba48;
    u64 sectors;
    u16 cylinders, heads, spt; /* what the drive itself says, for EDD */
    char model[41];
};

enum { IDE_DRIVES = 4 };
enum ide_result { IDE_OK, IDE_ERROR, IDE_TIMEOUT };

struct ide_drive *ide_drive(unsigned i); /* 0..3: channel 0 master, slave, channel 1 ... */
void ide_probe(void);                    /* POST: finds drives, reports dead channels */
bool ide_channel_dead(unsigned channel);
u16 ide_base(unsigned channel);
/* Moves nr sectors at lba from or to seg:off (off below 16); *done counts what arrived. */
enum ide_result ide_read(const struct ide_drive *d, u64 lba, u16 nr, u16 seg, u16 off, u16 *done);
enum ide_result ide_write(const struct ide_drive *d, u64 lba, u16 nr, u16 seg, u16 off, u16 *done);
enum ide_result ide_verify(const struct ide_drive *d, u64 lba, u16 nr);
u8 ide_last_error(void); /* the drive's error register after IDE_ERROR */

#endif
