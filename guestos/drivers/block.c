/*
 * The block layer: a list of disks and partitions, a check of each transfer's range, and counts.
 * There is no queue of requests: a driver serialises its own, and the page cache (fs/cache.h) makes
 * large ones. Devices are never taken away, so a pointer to one stays good.
 */
#include "guestos/drivers/block.h"
#include "guestos/abi/errno.h"
#include "guestos/kernel/console.h"
#include "guestos/kernel/lock.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/frames.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/slab.h"

struct list block_devices = LIST_INIT(block_devices);
static struct spinlock devices_lock = SPINLOCK_INIT("block devices");

static void add(struct block_device *d)
{
    spin_lock(&devices_lock);
    list_add_last(&block_devices, &d->link);
    spin_unlock(&devices_lock);
}

void block_register(struct block_device *disk)
{
    add(disk);
    partitions_read(disk);
}

/* "hda" and 12 become "hda12". */
static void name_partition(char *to, size_t size, const char *disk, u32 number)
{
    char digits[4];
    u32 nr_digits = 0, len = 0;

    for (; number && nr_digits < sizeof digits; number /= 10) {
        digits[nr_digits++] = (char)('0' + number % 10);
    }
    for (; disk[len] && len + nr_digits + 1 < size; len++) {
        to[len] = disk[len];
    }
    while (nr_digits) {
        to[len++] = digits[--nr_digits];
    }
    to[len] = 0;
}

void block_add_partition(struct block_device *disk, u32 number, u64 first_sector, u64 nr_sectors)
{
    if (number > disk->max_partitions) {
        print("%s: no device number for partition %u\n", disk->name, number);
        return;
    }
    struct block_device *p = kmalloc(sizeof *p);
    if (!p) {
        print("%s: no memory for partition %u\n", disk->name, number);
        return;
    }
    name_partition(p->name, sizeof p->name, disk->name, number);
    p->rdev = disk->rdev + number;
    p->nr_sectors = nr_sectors;
    p->readonly = disk->readonly;
    p->disk = disk;
    p->first_sector = first_sector;
    add(p);
    print("%s: sectors %lu to %lu (%lu MiB)\n", p->name, first_sector,
          first_sector + nr_sectors - 1, nr_sectors >> 11);
}

struct block_device *block_find(const char *name)
{
    struct block_device *found = NULL;

    spin_lock(&devices_lock);
    for (LIST_EACH(struct block_device, d, &block_devices, link)) {
        if (strcmp(d->name, name) == 0) {
            found = d;
            break;
        }
    }
    spin_unlock(&devices_lock);
    return found;
}

struct block_device *block_by_dev(u64 rdev)
{
    struct block_device *found = NULL;

    spin_lock(&devices_lock);
    for (LIST_EACH(struct block_device, d, &block_devices, link)) {
        if (d->rdev == rdev) {
            found = d;
            break;
        }
    }
    spin_unlock(&devices_lock);
    return found;
}

static void count(struct block_device *d, bool write, u64 nr_sectors, bool failed)
{
    __atomic_add_fetch(write ? &d->nr_writes : &d->nr_reads, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(write ? &d->sectors_written : &d->sectors_read, nr_sectors,
                       __ATOMIC_RELAXED);
    __atomic_add_fetch(&d->nr_errors, failed, __ATOMIC_RELAXED);
}

int block_transfer(struct block_device *d, bool write, u64 sector, const struct block_piece *piece,
                   u32 nr_pieces)
{
    struct block_device *disk = d->disk ? d->disk : d;
    u64 nr_sectors = 0;

    for (u32 i = 0; i < nr_pieces; i++) {
        ASSERT(piece[i].len_bytes && piece[i].len_bytes % SECTOR_BYTES == 0);
        ASSERT(piece[i].pa % PAGE_BYTES + piece[i].len_bytes <= PAGE_BYTES);
        nr_sectors += piece[i].len_bytes / SECTOR_BYTES;
    }
    if (sector > d->nr_sectors || nr_sectors > d->nr_sectors - sector) {
        print("%s: sectors %lu and %lu more lie beyond its end (%lu)\n", d->name, sector,
              nr_sectors, d->nr_sectors);
        return -EIO;
    }
    if (write && d->readonly) {
        return -EROFS;
    }
    if (nr_sectors == 0) {
        return 0;
    }
    int result = disk->transfer(disk, write, d->first_sector + sector, piece, nr_pieces);
    count(d, write, nr_sectors, result < 0);
    if (disk != d) {
        count(disk, write, nr_sectors, result < 0);
    }
    return result;
}

int block_flush(struct block_device *d)
{
    struct block_device *disk = d->disk ? d->disk : d;

    return disk->flush ? disk->flush(disk) : 0;
}

int block_read(struct block_device *d, u64 sector, void *to, u32 nr_sectors)
{
    const u32 per_frame = PAGE_BYTES / SECTOR_BYTES;
    u64 pa = frame_alloc_dirty();
    int result = 0;

    if (pa == NO_FRAME) {
        return -ENOMEM;
    }
    while (nr_sectors && result == 0) {
        u32 n = MIN(nr_sectors, per_frame);
        struct block_piece piece = {pa, n * SECTOR_BYTES};
        result = block_transfer(d, false, sector, &piece, 1);
        memcpy(to, direct(pa), result == 0 ? piece.len_bytes : 0);
        to = (u8 *)to + piece.len_bytes;
        sector += n;
        nr_sectors -= n;
    }
    frame_free(pa);
    return result;
}
