/*
 * The pages of one inode by index: a tree whose nodes have 64 slots, as high as the largest index
 * asks for. inode->cache_lock is held by the caller.
 */
#ifndef GUESTOS_FS_PAGE_TREE_H
#define GUESTOS_FS_PAGE_TREE_H

#include "guestos/fs/vfs.h"

void page_tree_init(void);
struct page *page_tree_find(const struct inode *, u64 index); /* NULL: none */
/* The first with any of these flags at or after index, up to last. flags 0: any. NULL: none. */
struct page *page_tree_next(const struct inode *, u64 index, u64 last, u32 flags);
int page_tree_insert(struct inode *, struct page *); /* at page->index; -EEXIST, -ENOMEM */
void page_tree_remove(struct inode *, u64 index);    /* it is there */

#endif
