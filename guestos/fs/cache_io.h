/* read() and write() through an inode's page cache: for files whose pages are another inode's. */
#ifndef GUESTOS_FS_CACHE_IO_H
#define GUESTOS_FS_CACHE_IO_H

#include "guestos/fs/vfs.h"

long cache_read_inode(struct inode *, u64 to, u64 len, u64 *pos);
/* From kernel memory, into a file of its own page cache. */
long cache_write_kernel(struct file *, const void *from, u64 len, u64 *pos);
long cache_write_inode(struct file *, struct inode *, u64 from, u64 len, u64 *pos);

#endif
