/* Files that no directory has: eventfd, epoll and their like. */
#ifndef GUESTOS_FS_UNNAMED_H
#define GUESTOS_FS_UNNAMED_H

#include "guestos/fs/vfs.h"

/* A file, held, with `data`; fd_install() or file_put() is next. NULL: no memory. */
struct file *unnamed_file(const struct file_ops *, void *data, u32 flags);
i64 unnamed_seek(struct file *, i64 offset, int whence); /* -ESPIPE */

#endif
