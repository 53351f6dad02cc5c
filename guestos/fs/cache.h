/*
 * The page cache: pages of files (and of block devices, which hold the file systems' metadata) in
 * memory, the same ones that mmap shows. A page that somebody holds stays; clean ones that nobody
 * but the cache holds go when memory is short, the least recently used first.
 */
#ifndef GUESTOS_FS_CACHE_H
#define GUESTOS_FS_CACHE_H

#include "guestos/fs/vfs.h"

/* Sectors of a block device's page that are newer than the disk: one bit each in page->flags, since
 * beside a block of metadata in the same page may lie a file's, written through the file's cache.
 */
#define PAGE_SECTOR_SHIFT 24
#define PAGE_SECTORS      0xFF000000u

/* The page at an index, held and up to date (read if it must be; with read-ahead after
 * sequential reads). *page; or -EIO, -ENOMEM, -EINTR. Beyond the end: zeroes. */
int cache_get(struct inode *, u64 index, struct page **page);
struct page *cache_find(struct inode *, u64 index); /* held, up to date; NULL: not there */
/* The same, without reading: its bytes will all be written. New ones are zero. */
int cache_get_for_write(struct inode *, u64 index, struct page **page);
void cache_mark_dirty(struct page *);                      /* all of it */
void cache_mark_sectors(struct page *, u32 first, u32 nr); /* of a block device's page */

/* read() and write() of what has a page cache. */
long cache_read(struct file *, u64 to, u64 len, u64 *pos);
long cache_write(struct file *, u64 from, u64 len, u64 *pos);

void cache_truncate(struct inode *, u64 size); /* drops pages beyond, clears the rest of the last */
int cache_sync(struct inode *, u64 first_index, u64 last_index); /* writes dirty ones and waits */
void cache_drop(struct inode *); /* all pages; the inode goes away */
/* Frees clean pages; how many. Takes only spinlocks, but none may be held. */
u64 cache_reclaim(u64 nr_wanted);
void cache_start_writeback(void);   /* the kernel thread: dirty pages go out after 5 s */
void cache_balance(struct inode *); /* after writes: too many dirty pages are written now */
u64 cache_nr_pages(void);
u64 cache_nr_dirty(void);

#endif
