/* Weak stand-ins for what has not landed yet; each goes when the real one is there. */
#include "guestos/fs/poll.h"
#include "guestos/fs/vfs.h"
#include "guestos/kernel/thread.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/process.h"
#include "guestos/proc/signal.h"

#define WEAK __attribute__((weak))

WEAK bool page_fault(struct trap_frame *frame) { (void)frame; return false; }
WEAK void vm_switch(struct vm *vm) { (void)vm; }
WEAK bool signal_is_pending(const struct thread *t) { (void)t; return false; }
WEAK void signal_deliver(struct trap_frame *f) { (void)f; }
WEAK void signal_force(u32 signal, const struct siginfo *info) { (void)signal; (void)info; }
WEAK long string_from_user(char *to, u64 from, size_t size) { (void)to; (void)from; (void)size; return -14; }
WEAK void vfs_init(void) {}
_Noreturn void kernel_prompt(void);
WEAK void vfs_mount_root(const char *device) { (void)device; kernel_prompt(); }
WEAK void process_start_init(const char *path, const char *const argv[], const char *const envp[])
{
    (void)path; (void)argv; (void)envp;
}
WEAK void block_init(void) {}
WEAK void cache_start_writeback(void) {}
WEAK void device_register(const char *name, u32 mode, u64 rdev, const struct file_ops *ops)
{
    (void)name; (void)mode; (void)rdev; (void)ops;
}
WEAK int copy_from_user(void *to, u64 from, size_t n) { (void)to; (void)from; (void)n; return -14; }
WEAK int copy_to_user(u64 to, const void *from, size_t n) { (void)to; (void)from; (void)n; return -14; }
WEAK int clear_user(u64 to, size_t n) { (void)to; (void)n; return -14; }
WEAK void poll_wait(struct poll_table *t, struct wait_queue *q) { (void)t; (void)q; }
WEAK struct spinlock process_lock = SPINLOCK_INIT("processes");
WEAK struct list processes = LIST_INIT(processes);
WEAK struct process *process_find(u32 pid) { (void)pid; return NULL; }
WEAK void signal_process(struct process *p, u32 s, const struct siginfo *i) { (void)p; (void)s; (void)i; }
WEAK int signal_group(u32 pgid, u32 s, const struct siginfo *i) { (void)pgid; (void)s; (void)i; return -3; }
WEAK bool signal_is_ignored_or_blocked(u32 s) { (void)s; return false; }
WEAK bool group_is_orphaned(u32 pgid) { (void)pgid; return false; }
WEAK bool is_superuser(void) { return true; }
