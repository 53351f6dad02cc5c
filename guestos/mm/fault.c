/*
 * Page faults, from the trap to their end: mended by vm_fault(), or a signal to the program, or
 * -EFAULT to the system call that touched user memory for it, or else a bug of the kernel's.
 * Error code: SDM 3A, figure 4-12.
 */
#include "guestos/abi/errno.h"
#include "guestos/kernel/percpu.h"
#include "guestos/kernel/traps.h"
#include "guestos/kernel/x86.h"
#include "guestos/mm/vm.h"
#include "guestos/proc/process.h"
#include "guestos/proc/signal.h"

#define PF_PRESENT  (1u << 0)
#define PF_WRITE    (1u << 1)
#define PF_USER     (1u << 2)
#define PF_RESERVED (1u << 3)
#define PF_FETCH    (1u << 4)

extern const char user_access_begin[], user_access_end[], user_access_failed[]; /* user.S */

static bool in_user_access(u64 rip)
{
    return rip >= (u64)user_access_begin && rip < (u64)user_access_end;
}

static void send_signal(int error, u64 lin)
{
    static const struct {
        int error;
        u8 signal;
        i32 code;
    } signals[] = {
        {-EFAULT, SIGSEGV, SEGV_MAPERR}, {-EACCES, SIGSEGV, SEGV_ACCERR},
        {-ENXIO, SIGBUS, BUS_ADRERR},    {-EIO, SIGBUS, BUS_ADRERR},
        {-ENOSPC, SIGBUS, BUS_ADRERR},
    };

    for (u32 i = 0; i < ARRAY_LEN(signals); i++) {
        if (signals[i].error == error) {
            struct siginfo info = {.signo = signals[i].signal, .code = signals[i].code};
            info.fault.address = lin;
            signal_force(signals[i].signal, &info);
            return;
        }
    }
    if (error == -ENOMEM) {
        signal_process(this_process(), SIGKILL, NULL);
    }
    /* -EINTR: it is being killed anyway. */
}

bool page_fault(struct trap_frame *frame)
{
    u64 lin = read_cr2();
    u32 error = (u32)frame->error;
    bool from_user = trap_from_user(frame);
    struct thread *t = current();

    if (error & PF_RESERVED) {
        return false;
    }
    if (!from_user &&
        (lin >= USER_END || !in_user_access(frame->rip) || cpu_local()->irq_off_depth > 0)) {
        return false;
    }
    __asm__ volatile("sti" : : : "memory");
    enum vm_access access = error & PF_FETCH ? VM_EXEC : error & PF_WRITE ? VM_WRITE : VM_READ;
    struct vm *vm = t->process ? t->process->vm : NULL;
    int result = vm ? vm_fault(vm, lin, access) : -EFAULT;
    /* The page is there, but SMAP forbids it to the CPU's own accesses for a program: QEMU 7.2's
     * IRET in user mode reads the stack so. It would fault for ever. */
    if (from_user && (error & (PF_PRESENT | PF_USER)) == PF_PRESENT) {
        result = -EACCES;
    }
    if (result < 0 && from_user) {
        send_signal(result, lin);
    } else if (result < 0) {
        frame->rip = (u64)user_access_failed;
    }
    __asm__ volatile("cli" : : : "memory");
    return true;
}
