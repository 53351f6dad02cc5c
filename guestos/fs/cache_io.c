/*
 * read() and write() through the page cache.
 *
 * Reading copies from held pages with no lock, so that a fault on the destination may need any.
 * Writing first copies a piece into the kernel, then, the inode locked, from there into the pages:
 * a fault on the source may need the inode's lock, too, and writers do not mix within a piece.
 */
#include "guestos/fs/cache.h"
#include "guestos/fs/cache_io.h"
#include "guestos/fs/cache_page.h"
#include "guestos/fs/file.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/layout.h"
#include "guestos/mm/reclaim.h"
#include "guestos/mm/slab.h"
#include "guestos/mm/user.h"
#include "guestos/proc/process.h"

#define PIECE_BYTES 65536u

long cache_read_inode(struct inode *inode, u64 to, u64 len, u64 *pos)
{
    u64 done = 0;
    int error = 0;

    while (done < len && *pos < inode->size_bytes) {
        struct page *page;
        u64 skip = *pos % PAGE_BYTES;
        u64 now = MIN(MIN(PAGE_BYTES - skip, len - done), inode->size_bytes - *pos);
        error = cache_get(inode, *pos / PAGE_BYTES, &page);
        if (error == -ENOMEM && (error = memory_wait()) == 0) {
            continue;
        }
        if (error) {
            break;
        }
        error = copy_to_user(to + done, (u8 *)page_data(page) + skip, now);
        page_put(page);
        if (error) {
            break;
        }
        done += now;
        *pos += now;
    }
    return done ? (long)done : error;
}

long cache_read(struct file *f, u64 to, u64 len, u64 *pos)
{
    long got = cache_read_inode(f->inode, to, len, pos);

    if (got >= 0 && !(f->flags & O_NOATIME)) {
        inode_touch(f->inode, TOUCH_ATIME);
    }
    return got;
}

/* Within one page, the inode locked: all of [skip, skip + len) or an error. */
static int write_page_part(struct inode *inode, u64 index, u64 skip, const u8 *from, u64 len)
{
    u64 begin = index * PAGE_BYTES;
    struct page *page;

    /* Nothing of the old page remains: it need not be read. */
    bool whole = skip == 0 && begin + len >= MIN(inode->size_bytes, begin + PAGE_BYTES);
    int error = whole ? cache_get_busy(inode, index, &page) : cache_get(inode, index, &page);
    if (error) {
        return error;
    }
    /* Only now, since a hole that got its blocks would be read from them. */
    if (inode->ops && inode->ops->prepare_write) {
        error = inode->ops->prepare_write(inode, begin + skip, begin + skip + len);
        if (error) {
            if (whole) {
                page_end_busy(page);
            }
            page_put(page);
            return error;
        }
    }
    memcpy((u8 *)page_data(page) + skip, from, len);
    if (whole) {
        if (!(page->flags & PAGE_UPTODATE)) {
            memset((u8 *)page_data(page) + len, 0, PAGE_BYTES - len);
        }
        page_set(page, PAGE_UPTODATE | PAGE_RECENT);
        page_end_busy(page);
    }
    if (begin + skip + len > inode->size_bytes) {
        inode->size_bytes = begin + skip + len; /* before it is dirty: write-back stops there */
    }
    if (S_ISBLK(inode->mode)) {
        u32 first = (u32)skip / 512;
        cache_mark_sectors(page, first, (u32)(skip + len + 511) / 512 - first);
    } else {
        cache_mark_dirty(page);
    }
    page_put(page);
    return 0;
}

/* What mmap wrote behind the end must not appear when the file grows. */
static void clear_old_end(struct inode *inode, u64 pos)
{
    if (pos > inode->size_bytes && inode->size_bytes % PAGE_BYTES) {
        cache_truncate(inode, inode->size_bytes);
    }
}

/* From the kernel, the inode locked: how many bytes, or an error. Sets the size. */
static long write_locked(struct inode *inode, const u8 *from, u64 len, u64 pos)
{
    u64 done = 0;

    clear_old_end(inode, pos);
    while (done < len) {
        u64 at = pos + done, skip = at % PAGE_BYTES, now = MIN(PAGE_BYTES - skip, len - done);
        int error = write_page_part(inode, at / PAGE_BYTES, skip, from + done, now);
        if (error) {
            return done ? (long)done : error;
        }
        done += now;
    }
    return (long)done;
}

static long write_piece(struct file *f, struct inode *inode, const u8 *from, u64 len, u64 *pos)
{
    mutex_lock(&inode->lock);
    u64 at = (f->flags & O_APPEND) && S_ISREG(inode->mode) ? inode->size_bytes : *pos;
    long allowed = S_ISBLK(inode->mode) ? (long)len : file_size_limit(inode, at, len);
    long done = allowed < 0 ? allowed : write_locked(inode, from, (u64)allowed, at);
    if (done > 0) {
        *pos = at + (u64)done;
        inode_drop_privileges(inode);
        inode_touch(inode, TOUCH_MTIME | TOUCH_CTIME);
    }
    mutex_unlock(&inode->lock);
    return done;
}

long cache_write_kernel(struct file *f, const void *from, u64 len, u64 *pos)
{
    return write_piece(f, f->inode, from, len, pos);
}

long cache_write_inode(struct file *f, struct inode *inode, u64 from, u64 len, u64 *pos)
{
    u64 done = 0, room = MIN(len, PIECE_BYTES);
    u8 *piece = kmalloc(room);
    long result = 0;

    if (!piece && room > PAGE_BYTES) {
        room = PAGE_BYTES;
        piece = kmalloc(room);
    }
    if (!piece) {
        return -ENOMEM;
    }
    while (done < len) {
        u64 now = MIN(len - done, room);
        result = copy_from_user(piece, from + done, now);
        if (result && now > 1) { /* as much as there is: up to the bad page */
            now = PAGE_BYTES - (from + done) % PAGE_BYTES;
            now = MIN(now, len - done);
            result = copy_from_user(piece, from + done, MIN(now, room));
            now = MIN(now, room);
        }
        if (!result) {
            result = write_piece(f, inode, piece, now, pos);
        }
        if (result == -ENOMEM && (result = memory_wait()) == 0) {
            continue;
        }
        if (result <= 0) {
            break;
        }
        done += (u64)result;
        if ((u64)result < now) {
            break;
        }
    }
    kfree(piece);
    cache_balance(inode);
    return done ? (long)done : result;
}

long cache_write(struct file *f, u64 from, u64 len, u64 *pos)
{
    long done = len ? cache_write_inode(f, f->inode, from, len, pos) : 0;

    if (done > 0 && (f->flags & O_DSYNC)) {
        int error = f->ops->fsync ? f->ops->fsync(f) : 0;
        return error ? error : done;
    }
    return done;
}
