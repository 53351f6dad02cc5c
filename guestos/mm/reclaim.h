/*
 * What happens when memory runs short. The page cache gives back clean pages: a kernel thread asks
 * it to when less than a mark is free. Programs and the page cache itself never get the last
 * frames, the kernel's reserve. Who needs more waits for the page cache, and if that has nothing
 * left, the process that holds most is killed.
 */
#ifndef GUESTOS_MM_RECLAIM_H
#define GUESTOS_MM_RECLAIM_H

#include "guestos/mm/frames.h"

void reclaim_start(void); /* the kernel thread */

/* A page for what programs fill memory with: their own pages and the page cache's. NULL when only
 * the kernel's reserve is left, unless that may be used. Then: memory_wait(). */
struct page *page_alloc(bool zeroed, bool from_reserve);

/* Makes room, however it can: drops cached pages, writes dirty ones, kills. Sleeps; no vm->lock or
 * inode->lock is held, nor what a process' end may need. 0: try again. -EINTR: the current thread
 * is being killed. -ENOMEM: it is hopeless. */
int memory_wait(void);

#endif
