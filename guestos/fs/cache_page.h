/* Pages of the cache from the inside: for fs/cache*.c and fs/write_back.c. */
#ifndef GUESTOS_FS_CACHE_PAGE_H
#define GUESTOS_FS_CACHE_PAGE_H

#include "guestos/fs/vfs.h"

bool page_try_busy(struct page *);
void page_make_busy(struct page *); /* sleeps */
void page_end_busy(struct page *);
void page_set(struct page *, u32 flags);
bool page_clear_dirty(struct page *);    /* of a busy one in the cache; whether it was */
bool cache_is_ram(const struct inode *); /* no disk behind it: dirty pages are never written */
/* The page at index, held and busy, up to date or not; a new one is zero. -ENOMEM. */
int cache_get_busy(struct inode *, u64 index, struct page **);

#endif
