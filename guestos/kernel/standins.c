#pragma GCC diagnostic ignored "-Wunused-parameter"
/* Weak stand-ins for what has not landed yet; each goes when the real one is there. */
#include "guestos/drivers/random.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/panic.h"
#include "guestos/kernel/string.h"
#include "guestos/mm/vm.h"
#include "guestos/mm/user.h"
#include "guestos/kernel/traps.h"
#include "guestos/tty/tty.h"

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
WEAK void random_bytes(void *to, size_t len)
{
    memset(to, 4, len);
}
WEAK void fd_table_unshare(struct process *p)
{
    (void)p;
}
WEAK void tty_leave(struct tty *t, u32 sid)
{
    (void)t;
    (void)sid;
}
WEAK void vm_switch(struct vm *vm)
{
    (void)vm;
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
ABSENT(struct vm *vm_create(void))
ABSENT(struct vm *vm_fork(struct vm *v))
ABSENT(void vm_get(struct vm *v))
ABSENT(void vm_put(struct vm *v))
ABSENT(long vm_map(struct vm *v, u64 at, u64 len_bytes, u32 prot, u32 flags, struct file *f, u64 o,
                   const char *n))
ABSENT(int vm_unmap(struct vm *v, u64 at, u64 len_bytes))
ABSENT(int vm_page(struct vm *v, u64 lin, enum vm_access a, struct page **p))
ABSENT(int user_compare_exchange(u64 at, u32 e, u32 n, u32 *o))
ABSENT(int copy_from_user(void *to, u64 from, size_t n))
ABSENT(int copy_to_user(u64 to, const void *from, size_t n))
ABSENT(bool user_range_ok(u64 b, u64 n))
ABSENT(long string_from_user(char *to, u64 from, size_t size))
WEAK bool page_fault(struct trap_frame *frame)
{
    (void)frame;
    return false;
}

#include "guestos/fs/poll.h"
WEAK void device_register(const char *name, u32 mode, u64 rdev, const struct file_ops *ops)
{
    (void)name;
    (void)mode;
    (void)rdev;
    (void)ops;
}
WEAK int clear_user(u64 to, size_t n)
{
    (void)to;
    (void)n;
    return -14;
}
WEAK void poll_wait(struct poll_table *t, struct wait_queue *q)
{
    (void)t;
    (void)q;
}
