/* Open files, for the system calls; the rest is in fs/vfs.h. */
#ifndef GUESTOS_FS_FILE_H
#define GUESTOS_FS_FILE_H

#include "guestos/fs/vfs.h"

int file_open_user(int dirfd, u64 path, u32 flags, u32 mode, u32 lookup_flags, struct file **);
static inline bool file_readable(const struct file *f)
{
    return (f->flags & O_ACCMODE) == O_RDONLY || (f->flags & O_ACCMODE) == O_RDWR;
}
static inline bool file_writable(const struct file *f)
{
    return (f->flags & O_ACCMODE) == O_WRONLY || (f->flags & O_ACCMODE) == O_RDWR;
}
static inline bool file_has_pos(const struct file *f) /* so that pos_lock is held for each call */
{
    return S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode) || S_ISBLK(f->inode->mode);
}
int file_fsync(struct file *);
int inode_truncate(struct inode *, u64 size); /* checks limits, not permission; takes the lock */
void inode_drop_privileges(struct inode *);   /* setuid and setgid bits, when its contents change */
/* How many of len bytes may be written at pos: RLIMIT_FSIZE (sends SIGXFSZ) and the file system's
 * limit; or -EFBIG. */
long file_size_limit(const struct inode *, u64 pos, u64 len);
u64 files_open(void);

#endif
