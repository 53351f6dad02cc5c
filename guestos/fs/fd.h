/* Descriptors, for the system calls and /proc/PID/fd; the rest is in fs/vfs.h. */
#ifndef GUESTOS_FS_FD_H
#define GUESTOS_FS_FD_H

#include "guestos/fs/vfs.h"

struct file *fd_get_io(int fd); /* as fd_get(), but NULL for one opened with O_PATH */
struct file *fd_get_from(struct fd_table *, u32 fd); /* held; NULL: none */
u32 fd_table_size(struct fd_table *);                /* beyond all descriptors in use */
u32 fd_limit(void);                                  /* RLIMIT_NOFILE */
/* In place of what is there; takes over the reference. fd, -EBADF, -ENOMEM. */
int fd_install_at(struct file *, u32 fd, bool close_on_exec);
struct process;
void fd_table_unshare(struct process *); /* it has one of its own afterwards */
int fd_close(u32 fd);                    /* 0, -EBADF, or the file's error */
/* Close-on-exec, 0 or 1, before this call; set: 0 or 1, -1 to leave it. -EBADF. */
int fd_flags(u32 fd, int set);

#endif
