/* INT 13h: who answers for which drive number.
 *
 *     00h, 01h     floppy drives (floppy.c)
 *     80h ...      hard disks in the boot order (disk.c)
 *     E0h ...      CDs, with the functions of EDD only (edd.c)
 *     the number that a boot CD asks for: its emulated disk (eltorito.c); floppies or hard disks
 *     that had that number and higher ones move up by one */
#ifndef SPARK_DISK_H
#define SPARK_DISK_H

#include "drive.h"
#include "settings.h"

enum { /* INT 13h statuses */
    ST_OK = 0x00,
    ST_BAD_COMMAND = 0x01,
    ST_NO_ADDRESS_MARK = 0x02,
    ST_WRITE_PROTECTED = 0x03,
    ST_NOT_FOUND = 0x04,
    ST_CHANGED = 0x06,
    ST_DMA_OVERRUN = 0x08,
    ST_DMA_BOUNDARY = 0x09,
    ST_BAD_SECTOR = 0x0A,
    ST_ECC = 0x10,
    ST_CONTROLLER = 0x20,
    ST_NO_MEDIA = 0x31,
    ST_SEEK = 0x40,
    ST_TIMEOUT = 0x80,
    ST_NOT_REMOVABLE = 0xB2,
};

struct disk {
    const struct drive *drive;
    u16 cylinders; /* geometry of the CHS functions */
    u16 heads, spt;
};

enum { DISK_FIRST = 0x80, CD_FIRST = 0xE0 };

/* Numbers disks and CDs: those of the order (slots of settings.h) first, as they come there. */
void disk_init(const u8 *order);
unsigned disk_count(void);
const struct disk *disk_get(unsigned i);
unsigned cd_count(void);
const struct drive *cd_get(unsigned i);

/* For those who answer. */
struct regs;
void int13_finish(struct regs *r, u8 status); /* AH, CF and the BDA's status */
u8 disk_transfer(const struct drive *d, enum drive_op op, u64 lba, u16 nr, u16 seg, u16 off, u16 *done);
u8 disk_status_of(enum drive_result e);
/* CHS of the registers, by a geometry of at most 255 heads and 63 sectors; false if it is outside. */
bool int13_chs(const struct regs *r, u16 cylinders, u16 heads, u16 spt, u32 *lba);

/* edd.c: 41h to 49h, 4Eh of a hard disk or CD; false if it is none of them. */
struct edd_target { const struct drive *drive; const struct disk *disk; unsigned index; };
bool edd_services(struct regs *r, const struct edd_target *t, u8 *status);
void edd_init(unsigned index, const struct disk *d);

#endif
