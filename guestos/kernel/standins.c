/* Weak stand-ins for what has not landed yet; each goes when the real one is there. */
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
