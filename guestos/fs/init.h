/* What fs/mount.c starts: the parts of the file system code, and the types it knows. */
#ifndef GUESTOS_FS_INIT_H
#define GUESTOS_FS_INIT_H

#include "guestos/fs/vfs.h"

void inodes_init(void);
void dentries_init(void);
void files_init(void);
void cache_init(void);
void tmpfs_init_unnamed(void);
extern struct fs_type ext2_type, tmpfs_type, devfs_type, proc_type;

void fs_sync(struct super *); /* its inodes and itself; mounts_lock is held */
bool fs_type_name(u32 number, const char **name, bool *needs_device); /* for /proc/filesystems */

#endif
