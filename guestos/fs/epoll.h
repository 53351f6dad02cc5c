/* What the rest of the kernel must know of epoll. */
#ifndef GUESTOS_FS_EPOLL_H
#define GUESTOS_FS_EPOLL_H

struct file;

/* The file is about to be released, and file->watchers is not NULL: nobody watches it any more. */
void epoll_forget(struct file *);

#endif
