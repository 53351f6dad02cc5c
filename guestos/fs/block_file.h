/* Block devices as files: their page cache, which file systems use for their metadata. */
#ifndef GUESTOS_FS_BLOCK_FILE_H
#define GUESTOS_FS_BLOCK_FILE_H

#include "guestos/fs/vfs.h"

struct inode *block_inode(struct block_device *); /* held by the device; NULL: no memory */
void block_files_sync(void);                      /* writes all devices' dirty pages, and waits */

#endif
