/* INT 13h drives: hard disks numbered from 80h. */
#ifndef SPARK_DISK_H
#define SPARK_DISK_H

#include "ide.h"

struct disk {
    const struct ide_drive *ide;
    u16 cylinders; /* geometry of the CHS functions */
    u16 heads, spt;
};

enum { DISKS_MAX = 4 };

void disk_init(void);
unsigned disk_count(void);
const struct disk *disk_get(unsigned i);

#endif
