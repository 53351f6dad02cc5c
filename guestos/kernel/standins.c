#pragma GCC diagnostic ignored "-Wunused-parameter"
/* Weak stand-ins for what has not landed yet; each goes when the real one is there. */
#include "guestos/fs/vfs.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/fs/cache.h"

#define WEAK __attribute__((weak))
#define ABSENT(declaration)                                                                        \
    WEAK declaration                                                                               \
    {                                                                                              \
        panic("not there yet: " #declaration);                                                     \
    }
struct process;
struct fs_context *fs_context_new(void);
void fd_table_unshare(struct process *);

_Noreturn void kernel_prompt(void);
WEAK void vfs_init(void)
{
}
WEAK void vfs_mount_root(const char *device)
{
    (void)device;
    kernel_prompt();
}
WEAK void cache_start_writeback(void)
{
}
WEAK void fd_table_unshare(struct process *p)
{
    (void)p;
}
ABSENT(struct fs_context *fs_context_new(void))
ABSENT(struct fs_context *fs_context_hold(struct fs_context *c))
ABSENT(struct fs_context *fs_context_copy(struct fs_context *c))
ABSENT(void fs_context_put(struct fs_context *c))
ABSENT(struct fd_table *fd_table_new(void))
ABSENT(struct fd_table *fd_table_hold(struct fd_table *c))
ABSENT(struct fd_table *fd_table_copy(struct fd_table *c))
ABSENT(void fd_table_put(struct fd_table *c))
ABSENT(void fd_close_on_exec(struct fd_table *c))
ABSENT(int file_open(int d, const char *p, u32 f, u32 m, struct file **o))
ABSENT(void file_put(struct file *f))
ABSENT(long file_read_kernel(struct file *f, void *to, u64 len, u64 pos))
ABSENT(int file_deny_write(struct inode *i))
ABSENT(void file_allow_write(struct inode *i))
ABSENT(int inode_permission(struct inode *i, u32 w))

WEAK void device_register(const char *name, u32 mode, u64 rdev, const struct file_ops *ops)
{
    (void)name;
    (void)mode;
    (void)rdev;
    (void)ops;
}
WEAK const struct file_ops regular_file_ops;
ABSENT(struct file *tmpfs_unnamed_file(u64 size))
ABSENT(struct file *file_hold(struct file *f))
ABSENT(struct file *fd_get(int fd))
ABSENT(void inode_touch(struct inode *i, u32 what))
ABSENT(struct page *cache_find(struct inode *i, u64 index))
ABSENT(int cache_get(struct inode *i, u64 index, struct page **p))
ABSENT(void cache_mark_dirty(struct page *p))
ABSENT(int cache_sync(struct inode *i, u64 first, u64 last))
WEAK u64 cache_reclaim(u64 nr)
{
    return 0;
}
