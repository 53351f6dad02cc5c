/*
 * Block devices: disks and their partitions. Transfers go to and from frames by DMA; the caller
 * sleeps until they are done.
 */
#ifndef GUESTOS_DRIVERS_BLOCK_H
#define GUESTOS_DRIVERS_BLOCK_H

#include "guestos/kernel/list.h"

#define SECTOR_BYTES 512u

/* Physically scattered memory: each piece a multiple of 512 bytes that does not cross a frame. */
struct block_piece {
    u64 pa;
    u32 len_bytes;
};

struct block_device {
    char name[16]; /* "hda", "sda", "sda1" */
    u64 rdev;
    u64 nr_sectors;
    bool readonly;
    u32 max_partitions;        /* of a disk: how many device numbers after its own are theirs */
    struct block_device *disk; /* of a partition; NULL: this is the disk */
    u64 first_sector;          /* of a partition */
    struct inode *inode;       /* its page cache; /dev's node shows it */
    /* Of a disk. Several threads may call at once. 0 or -EIO; says what failed on the console. */
    int (*transfer)(struct block_device *, bool write, u64 sector, const struct block_piece *,
                    u32 nr_pieces);
    int (*flush)(struct block_device *);
    void *data;
    u64 nr_reads, nr_writes, sectors_read, sectors_written, nr_errors; /* for /proc/diskstats */
    struct list link;
};

/* Makes it known, reads its partition table (MBR with logical ones, GPT) and makes those known. */
void block_register(struct block_device *);
struct block_device *block_find(const char *name); /* NULL: none */
struct block_device *block_by_dev(u64 rdev);
extern struct list block_devices;

int block_transfer(struct block_device *, bool write, u64 sector, const struct block_piece *,
                   u32 nr_pieces); /* of disks and partitions; checks the range: -EIO */
int block_flush(struct block_device *);
/* Whole sectors from or to kernel memory anywhere, by way of a frame. -EIO, -ENOMEM. */
int block_read(struct block_device *, u64 sector, void *to, u32 nr_sectors);

/* drivers/partition.c, for block_register(): calls block_add_partition for each that is there. */
void partitions_read(struct block_device *disk);
void block_add_partition(struct block_device *disk, u32 number, u64 first_sector, u64 nr_sectors);

#endif
