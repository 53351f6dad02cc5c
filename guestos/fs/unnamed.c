/* Files that no directory has; the inodes come from fs/inode.c. */
#include "guestos/fs/unnamed.h"

struct file *unnamed_file(const struct file_ops *ops, void *data, u32 flags)
{
    struct inode *inode = inode_unnamed(0600);
    struct file *f = inode ? file_new(inode, ops, flags) : NULL;

    if (f) {
        f->data = data;
    } else if (inode) {
        inode_put(inode);
    }
    return f;
}

i64 unnamed_seek(struct file *f, i64 offset, int whence)
{
    (void)f, (void)offset, (void)whence;
    return -ESPIPE;
}
