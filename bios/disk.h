/* INT 13h drives: hard disks numbered from 80h. */
#ifndef SPARK_DISK_H
#define SPARK_DISK_H

#include "settings.h"

struct disk {
    const struct ide_drive *ide;
    u16 cylinders; /* geometry of the CHS functions */
    u16 heads, spt;
};

enum { DISKS_MAX = 4 };

/* Numbers the disks: those of the order (slots of settings.h) first, as they come there. */
void disk_init(const u8 *order);
unsigned disk_count(void);
const struct disk *disk_get(unsigned i);

#endif
