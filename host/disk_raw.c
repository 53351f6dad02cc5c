/*
 * Raw images through pread and pwrite: opening, locking, refusing, and the block device.
 *
 * Locks are OFD locks, which die with the process: one writer, or any number of readers. A writer
 * locks the whole file; a reader takes the two bytes that QEMU's readers take (its block/file-posix.c:
 * 100 + n, "I need permission n", and 200 + n, "nobody else may have it"), so that both programs can
 * read one image, and neither writes under the other.
 */
#define _GNU_SOURCE /* F_OFD_SETLK */
#include "host/disk.h"
#include "host/disk_snapshot.h"
#include "host/image_check.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <unistd.h>

/* 48 bits of sector numbers: ATA/ATAPI-6, 6.2. */
#define MAX_BYTES ((1ull << 48) * SECTOR_SIZE)

struct disk {
    struct blockdev raw;
    struct disk_snapshot *snapshot; /* NULL: writes go to the image */
    int fd;
    u64 size; /* bytes in the file; the last sector may be a part */
    char *path;
    int reported; /* the last errno that was said, so that a loop of failures says it once */
    FILE *notes;
};

static int report(struct disk *d, const char *doing, u64 lba, int error)
{
    if (d->reported != error) {
        d->reported = error;
        fprintf(d->notes, "kiln: %s: cannot %s sector %llu: %s; the guest sees a disk error%s\n",
                d->path, doing, (unsigned long long)lba, strerror(error),
                error == ENOSPC ? ". Make room where the image is, or use -snapshot" : "");
    }
    return -error;
}

static int raw_read(void *h, u64 lba, u32 nr_sectors, void *dst)
{
    struct disk *d = h;
    u8 *p = dst;
    u64 off = lba * SECTOR_SIZE;
    size_t left = (size_t)nr_sectors * SECTOR_SIZE;
    while (left) {
        ssize_t n = pread(d->fd, p, left, (off_t)off);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return report(d, "read", off / SECTOR_SIZE, errno);
        if (n == 0) { /* behind the end: the rest of a partial last sector, or cut meanwhile */
            memset(p, 0, left);
            return 0;
        }
        p += n;
        off += (u64)n;
        left -= (size_t)n;
    }
    return 0;
}

static int raw_write(void *h, u64 lba, u32 nr_sectors, const void *src)
{
    struct disk *d = h;
    const u8 *p = src;
    u64 off = lba * SECTOR_SIZE;
    size_t left = (size_t)nr_sectors * SECTOR_SIZE;
    while (left) {
        ssize_t n = pwrite(d->fd, p, left, (off_t)off);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return report(d, "write", off / SECTOR_SIZE, n ? errno : EIO);
        p += n;
        off += (u64)n;
        left -= (size_t)n;
    }
    return 0;
}

static int raw_flush(void *h)
{
    struct disk *d = h;
    if (fdatasync(d->fd) < 0 && errno != EINVAL && errno != EROFS)
        return report(d, "flush", 0, errno);
    return 0;
}

static int open_file(const struct disk_request *r, char err[DISK_ERR_LEN])
{
    bool writes = !r->readonly && !r->snapshot;
    int fd = open(r->path, (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        return fd;
    if (errno == ENOENT)
        snprintf(err, DISK_ERR_LEN, "%s: no such file; is the path right, from this directory?",
                 r->path);
    else if (errno == EISDIR)
        snprintf(err, DISK_ERR_LEN, "%s is a directory; a disk image is a file", r->path);
    else if ((errno == EACCES || errno == EROFS || errno == EPERM) && writes &&
             access(r->path, R_OK) == 0)
        snprintf(err, DISK_ERR_LEN,
                 "%s: no permission to write; try -snapshot, which keeps writes in memory, or "
                 "-drive file=%s,format=raw,readonly=on",
                 r->path, r->path);
    else
        snprintf(err, DISK_ERR_LEN, "%s: cannot be opened: %s", r->path, strerror(errno));
    return -1;
}

static int check_kind(const struct disk_request *r, int fd, u64 *size, char err[DISK_ERR_LEN])
{
    struct stat st;
    if (fstat(fd, &st) < 0) {
        snprintf(err, DISK_ERR_LEN, "%s: %s", r->path, strerror(errno));
        return -1;
    }
    if (S_ISDIR(st.st_mode)) {
        snprintf(err, DISK_ERR_LEN, "%s is a directory; a disk image is a file", r->path);
        return -1;
    }
    *size = (u64)st.st_size;
    if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, size) < 0)
        *size = 0;
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        snprintf(err, DISK_ERR_LEN,
                 "%s is no file of bytes that stay where they are; copy it to a "
                 "file first",
                 r->path);
        return -1;
    }
    if (*size == 0) {
        snprintf(err, DISK_ERR_LEN, "%s is empty; give it a size first: truncate -s 64M %s",
                 r->path, r->path);
        return -1;
    }
    if (*size > MAX_BYTES) {
        snprintf(err, DISK_ERR_LEN, "%s has more than 128 PiB, the most that an IDE disk can have",
                 r->path);
        return -1;
    }
    return 0;
}

