/* Disks and CD drives, whichever controller they are at.
 *
 * Numbers: 0 to 3 are the IDE drives (primary master, primary slave, secondary ...), 4 to 9 the
 * first AHCI ports where something answers. settings.h's slots name them. */
#ifndef SPARK_DRIVE_H
#define SPARK_DRIVE_H

#include "types.h"

enum drive_kind { DRIVE_NONE, DRIVE_DISK, DRIVE_CD };
enum drive_bus { BUS_IDE, BUS_AHCI };
enum { IDE_DRIVES = 4, AHCI_DRIVES = 6, DRIVES_MAX = IDE_DRIVES + AHCI_DRIVES };
enum { CD_SECTOR = 2048 };

struct drive {
    u8 kind, bus;              /* enum drive_kind, enum drive_bus */
    u8 channel, unit;          /* IDE: 0 or 1 each; AHCI: the port, and 0 */
    bool lba48;
    u64 sectors;               /* of 512 bytes; disks only */
    u16 cylinders, heads, spt; /* what the drive itself says, for EDD */
    char model[41];
};

enum drive_result { DRIVE_OK, DRIVE_ERROR, DRIVE_TIMEOUT };
enum drive_op { OP_READ, OP_WRITE, OP_VERIFY };

struct drive *drive_get(unsigned i);
void drive_probe(void); /* POST: finds drives, reports dead controllers */
/* Moves nr (1 to 128) sectors at lba from or to seg:off (off below 16); *done counts what arrived. */
enum drive_result drive_transfer(const struct drive *d, enum drive_op op, u64 lba, u16 nr, u16 seg,
                                 u16 off, u16 *done);
u8 drive_last_error(void); /* the drive's error register after DRIVE_ERROR */
/* A CD's packet command; len bytes come to seg:off (off below 16). */
enum drive_result drive_packet(const struct drive *d, const u8 cdb[12], u16 seg, u16 off, u32 len);
/* nr (1 to 31) sectors of 2048 bytes. */
enum drive_result cd_read(const struct drive *d, u32 lba, u16 nr, u16 seg, u16 off);
/* Whether a medium is there, once it has had its time to report a change; its sectors if asked for. */
bool cd_ready(const struct drive *d);
u32 cd_sectors(const struct drive *d);

/* For the controllers: IDENTIFY's answer into `d`; the 512-byte buffer for it, and the last error. */
void drive_identified(struct drive *d, const u16 *identify, bool packet);
extern u16 drive_buffer[];
void drive_set_error(u8 error);

#endif
