/*
 * Block devices as files. Their pages are the file systems' metadata, too: a page is written sector
 * by sector where it is dirty (fs/cache.h), since a neighbouring block may belong to a file, whose
 * own cache writes it.
 */
#include "guestos/drivers/block.h"
#include "guestos/fs/block_file.h"
#include "guestos/fs/cache.h"
#include "guestos/fs/cache_io.h"
#include "guestos/fs/file.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/user.h"
#include "guestos/proc/process.h"

#define PAGE_NR_SECTORS (PAGE_BYTES / SECTOR_BYTES)

enum { BLKROGET = 0x125E, BLKGETSIZE = 0x1260, BLKFLSBUF = 0x1261, BLKSSZGET = 0x1268 };
#define BLKBSZGET    0x80081270u
#define BLKGETSIZE64 0x80081272u

static struct super block_super = {
    .dev = (u32)MAKE_DEV(0, 2),
    .block_bytes = PAGE_BYTES,
    .max_bytes = ~0ul >> 1,
    .rename_lock = MUTEX_INIT(block_super.rename_lock),
    .inodes = LIST_INIT(block_super.inodes),
    .link = LIST_INIT(block_super.link),
};

static struct block_device *device_of(const struct inode *inode)
{
    return inode->data;
}

static int read_pages(struct inode *inode, struct page *const *pages, u32 nr)
{
    struct block_device *device = device_of(inode);
    u64 sector = pages[0]->index * PAGE_NR_SECTORS;
    struct block_piece piece[32];

    while (nr) {
        u32 n = MIN(nr, (u32)ARRAY_LEN(piece));
        for (u32 i = 0; i < n; i++) {
            u64 at = sector + i * PAGE_NR_SECTORS;
            u64 left = at < device->nr_sectors ? device->nr_sectors - at : 0;
            u32 len = (u32)MIN(left, (u64)PAGE_NR_SECTORS) * SECTOR_BYTES;
            piece[i] = (struct block_piece){page_pa(pages[i]), len};
            memset((u8 *)page_data(pages[i]) + len, 0, PAGE_BYTES - len);
            if (!len) {
                n = i;
            }
        }
        if (n == 0) {
            return 0;
        }
        int error = block_transfer(device, false, sector, piece, n);
        if (error) {
            return error;
        }
        pages += n;
        nr -= n;
        sector += (u64)n * PAGE_NR_SECTORS;
    }
    return 0;
}

/* The dirty sectors, in as few transfers as they lie together in. */
static int write_pages(struct inode *inode, struct page *const *pages, u32 nr)
{
    struct block_device *device = device_of(inode);
    struct block_piece piece[32];
    u32 nr_pieces = 0;
    u64 begin = 0, end = 0; /* sectors that have been gathered */
    int result = 0;

    for (u32 i = 0; i < nr; i++) {
        u32 dirty = __atomic_fetch_and(&pages[i]->flags, ~PAGE_SECTORS, __ATOMIC_ACQ_REL) >>
                    PAGE_SECTOR_SHIFT;
        for (u32 s = 0; s < PAGE_NR_SECTORS; s++) {
            u64 sector = pages[i]->index * PAGE_NR_SECTORS + s;
            if (!(dirty >> s & 1) || sector >= device->nr_sectors) {
                continue;
            }
            if (nr_pieces && (sector != end || (nr_pieces == ARRAY_LEN(piece) && s == 0))) {
                int error = block_transfer(device, true, begin, piece, nr_pieces);
                result = result ? result : error;
                nr_pieces = 0;
            }
            if (nr_pieces && s && (dirty >> (s - 1) & 1)) {
                piece[nr_pieces - 1].len_bytes += SECTOR_BYTES;
            } else {
                if (nr_pieces == 0) {
                    begin = sector;
                }
                piece[nr_pieces++] =
                    (struct block_piece){page_pa(pages[i]) + s * SECTOR_BYTES, SECTOR_BYTES};
            }
            end = sector + 1;
        }
    }
    if (nr_pieces) {
        int error = block_transfer(device, true, begin, piece, nr_pieces);
        result = result ? result : error;
    }
    return result;
}