enum { QEMU_READS = 100, QEMU_WRITES = 101, QEMU_NO_WRITER = 201 };

/* 0; 1: somebody's lock is in the way. A file system without locks lets everybody in. */
static int lock_bytes(int fd, short type, off_t start, off_t len)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};
    return fcntl(fd, F_OFD_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES);
}

static bool is_locked(int fd, off_t start)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};
    return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int lock_image(const struct disk_request *r, int fd, char err[DISK_ERR_LEN])
{
    bool writes = !r->readonly && !r->snapshot;
    bool busy = writes ? lock_bytes(fd, F_WRLCK, 0, 0)
                       : lock_bytes(fd, F_RDLCK, QEMU_READS, 1) ||
                             lock_bytes(fd, F_RDLCK, QEMU_NO_WRITER, 1) ||
                             is_locked(fd, QEMU_WRITES);
    if (!busy)
        return 0;
    snprintf(err, DISK_ERR_LEN, "%s is in use by another program, which %s; %s", r->path,
             writes ? "has it open" : "writes to it",
             writes ? "end that one, or try -snapshot if it only reads, or work on a copy"
                    : "end that one, or work on a copy");
    return -1;
}

struct disk *disk_open(const struct disk_request *r, FILE *notes, char err[DISK_ERR_LEN])
{
    struct image_peek peek;
    u64 size;
    int fd = open_file(r, err);
    if (fd < 0)
        return NULL;
    if (check_kind(r, fd, &size, err) < 0)
        goto fail;
    image_peek(&peek, fd, size);
    if (image_check_format(&peek, r->path, r->kind == DISK_CD, err, DISK_ERR_LEN) < 0 || lock_image(r, fd, err) < 0)
        goto fail;
    image_warn(&peek, r->path, r->boots, notes);

    struct disk *d = calloc(1, sizeof(*d));
    char *path = strdup(r->path);
    if (!d || !path)
        abort();
    *d = (struct disk){.fd = fd, .size = size, .path = path, .notes = notes};
    d->raw = (struct blockdev){.read = raw_read,
                               .write = raw_write,
                               .flush = raw_flush,
                               .nr_sectors = (size + SECTOR_SIZE - 1) / SECTOR_SIZE,
                               .readonly = r->readonly,
                               .h = d};
    if (r->snapshot) {
        d->snapshot = disk_snapshot_create(&d->raw);
        if (!d->snapshot) {
            snprintf(err, DISK_ERR_LEN, "%s: the host has no memory to keep writes to so large a disk; "
                                        "leave -snapshot away, or use a copy", r->path);
            disk_close(d);
            return NULL;
        }
    }
    return d;
fail:
    close(fd);
    return NULL;
}

struct blockdev *disk_blockdev(struct disk *d)
{
    return d->snapshot ? disk_snapshot_blockdev(d->snapshot) : &d->raw;
}

void disk_close(struct disk *d)
{
    if (!d)
        return;
    disk_snapshot_destroy(d->snapshot);
    close(d->fd);
    free(d->path);
    free(d);
}
