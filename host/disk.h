/*
 * Disk images as block devices.
 *
 *     struct disk *d = disk_open(&(struct disk_request){ .path = "a.img" }, stderr, err);
 *     cfg.disk[0] = disk_blockdev(d);
 *     ...
 *     disk_close(d);
 *
 * Raw images only: sector n is at byte 512 n. Writes go to the image at once, sector by sector,
 * with no data structure of ours beside them, so an emulator that is killed leaves the image as
 * a PC leaves its disk. With snapshot, writes stay in memory and the image is only read.
 */
#ifndef HOST_DISK_H
#define HOST_DISK_H

#include "core/backend.h"
#include <stdio.h>

#define DISK_ERR_LEN 1024

struct disk;

enum disk_kind { DISK_HARD, DISK_CD, DISK_DISKETTE };

struct disk_request {
    const char *path;
    bool readonly, snapshot;
    bool boots; /* said to be without a signature if it has none */
    enum disk_kind kind;
};

/* NULL, with what, why and what to try in err, when it cannot be used. Warnings go to notes,
 * each with "kiln: " before it. */
struct disk *disk_open(const struct disk_request *, FILE *notes, char err[DISK_ERR_LEN]);
void disk_close(struct disk *);
struct blockdev *disk_blockdev(struct disk *);

#endif