static const struct inode_ops block_inode_ops = {
    .read_pages = read_pages,
    .write_pages = write_pages,
};

struct inode *block_inode(struct block_device *device)
{
    bool fresh;

    if (device->inode) {
        return device->inode;
    }
    struct inode *inode = inode_get(&block_super, device->rdev, &fresh);
    if (!inode) {
        return NULL;
    }
    if (fresh) {
        inode->mode = S_IFBLK | 0600;
        inode->rdev = device->rdev;
        inode->size_bytes = device->nr_sectors * SECTOR_BYTES;
        inode->ops = &block_inode_ops;
        inode->file_ops = &block_file_ops;
        inode->data = device;
        inode_ready(inode);
    }
    struct inode *none = NULL;
    if (!__atomic_compare_exchange_n(&device->inode, &none, inode, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        inode_put(inode); /* somebody was faster; the device holds it once */
    }
    return device->inode;
}

void block_files_sync(void)
{
    for (LIST_EACH(struct block_device, device, &block_devices, link)) {
        if (device->inode && device->inode->nr_dirty) {
            (void)cache_sync(device->inode, 0, ~0ul);
            (void)block_flush(device);
        }
    }
}

/* ---- as opened files: f->data is the device */

static int device_open(struct inode *inode, struct file *f)
{
    struct block_device *device = block_by_dev(inode->rdev);

    if (!device) {
        return -ENXIO;
    }
    if (device->readonly && file_writable(f)) {
        return -EROFS;
    }
    f->data = device;
    return block_inode(device) ? 0 : -ENOMEM;
}

static struct inode *cache_of(const struct file *f)
{
    return ((struct block_device *)f->data)->inode;
}

static long device_read(struct file *f, u64 to, u64 len, u64 *pos)
{
    return cache_read_inode(cache_of(f), to, len, pos);
}

static long device_write(struct file *f, u64 from, u64 len, u64 *pos)
{
    struct inode *inode = cache_of(f);

    if (*pos >= inode->size_bytes) {
        return len ? -ENOSPC : 0;
    }
    return cache_write_inode(f, inode, from, MIN(len, inode->size_bytes - *pos), pos);
}

static i64 device_seek(struct file *f, i64 offset, int whence)
{
    i64 size = (i64)cache_of(f)->size_bytes;
    i64 base = whence == 0 ? 0 : whence == 1 ? (i64)f->pos : size;

    if (whence < 0 || whence > 2 || offset > size - base || offset < -base) {
        return -EINVAL;
    }
    return (i64)(f->pos = (u64)(base + offset));
}

static int device_fsync(struct file *f)
{
    int error = cache_sync(cache_of(f), 0, ~0ul);

    return error ? error : block_flush(f->data);
}

static long device_ioctl(struct file *f, u32 command, u64 argument)
{
    const struct block_device *device = f->data;
    u64 sectors = device->nr_sectors, bytes = sectors * SECTOR_BYTES, page = PAGE_BYTES;
    u32 sector = SECTOR_BYTES, readonly = device->readonly;

    switch (command) {
    case BLKROGET: return PUT_USER(argument, readonly);
    case BLKGETSIZE: return PUT_USER(argument, sectors);
    case BLKGETSIZE64: return PUT_USER(argument, bytes);
    case BLKSSZGET: return PUT_USER(argument, sector);
    case BLKBSZGET: return PUT_USER(argument, page);
    case BLKFLSBUF: return is_superuser() ? device_fsync(f) : -EACCES;
    default: return -ENOTTY;
    }
}

static int device_mmap(struct file *f, struct vm_area *area)
{
    (void)f;
    (void)area;
    return -ENODEV; /* the pages are another inode's than the one that was opened */
}

const struct file_ops block_file_ops = {
    .open = device_open,
    .read = device_read,
    .write = device_write,
    .seek = device_seek,
    .ioctl = device_ioctl,
    .mmap = device_mmap,
    .fsync = device_fsync,
};
