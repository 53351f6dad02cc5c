/*
 * A block device whose writes stay in memory, over one that is only read.
 */
#ifndef HOST_DISK_SNAPSHOT_H
#define HOST_DISK_SNAPSHOT_H

#include "core/backend.h"

struct disk_snapshot;

/* The base is not owned and must outlive it. NULL: the host has no memory for it. */
struct disk_snapshot *disk_snapshot_create(struct blockdev *base);
void disk_snapshot_destroy(struct disk_snapshot *);
struct blockdev *disk_snapshot_blockdev(struct disk_snapshot *);

#endif
