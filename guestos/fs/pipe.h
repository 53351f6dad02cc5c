/* Pipes and FIFOs, for fcntl and for poll. fifo_file_ops is in fs/vfs.h. */
#ifndef GUESTOS_FS_PIPE_H
#define GUESTOS_FS_PIPE_H

#include "guestos/fs/vfs.h"

/* F_GETPIPE_SZ, F_SETPIPE_SZ: bytes; -EBADF: no pipe; -EBUSY: it holds more; -EPERM, -ENOMEM. */
long pipe_size(struct file *);
long pipe_set_size(struct file *, u64 bytes);

#endif
