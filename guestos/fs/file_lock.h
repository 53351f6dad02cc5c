/*
 * Locks on files: POSIX record locks, which belong to a process (its table of descriptors), and
 * those of flock() and of open file descriptions, which belong to a struct file.
 */
#ifndef GUESTOS_FS_FILE_LOCK_H
#define GUESTOS_FS_FILE_LOCK_H

#include "guestos/fs/vfs.h"

struct fd_table;

void file_locks_closed(struct file *, struct fd_table *owner); /* a descriptor was closed */
void file_locks_released(struct file *);                       /* the last reference goes */

/* fcntl(F_GETLK ...) with a struct flock in user memory. */
long file_lock_control(struct file *, u32 command, u64 user_flock);

#endif
