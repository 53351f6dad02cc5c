/* What CLONE_FS shares: root, working directory, umask. struct fs_context is in proc/process.h. */
#ifndef GUESTOS_FS_FS_CONTEXT_H
#define GUESTOS_FS_FS_CONTEXT_H

#include "guestos/fs/vfs.h"

#define DENTRIES_UNUSED_MAX                                                                        \
    ((u32)MIN(frames_total() / 4, 32768ul)) /* a kilobyte each, inode and all */

struct fs_context *fs_context_new(void); /* the first process': at the root; NULL: no memory */
/* Of the current process, or the first root for kernel threads; held. */
struct dentry *context_root(void);
struct dentry *context_cwd(void);
u32 context_umask(void);
void context_set_cwd(struct dentry *);  /* takes over the reference */
void context_set_root(struct dentry *); /* takes over the reference */

#endif
