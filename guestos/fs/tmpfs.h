/* RAM file systems from the inside: for devfs, which is one with nodes in it from the start. */
#ifndef GUESTOS_FS_TMPFS_H
#define GUESTOS_FS_TMPFS_H

#include "guestos/fs/vfs.h"

int tmpfs_mount(struct super *, const char *options, struct inode **root);
/* A new file in a directory; its lock is held, and the caller knows that the name is free. */
int tmpfs_make(struct inode *dir, const char *name, u32 mode, u64 rdev, struct inode **made);
int tmpfs_find(struct inode *dir, const char *name, struct inode **found); /* held; -ENOENT */

#endif
